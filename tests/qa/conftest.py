"""qa with its edges on a real database; read models are brought up to date when a test asks."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.qa import domain
from services.qa.app import build
from services.qa.queries.files import FILES, PIECES
from services.qa.queries.read_models import ANSWERS, ATTEMPTS, QUESTIONS
from services.qa.regulation import Policy
from services.qa.settings import QaSettings
from shared.contracts.qa import NoticeKind
from shared.service import Service
from shared.settings import Role
from tests.edges import Caller, SignedIn, dropped
from tests.qa.world import question_in

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy/demo/directory.yaml"
SECRET = "0123456789abcdef0123456789abcdef"


class Edges(Caller):
    async def form(self, path: str, fields: dict[str, Any], as_: str = "") -> httpx2.Response:
        """As a browser sends it, with the token of a page that was shown before."""
        if not as_:
            fields = {"csrf": await self.csrf()} | fields
        headers = self.headers(as_) | {"Accept": "text/html"}
        return await self.http.post(path, data=fields, headers=headers)

    async def page(self, path: str, as_: str = "") -> httpx2.Response:
        return await self.get(path, as_, Accept="text/html")

    async def csrf(self) -> str:
        page = await self.page("/track")
        return str(page.text.split('name="csrf" value="')[1].split('"')[0])

    async def asked(self, **changes: Any) -> dict[str, Any]:
        body = question_in(**changes)
        answer = await self.post("/v1/questions", body)
        assert answer.status_code == 201, answer.text
        return {**body, **answer.json(), "path": f"/v1/questions/{answer.json()['id']}"}

    async def forwarded(self, unit: str = "bhxh-ha-noi", **changes: Any) -> dict[str, Any]:
        asked = await self.asked(**changes)
        await self.done(asked, "forwarding", {"unit": unit, "field": "bhxh-mot-lan"}, "u-ha")
        return asked

    async def answered(self, **changes: Any) -> dict[str, Any]:
        asked = await self.forwarded(**changes)
        await self.done(asked, "answer", {"text": "Kính gửi bà Hoa,\n\nĐược."}, "u-tuan")
        return asked

    async def done(self, asked: dict[str, Any], act: str, body: Any, as_: str) -> dict[str, Any]:
        answer = await self.post(f"{asked['path']}/{act}", body, as_)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def letter_accepted(self, asked: dict[str, Any], kind: NoticeKind) -> None:
        """What the consumer does when the notifier says that the mail server has taken the letter."""
        edge = self.service.edge
        desk = edge.desk(once=uuid4().hex)
        question = await desk.load(domain.Question, asked["id"])
        notice = domain.RecordNotice(question.id, kind, uuid4(), "<1@x>", desk.now)
        await desk.append(domain.record_notice(question, notice))

    async def project(self) -> None:
        await self.catch_up(self.service.projections)


@pytest.fixture(scope="session")
async def running(mongo_uri: str) -> AsyncIterator[tuple[Service[Policy], FastAPI]]:
    """One service for all tests of the session."""
    settings = QaSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri,
        mongo_database=f"qa-{uuid4().hex[:8]}", directory_file=DIRECTORY, log_format="console",
        log_level="ERROR", secret_key=SecretStr(SECRET), tracking_failures=5,
        ask_limit=1_000_000,
    )  # fmt: skip
    service = build(settings)
    app = service.app()
    async with app.router.lifespan_context(app):
        yield service, app
    await dropped(service, mongo_uri)


@pytest.fixture
async def edges(
    running: tuple[Service[Policy], FastAPI], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Edges]:
    """An empty desk; a page that waits for its read model has it brought up to date."""
    service, app = running
    transport = httpx2.ASGITransport(app=SignedIn(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://qa") as http:
        edges = Edges(http, service)

        async def caught_up(*_: Any) -> None:
            await edges.project()

        monkeypatch.setattr(service.edge, "caught_up", caught_up)
        yield edges
    for name in ("journal", "vault", FILES, PIECES, QUESTIONS, ANSWERS, ATTEMPTS):
        await service.database[name].delete_many({})
