"""A whole service as small as can be: it counts the questions' releases it hears of, on real MongoDB."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx2

from shared.contracts.base import Aggregate, Event, Recorded
from shared.contracts.qa import TOPIC, AnswerReleased, QuestionClosed
from shared.desk import Desk
from shared.journal import Commit, Head, Stored
from shared.messaging.dead_letters import Original
from shared.projections import Projection
from shared.service import Service
from shared.settings import Role, ServiceSettings
from shared.web.edge import staff
from shared.workflow import Actor

OPERATOR = Actor("u-truc", "Người trực", roles=frozenset({"operator"}))


@dataclass(frozen=True)
class Tally(Aggregate):
    """What was heard of one question, in the order of hearing."""

    KIND: ClassVar[str] = "tally"
    id: UUID
    heard: tuple[str, ...] = ()

    @classmethod
    def begin(cls, event: Event) -> "Tally":
        return cls(event.question_id).apply(event)  # type: ignore[attr-defined]

    def apply(self, event: Event) -> "Tally":
        word = event.answer_ref if isinstance(event, AnswerReleased) else "closed"
        return replace(self, heard=(*self.heard, word))


def record(
    question: UUID, version: int, event: Event | None = None, *, value: bytes | None = None, offset: int = -1
) -> Original:
    """An event of a question as the broker would bring it."""
    event = event or AnswerReleased(question_id=question, answer_ref=f"a{version}")
    commit = Commit(
        key="k", stream=f"question-{question}", version=0, events=(Stored.of(event),),
        at=datetime(2026, 11, 23, 2, tzinfo=UTC), by="u-ha", correlation="c-12345678", causation="",
    ).sealed(Head(version - 1, ""))  # fmt: skip
    recorded = commit.recorded("qa")[0]
    body = event.model_dump_json().encode() if value is None else value
    place = version if offset < 0 else offset
    return Original(TOPIC, 0, place, recorded.stream.encode(), tuple(recorded.headers()), body)


class SmallService:
    def __init__(
        self, mongo_uri: str, database: str, instance: str = "r1", kafka: str = "127.0.0.1:1"
    ) -> None:
        self.broken: dict[UUID, Exception] = {}
        settings = ServiceSettings(
            environment="local",
            roles=frozenset(
                {Role.API, Role.WORKER, Role.BULK}
            ),  # a relay would bring its own words back to it
            mongo_uri=mongo_uri,
            kafka_bootstrap=kafka,
            mongo_database=database,
            instance=instance,
            log_level="ERROR",
        )
        self.service = Service(
            "notifier", "Thử", settings, None, [Tally], [], Path(__file__).parent, [],
            consumers={TOPIC: {AnswerReleased: self.hear, QuestionClosed: self.hear}},
            projections=[Projection("tallies", "tally", {AnswerReleased: _last})],
        )  # fmt: skip
        self.graves, self.inbox = self.service.dead_letters, self.service.inbox
        self.journal = self.service.edge.journal

    async def hear(self, recorded: Recorded[Any], desk: Desk[None]) -> None:
        question = recorded.event.question_id
        if question in self.broken:
            raise self.broken[question]
        tally = await desk.find(Tally, question)
        await desk.append(tally.then(recorded.event) if tally else Tally.starts_with(recorded.event))

    async def heard(self, question: UUID) -> tuple[str, ...]:
        tally = await self.service.edge.desk().find(Tally, question)
        return tally.heard if tally else ()

    async def acts(self, id: str) -> list[str]:
        """The audit trail of one dead letter: what was done, by whom."""
        commits = await self.journal.read(f"deadletter-{id}")
        return [f"{e.name.rpartition('.')[2]} by {c.by}" for c in commits for e in c.events]

    def client(self, actor: Actor = OPERATOR) -> httpx2.AsyncClient:
        app = self.service.app()
        app.dependency_overrides[staff] = lambda: actor
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app), base_url="http://small",
            headers={"Idempotency-Key": uuid4().hex},
        )  # fmt: skip


async def _last(recorded: Recorded[AnswerReleased], _: Any) -> dict[str, Any]:
    return {"last": recorded.event.answer_ref, f"seen.{recorded.event.answer_ref}": recorded.at}
