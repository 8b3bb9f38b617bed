"""The read models and their indexes."""

from collections.abc import Callable

from services.notifier.domain import Deadline, Notice, Suppression
from services.notifier.domain.calendars import Calendar
from services.notifier.queries import calendars, figures, ledger, register, suppressions
from services.notifier.regulation import Policy
from shared.calendar import CALENDAR, WorkingCalendar
from shared.mongo import Database, answered
from shared.projections import Projection


def projections(
    policy: Policy, calendar: Callable[[], WorkingCalendar] = lambda: CALENDAR
) -> tuple[Projection, ...]:
    return (
        Projection(
            "deadlines",
            Deadline.KIND,
            register.columns(policy.hours, calendar),
            wakes=("fire_due",),
            heads=True,
            hints=frozenset({"next_at"}),  # a sweep that finds nothing to fire says when to look again
        ),
        Projection(
            "notices",
            Notice.KIND,
            ledger.columns(policy),
            wakes=("send_urgent", "send_notices", "send_signals"),
        ),
        Projection("suppressions", Suppression.KIND, suppressions.COLUMNS),
        # Last: when a calendar shows as applied, so does every deadline that was opened before it.
        Projection("calendars", Calendar.KIND, calendars.COLUMNS, wakes=("move_deadlines",)),
    )


@answered
async def prepare(database: Database) -> None:
    waiting = {"next_at": {"$type": "date"}}
    deadlines, notices = database.deadlines, database.notices
    await deadlines.create_index(
        [("share", 1), ("next_at", 1)], name="waiting", partialFilterExpression=waiting
    )
    by_unit = [("unit", 1), ("share", 1), ("next_at", 1)]
    await deadlines.create_index(by_unit, name="unit_waiting", partialFilterExpression=waiting)
    await deadlines.create_index([("subject", 1)], name="subject")
    numbered = {"label": {"$gte": "HD-", "$lt": "HD."}}  # what only questions have
    await deadlines.create_index([("label", 1)], name="numbered", partialFilterExpression=numbered)
    await deadlines.create_index([("status", 1), ("due_at", 1), ("_id", 1)], name="status_due")
    await deadlines.create_index([("unit", 1), ("status", 1), ("due_at", 1), ("_id", 1)], name="unit_due")
    await deadlines.create_index([("status", 1), ("late", 1), ("ended_at", 1)], name="status_late_ended")
    await notices.create_index([("lane", 1), ("next_at", 1)], name="next", partialFilterExpression=waiting)
    await notices.create_index([("subject", 1), ("requested_at", 1)], name="subject_requested")
    await notices.create_index([("status", 1), ("requested_at", -1), ("_id", 1)], name="status_requested")
    await notices.create_index([("requested_at", -1), ("_id", 1)], name="requested")
    await notices.create_index([("unit", 1), ("requested_at", -1)], name="unit_requested")
    await notices.create_index([("duty", 1), ("requested_at", -1)], name="duty_requested")
    await notices.create_index([("deadline_id", 1), ("requested_at", 1)], name="deadline_requested")
    await notices.create_index([("listed", 1), ("tried_at", 1)], name="listed_tried")
    await calendars.prepare(database)
    await figures.prepare(database)
    await database.backlog.create_index("at", expireAfterSeconds=24 * 3600, name="a_day")
