"""A register on a real database without its timers: deadlines come in bulk, sweeps run and the read model
shows what happened when the test says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from services.notifier import queries
from services.notifier.app import build
from services.notifier.domain import deadline_id
from services.notifier.jobs import Sweeper
from services.notifier.regulation import Policy
from services.notifier.settings import NotifierSettings
from shared.contracts.base import Clock, Event
from shared.contracts.notifier import DeadlineOpened
from shared.journal import Commit, Head, Stored
from shared.mongo import from_document
from shared.mongo import prepare as prepare_core
from shared.projections import Projector
from shared.service import Service
from shared.settings import Role
from tests.edges import dropped
from tests.notifier.world import triage_clock

HOUR = timedelta(hours=1)


@dataclass
class Swept:
    service: Service[Policy]

    @property
    def database(self) -> Any:
        return self.service.database

    def sweeper(self, **facts: Any) -> Sweeper:
        return Sweeper(self.service.edge, **facts)

    async def open(
        self, count: int = 1, *, due_at: datetime, unit: str = "tt-cskh", label: str = "HD-1", **facts: Any
    ) -> list[UUID]:
        """As many as wanted, on record and shown; without a warning ahead of its own."""
        clock = due_clock(due_at, unit, **facts)
        ids, commits = [], []
        for _ in range(count):
            subject = f"question-{uuid4()}"
            event = DeadlineOpened(
                deadline_id=deadline_id(subject, clock.name), subject=subject, source="qa", clock=clock,
                label=label,
            )  # fmt: skip
            ids.append(event.deadline_id)
            commits.append(Commit(
                key=uuid4().hex, stream=f"deadline-{event.deadline_id}", version=0,
                events=(Stored.of(event),), at=datetime.now(UTC), by="system", correlation=uuid4().hex,
                causation="",
            ).sealed(Head()))  # fmt: skip
        assert set(await self.service.edge.journal.append_all(commits)) == {None}
        await self.show()
        return ids

    async def show(self) -> None:
        """What the projector does as commits come."""
        projections = queries.projections(self.service.policy)
        projector = Projector(self.database, projections, "notifier", self.service.edge.vault, lambda _: None)
        commits = [from_document(d) async for d in self.database.journal.find()]
        await projector.project(sorted(commits, key=lambda c: (c.stream, c.version)))

    async def events(self, kind: type[Event]) -> list[Any]:
        found = self.database.journal.find({"events.name": kind.name}).sort("_id", 1)
        commits = [from_document(d) async for d in found]
        recorded = [r.event for commit in commits for r in commit.recorded("notifier")]
        return [event for event in recorded if isinstance(event, kind)]

    async def row(self, id: UUID) -> dict[str, Any]:
        return await queries.deadline(self.database, id)

    async def beats(self, *replicas: str, at: datetime | None = None) -> None:
        for replica in replicas:
            facts = {"at": at or datetime.now(UTC), "roles": ["bulk"]}
            await self.database.heartbeats.update_one({"_id": replica}, {"$set": facts}, upsert=True)


def due_clock(due_at: datetime, unit: str, **facts: Any) -> Clock:
    told = {"due_at": due_at, "owner_unit": unit, "warn_at": None, "working_days": None} | facts
    return triage_clock(due_at - timedelta(days=9)).model_copy(update=told)


@asynccontextmanager
async def sweeping(mongo_uri: str, **facts: Any) -> AsyncIterator[Swept]:
    settings = NotifierSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri, log_format="console",
        mongo_database=f"notifier-{uuid4().hex[:8]}", **facts,
    )  # fmt: skip
    service = build(settings)
    await asyncio.gather(prepare_core(service.database), queries.prepare(service.database))
    yield Swept(service)
    service.database.client.close()
    await dropped(service, mongo_uri)
