"""Follows a journal from where it left off: one active follower by lease, whole batches, and the mark is
saved only after the effect, so that a crash repeats a batch and never skips one."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from time import monotonic
from typing import Any, Final

import structlog

from shared.feed import MongoFeed
from shared.journal import Commit
from shared.mongo import Database, Lease, LeaseLost

log = structlog.get_logger(__name__)

TTL: Final = timedelta(seconds=6)  # a dead follower's work is taken up after this at the latest
PACE: Final = 0.1  # seconds between two marks while there is work: a crash repeats that much
PATIENCE: Final = 1.0  # seconds between two looks at a lease that somebody else holds


class Follower:
    """``effect`` must bear repetition: after a crash or a take-over it sees the last batch again."""

    def __init__(
        self,
        database: Database,
        name: str,
        holder: str,
        effect: Callable[[Sequence[Commit]], Awaitable[None]],
    ) -> None:
        self.name = name
        self._database = database
        self._lease = Lease(database, name, holder, ttl=TTL)
        self._effect = effect
        self.active = False

    async def run(self) -> None:
        """Until cancelled. Trouble with the database or with the effect is waited out."""
        wait = 0.2
        while True:
            try:
                if await self._lease.acquire():
                    await self._follow()
                else:
                    await asyncio.sleep(PATIENCE)
            except LeaseLost:
                log.warning("follower.lease_lost", follower=self.name)
            except asyncio.CancelledError:
                with contextlib.suppress(Exception):
                    await self._lease.release()
                raise
            except Exception as error:
                log.warning("follower.troubled", follower=self.name, error=repr(error), wait=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 5.0)
            finally:
                self.active = False

    async def _follow(self) -> None:
        found = await self._lease.facts()
        token, since = found.get("token"), found.get("marked_at")
        feed = MongoFeed(self._database)
        done: dict[str, Any] = {}  # what the mark does not say yet
        try:
            await feed.open(token, since)
            self.active = True
            log.info(
                "follower.started", follower=self.name, epoch=self._lease.epoch, resumed=token is not None
            )
            saved = monotonic()
            while True:
                commits, token = await feed.next(wait_ms=int(PACE * 1000) if done else MongoFeed.WAIT_MS)
                if commits:
                    await self._effect(commits)
                if token is not None and (commits or done):
                    done |= {"token": token} | ({"marked_at": commits[-1].at} if commits else {})
                waited = monotonic() - saved
                if waited > (PACE if done else TTL.total_seconds() / 3):
                    await self._lease.renew(**(done or ({"token": token} if token is not None else {})))
                    done, saved = {}, monotonic()
        finally:
            with contextlib.suppress(Exception):
                if done:
                    await self._lease.renew(**done)
            with contextlib.suppress(Exception):
                await feed.close()
