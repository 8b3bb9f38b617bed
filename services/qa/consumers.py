"""What qa hears: topic → {event class: handler}."""

from typing import Final

from services.qa.handlers import on_deadline_moved, on_notice_sent, on_reached_otherwise
from shared.calendars import adopt
from shared.contracts import notifier
from shared.messaging.inbox import Table

TABLE: Final[Table] = {
    notifier.NOTICE: {
        notifier.NoticeSent: on_notice_sent,
        notifier.NoticeReachedOtherwise: on_reached_otherwise,
    },
    notifier.DEADLINE: {notifier.DeadlineMoved: on_deadline_moved},
    notifier.CALENDAR: {notifier.CalendarApplied: adopt},
}
