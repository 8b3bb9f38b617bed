"""Stages of deadlines whose time has come. Replicas share the work so that they seldom meet; that each stage
fires once never depends on it."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import Final
from uuid import UUID

from prometheus_client import Counter

from services.notifier import handlers, queries
from services.notifier.handlers import LOST_RACE
from services.notifier.queries import ALL_SHARES, DueDeadline, UnitQueue
from services.notifier.queries.sweeps import UnitFilter
from services.notifier.regulation import Policy
from shared.clocks_agree import Clocks
from shared.desk import utc_now
from shared.web.edge import Edge

__all__ = ["LOST_RACE", "SWEEP", "Sweeper", "fire_due"]

FIRED: Final = Counter("deadline_firings", "Stages of deadlines that this replica fired")
SWEEP: Final = 2000  # a look that comes back full has more behind it
FEWEST: Final = 50  # of a unit in one turn
HELP_AFTER: Final = timedelta(seconds=20)  # what is so late is everybody's
HELP: Final = 500
HELP_EVERY: Final = 1.0  # seconds
LOOK_ROUND: Final = 2.0  # seconds: how long a unit that has just got something due may wait for its turn
UNSHOWN: Final = 150_000  # firings that the list does not show yet: a sweep waits for it then
SHOWN_AFTER: Final = timedelta(seconds=5)  # behind the mark, the list is sure to show it
PATIENCE: Final = 0.2


@dataclass
class Unshown:
    """What was fired and the read model may not show yet, so that it is not taken for due again."""

    _known: dict[UUID, int] = field(default_factory=dict)
    _written: deque[tuple[datetime, list[UUID]]] = field(default_factory=deque)

    def add(self, written: dict[UUID, int], at: datetime) -> None:
        self._known.update(written)
        self._written.append((at, list(written)))

    def fresh(self, rows: Sequence[DueDeadline]) -> list[DueDeadline]:
        known = self._known
        if not known:
            return list(rows)
        return [row for row in rows if row.head.version >= known.get(row.armed.id, 0)]

    def forget(self, shown_up_to: datetime | None) -> None:
        while self._written and shown_up_to and self._written[0][0] + SHOWN_AFTER < shown_up_to:
            for id in self._written.popleft()[1]:
                self._known.pop(id, None)

    def __len__(self) -> int:
        return len(self._known)


class Sweeper:
    """One replica's part in firing. ``clocks`` says what time it is, or that nobody knows: then it waits."""

    def __init__(self, edge: Edge[Policy], *, clocks: Clocks | None = None, replica: str = "") -> None:
        self._edge, self._clocks, self._replica = edge, clocks, replica
        self._unshown = Unshown()
        self._helped = float("-inf")

    async def run(self) -> int:
        """How many fired. What is due of one's own shares; when that is much, each unit in turn; when it is
        nothing, what others have left lying."""
        now = await self._now()
        if now is None:
            return 0
        database = self._edge.database
        if len(self._unshown):
            self._unshown.forget(await queries.shown_up_to(database))
        if len(self._unshown) > UNSHOWN:
            await asyncio.sleep(PATIENCE)
            return 0
        shares = await self._shares(now)
        rows = await queries.due_deadlines(database, now, SWEEP, shares) if shares else []
        if len(rows) == SWEEP:
            return await self._in_turn(now, shares)
        if not rows and monotonic() - self._helped > HELP_EVERY:
            self._helped = monotonic()
            rows = await queries.due_deadlines(database, now - HELP_AFTER, HELP, newest_first=True)
        return await self._fire(rows, now)

    async def _now(self) -> datetime | None:
        return utc_now() if self._clocks is None else await self._clocks.now()

    async def _shares(self, now: datetime) -> list[int | None]:
        """One's place among the living decides; who dies is out of the count within ten seconds."""
        living = await queries.living(self._edge.database, now) if self._replica else []
        if self._replica not in living:
            living = sorted([*living, self._replica])
        place, of = living.index(self._replica), len(living)
        return [share for number, share in enumerate(ALL_SHARES) if number % of == place]

    async def _in_turn(self, now: datetime, shares: Sequence[int | None]) -> int:
        """Every unit that has something due gets its turn, so that none waits behind another's many."""
        known = list(await self._edge.directory.units())
        turns: dict[UnitFilter, UnitQueue] = {}
        fired, looked = 0, float("-inf")
        try:
            while len(self._unshown) <= UNSHOWN:
                if monotonic() - looked > LOOK_ROUND:
                    looked, at = monotonic(), await self._now()
                    if at is None:
                        break
                    now = at
                    for unit in await queries.units_due(self._edge.database, now, known, shares):
                        if unit not in turns:
                            turns[unit] = UnitQueue(self._edge.database, now, unit, known, shares)
                if not turns:
                    break
                fired += await self._turn(turns, now)
        finally:
            for queue in turns.values():
                await queue.close()
        return fired

    async def _turn(self, turns: dict[UnitFilter, UnitQueue], now: datetime) -> int:
        count = max(FEWEST, SWEEP // len(turns))
        taken = await asyncio.gather(*(queue.take(count) for queue in turns.values()))
        for unit, rows in zip(list(turns), taken, strict=True):
            if len(rows) < count:
                await turns.pop(unit).close()
        return await self._fire([row for rows in taken for row in rows], now)

    async def _fire(self, rows: Sequence[DueDeadline], now: datetime) -> int:
        fresh = self._unshown.fresh(rows)
        if not fresh:
            return 0
        fired = await handlers.fire_shown(fresh, self._edge.desk(now=now))
        self._unshown.add(fired.written, now)
        if fired.later:
            await queries.rearm(self._edge.database, fired.later)
        FIRED.inc(fired.stages)
        return fired.stages


async def fire_due(edge: Edge[Policy]) -> int:
    """One sweep over everything, by somebody who is alone and trusts the clock of this process."""
    return await Sweeper(edge).run()
