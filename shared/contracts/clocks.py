"""From a term of the calendar to the clock that a service asks the notifier to keep."""

from datetime import datetime

from shared.calendar import Due, WorkingCalendar
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
