"""A delivery is one version of one item on its way to one portal; a portal keeps what was ordered for it.
Decisions are pure: what the portal answered, the time and the dice come in as data."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final, Self
from uuid import UUID, uuid5

from services.sync.regulation import (
    BASIS,
    DUTY,
    PORTAL_WORKFLOW,
    START_REASON,
    WORKFLOW,
    Link,
    LinkedPortal,
    Policy,
    Status,
    link_by,
    starts_on_a_working_day,
)
from shared.calendar import WorkingCalendar
from shared.contracts.base import Aggregate, Clock, Decision, Event, only
from shared.contracts.clocks import clock_for, moved_as, since_of
from shared.contracts.notifier import DeadlineMoved
from shared.contracts.sync import (
    Action,
    DeliveriesRetryRequested,
    DeliveryClockMoved,
    DeliveryEscalated,
    DeliveryFailed,
    DeliveryPlanned,
    DeliverySucceeded,
    DeliverySuperseded,
    SupersededBy,
)
from shared.errors import RuleBroken
from shared.workflow import Actor

NAMESPACE: Final = UUID("5c0e6c1c-2f0e-5f52-9a43-1f6f6f0c1d12")


class AcknowledgedAnother(RuleBroken):
    """The portal's answer names another item, version or hash than the one it was sent."""

    code = "acknowledged_another"
    title_vi, title_en = "Cổng xác nhận một nội dung khác", "The portal acknowledged something else"


def delivery_id(item_id: UUID, item_version: int, action: Action, partner: str) -> UUID:
    """The same for the same thing, so that planning twice is planning once."""
    return uuid5(NAMESPACE, f"{item_id}/{item_version}/{action}/{partner}")


@dataclass(frozen=True)
class Delivery(Aggregate):
    """Một lượt chuyển (một phiên bản của một bài đến một cổng)."""

    KIND: ClassVar[str] = "delivery"

    id: UUID
    item_id: UUID
    item_version: int
    text_version: int
    partner: str
    action: Action
    planned_at: datetime
    clock: Clock
    status: Status = Status.PENDING
    attempts: int = 0
    escalated: bool = False

    @classmethod
    def begin(cls, event: Event) -> Self:
        planned = only(event, DeliveryPlanned)
        return cls(
            planned.delivery_id, planned.item_id, planned.item_version, planned.text_version,
            planned.partner, planned.action, since_of(planned.opens[0]), planned.opens[0],
        )  # fmt: skip

    def apply(self, event: Event) -> Self:
        match event:
            case DeliveryFailed():
                return replace(self, status=Status.FAILED, attempts=event.attempt)
            case DeliveryEscalated():
                return replace(self, escalated=True)
            case DeliverySucceeded():
                return replace(self, status=Status.DONE, attempts=event.attempts)
            case DeliveryClockMoved():
                return replace(self, clock=event.clock)
            case DeliverySuperseded():
                return replace(self, status=Status.SUPERSEDED)
        return self


@dataclass(frozen=True)
class Portal(Aggregate):
    """Một cổng liên kết, as far as people have given orders about it."""

    KIND: ClassVar[str] = "portal"

    id: str
    retries: int = 0

    @classmethod
    def begin(cls, event: Event) -> Self:
        return cls(only(event, DeliveriesRetryRequested).partner, retries=1)

    def apply(self, event: Event) -> Self:
        return replace(self, retries=self.retries + 1)


# Commands


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """What a portal says it has taken: it must be what it was sent."""

    item_id: str
    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class ConfirmDelivery:
    delivery_id: UUID
    sent: Acknowledgement
    acknowledged: Acknowledgement


@dataclass(frozen=True, slots=True)
class FailDelivery:
    """``failures`` counts in a row, of this delivery or of its whole portal; ``conflict``: the portal holds
    another text under this version, which no repetition mends."""

    delivery_id: UUID
    reason: str
    failures: int
    draw: float
    http_status: int | None = None
    retry_after: timedelta | None = None
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class SupersedeDelivery:
    delivery_id: UUID
    cause: SupersededBy


@dataclass(frozen=True, slots=True)
class RetryPortal:
    partner: str


# Decisions


