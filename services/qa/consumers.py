"""What qa hears: topic → {event class: handler}."""

from typing import Final

from services.qa.handlers import on_notice_sent
from shared.calendars import adopt
from shared.contracts import notifier
from shared.messaging.inbox import Table

TABLE: Final[Table] = {
    notifier.NOTICE: {notifier.NoticeSent: on_notice_sent},
    notifier.CALENDAR: {notifier.CalendarApplied: adopt},
}
