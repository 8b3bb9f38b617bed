"""Things the tests of the notifier talk about: a question, its clocks, its events as they come from Kafka."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.notifier.domain import Deadline, Notice
from services.notifier.regulation import Policy
from shared.calendar import CALENDAR
from shared.contracts.base import Clock, Event, Recorded
from shared.contracts.clocks import clock_for
from shared.contracts.qa import QuestionForwarded, QuestionReceived, QuestionRefused, RefusalGround
from shared.desk import Desk
from shared.testing import MemoryJournal, MemoryVault, local

QUESTION = UUID("4f2c0293-bd91-568a-8e94-efe8f5b0f83c")
SUBJECT = f"question-{QUESTION}"
RECEIVED = local("2026-11-23T09:00")
POLICY = Policy()


def triage_clock(received: datetime = RECEIVED) -> Clock:
    """Five working days, warned of after two."""
    return clock_for(
        CALENDAR.due(received, 5), CALENDAR, duty="triage", basis="dieu-11#hoi-dap-1", owner_unit="tt-cskh",
        reason="ngày tiếp nhận câu hỏi", warn_at=CALENDAR.due(received, 2).due_at,
    )  # fmt: skip


def same_day_clock(found: datetime = RECEIVED) -> Clock:
    return clock_for(
        CALENDAR.same_day(found), CALENDAR, duty="same_day_notice", basis="dieu-11#hoi-dap-1",
        owner_unit="tt-cskh", reason="ngày tiếp nhận câu hỏi",
    )  # fmt: skip


def received(*, opens: tuple[Clock, ...] | None = None) -> QuestionReceived:
    return QuestionReceived(
        question_id=QUESTION, number="HD-2026-11-QW99WAG", channel="web", letter_ref="ref",
        letter_hash="hash", received_at=RECEIVED, counted_from=RECEIVED.date(),
        opens=(triage_clock(),) if opens is None else opens,
    )  # fmt: skip


def forwarded(**facts: Any) -> QuestionForwarded:
    return QuestionForwarded(question_id=QUESTION, unit="bhxh-ha-noi", field="so-the", **facts)


def refused(**facts: Any) -> QuestionRefused:
    return QuestionRefused(
        question_id=QUESTION, ground=RefusalGround.OUT_OF_SCOPE, explanation_ref="words",
        explanation_hash="hash", notice_due=RECEIVED.date(), **facts,
    )  # fmt: skip


def told(event: Event, version: int, at: datetime, *, subject: str = SUBJECT) -> Recorded[Any]:
    """The event as the inbox hands it over."""
    return Recorded(event, subject, version, 0, at, "u-ha", "correlation", "qa")


class World:
    """A register in memory, with a clock that the test sets."""

    def __init__(self) -> None:
        self.journal, self.vault = MemoryJournal(), MemoryVault()

    def desk(self, at: datetime = RECEIVED, *, cause: str = "") -> Desk[Policy]:
        return Desk(
            self.journal, self.vault, CALENDAR, POLICY, {k.KIND: k for k in (Deadline, Notice)}, "notifier",
            now=at.astimezone(UTC), once=cause, causation=cause,
        )  # fmt: skip

    async def hears(self, handler: Any, recorded: Recorded[Any]) -> None:
        await handler(recorded, self.desk(recorded.at, cause=recorded.id))

    async def deadline(self, id: UUID) -> Deadline:
        return await self.desk().load(Deadline, id)

    async def notice(self, id: UUID) -> Notice:
        return await self.desk().load(Notice, id)

    def events(self, name: str) -> list[Event]:
        return [
            recorded.event for commit in self.journal.commits for recorded in commit.recorded("notifier")
            if recorded.event.name == name
        ]  # fmt: skip


SECOND = timedelta(seconds=1)
