"""Notices to be sent."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol
from uuid import UUID

import structlog

from services.notifier import handlers, queries
from services.notifier.domain import Notice
from services.notifier.gateways import Letters, Mail, NotSent
from services.notifier.handlers import Accepted, ClaimNotice, Failed, WithholdNotice
from services.notifier.jobs.firing import LOST_RACE
from services.notifier.jobs.letters import Withheld, letter_for
from services.notifier.queries import DueNotice
from services.notifier.regulation import Lane, NoticeStatus, Policy
from services.notifier.return_address import ReturnAddresses
from shared.clocks_agree import Clocks
from shared.desk import Desk, utc_now
from shared.errors import PortalError
from shared.journal import AlreadyDone, Commit
from shared.logging import spoken
from shared.web.edge import Edge

log = structlog.get_logger(__name__)
FAREWELL: Final = 3.0  # seconds that mails on their way have when the service stops
SETTLING: Final = 0.25  # seconds in which the read model comes to show that a notice was taken up
# Seconds between two looks; what must leave today is not kept waiting.
LOOK, URGENT_LOOK = 0.1, 0.02
STALE: Final = 0.5  # seconds after which the read model is asked again
AHEAD: Final = 8  # notices for each place that are taken from the read model at once


class Carrier(Protocol):
    """What a message leaves by: mail, or another channel behind the same seam."""

    async def send(self, mail: Any) -> str:
        """The other side's words on accepting it. Raises NotSent."""
        ...


