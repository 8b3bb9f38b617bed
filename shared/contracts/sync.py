"""What the sync service tells the others: one delivery of one version of one item to one portal."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import ClockedEvent, ClockMoved, Event

TOPIC: Final = "sync.delivery"


class Action(StrEnum):
    PUBLISH = "publish"
    WITHDRAW = "withdraw"


class SupersededBy(StrEnum):
    """Why a delivery need not arrive any more."""

    NEWER_VERSION = "newer_version"  # đã có phiên bản mới hơn của bài
    NO_LONGER_PERMITTED = "no_longer_permitted"  # nguồn không còn cho phép công bố


class DeliveryPlanned(ClockedEvent, topic=TOPIC, name="sync.delivery.planned"):
    """Phải chuyển đến một cổng liên kết."""

    delivery_id: UUID
    item_id: UUID
    item_version: int
    text_version: int
    partner: str
    action: Action
    title: str = ""


class DeliveryFailed(Event, topic=TOPIC, name="sync.delivery.failed"):
    """Một lần chuyển không thành; it is tried again at ``retry_at``."""

    delivery_id: UUID
    item_id: UUID
    partner: str
    attempt: int
    reason: str
    http_status: int | None = None
    retry_at: AwareDatetime


class DeliveryEscalated(Event, topic=TOPIC, name="sync.delivery.escalated"):
    """Cần người trực can thiệp: too long without success, or the portal holds another text of this version.
    It goes on being tried."""

    delivery_id: UUID
    item_id: UUID
    partner: str
    attempts: int
    reason: str


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


class DeliverySuperseded(ClockedEvent, topic=TOPIC, name="sync.delivery.superseded"):
    """Không còn phải chuyển phiên bản này."""

    delivery_id: UUID
    item_id: UUID
    partner: str
    cause: SupersededBy


class DeliveryClockMoved(ClockMoved, topic=TOPIC, name="sync.delivery.clock_moved", published=False):
    """Lịch làm việc thay đổi, hạn đồng bộ được tính lại."""


class DeliveriesRetryRequested(Event, topic=TOPIC, name="sync.delivery.retry_requested"):
    """Người trực yêu cầu chuyển lại ngay mọi bài đang chờ của một cổng; its stream is the portal's."""

    partner: str
