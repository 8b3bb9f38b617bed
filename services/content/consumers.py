"""Topic → {event class: handler}."""

from typing import Final

from services.content import handlers
from shared.calendars import adopt
from shared.contracts import notifier, sync
from shared.messaging.inbox import Table

TABLE: Final[Table] = {
    sync.TOPIC: {sync.DeliverySucceeded: handlers.on_delivery_succeeded},
    notifier.DEADLINE: {notifier.DeadlineMoved: handlers.on_deadline_moved},
    notifier.CALENDAR: {notifier.CalendarApplied: adopt},
}
