"""A deadline (thời hạn): judged by when things happened, in whatever order they are told."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID, uuid5

from services.notifier.regulation import DEADLINES, DeadlineStatus
from services.notifier.regulation_stages import FROM_DUE_ON
from shared.contracts.base import Aggregate, Clock, Decision, Event, only
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineDischargedEarly,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMoved,
    DeadlineOpened,
    DeadlineReminderDropped,
    DeadlineReopened,
    DeadlineRescinded,
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
    """``fired``: each stage that fired or was dropped, with the time for which it was planned; None when what
    it said has been withdrawn. ``moved``: the calendar version of the last move. ``undone``: events that
    count no more, for what they ended has been opened again, and those that opened it."""

    KIND: ClassVar[str] = "deadline"

    id: UUID
    subject: str
    source: str = ""
    label: str = ""
    clock: Clock | None = None
    status: DeadlineStatus = DeadlineStatus.AWAITED
    ending: Ending | None = None
    late: bool = False
    breached: bool = False
    rescinded: bool = False
    moved: str = ""
    stated: datetime | None = None  # the due time that its owner asked for, before any move
    fired: Mapping[str, datetime | None] = field(default_factory=dict)
    reopened: int = 0
    undone: frozenset[str] = frozenset()

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
                               status=DeadlineStatus.OPEN, stated=event.clock.due_at)  # fmt: skip
            case DeadlineDischargedEarly():
                return replace(self, ending=Ending(event.happened_at, event.void, event.cause))
            case DeadlineMet():
                return replace(self, status=DeadlineStatus.MET, late=event.late,
                               ending=Ending(event.met_at, False, event.cause))  # fmt: skip
            case DeadlineVoided():
                return replace(self, status=DeadlineStatus.VOID, late=False,
                               ending=Ending(event.voided_at, True, event.cause))  # fmt: skip
            case DeadlineReopened():
                return self._reopened(event)
            case DeadlineMoved():
                return replace(self, clock=event.clock, moved=event.clock.calendar_version)
            case DeadlineRescinded():
                return replace(self, breached=False, rescinded=True,
                               fired={**self.fired, **dict.fromkeys(FROM_DUE_ON)})  # fmt: skip
            case DeadlineWarned():
                return self._fired(event.stage, event.planned_at or event.due_at)
            case DeadlineReminderDropped():
                return self._fired(event.stage, event.planned_at)
            case DeadlineBreached():
                return replace(self._fired("breached", event.due_at), breached=True)
            case DeadlineEscalated():
                return self._fired(event.level.value, event.planned_at)
            case _:
                return self

    def _reopened(self, event: DeadlineReopened) -> "Deadline":
        ended_by = {self.ending.cause} if self.ending else set()
        again = replace(
            self, status=DeadlineStatus.OPEN, ending=None, late=False, reopened=event.round,
            undone=self.undone | ended_by | {event.cause},
        )  # fmt: skip
        if not event.withdrawn:
            return again
        return replace(again, breached=False, fired={**self.fired, **dict.fromkeys(FROM_DUE_ON)})

    def _fired(self, stage: str, planned_at: datetime) -> "Deadline":
        return replace(self, fired={**self.fired, stage: planned_at})

    @property
    def warned(self) -> bool:
        """The law's own first warning has gone out, or its time has passed."""
        return self.fired.get("warned") is not None

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
    if ending.cause in known.undone or (known.ending is not None and known.ending <= ending):
        return known.then()
    DEADLINES.after(known.status, "void" if ending.void else "discharge", by)
    if known.clock is None:
        return known.then(_early(known.id, subject, ending))
    return known.then(_ended(known, ending))


def reopen_deadline(
    known: Deadline | None, subject: str, clock: Clock, *, cause: str, source: str, label: str = "",
    by: Actor = SYSTEM,
) -> Decision[Deadline]:  # fmt: skip
    """Việc coi như chưa xong. The due time stays: what ended it has counted for nothing. ``cause`` is the
    event that says so; told again, or of what has no end, it changes nothing."""
    state, events = open_deadline(known, subject, clock, source=source, label=label, by=by)
    if state.ending is None or cause in state.undone:
        return state, events
    DEADLINES.after(state.status, "reopen", by)
    told_in_vain = state.breached and state.status is DeadlineStatus.MET and not state.late
    state, again = state.then(DeadlineReopened(
        deadline_id=state.id, subject=subject, duty=clock.duty, cause=cause, round=state.reopened + 1,
        withdrawn=told_in_vain,
    ))  # fmt: skip
    return state, (*events, *again)


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
