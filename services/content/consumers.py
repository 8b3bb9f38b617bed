"""Topic → {event class: handler}."""

from typing import Final

from services.content import handlers
from shared.contracts import sync
from shared.messaging.inbox import Table

TABLE: Final[Table] = {sync.TOPIC: {sync.DeliverySucceeded: handlers.on_delivery_succeeded}}
