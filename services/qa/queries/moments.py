"""Một giây dùng chung: what many ask for in the same second is read once a process, and shared."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Final, TypeVar

from services.qa.domain import ASKER
from shared.journal import Commit
from shared.workflow import SYSTEM

T = TypeVar("T")
OUTSIDERS: Final = frozenset({ASKER.subject, SYSTEM.subject, "anonymous"})
SHARED_FOR: Final = 1.0  # seconds
MOST_KEPT: Final = 2000


class Moments:
    """A second old at most. ``anew``: for who has just changed it, and for all who ask after them."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._read: dict[Hashable, tuple[float, asyncio.Future[Any]]] = {}

    async def shared(self, key: Hashable, read: Callable[[], Awaitable[T]], *, anew: bool = False) -> T:
        until, found = self._read.get(key, (0.0, None))
        now = self._clock()
        if found is None or anew or now >= until or _failed(found):
            if len(self._read) >= MOST_KEPT:
                self._read = {k: kept for k, kept in self._read.items() if kept[0] > now}
            found = asyncio.ensure_future(read())
            self._read[key] = now + SHARED_FOR, found
        result: T = await asyncio.shield(found)
        return result

    def forget(self) -> None:
        self._read.clear()

    def hear(self, commit: Commit) -> None:
        """Of what one of the staff has done in this process: they are not shown what was read before it."""
        if commit.by not in OUTSIDERS:
            self.forget()


def _failed(found: asyncio.Future[Any]) -> bool:
    return found.done() and (found.cancelled() or found.exception() is not None)
