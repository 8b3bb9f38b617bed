"""Đăng ký nhận tin: a system that is told of its unit's questions. On our own record alone; the key that
signs lies beside it."""

from typing import Final
from uuid import UUID

from shared.contracts.base import Event

SUBSCRIPTION: Final = "qa.subscription"


class SubscriptionOpened(Event, topic=SUBSCRIPTION, name="qa.subscription.opened", published=False):
    """Một hệ thống đăng ký nhận tin về câu hỏi của đơn vị mình."""

    subscription_id: UUID
    unit: str
    url: str
    secret_ref: str
    secret_hash: str


class SubscriptionClosed(Event, topic=SUBSCRIPTION, name="qa.subscription.closed", published=False):
    """Thôi nhận tin: by the unit itself."""

    subscription_id: UUID
