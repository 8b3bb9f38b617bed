"""Content with its edges on a real database; read models are brought up to date when a test asks."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from services.content import queries
from services.content.app import build
from services.content.regulation import Policy
from services.content.settings import ContentSettings
from shared.mongo import connect, from_document
from shared.projections import Projector
from shared.service import Service
from shared.settings import Role
from tests.content.world import SignedIn, text_in

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy/demo/directory.yaml"


@dataclass
class Edges:
    """The service as people reach it: ``as_`` names who asks."""

    http: httpx2.AsyncClient
    service: Service[Policy]

    async def get(self, path: str, as_: str = "", **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers=self._headers(as_) | headers)

    async def send(self, method: str, path: str, body: Any, as_: str = "", **more: str) -> httpx2.Response:
        headers = {"Idempotency-Key": uuid4().hex} | self._headers(as_)
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return await self.http.request(method, path, json=body, headers=headers)

    async def post(self, path: str, body: Any, as_: str = "", **more: str) -> httpx2.Response:
        return await self.send("POST", path, body, as_, **more)

    async def form(self, path: str, fields: dict[str, Any], as_: str) -> httpx2.Response:
        return await self.http.post(path, data=fields, headers=self._headers(as_) | {"Accept": "text/html"})

    def _headers(self, as_: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {as_}"} if as_ else {}

    async def submitted(self, as_: str = "u-nga", **changes: Any) -> dict[str, Any]:
        answer = await self.post("/v1/submissions", text_in(**changes), as_)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def published(self, as_: str = "u-nga", **changes: Any) -> dict[str, Any]:
        view = await self.submitted(as_, **changes)
        answer = await self.approve(view)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def approve(self, view: dict[str, Any], as_: str = "u-phuong", **changes: Any) -> httpx2.Response:
        body = {
            "text_version": view["text_version"],
            "attestations": [
                "policy", "accuracy", "state_secrets", "press", "intellectual_property", "internet",
            ],
            "publish": True,
        } | changes  # fmt: skip
        return await self.post(f"/v1/submissions/{view['id']}/approval", body, as_)

    async def project(self) -> None:
        """What the projector does as commits come, for all of them at once."""
        commits = [from_document(d) async for d in self.service.database.journal.find().sort("at", 1)]
        projector = Projector(
            self.service.database, queries.PROJECTIONS, "content", self.service.edge.vault, lambda _: None
        )
        await projector.project(sorted(commits, key=lambda c: (c.stream, c.version)))


@pytest.fixture(scope="session")
async def content(mongo_uri: str) -> AsyncIterator[tuple[Service[Policy], FastAPI]]:
    settings = ContentSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri,
        mongo_database=f"content-{uuid4().hex[:8]}", directory_file=DIRECTORY, log_format="console",
        log_level="ERROR",
    )  # fmt: skip
    service = build(settings)
    app = service.app()
    async with app.router.lifespan_context(app):
        yield service, app
    again = connect(mongo_uri, service.database.name)
    await again.client.drop_database(again.name)
    again.client.close()


@pytest.fixture
async def edges(content: tuple[Service[Policy], FastAPI]) -> AsyncIterator[Edges]:
    service, app = content
    for name in ("journal", "vault", "submissions", "articles", "placements"):
        await service.database[name].delete_many({})
    await service.database.sources.delete_many({"_id": "la-cai"})
    transport = httpx2.ASGITransport(app=SignedIn(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://content") as http:
        yield Edges(http, service)
