"""What qa hears: topic → {event class: handler}."""

from typing import Final

from services.qa import handlers
from services.qa.handlers import on_deadline_moved, on_notice_sent, on_reached_otherwise
from shared.calendars import adopt
from shared.contracts import notifier, qa
from shared.messaging.inbox import Table

TABLE: Final[Table] = {
    # Our own: what happened to one question and concerns another.
    qa.TOPIC: {
        qa.QuestionReceived: handlers.on_received,
        qa.QuestionSplit: handlers.on_split,
        qa.QuestionClosed: handlers.on_closed,
        qa.QuestionWithdrawn: handlers.on_withdrawn,
        qa.QuestionMerged: handlers.on_merged,
        qa.AskerErased: handlers.on_erased,
    },
    notifier.NOTICE: {
        notifier.NoticeSent: on_notice_sent,
        notifier.NoticeReachedOtherwise: on_reached_otherwise,
    },
    notifier.DEADLINE: {notifier.DeadlineMoved: on_deadline_moved},
    notifier.CALENDAR: {notifier.CalendarApplied: adopt},
}
