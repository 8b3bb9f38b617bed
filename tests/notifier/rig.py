"""The service without its timers, its HTTP edge in this process, and people by name."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from services.notifier import handlers, queries
from services.notifier.app import build
from services.notifier.domain import deadline_id
from services.notifier.regulation import Policy
from services.notifier.settings import NotifierSettings
from shared.contracts.base import Event
from shared.desk import utc_now
from shared.service import Service
from shared.settings import Role
from shared.web import edge
from shared.workflow import Actor
from tests.edges import by_name, dropped, projecting
from tests.notifier.world import received, told, triage_clock

PEOPLE = {
    "oanh": Actor("u-oanh", "Dương Kim Oanh", "tt-truyen-thong", frozenset({"operator"})),
    "thao": Actor("u-thao", "Ngô Phương Thảo", "ban-bien-tap", frozenset({"calendar_keeper"})),
    "mail": Actor("svc-mail", "Máy chủ thư", roles=frozenset({"service"})),
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
    await dropped(service, mongo_uri)


@pytest.fixture(scope="module")
async def client(service: Service[Policy]) -> AsyncIterator[httpx2.AsyncClient]:
    app, who = service.app(), by_name(PEOPLE)
    app.dependency_overrides[edge.staff] = who
    patched = pytest.MonkeyPatch()
    patched.setattr(edge, "visitor", who)  # what a page's shell asks
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with (
            projecting(service, queries.projections(service.policy)),
            httpx2.AsyncClient(transport=transport, base_url="http://notifier") as client,
        ):
            yield client
        patched.undo()


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
