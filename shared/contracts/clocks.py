"""From a term of the calendar to the clock that a service asks the notifier to keep, and back to its days."""

from datetime import datetime
from typing import Any

from shared.calendar import Due, WorkingCalendar, last_day
from shared.contracts.base import Clock


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
) -> Clock:
    """``reason`` says in Vietnamese what started the clock; ``name`` is needed only where one subject has
    several clocks of one duty."""
    explanation = calendar.explain(due)
    return Clock(
        name=name or duty, duty=duty, basis=basis, owner_unit=owner_unit, started_at=due.start,
        start_reason=reason, working_days=due.working_days, warn_at=warn_at, due_at=due.due_at,
        calendar_version=due.calendar_version, provisional=due.provisional,
        explanation_vi=explanation.sentence_vi, explanation_en=explanation.sentence_en,
    )  # fmt: skip


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
        reason = "" if line.number is not None else line.reason_vi
        row.append(
            {"date": line.date, "number": line.number, "reason": reason, "due": line.date == due.last_day}
        )
    return row
