"""Open deadlines under another calendar: each is moved by a record of its own, with both dates and the
document; closed verdicts stay, and a breach that is none any more is withdrawn, never deleted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from services.notifier.domain.deadlines import Deadline
from services.notifier.domain.moving import Touched, recount, touched
from services.notifier.regulation import DEADLINES, DeadlineStatus
from shared.calendar import CalendarYearMissing, WorkingCalendar, last_day
from shared.contracts.base import Clock, Decision
from shared.contracts.notifier import DeadlineMoved, DeadlineRescinded
from shared.workflow import SYSTEM, Actor

# How long a term is depends on none of these.
WORDLESS: Final = dict.fromkeys(
    ("name", "duty", "basis", "owner_unit", "start_reason", "explanation_vi", "explanation_en"), ""
)
Known = Callable[[str], WorkingCalendar | None]


def needs_move(clock: Clock, moved: Clock) -> bool:
    """A term of working days is recorded anew although it ends on the same day: other days were counted, and
    it explains itself by them. A stated date is recorded only when it, or its being provisional, differs."""
    if moved.calendar_version == clock.calendar_version:
        return False
    return clock.working_days is not None or (moved.due_at, moved.provisional) != (
        clock.due_at, clock.provisional,
    )  # fmt: skip


def move(
    deadline: Deadline, calendar: WorkingCalendar, *, known: Known, document: str, at: datetime,
    by: Actor = SYSTEM,
) -> Decision[Deadline]:  # fmt: skip
    """Hạn đang chạy được tính lại theo lịch mới. Nothing for what has ended, what this calendar has counted
    and what its changes do not touch. A breach that has been told of is withdrawn when its new time lies
    ahead; it may breach again then. Moved to a time that has passed, it breaches at its next firing, bearing
    that time.

    Raises CalendarYearMissing."""
    clock = deadline.clock
    if clock is None or deadline.status is not DeadlineStatus.OPEN:
        return deadline.then()
    before = known(clock.calendar_version)
    first, received = calendar.day_of(clock.started_at), _day(clock.received_at, calendar)
    last = max(last_day(clock.due_at), last_day(deadline.stated or clock.due_at))
    if not touched(before, calendar).term(first, last, received):
        return deadline.then()
    moved = recount(clock, calendar, before=before, stated=deadline.stated)
    if not needs_move(clock, moved):
        return deadline.then()
    DEADLINES.after(deadline.status, "move", by)
    told = DeadlineMoved(
        deadline_id=deadline.id, subject=deadline.subject, source=deadline.source, duty=clock.duty,
        from_due_at=clock.due_at, from_calendar=clock.calendar_version, clock=moved, document=document,
    )  # fmt: skip
    if not deadline.breached or moved.due_at <= at:
        return deadline.then(told)
    DEADLINES.after(deadline.status, "rescind", by)
    withdrawn = DeadlineRescinded(
        deadline_id=deadline.id, subject=deadline.subject, duty=clock.duty, unit=clock.owner_unit,
        breached_due_at=clock.due_at, due_at=moved.due_at, calendar_version=calendar.version,
        document=document,
    )  # fmt: skip
    return deadline.then(withdrawn, told)


def _day(instant: datetime | None, calendar: WorkingCalendar) -> date | None:
    return None if instant is None else calendar.day_of(instant)


def move_key(id: Any, calendar: str) -> str:
    """What makes a move happen once, however many replicas are at it."""
    return f"{id}@{calendar}"


@dataclass(frozen=True, slots=True)
class OpenTerm:
    """What a preview must know of an open deadline."""

    id: str
    unit: str
    started_at: datetime
    working_days: int | None
    due_at: datetime
    stated_due_at: datetime | None
    calendar_version: str
    provisional: bool
    breached: bool
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a calendar would do to an open deadline."""

    due_at: datetime
    provisional: bool


@dataclass
class Foresight:
    """Says of open deadlines what :func:`move` would do, without their words: thousands begin and end on the
    same days, and each such pair is counted once."""

    calendar: WorkingCalendar
    known: Known
    _changes: dict[str, Touched] = field(default_factory=dict)
    _seen: dict[tuple[Any, ...], Foreseen | None] = field(default_factory=dict)

    def change(self, version: str) -> Touched:
        if version not in self._changes:
            self._changes[version] = touched(self.known(version), self.calendar)
        return self._changes[version]

    def of(self, term: OpenTerm) -> Foreseen | None:
        """None when it stays as it is."""
        day = self.calendar.day_of(term.started_at)
        received = _day(term.received_at, self.calendar)
        key = (day, received, term.working_days, term.due_at, term.stated_due_at, term.calendar_version,
               term.provisional)  # fmt: skip
        if key not in self._seen:
            self._seen[key] = self._foresee(term, day, received)
        return self._seen[key]

    def rescinds(self, term: OpenTerm, foreseen: Foreseen, at: datetime) -> bool:
        """Whether a breach that was told of would be withdrawn."""
        return term.breached and foreseen.due_at > at

    def _foresee(self, term: OpenTerm, day: date, received: date | None) -> Foreseen | None:
        last = last_day(max(term.due_at, term.stated_due_at or term.due_at))
        if not self.change(term.calendar_version).term(day, last, received):
            return None
        clock = Clock.model_validate({
            **WORDLESS, "started_at": term.started_at, "working_days": term.working_days,
            "due_at": term.due_at, "calendar_version": term.calendar_version,
            "provisional": term.provisional, "received_at": term.received_at,
        })  # fmt: skip
        try:
            moved = recount(clock, self.calendar, stated=term.stated_due_at)
        except CalendarYearMissing:  # it stays where it is, and the job that moves says so aloud
            return None
        return Foreseen(moved.due_at, moved.provisional) if needs_move(clock, moved) else None
