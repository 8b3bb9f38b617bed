"""Đăng ký nhận tin của một đơn vị: opened and closed by whoever answers for the unit's system."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self
from uuid import UUID

from services.qa.regulation import Role
from shared.contracts.base import Aggregate, Decision, Event, only
from shared.contracts.qa import SubscriptionClosed, SubscriptionOpened
from shared.errors import Forbidden
from shared.workflow import Actor

SUBSCRIBERS: Final = frozenset({Role.INTAKE, Role.UNIT_HEAD})


@dataclass(frozen=True, slots=True)
class OpenSubscription:
    subscription_id: UUID
    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class CloseSubscription:
    subscription_id: UUID


@dataclass(frozen=True, slots=True)
class Subscription(Aggregate):
    KIND: ClassVar[str] = "subscription"

    id: UUID
    unit: str
    url: str
    secret_ref: str
    open: bool = True

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, SubscriptionOpened)
        return cls(first.subscription_id, first.unit, first.url, first.secret_ref)

    def apply(self, event: Event) -> Self:
        return replace(self, open=False) if isinstance(event, SubscriptionClosed) else self


def check_subscriber(by: Actor) -> None:
    """Whose system it is: the unit's own, by its credentials, or the unit's head."""
    if not by.unit or not by.roles & SUBSCRIBERS:
        raise Forbidden("Chỉ hệ thống hoặc phụ trách của đơn vị được đăng ký nhận tin cho đơn vị.")


def open_subscription(
    cmd: OpenSubscription, secret_ref: str, secret_hash: str, *, by: Actor
) -> Decision[Subscription]:
    check_subscriber(by)
    return Subscription.starts_with(
        SubscriptionOpened(
            subscription_id=cmd.subscription_id, unit=by.unit, url=cmd.url, secret_ref=secret_ref,
            secret_hash=secret_hash,
        )
    )  # fmt: skip


def close_subscription(subscription: Subscription, *, by: Actor) -> Decision[Subscription]:
    check_subscriber(by)
    if by.unit != subscription.unit:
        raise Forbidden("Đăng ký này là của đơn vị khác.")
    if not subscription.open:
        return subscription.then()
    return subscription.then(SubscriptionClosed(subscription_id=subscription.id))
