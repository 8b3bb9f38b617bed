"""A running term's move to another calendar, as the notifier counts and tells it: Friday 27 November 2026
becomes a day off, or Saturday 28 November a make-up day."""

from typing import Final

from services.notifier.domain import deadline_id
from services.notifier.domain.moving import recount
from shared.calendar import CALENDAR, WorkingCalendar
from shared.contracts.base import Clock, Recorded
from shared.contracts.notifier import DeadlineMoved
from shared.testing import local
from tests.notifier.calendars import DECISION, calendar_with, day

OFF_27: Final = calendar_with(day("2026-11-27"))
WORKED_28: Final = calendar_with(day("2026-11-28", "makeup"), version="2026-11-25.2")
NEITHER: Final = calendar_with(version="2026-11-25.3")
AT: Final = local("2026-11-25T10:00")


def moved(
    subject: str, clock: Clock, calendar: WorkingCalendar = OFF_27, *, source: str
) -> Recorded[DeadlineMoved]:
    id = deadline_id(subject, clock.name)
    event = DeadlineMoved(
        deadline_id=id, subject=subject, source=source, duty=clock.duty, from_due_at=clock.due_at,
        from_calendar=clock.calendar_version, clock=recount(clock, calendar, before=CALENDAR),
        document=DECISION,
    )  # fmt: skip
    return Recorded(event, f"deadline-{id}", 2, 0, AT, "system", "c", "notifier")
