"""The register with its directory, on a real database: what is on record is shown, and letters are asked for
at the hour that the test says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import yaml

from services.notifier import domain, handlers, queries
from services.notifier.app import build
from services.notifier.consumers import TABLE
from services.notifier.domain import Deadline, Notice
from services.notifier.jobs import letter_for
from services.notifier.letters import Language
from services.notifier.queries import DueNotice
from services.notifier.regulation import Policy
from services.notifier.settings import NotifierSettings
from shared.contracts import notifier as contract
from shared.contracts.base import Clock, Event, Recorded
from shared.contracts.notifier import DeadlineMet
from shared.service import Service
from shared.settings import Role
from tests.edges import projecting
from tests.notifier.world import triage_clock

DIRECTORY = Path(__file__).resolve().parents[2] / "deploy" / "demo" / "directory.yaml"


class NoAsker:
    async def letter(self, question: UUID, kind: str, round: int) -> dict[str, Any]:
        raise AssertionError("nobody asked")


def clock_due(
    due_at: datetime, *, unit: str = "bhxh-ha-noi", duty: str = "unit_reply", **facts: Any
) -> Clock:
    return triage_clock(due_at - timedelta(days=9)).model_copy(
        update={"due_at": due_at, "owner_unit": unit, "duty": duty, "warn_at": None,
                "basis": "dieu-11#hoi-dap-2"} | facts
    )  # fmt: skip


@dataclass
class Office:
    service: Service[Policy]

    def __post_init__(self) -> None:
        self.edge = self.service.edge

    async def open(self, clock: Clock, *, at: datetime, label: str = "HD-1") -> str:
        """A deadline on record; its stream."""
        subject = f"question-{uuid4()}"
        opened = domain.open_deadline(None, subject, clock, source="qa", label=label)
        await self.edge.desk(now=at).append(opened)
        await self.edge.caught_up("deadlines", opened[0].id, 1)
        return f"deadline-{opened[0].id}"

    async def deadline(self, stream: str) -> Deadline:
        return await self.edge.desk().load(Deadline, stream.removeprefix("deadline-"))

    async def puts(self, stream: str, *events: Event, at: datetime) -> Recorded[Any]:
        deadline = await self.deadline(stream)
        desk = self.edge.desk(now=at)
        await desk.append((await desk.load(Deadline, deadline.id)).then(*events))
        await self.edge.caught_up("deadlines", deadline.id, desk.written[stream])
        commits = await self.edge.journal.read(stream)
        return list(commits[-1].recorded("notifier"))[-1]

    async def meets(self, stream: str, *, at: datetime) -> Recorded[Any]:
        deadline = await self.deadline(stream)
        assert deadline.clock is not None
        met = DeadlineMet(deadline_id=deadline.id, subject=deadline.subject, duty=deadline.clock.duty,
                          met_at=at, late=at >= deadline.clock.due_at, cause="qa:x:1:0")  # fmt: skip
        return await self.puts(stream, met, at=at)

    async def hears(self, recorded: Recorded[Any]) -> None:
        desk = self.edge.desk_for(recorded)
        desk.now = recorded.at
        await TABLE[contract.DEADLINE][type(recorded.event)](recorded, desk)

    async def notices(self, kind: str = "") -> list[DueNotice]:
        found = await queries.notices(self.edge.database, kind=kind)
        return [DueNotice.of(each) for each in reversed(found)]

    async def notice(self, kind: str, count: int = 1) -> DueNotice:
        """The newest of its kind, once the list shows as many."""
        while len(found := await self.notices(kind)) < count:
            pass
        return found[-1]

    async def letter(self, due: DueNotice, at: datetime) -> Any:
        return await letter_for(self.edge, NoAsker(), due, at=at)

    async def sent(self, due: DueNotice, at: datetime) -> None:
        """As though a mail server had taken it."""
        desk = self.edge.desk(now=at)
        await handlers.claim_notice(handlers.ClaimNotice(due.id), desk)
        desk = self.edge.desk(now=at)
        notice = await handlers.record_acceptance(handlers.Accepted(due.id, 1, "250 OK", at), desk)
        await self.edge.caught_up("notices", due.id, desk.written[Notice.stream_of(notice.id)])

    async def unit(self, id: str, **facts: Any) -> None:
        """Change a row of the directory."""
        row = (await self.edge.directory.units())[id]
        await self.edge.directory.load({"units": [{**row, "id": id, **facts}]})
        self.edge.directory._read_at = float("-inf")

    async def language(self, id: str, language: Language) -> None:
        await self.unit(id, language=language)


@asynccontextmanager
async def office(mongo_uri: str, **facts: Any) -> AsyncIterator[Office]:
    settings = NotifierSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri, log_format="console",
        mongo_database=f"notifier-{uuid4().hex[:8]}", secret_key="x" * 40, **facts,
    )  # fmt: skip
    service = build(settings)
    await queries.prepare(service.database)
    await service.directory.load(yaml.safe_load(DIRECTORY.read_text(encoding="utf-8")))
    async with projecting(service, queries.projections(service.policy)):
        yield Office(service)
    await service.database.client.drop_database(service.database.name)
    service.database.client.close()
