"""From a term of the calendar to the clock that a service asks the notifier to keep, and back to its days;
and how that service follows when the notifier has moved the clock to another calendar."""

from datetime import datetime, time
from typing import Any, Final, TypeVar

from shared.calendar import VIETNAM, Due, WorkingCalendar, last_day
from shared.contracts.base import Clock, ClockMoved
from shared.contracts.calendars import order_of
from shared.contracts.notifier import DeadlineMoved

M = TypeVar("M", bound=ClockMoved)
# Begins what is said of a receipt on a day off, behind the reason that its clock has on any day.
CAME_ON_A_DAY_OFF: Final = " (đến vào ngày nghỉ "


def counted_receipt(received_at: datetime, calendar: WorkingCalendar) -> datetime:
    """Ngày tiếp nhận: what comes on a day off counts as received when the next working day begins."""
    day = calendar.day_of(received_at)
    if calendar.is_working_day(day):
        return received_at
    return datetime.combine(calendar.next_working_day(day), time.min, VIETNAM)


def receipt_reason(reason: str, received_at: datetime, calendar: WorkingCalendar) -> str:
    """``reason``, whatever another calendar made of it, with the day off on which the receipt came."""
    day = calendar.day_of(received_at)
    shifted = "" if calendar.is_working_day(day) else f"{CAME_ON_A_DAY_OFF}{day:%d/%m/%Y})"
    return reason.partition(CAME_ON_A_DAY_OFF)[0] + shifted


def since_of(clock: Clock) -> datetime:
    """When that happened which started the clock, be it on a day off."""
    return clock.received_at or clock.started_at


def clock_for(
    due: Due,
    calendar: WorkingCalendar,
    *,
    duty: str,
    basis: str,
    owner_unit: str,
    reason: str,
    name: str = "",
    warn_at: datetime | None = None,
    received_at: datetime | None = None,
) -> Clock:
    """``reason`` says in Vietnamese what started the clock; ``name`` is needed only where one subject has
    several clocks of one duty; ``received_at`` where the term starts as :func:`counted_receipt` says."""
    explanation = calendar.explain(due)
    if received_at is not None:
        reason = receipt_reason(reason, received_at, calendar)
    return Clock(
        name=name or duty, duty=duty, basis=basis, owner_unit=owner_unit, started_at=due.start,
        start_reason=reason, working_days=due.working_days, warn_at=warn_at, due_at=due.due_at,
        calendar_version=due.calendar_version, provisional=due.provisional,
        explanation_vi=explanation.sentence_vi, explanation_en=explanation.sentence_en,
        received_at=received_at,
    )  # fmt: skip


def moved_as(kind: type[M], known: Clock | None, told: DeadlineMoved, **facts: Any) -> tuple[M, ...]:
    """What the owner of a clock puts on record of its move. Nothing where that clock is not the one
    ``known``, or counted as new a calendar already: moves may be told in any order."""
    clock = told.clock
    if known is None or known.name != clock.name:
        return ()
    if order_of(known.calendar_version) >= order_of(clock.calendar_version):
        return ()
    moved = kind(
        deadline_id=told.deadline_id, from_due_at=known.due_at, clock=clock, document=told.document, **facts
    )
    return (moved,)


def move_told(moved: ClockMoved, what_vi: str = "Hạn", what_en: str = "The due date") -> tuple[str, str]:
    """How a history tells of a move, vi and en; empty when the due date stayed."""
    if moved.from_due_at == moved.clock.due_at:
        return "", ""
    before, now = (f"{last_day(at):%d/%m/%Y}" for at in (moved.from_due_at, moved.clock.due_at))
    return (
        f"{what_vi} chuyển từ hết ngày {before} sang hết ngày {now}, theo {moved.document}.",
        f"{what_en} moved from {before} to {now}, by {moved.document}.",
    )


def term_of(clock: Clock, calendar: WorkingCalendar) -> Due:
    """The term that a clock was made from; a stated date is counted as the working days that lead to it."""
    last = last_day(clock.due_at)
    days = clock.working_days
    if days is None:
        days = max(0, calendar.working_days_between(calendar.day_of(clock.started_at), last))
    return Due(clock.started_at, days, last, clock.due_at, clock.calendar_version, clock.provisional)


def day_row(clock: Clock, calendar: WorkingCalendar | None) -> list[dict[str, Any]]:
    """A page's row of days: day zero, then each day counted or skipped and why. Empty unless ``calendar`` is
    the version that counted the term."""
    if calendar is None or clock.calendar_version != calendar.version:
        return []
    due = term_of(clock, calendar)
    row: list[dict[str, Any]] = [
        {"date": calendar.day_of(due.start), "start": True, "due": not due.working_days}
    ]
    for line in calendar.explain(due).days:
        off = line.number is None
        row.append(
            {
                "date": line.date, "number": line.number, "due": line.date == due.last_day,
                "reason": line.reason_vi if off else "", "reason_en": line.reason_en if off else "",
            }
        )  # fmt: skip
    return row
