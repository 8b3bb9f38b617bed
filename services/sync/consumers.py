"""What sync listens to: topic → {event: handler}."""

from typing import Final

from services.sync import handlers
from shared.calendars import adopt
from shared.contracts import content, notifier
from shared.messaging.inbox import Table

TABLE: Final[Table] = {
    content.SUBMISSION: {
        content.SubmissionPublished: handlers.on_published,
        content.SubmissionWithdrawn: handlers.on_withdrawn,
    },
    notifier.DEADLINE: {notifier.DeadlineMoved: handlers.on_deadline_moved},
    notifier.CALENDAR: {notifier.CalendarApplied: adopt},
}
