"""Content with its edges on a real database; read models are brought up to date when a test asks."""

from collections.abc import AsyncIterator
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
from shared.service import Service
from shared.settings import Role
from tests.content.world import text_in
from tests.edges import Caller, SignedIn, dropped

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy/demo/directory.yaml"


class Edges(Caller):
    async def form(self, path: str, fields: dict[str, Any], as_: str) -> httpx2.Response:
        return await self.http.post(path, data=fields, headers=self.headers(as_) | {"Accept": "text/html"})

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
        await self.catch_up(queries.PROJECTIONS)


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
    await dropped(service, mongo_uri)


@pytest.fixture
async def edges(content: tuple[Service[Policy], FastAPI]) -> AsyncIterator[Edges]:
    service, app = content
    for name in ("journal", "vault", "submissions", "articles", "placements"):
        await service.database[name].delete_many({})
    await service.database.sources.delete_many({"_id": "la-cai"})
    transport = httpx2.ASGITransport(app=SignedIn(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://content") as http:
        yield Edges(http, service)
