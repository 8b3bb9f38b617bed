"""What the sync service tells the others: one delivery of one version of one item to one portal."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import ClockedEvent, Event

TOPIC: Final = "sync.delivery"


class Action(StrEnum):
    PUBLISH = "publish"
    WITHDRAW = "withdraw"


class DeliveryPlanned(ClockedEvent, topic=TOPIC, name="sync.delivery.planned"):
    """Phải chuyển đến một cổng liên kết."""

    delivery_id: UUID
    item_id: UUID
    item_version: int
    text_version: int
    partner: str
    action: Action


class DeliveryFailed(Event, topic=TOPIC, name="sync.delivery.failed"):
    """Một lần chuyển không thành; it is tried again at ``retry_at``."""

    delivery_id: UUID
    item_id: UUID
    partner: str
    attempt: int
    reason: str
    http_status: int | None = None
    retry_at: AwareDatetime


class DeliverySucceeded(ClockedEvent, topic=TOPIC, name="sync.delivery.succeeded"):
    """Cổng liên kết đã xác nhận (đã đồng bộ)."""

    delivery_id: UUID
    item_id: UUID
    item_version: int
    text_version: int
    partner: str
    action: Action
    attempts: int
    content_hash: str
    acknowledged_at: AwareDatetime
