"""Open deadlines follow the newest calendar: found by what its changes touch, moved once each whoever is at
it, and taken up where a dead replica left off, because what has been moved is found no more."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

import structlog

from services.notifier.domain.deadline_moves import Foresight
from services.notifier.handlers.calendars import (
    FinishMoves,
    MoveDeadlines,
    Shown,
    finish_moves,
    move_deadlines,
)
from services.notifier.jobs.replanning import bring_forward
from services.notifier.queries import Document
from services.notifier.queries import calendars as queries
from services.notifier.regulation import Policy
from shared.calendar import CalendarYearMissing, WorkingCalendar
from shared.clocks_agree import Clocks
from shared.contracts.calendars import order_of
from shared.desk import once, utc_now
from shared.errors import NotFound
from shared.mongo import Lease, LeaseLost
from shared.web.edge import Edge

log = structlog.get_logger(__name__)

# Until then a replica that has not heard yet may open deadlines by the older calendar.
GRACE: Final = timedelta(seconds=5)
AGAIN: Final = 60.0  # seconds between two looks for what came later from a service that had not heard
TTL: Final = timedelta(seconds=10)  # the work of a dead replica is taken up after so long
AT_ONCE: Final = 500  # more would hold up what else this process does
PATIENCE: Final = 5.0  # seconds without any progress of the list


@dataclass
class Mover:
    """One replica moves at a time, which saves work; what makes a move happen once is its key. While
    ``clocks`` disagree nothing moves: whether a breach stands is a question of the time."""

    edge: Edge[Policy]
    replica: str
    clocks: Clocks | None = None
    page: int = queries.PAGE
    _looked: float = field(default=float("-inf"))

    async def run(self) -> int:
        """How many deadlines were looked at that had to be moved."""
        database = self.edge.database
        await self.edge.calendars.refresh()
        unfinished = await queries.unfinished_calendars(database)
        if not unfinished and time.monotonic() < self._looked + AGAIN:
            return 0
        lease = Lease(database, "moving", self.replica, ttl=TTL)
        if not await lease.acquire():
            return 0
        try:
            found = await self._move_all(lease, self.edge.calendar, unfinished)
        except LeaseLost:
            return 0
        finally:
            await lease.release()
        self._looked = time.monotonic()
        return found

    async def _move_all(self, lease: Lease, target: WorkingCalendar, unfinished: list[Document]) -> int:
        """A pass over all that the newest calendar touches. One that finds nothing ends the work: the list
        shows every move then."""
        database, version = self.edge.database, target.version
        foresight = Foresight(target, self.edge.calendars.of)
        others = await queries.open_in_other_calendars(database, version)
        older = [each for each in others if order_of(each) < order_of(version)]
        reach = {each: foresight.change(each).earliest() for each in older if foresight.change(each)}
        row = next((row for row in unfinished if row["_id"] == version), None)
        recorded, _, _ = await queries.count_moved(database, version)
        reached = await queries.count_open(database, reach)
        total = recorded + reached
        work = _Work(self.edge, target, foresight, await self._document(target), row)
        examined, found = recorded, 0
        async for chunk, moved in self._chunks(reach, work):
            found += moved
            examined += chunk
            await lease.renew()
            facts = {"examined": min(examined, total), "total": total, "at": utc_now()}
            await queries.note_progress(database, version, facts)
            if self.clocks and await self.clocks.now() is None:
                return found
        if found:
            await self._shown(lease, reach, reached - found)
            return found
        for each in unfinished:
            await self._finish(each, total if each is row else 0, lease)
        if row is None:
            await self._replan_packed(older, target, lease)
        return 0

    async def _chunks(
        self, reach: Mapping[str, date | None], work: "_Work"
    ) -> AsyncIterator[tuple[int, int]]:
        """How many were looked at and had to be moved, chunk by chunk. One is decided while the one before it
        is being written."""
        after: queries.Place = ()
        under_way: deque[tuple[int, asyncio.Task[int]]] = deque()
        try:
            while reach:
                page = await queries.open_deadlines(self.edge.database, reach, after=after, limit=self.page)
                for start in range(0, len(page), AT_ONCE):
                    chunk = page[start : start + AT_ONCE]
                    under_way.append((len(chunk), asyncio.create_task(work.move(chunk))))
                    if len(under_way) > 1:
                        size, first = under_way.popleft()
                        yield size, await first
                if len(page) < self.page:
                    break
                after = (page[-1]["due_at"], page[-1]["_id"])
            while under_way:
                size, first = under_way.popleft()
                yield size, await first
        finally:
            for _, left in under_way:
                left.cancel()

    async def _shown(self, lease: Lease, reach: Mapping[str, date | None], left: int) -> None:
        """Until the list shows what was moved, so that it is not looked at again. Not for ever: what came in
        the older calendar meanwhile waits for the next pass, and a list that stands still is told of
        elsewhere."""
        seen, shrunk = await queries.count_open(self.edge.database, reach), time.monotonic()
        while seen > left and time.monotonic() < shrunk + PATIENCE:
            await asyncio.sleep(min(1.0, 0.05 + seen / 20_000))  # to count many costs the list its time
            await lease.renew()
            still = await queries.count_open(self.edge.database, reach)
            if still < seen:
                seen, shrunk = still, time.monotonic()

    async def _document(self, target: WorkingCalendar) -> str:
        """The number by which it was applied; of a calendar that this build packs, its newest document."""
        try:
            row = await queries.calendar_version(self.edge.database, target.version)
        except NotFound:
            return list(target.data.documents.values())[-1]
        return str(row["document"])

    async def _replan_packed(self, older: Sequence[str], target: WorkingCalendar, lease: Lease) -> None:
        """A calendar that this build packs, which nobody applies: once its stages are brought forward too."""
        if (await queries.progress(self.edge.database, target.version)).get("replanned_at"):
            return
        for version in older:
            await bring_forward(self.edge, self.edge.calendars.of(version), target, lease)
        await queries.note_progress(self.edge.database, target.version, {"replanned_at": utc_now()})

    async def _finish(self, row: Document, total: int, lease: Lease) -> None:
        if (
            order_of(row["_id"]) > order_of(self.edge.calendar.version)
            or utc_now() < row["applied_at"] + GRACE
        ):
            return
        if target := self.edge.calendars.of(row["_id"]):
            await bring_forward(self.edge, self.edge.calendars.of(row["base"]), target, lease)
        recorded, moved, rescinded = await queries.count_moved(self.edge.database, row["_id"])
        counted = FinishMoves(row["_id"], max(total, recorded), moved, rescinded)
        await once(finish_moves(counted, self.edge.desk()))
        log.info("calendar.moves_finished", version=row["_id"], examined=counted.examined, moved=moved)


@dataclass(frozen=True)
class _Work:
    edge: Edge[Policy]
    target: WorkingCalendar
    foresight: Foresight
    document: str
    row: Document | None

    async def move(self, documents: list[Document]) -> int:
        """Together, so that their records share an insert. How many there were to move."""
        touched = [d for d in documents if self.foresight.of(queries.term_of(d)) is not None]
        if not touched:
            return 0
        cause = self.row["applied_event"] if self.row else ""
        desk = self.edge.desk(correlation=f"calendar-{self.target.version}", causation=cause)
        shown = [Shown(*queries.shown_of(d)) for d in touched]
        command = MoveDeadlines(self.target, self.document, self.edge.calendars.of, shown)
        uncounted = await move_deadlines(command, desk)
        for id in uncounted:
            log.warning("deadline.not_moved", deadline=str(id), error=CalendarYearMissing.code)
        return len(touched) - len(uncounted)
