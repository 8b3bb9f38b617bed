"""One function per command or event: load, decide, append. Nothing here leaves the building."""

import asyncio
from uuid import UUID

from services.sync import domain
from services.sync.domain import (
    ConfirmDelivery,
    Delivery,
    FailDelivery,
    Portal,
    RetryPortal,
    SupersedeDelivery,
)
from services.sync.regulation import Link, LinkedPortal, Policy
from shared.contracts.base import Recorded
from shared.contracts.content import SubmissionPublished, SubmissionWithdrawn
from shared.contracts.notifier import DeadlineMoved
from shared.contracts.sync import Action
from shared.desk import Desk, once
from shared.errors import NotFound

SyncDesk = Desk[Policy]


async def on_published(recorded: Recorded[SubmissionPublished], desk: SyncDesk) -> None:
    event = recorded.event
    plans = (
        domain.plan(
            event.submission_id, recorded.version, event.text_version, Action.PUBLISH, portal,
            since=event.published_at, calendar=desk.calendar, policy=desk.policy, title=event.title,
        )
        for portal in desk.policy.linked
    )  # fmt: skip
    await asyncio.gather(*(once(desk.append(plan)) for plan in plans))


async def on_withdrawn(recorded: Recorded[SubmissionWithdrawn], desk: SyncDesk) -> None:
    event = recorded.event
    plans = (
        domain.plan(
            event.submission_id, recorded.version, event.text_version, Action.WITHDRAW, portal,
            since=recorded.at, calendar=desk.calendar, policy=desk.policy,
        )
        for portal in desk.policy.linked
    )  # fmt: skip
    await asyncio.gather(*(once(desk.append(plan)) for plan in plans))


async def on_deadline_moved(recorded: Recorded[DeadlineMoved], desk: SyncDesk) -> None:
    """Lịch làm việc thay đổi: the delivery shows the term as the register counts it now."""
    moved = recorded.event
    if moved.source != desk.source:
        return
    delivery = await desk.find(Delivery, UUID(moved.subject.partition("-")[2]))
    if delivery is not None:
        await desk.append(domain.move_clock(delivery, moved))


async def confirm_delivery(cmd: ConfirmDelivery, desk: SyncDesk) -> Delivery:
    delivery = await desk.load(Delivery, cmd.delivery_id)
    return await desk.append(domain.confirm(delivery, cmd, by=desk.by, at=desk.now))


async def fail_delivery(cmd: FailDelivery, desk: SyncDesk) -> Delivery:
    delivery = await desk.load(Delivery, cmd.delivery_id)
    return await desk.append(domain.fail(delivery, cmd, by=desk.by, at=desk.now, policy=desk.policy))


async def supersede_delivery(cmd: SupersedeDelivery, desk: SyncDesk) -> Delivery:
    delivery = await desk.load(Delivery, cmd.delivery_id)
    return await desk.append(domain.supersede(delivery, cmd, by=desk.by))


async def retry_portal(cmd: RetryPortal, desk: SyncDesk) -> Portal:
    known: LinkedPortal | None = desk.policy.find(cmd.partner)
    portal = await desk.find(Portal, cmd.partner)
    if known is None and portal is None:
        raise NotFound("Không có cổng liên kết mang mã này.")
    link = Link.LINKED if known else Link.UNLINKED
    return await desk.append(domain.retry(portal or Portal(cmd.partner), by=desk.by, link=link))