@dataclass
class Outbox:
    """Sends the notices of its lanes, a few at a time; a slow one holds up no other while a place is free.
    While ``clocks`` disagree, what depends on the hour waits; what an asker is to be told goes on."""

    edge: Edge[Policy]
    owner: Letters
    smtp: Carrier
    lanes: Sequence[Lane]
    places: int
    returns: ReturnAddresses | None = (
        None  # None: what can't be delivered goes to the sender that readers see
    )
    wake: Callable[[], None] = lambda: None
    clocks: Clocks | None = None
    _waiting: list[DueNotice] = field(default_factory=list)
    _told: list[DueNotice] = field(default_factory=list)
    _looked_at: float = 0.0
    _taken: dict[UUID, float] = field(default_factory=dict)
    _on_their_way: dict[UUID, asyncio.Task[None]] = field(default_factory=dict)

    async def run(self) -> int:
        """Until nothing is due and nothing is on its way; how many were taken up."""
        taken = 0
        if not self._told:
            await asyncio.sleep(self._looked_at + self._pace - time.monotonic())
        try:
            while True:
                taken += await self._take_up()
                if not self._on_their_way:
                    return taken
                await asyncio.wait(
                    self._on_their_way.values(), timeout=self._pace, return_when=asyncio.FIRST_COMPLETED
                )
        except asyncio.CancelledError:
            if self._on_their_way:
                await asyncio.wait(self._on_their_way.values(), timeout=FAREWELL)
            raise

    @property
    def _pace(self) -> float:
        return URGENT_LOOK if Lane.URGENT in self.lanes else LOOK

    def hear(self, commit: Commit) -> None:
        """What our own process has just asked these lanes to send is sent next, whatever the list has still
        to show before it; the list tells of it too, should this process die."""
        if notice := DueNotice.heard(commit, self.edge.source, self.lanes):
            self._told.append(notice)
            self.wake()

    async def _take_up(self) -> int:
        free = self.places - len(self._on_their_way)
        if free <= 0:
            return 0
        agreed = await self._agreed() is not None
        now = time.monotonic()
        self._taken = {id: at for id, at in self._taken.items() if now - at < SETTLING}
        # Those on their way, and those that have just arrived, may still look due to the read model.
        seen = self._on_their_way.keys() | self._taken.keys()
        if now - self._looked_at >= (STALE if self._waiting else self._pace):
            self._waiting = await self._look(len(seen) + free, timed=agreed)
            self._looked_at = now
        self._told = [notice for notice in self._told if notice.id not in seen]
        wanted = {notice.id: notice for notice in [*self._told, *self._waiting]}
        fresh = [n for id, n in wanted.items() if id not in seen and (agreed or not n.timed)]
        self._waiting = fresh[free:]
        for notice in fresh[:free]:
            task = asyncio.create_task(self._send(notice), name=f"notice-{notice.id}")
            self._on_their_way[notice.id] = task
            task.add_done_callback(partial(self._arrived, notice.id))
        return len(fresh[:free])

    async def _agreed(self) -> datetime | None:
        return utc_now() if self.clocks is None else await self.clocks.now()

    async def _look(self, needed: int, *, timed: bool) -> list[DueNotice]:
        """What must leave today is looked for anew each time, in order. Of the rest a few turns' worth is
        taken at once; in another order by each replica, so that they seldom reach for the same one."""
        urgent = Lane.URGENT in self.lanes
        limit = needed if urgent else needed + AHEAD * self.places
        due = await queries.due_notices(self.edge.database, self.lanes, utc_now(), limit, timed=timed)
        if not urgent:
            random.shuffle(due)
            due.sort(key=lambda notice: not notice.statutory)
        return due

    def _arrived(self, id: UUID, task: asyncio.Task[None]) -> None:
        self._on_their_way.pop(id, None)
        self._taken[id] = time.monotonic()
        if not task.cancelled() and (error := task.exception()):
            log.error("notice.sender_failed", id=str(id), error=spoken(error))

    async def _send(self, due: DueNotice) -> None:
        structlog.contextvars.bind_contextvars(correlation=due.correlation)
        try:
            if due.claimed:
                if (now := await self._agreed()) is not None:
                    await handlers.presume_lost(ClaimNotice(due.id), replace(self._desk(due), now=now))
                return
            desk = self._desk(due)
            notice = await handlers.claim_notice(ClaimNotice(due.id), desk)
        except LOST_RACE:
            await asyncio.sleep(0.05)  # the read model will say so in a moment
            return
        except PortalError as error:
            log.warning("notice.not_claimed", id=str(due.id), error=error.code)
            await asyncio.sleep(0.5)
            return
        assert notice.status is NoticeStatus.SENDING  # noqa: S101
        try:
            reply = await self._dialogue(due, notice.attempt)
        except Withheld as withheld:
            log.info("notice.withheld", id=str(due.id), attempt=notice.attempt)
            await self._record(
                due, handlers.withhold_notice, WithholdNotice(due.id, withheld.reason, withheld.moot)
            )
        except NotSent as failure:
            log.info("notice.not_sent", id=str(due.id), attempt=notice.attempt, outcome=failure.outcome.value)
            await self._record(
                due, handlers.record_failure, Failed(due.id, notice.attempt, failure.outcome, failure.reason)
            )
        else:
            log.info("notice.sent", id=str(due.id), attempt=notice.attempt)
            # Other channels sign nothing, and are one server each.
            signed_by, relay = getattr(self.smtp, "signed_by", ""), getattr(reply, "relay", "")
            accepted = Accepted(due.id, notice.attempt, reply, utc_now(), signed_by, relay)
            await self._record(due, _as_claimed(notice, desk), accepted)

    async def _dialogue(self, due: DueNotice, attempt: int) -> str:
        """Fetch, compose, send. Raises NotSent, Withheld."""
        message = await letter_for(self.edge, self.owner, due, at=utc_now())
        if self.returns is not None and isinstance(message, Mail):
            message = replace(message, returns_to=self.returns.address(due.id, attempt))
        return await self.smtp.send(message)

    async def _record(
        self, due: DueNotice, record: Callable[[Any, Desk[Policy]], Awaitable[object]], outcome: Any
    ) -> None:
        """What a server has answered must get on record, however busy the database is. When it does not, the
        claim lapses and the attempt counts as uncertain."""
        for pause in (0.05, 0.2, 1.0, 3.0, 6.0):
            try:
                await record(outcome, self._desk(due))
            except AlreadyDone:
                return
            except PortalError as error:
                log.warning("notice.outcome_not_recorded", id=str(due.id), error=error.code)
                await asyncio.sleep(pause)
            else:
                return

    def _desk(self, due: DueNotice) -> Desk[Policy]:
        return self.edge.desk(correlation=due.correlation)


def _as_claimed(
    notice: Notice, claimed: Desk[Policy]
) -> Callable[[Accepted, Desk[Policy]], Awaitable[Notice]]:
    """Records the acceptance of what this desk has claimed. Nobody else writes to a notice on its way, so it
    is read again only when somebody has."""
    tried = False

    async def record(accepted: Accepted, desk: Desk[Policy]) -> Notice:
        nonlocal tried
        if tried:
            return await handlers.record_acceptance(accepted, desk)
        tried, claimed.now = True, desk.now
        return await handlers.record_acceptance(accepted, claimed, notice)

    return record
