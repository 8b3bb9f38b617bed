"""Follows a journal from where it left off: one active follower by lease, whole batches, and the mark is
saved only after the effect, so that a crash repeats a batch and never skips one."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Final

import structlog

from shared.errors import Unavailable
from shared.feed import MongoFeed
from shared.journal import Commit
from shared.logging import spoken
from shared.messaging.masking import reason_of
from shared.mongo import TROUBLE, Database, Lease, LeaseLost

log = structlog.get_logger(__name__)

# A dead follower's work is taken up after this: of three hundred seconds of refusals, each promised within
# one, a hundredth may wait longer.
TTL: Final = timedelta(seconds=2)
PACE: Final = 0.25  # seconds between two marks while there is work: a crash repeats that much
REST: Final = 0.1  # seconds at most between two batches of a rush
FULL: Final = 200  # commits: of a batch that large the next is waiting
PATIENCE: Final = 1.0  # seconds between two looks at a lease that somebody else holds, at most
FIRST_WAIT, LONGEST_WAIT = 0.2, 5.0  # after trouble; past PATIENCE, another may try instead
ALL: Final = datetime(9999, 12, 31, tzinfo=UTC)  # the server cuts it to its now


async def _nothing() -> None:
    return


class Follower:
    """``effect`` must bear repetition: after a crash or a take-over it sees the last batch again. ``begin``
    runs whenever this follower becomes the active one. After a batch it rests as long as it worked: in a rush
    it does more at a time, for less, and all others get their turn."""

    def __init__(
        self,
        database: Database,
        name: str,
        holder: str,
        effect: Callable[[Sequence[Commit]], Awaitable[None]],
        begin: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        self.name = name
        self._database = database
        self._lease = Lease(database, name, holder, ttl=TTL)
        self._effect, self._begin = effect, begin
        self._wait = FIRST_WAIT
        self.active = False

    async def run(self) -> None:
        """Until cancelled. Trouble with the database or with the effect is waited out, the lease given back:
        another may be able to do what this one can't."""
        while True:
            try:
                if await self._lease.acquire():
                    await self._follow()
                else:
                    await asyncio.sleep(min(PATIENCE, await self._lease.left()))
            except LeaseLost:
                log.warning("follower.lease_lost", follower=self.name)
            except asyncio.CancelledError:
                await self._give_back()
                raise
            except Exception as error:
                log.warning("follower.troubled", follower=self.name, error=spoken(error), wait=self._wait)
                await self._complain(error)
                await self._give_back()
                await asyncio.sleep(self._wait)
                self._wait = min(self._wait * 2, LONGEST_WAIT)
            finally:
                self.active = False

    async def _complain(self, error: Exception) -> None:
        """Beside the mark, for the operations board, until the mark moves again. A database in trouble says
        so elsewhere, and could not keep it."""
        if isinstance(error, (Unavailable, *TROUBLE)):
            return
        cause = getattr(error, "cause", error)
        trouble = {
            "at": datetime.now(UTC), "error": type(cause).__name__, "reason": reason_of(cause),
            "commit": getattr(error, "commit", ""), "column": getattr(error, "column", ""),
        }  # fmt: skip
        with contextlib.suppress(Exception):
            await self._lease.renew(trouble=trouble)

    async def _give_back(self) -> None:
        with contextlib.suppress(Exception):
            await self._lease.release()

    async def _follow(self) -> None:
        found = await self._lease.facts()
        token, since = found.get("token"), found.get("marked_at")
        feed = MongoFeed(self._database)
        mark: dict[str, Any] = {}
        unmarked = False  # whether something was done that the mark does not say yet
        try:
            await self._begin()
            await feed.open(token, since)
            self.active = True
            log.info(
                "follower.started", follower=self.name, epoch=self._lease.epoch, resumed=token is not None
            )
            saved = monotonic()
            while True:
                commits, token = await feed.next(wait_ms=int(PACE * 1000) if unmarked else MongoFeed.WAIT_MS)
                began = monotonic()
                if commits:
                    await self._effect(commits)
                    unmarked = True
                if token is not None:
                    at = max((c.at for c in commits), default=ALL)
                    mark = {"token": token, "marked_at": at, "trouble": None}
                if monotonic() - saved > (PACE if unmarked and mark else TTL.total_seconds() / 3):
                    await self._lease.renew(**mark)
                    unmarked, saved, self._wait = False, monotonic(), FIRST_WAIT
                if 0 < len(commits) < FULL:
                    await asyncio.sleep(min(REST, monotonic() - began))
        finally:
            with contextlib.suppress(Exception):
                if unmarked and mark:
                    await self._lease.renew(**mark)
            with contextlib.suppress(Exception):
                await feed.close()
