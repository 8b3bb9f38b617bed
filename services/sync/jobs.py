"""What runs on a timer: see who has something due, and push it, each portal in a lane of its own, so that
one portal's trouble touches no other."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

import structlog

from services.sync import handlers
from services.sync.backlog import Backlog
from services.sync.domain import (
    AcknowledgedAnother,
    Acknowledgement,
    ConfirmDelivery,
    Delivery,
    FailDelivery,
    SupersedeDelivery,
)
from services.sync.gateways import ContentGateway, Gone, NotYet, Outcome, Parcel, PortalGateway
from services.sync.handlers import SyncDesk
from services.sync.regulation import Policy
from services.sync.settings import Partner, SyncSettings
from shared.contracts.sync import Action, SupersededBy
from shared.desk import utc_now
from shared.errors import IllegalTransition
from shared.jobs import Job
from shared.journal import AlreadyDone, VersionConflict
from shared.service import Service
from shared.tls import trusted
from shared.web.edge import Edge

log = structlog.get_logger(__name__)

DISPATCH: Final = "dispatch"
LOOK_EVERY: Final = 0.5
LANE_LOOKS_EVERY: Final = 60.0  # the dispatcher wakes a lane; this is only in case it could not


class Pusher:
    def __init__(
        self, edge: Edge[Policy], backlog: Backlog, content: ContentGateway, portals: dict[str, PortalGateway]
    ) -> None:
        self._edge, self._backlog, self._content, self._portals = edge, backlog, content, portals

    async def push_due(self, partner: str) -> int:
        """A handful of what is due for one portal, side by side. Returns how many were taken up."""
        began = utc_now()
        room = await self._backlog.room(partner, began)
        rows: list[dict[str, Any]] = []
        ends: list[bool | BaseException] = []
        try:
            while len(rows) < room and (row := await self._backlog.claim(partner, utc_now())):
                rows.append(row)
            ends = await asyncio.gather(*(self.push(row, began) for row in rows), return_exceptions=True)
        finally:
            if room and True not in ends:
                await self._backlog.return_turn(partner, began)
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return len(rows)

    async def push(self, row: dict[str, Any], began: datetime) -> bool:
        """One claimed delivery; whether the portal was asked. The journal has the last word on whether it
        still has to go."""
        structlog.contextvars.bind_contextvars(correlation=row["correlation"])
        desk = self._edge.desk(correlation=row["correlation"])
        delivery = await desk.find(Delivery, UUID(row["_id"]))
        if delivery is None or not delivery.status.open:
            return False
        newer = await self._backlog.newer(row)
        try:
            parcel = None if newer else await self._parcel(delivery, row)
        except Gone:
            await self._supersede(delivery, desk, SupersededBy.NO_LONGER_PERMITTED)
        except NotYet as reason:
            await self._backlog.defer(row, utc_now(), str(reason))
        else:
            if parcel is not None:
                await self._send(delivery, parcel, row, began)
                return True
            await self._supersede(delivery, desk, SupersededBy.NEWER_VERSION)
        return False

    async def _parcel(self, delivery: Delivery, row: dict[str, Any]) -> Parcel | None:
        """None when content has moved on to another version of the text."""
        if delivery.action is Action.WITHDRAW:
            return Parcel(str(delivery.item_id), delivery.item_version, delivery.action)
        article = await self._content.article(delivery.item_id, row["correlation"])
        if article.text_version > delivery.text_version:
            return None
        if article.text_version < delivery.text_version:
            raise NotYet("Dịch vụ nội dung chưa đưa phiên bản này ra.")
        return Parcel(str(delivery.item_id), delivery.item_version, delivery.action, article.for_portals())

    async def _send(self, delivery: Delivery, parcel: Parcel, row: dict[str, Any], began: datetime) -> None:
        outcome = await self._portals[delivery.partner].push(parcel, row["_id"], row["correlation"])
        now, number = utc_now(), delivery.attempts + 1
        desk = self._edge.desk(correlation=row["correlation"], now=now)
        reason = outcome.reason
        if outcome.receipt is not None:
            got = Acknowledgement(outcome.receipt.item_id, outcome.receipt.version, outcome.receipt.hash)
            if got != parcel.sent:
                reason = AcknowledgedAnother.title_vi + "."
            await self._backlog.note(row, number, outcome, now, reason)
            if not reason:
                await self._once(
                    handlers.confirm_delivery(ConfirmDelivery(delivery.id, parcel.sent, got), desk)
                )
                await self._backlog.well(delivery.partner, now)
                log.info("delivery.acknowledged", delivery=row["_id"], partner=delivery.partner)
                return
        else:
            await self._backlog.note(row, number, outcome, now, reason)
        await self._failed(delivery, outcome, reason, began, desk)

    async def _failed(
        self, delivery: Delivery, outcome: Outcome, reason: str, began: datetime, desk: SyncDesk
    ) -> None:
        draw = random.random()  # noqa: S311 (spreads retries, guards nothing)
        if outcome.of_the_item:
            await self._backlog.well(delivery.partner, desk.now)
            failures = delivery.attempts + 1
        else:
            wait = partial(desk.policy.retry_in, draw=draw, asked=outcome.retry_after)
            failures = await self._backlog.trouble(delivery.partner, began, desk.now, wait)
        command = FailDelivery(
            delivery.id, reason, failures, draw, outcome.http_status, outcome.retry_after, outcome.conflict
        )
        await self._once(handlers.fail_delivery(command, desk))
        log.warning(
            "delivery.failed", delivery=str(delivery.id), partner=delivery.partner,
            status=outcome.http_status, reason=reason, failures=failures,
        )  # fmt: skip

    async def _supersede(self, delivery: Delivery, desk: SyncDesk, cause: SupersededBy) -> None:
        await self._once(handlers.supersede_delivery(SupersedeDelivery(delivery.id, cause), desk))

    async def _once(self, work: Any) -> None:
        """Another replica may have pushed the same, after our claim had lapsed: its word stands."""
        try:
            await work
        except (AlreadyDone, VersionConflict, IllegalTransition):
            log.info("delivery.settled_elsewhere")


def jobs(partners: Sequence[Partner], service: Service[Policy]) -> Sequence[Job]:
    settings = service.settings
    if not isinstance(settings, SyncSettings):
        raise TypeError("sync runs on SyncSettings")
    backlog, tls = Backlog(service.database), trusted()
    local = settings.environment == "local"
    portals = {partner.id: PortalGateway(partner, local=local, tls=tls) for partner in partners}
    pusher = Pusher(service.edge, backlog, ContentGateway(settings.inside["content"]), portals)

    async def dispatch() -> int:
        """Wakes the lane of each portal that has something due, and heeds what operators have ordered."""
        now = utc_now()
        await backlog.heed_retries(now)
        for partner in await backlog.due_partners(now):
            service.wake(lane(partner))
        return 0

    lanes = [Job(lane(p.id), LANE_LOOKS_EVERY, partial(pusher.push_due, p.id)) for p in partners]
    return [Job(DISPATCH, LOOK_EVERY, dispatch), *lanes]


def lane(partner: str) -> str:
    return f"push:{partner}"