def plan(
    item_id: UUID,
    item_version: int,
    text_version: int,
    action: Action,
    portal: LinkedPortal,
    *,
    since: datetime,
    calendar: WorkingCalendar,
    policy: Policy,
    title: str = "",
) -> Decision[Delivery]:
    """Phải chuyển: the clock runs from publication (or withdrawal) on our own portal."""
    due = link_by(action, since, calendar, policy)
    warn_at = since + policy.warn_after
    clock = clock_for(
        due, calendar, duty=DUTY, basis=BASIS[portal.kind], owner_unit=policy.owner_unit,
        reason=START_REASON[action], warn_at=warn_at if warn_at < due.due_at else None,
        received_at=since if starts_on_a_working_day(action, policy) else None,
    )  # fmt: skip
    return Delivery.starts_with(
        DeliveryPlanned(
            delivery_id=delivery_id(item_id, item_version, action, portal.id), item_id=item_id,
            item_version=item_version, text_version=text_version, partner=portal.id, action=action,
            title=title, opens=(clock,),
        )
    )  # fmt: skip


def confirm(delivery: Delivery, cmd: ConfirmDelivery, *, by: Actor, at: datetime) -> Decision[Delivery]:
    """Đã đồng bộ: only an answer that names exactly what was sent counts."""
    WORKFLOW.after(delivery.status, "confirm", by)
    if cmd.acknowledged != cmd.sent:
        raise AcknowledgedAnother("Cổng xác nhận bài, phiên bản hoặc mã băm khác với nội dung đã gửi.")
    return delivery.then(
        DeliverySucceeded(
            delivery_id=delivery.id, item_id=delivery.item_id, item_version=delivery.item_version,
            text_version=delivery.text_version, partner=delivery.partner, action=delivery.action,
            attempts=delivery.attempts + 1, content_hash=cmd.sent.hash, acknowledged_at=at,
            closes=(DUTY,), closed_at=at,
        )
    )  # fmt: skip


def fail(
    delivery: Delivery, cmd: FailDelivery, *, by: Actor, at: datetime, policy: Policy
) -> Decision[Delivery]:
    """Chưa chuyển được: tried again later, for ever; a person is called once it has lasted too long."""
    WORKFLOW.after(delivery.status, "fail", by)
    attempt = delivery.attempts + 1
    failed = DeliveryFailed(
        delivery_id=delivery.id, item_id=delivery.item_id, partner=delivery.partner, attempt=attempt,
        reason=cmd.reason, http_status=cmd.http_status,
        retry_at=at + policy.retry_in(cmd.failures, cmd.draw, cmd.retry_after),
    )  # fmt: skip
    lasted = at - delivery.planned_at >= policy.escalate_after
    if delivery.escalated or not (lasted or cmd.conflict):
        return delivery.then(failed)
    return delivery.then(
        failed,
        DeliveryEscalated(
            delivery_id=delivery.id, item_id=delivery.item_id, partner=delivery.partner,
            attempts=attempt, reason=cmd.reason,
        ),
    )  # fmt: skip


def supersede(delivery: Delivery, cmd: SupersedeDelivery, *, by: Actor) -> Decision[Delivery]:
    """Không còn phải chuyển: its clock is void, for the newer version has one of its own."""
    WORKFLOW.after(delivery.status, "supersede", by)
    return delivery.then(
        DeliverySuperseded(
            delivery_id=delivery.id, item_id=delivery.item_id, partner=delivery.partner,
            cause=cmd.cause, voids=(DUTY,),
        )
    )  # fmt: skip


def move_clock(delivery: Delivery, told: DeadlineMoved) -> Decision[Delivery]:
    """Hạn đồng bộ được tính lại vì lịch làm việc thay đổi; what has ended stays as it was judged."""
    known = delivery.clock if delivery.status.open else None
    return delivery.then(*moved_as(DeliveryClockMoved, known, told))


def retry(portal: Portal, *, by: Actor, link: Link) -> Decision[Portal]:
    """Yêu cầu chuyển lại ngay: everything that waits for this portal is due now."""
    PORTAL_WORKFLOW.after(link, "retry", by)
    return portal.then(DeliveriesRetryRequested(partner=portal.id))
