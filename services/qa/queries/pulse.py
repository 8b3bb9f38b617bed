"""Nhịp của bàn làm việc: whether anything has changed and who has what open, looked at once a second and
process, however many listen, and not at all when nobody does."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from services.qa.queries import presence
from services.qa.queries.presence import People
from shared.mongo import Database, answered

T = TypeVar("T")
EVERY: Final = 1.0  # seconds
SETTLES: Final = 3  # looks after a change in which the lists may still be catching up
AT_LEAST: Final = 30.0  # seconds after which a list is read again although nothing was seen to change


@dataclass(frozen=True, slots=True)
class Beat:
    """``change`` grows whenever the lists may show something new."""

    change: int = 0
    people: People = field(default_factory=dict)


class Pulse:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = asyncio.Lock()
        self._beat, self._looked, self._changed = Beat(), float("-inf"), float("-inf")
        self._newest: Any = None
        self._settling = 0
        self._made: dict[Hashable, tuple[int, asyncio.Future[Any]]] = {}
        self.looks = 0

    async def beat(self) -> Beat:
        async with self._lock:
            if time.monotonic() - self._looked >= EVERY:
                await self._look()
                self._looked = time.monotonic()
            return self._beat

    async def _look(self) -> None:
        self.looks += 1
        people = await presence.everybody(self._database, datetime.now(UTC))
        newest = await self._last_commit()
        if newest != self._newest:
            self._newest, self._settling = newest, SETTLES
        stale = time.monotonic() - self._changed > AT_LEAST
        moved = self._settling > 0 or stale
        if moved:
            self._settling, self._changed = max(self._settling - 1, 0), time.monotonic()
        self._beat = Beat(self._beat.change + moved, people)

    @answered
    async def _last_commit(self) -> Any:
        """By the journal, whose index by time is there already."""
        found = self._database.journal.find({}, {"_id": 1}).sort([("at", -1), ("version", -1)]).limit(1)
        return await found.to_list(1)

    async def shared(self, key: Hashable, change: int, make: Callable[[], Awaitable[T]]) -> T:
        """What ``make`` reads, read once for all who ask for the same since the last change."""
        known = self._made.get(key)
        if known is None or known[0] != change:
            self._made = {k: v for k, v in self._made.items() if v[0] >= change - 1}
            known = self._made[key] = (change, asyncio.ensure_future(make()))
        result: T = await asyncio.shield(known[1])
        return result
