"""A deadline (thời hạn): judged by when things happened, in whatever order they are told."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID, uuid5

from services.notifier.regulation import (
    DEADLINES,
    DeadlineStatus,
)
from shared.contracts.base import Aggregate, Clock, Decision, Event, only
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineDischargedEarly,
    DeadlineMet,
    DeadlineOpened,
    DeadlineVoided,
    DeadlineWarned,
)
from shared.workflow import SYSTEM, Actor

NAMESPACE: Final = UUID("6f1b1c0e-5d0c-5b8e-9c43-0d8f7c1a2b11")


def deadline_id(subject: str, clock: str) -> UUID:
    """One deadline a subject and clock: opening twice is opening once."""
    return uuid5(NAMESPACE, f"deadline#{subject}#{clock}")


@dataclass(frozen=True, slots=True, order=True)
class Ending:
    """How a duty ended. The earliest one counts; of two at the same instant, the fulfilment."""

    at: datetime
    void: bool
    cause: str = field(compare=False, default="")


@dataclass(frozen=True, slots=True)
class Deadline(Aggregate):
    KIND: ClassVar[str] = "deadline"

    id: UUID
    subject: str
    source: str = ""
    label: str = ""
    clock: Clock | None = None
    status: DeadlineStatus = DeadlineStatus.AWAITED
    ending: Ending | None = None
    late: bool = False
    warned: bool = False
    breached: bool = False

    @classmethod
    def begin(cls, event: Event) -> "Deadline":
        if isinstance(event, DeadlineDischargedEarly):
            return cls(event.deadline_id, event.subject).apply(event)
        opened = only(event, DeadlineOpened)
        return cls(opened.deadline_id, opened.subject).apply(opened)

    def apply(self, event: Event) -> "Deadline":  # noqa: PLR0911 (an arm for each event)
        match event:
            case DeadlineOpened():
                return replace(self, source=event.source, label=event.label, clock=event.clock,
                               status=DeadlineStatus.OPEN)  # fmt: skip
            case DeadlineDischargedEarly():
                return replace(self, ending=Ending(event.happened_at, event.void, event.cause))
            case DeadlineMet():
                return replace(self, status=DeadlineStatus.MET, late=event.late,
                               ending=Ending(event.met_at, False, event.cause))  # fmt: skip
            case DeadlineVoided():
                return replace(self, status=DeadlineStatus.VOID, late=False,
                               ending=Ending(event.voided_at, True, event.cause))  # fmt: skip
            case DeadlineWarned():
                return replace(self, warned=True)
            case DeadlineBreached():
                return replace(self, breached=True)
            case _:
                return self

    def overdue(self, at: datetime) -> bool:
        """Derived, never recorded as a state."""
        return self.status is DeadlineStatus.OPEN and self.clock is not None and at >= self.clock.due_at


def open_deadline(
    known: Deadline | None, subject: str, clock: Clock, *, source: str, label: str = "", by: Actor = SYSTEM
) -> Decision[Deadline]:
    """Thời hạn bắt đầu tính. An end that came before is applied at once; opening again changes nothing."""
    id = deadline_id(subject, clock.name)
    opened = DeadlineOpened(deadline_id=id, subject=subject, source=source, clock=clock, label=label)
    if known is None:
        return Deadline.starts_with(opened)
    if known.clock is not None:
        return known.then()
    DEADLINES.after(known.status, "open", by)
    state, events = known.then(opened)
    if known.ending is None:
        return state, events
    state, ended = state.then(_ended(state, known.ending))
    return state, (*events, *ended)


def end_deadline(
    known: Deadline | None, subject: str, clock: str, ending: Ending, *, by: Actor = SYSTEM
) -> Decision[Deadline]:
    """Đã thực hiện, or no longer owed: the earliest end counts, whenever it is told."""
    if known is None:
        return Deadline.starts_with(_early(deadline_id(subject, clock), subject, ending))
    if known.ending is not None and known.ending <= ending:
        return known.then()
    DEADLINES.after(known.status, "void" if ending.void else "discharge", by)
    if known.clock is None:
        return known.then(_early(known.id, subject, ending))
    return known.then(_ended(known, ending))


def _early(id: UUID, subject: str, ending: Ending) -> DeadlineDischargedEarly:
    return DeadlineDischargedEarly(
        deadline_id=id, subject=subject, happened_at=ending.at, cause=ending.cause, void=ending.void
    )


def _ended(deadline: Deadline, ending: Ending) -> Event:
    clock = deadline.clock
    assert clock is not None  # noqa: S101 (the callers have looked)
    if ending.void:
        return DeadlineVoided(
            deadline_id=deadline.id, subject=deadline.subject, duty=clock.duty, cause=ending.cause,
            voided_at=ending.at,
        )  # fmt: skip
    return DeadlineMet(
        deadline_id=deadline.id, subject=deadline.subject, duty=clock.duty, met_at=ending.at,
        late=ending.at >= clock.due_at, cause=ending.cause,
    )  # fmt: skip


def fire(deadline: Deadline, *, at: datetime, by: Actor = SYSTEM) -> Decision[Deadline]:
    """The next stage whose time has come: the warning (sắp đến hạn), then the breach (quá hạn). Each once,
    bearing the true due time however late it fires; nothing when neither is due."""
    clock = deadline.clock
    if clock is None or deadline.status is not DeadlineStatus.OPEN:
        return deadline.then()
    facts = {"deadline_id": deadline.id, "subject": deadline.subject, "duty": clock.duty}
    if clock.warn_at is not None and not deadline.warned and at >= clock.warn_at:
        DEADLINES.after(deadline.status, "warn", by)
        return deadline.then(DeadlineWarned(**facts, due_at=clock.due_at))
    if not deadline.breached and at >= clock.due_at:
        DEADLINES.after(deadline.status, "breach", by)
        return deadline.then(DeadlineBreached(**facts, due_at=clock.due_at))
    return deadline.then()
