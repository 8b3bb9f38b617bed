"""The service without its timers, its HTTP edge in this process, and people by name."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import Request

from services.notifier import handlers, queries
from services.notifier.app import build
from services.notifier.domain import deadline_id
from services.notifier.regulation import Policy
from services.notifier.settings import NotifierSettings
from shared.contracts.base import Event
from shared.desk import utc_now
from shared.errors import Unauthenticated
from shared.messaging.follower import Follower
from shared.mongo import connect
from shared.projections import Projector
from shared.service import Service
from shared.settings import Role
from shared.testing import MemoryVault
from shared.web import edge
from shared.workflow import Actor
from tests.notifier.world import received, told, triage_clock

PEOPLE = {
    "oanh": Actor("u-oanh", "Dương Kim Oanh", "tt-truyen-thong", frozenset({"operator"})),
    "thao": Actor("u-thao", "Ngô Phương Thảo", "ban-bien-tap", frozenset({"calendar_keeper"})),
    "lan": Actor("u-lan", "Nguyễn Thị Lan", "bhxh-quang-ngai", frozenset()),
}


@pytest.fixture(scope="module")
async def service(mongo_uri: str) -> AsyncIterator[Service[Policy]]:
    settings = NotifierSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri, log_format="console",
        mongo_database=f"notifier-{uuid4().hex[:8]}",
    )  # fmt: skip
    service = build(settings)
    yield service
    again = connect(mongo_uri, service.database.name)
    await again.client.drop_database(again.name)
    again.client.close()


@pytest.fixture(scope="module")
async def client(service: Service[Policy]) -> AsyncIterator[httpx2.AsyncClient]:
    app = service.app()

    async def by_name(request: Request) -> Actor:
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        if name not in PEOPLE:
            raise Unauthenticated
        return PEOPLE[name]

    app.dependency_overrides[edge.staff] = by_name
    patched = pytest.MonkeyPatch()
    patched.setattr(edge, "visitor", by_name)  # what a page's shell asks
    async with app.router.lifespan_context(app):
        projections = queries.projections(service.policy)
        projector = Projector(service.database, projections, "notifier", MemoryVault(), lambda _: None)
        following = asyncio.create_task(Follower(service.database, "projector", "t", projector.project).run())
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://notifier") as client:
            yield client
        patched.undo()
        following.cancel()
        await asyncio.wait([following])


def as_(who: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"}


async def hears(
    service: Service[Policy], handler: Any, event: Event, question: UUID, version: int = 1
) -> str:
    subject = f"question-{question}"
    recorded = told(event, version, utc_now(), subject=subject)
    await handler(recorded, service.edge.desk_for(recorded))
    return subject


async def opened(service: Service[Policy], *, at: datetime | None = None) -> tuple[str, UUID]:
    question = uuid4()
    clock = triage_clock(at or utc_now())
    subject = await hears(service, handlers.acknowledge_question, received(opens=(clock,)), question)
    id = deadline_id(subject, "triage")
    await service.edge.caught_up("deadlines", id, 1)
    return subject, id
