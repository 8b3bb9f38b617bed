"""What qa hears: topic → {event class: handler}."""

from typing import Final

from services.qa.handlers import heard
from shared.calendars import adopt
from shared.contracts import notifier, qa
from shared.messaging.inbox import Table

TABLE: Final[Table] = {
    # Our own: what happened to one question and concerns another.
    qa.TOPIC: {
        qa.QuestionReceived: heard.on_received,
        qa.QuestionSplit: heard.on_split,
        qa.QuestionClosed: heard.on_closed,
        qa.QuestionWithdrawn: heard.on_withdrawn,
        qa.QuestionMerged: heard.on_merged,
        qa.AskerErased: heard.on_erased,
    },
    notifier.NOTICE: {
        notifier.NoticeSent: heard.on_notice_sent,
        notifier.NoticeReachedOtherwise: heard.on_reached_otherwise,
    },
    notifier.DEADLINE: {notifier.DeadlineMoved: heard.on_deadline_moved},
    notifier.CALENDAR: {notifier.CalendarApplied: adopt},
}
