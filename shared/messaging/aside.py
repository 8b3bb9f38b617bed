"""Keys whose handler does not come back stand aside: their partitions go on, their own records wait in order,
and their offsets stay open until they are through."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from functools import partial
from typing import Any, Final

import structlog
from aiokafka import TopicPartition

from shared.errors import Unavailable

log = structlog.get_logger(__name__)

Record = Any  # aiokafka.structs.ConsumerRecord of bytes
Group = deque[Record]  # of one key; whoever handles it takes away what is done

HANG: Final = 10.0  # seconds in which a key gets nothing done; less is no sign on a busy machine
STRIKES: Final = 3  # hangs in a row, the database taking writes after each: then its event counts as poison
MOST: Final = 1000  # records aside; more hold their partitions, as memory has an end
FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 15.0


class Aside:
    """``handle`` works a group off and raises on trouble with infrastructure; ``pulse`` raises Unavailable
    when the database takes no writes; ``through`` is told of records whose offsets are no longer open."""

    def __init__(
        self,
        handle: Callable[[Group], Awaitable[None]],
        pulse: Callable[[], Awaitable[None]],
        through: Callable[[Collection[Record]], Awaitable[None]],
    ) -> None:
        self._handle, self._pulse, self._through = handle, pulse, through
        self._last: dict[bytes, asyncio.Task[None]] = {}
        self._groups: dict[asyncio.Task[None], Group] = {}
        self._given_up: set[asyncio.Task[Any]] = set()
        self._somebody_left = asyncio.Event()

    def __contains__(self, key: bytes) -> bool:
        return key in self._last

    def room_for(self, records: int) -> bool:
        return records + sum(map(len, self._groups.values())) <= MOST

    async def queue(self, group: Group) -> None:
        """Behind what stands aside of its key already; when there is no room, once there is. What comes again
        is passed over."""
        while not self.room_for(len(group)):
            self._somebody_left.clear()
            await self._somebody_left.wait()
        known = {_place(record) for other in self._groups.values() for record in other}
        if fresh := deque(record for record in group if _place(record) not in known):
            self.put(fresh)

    def put(self, group: Group, begun: asyncio.Task[None] | None = None) -> None:
        """``begun`` is at work on the group already."""
        key = group[0].key or b""
        runner = asyncio.create_task(
            self._see_through(group, begun, self._last.get(key)), name=f"aside {key!r}"
        )
        self._last[key], self._groups[runner] = runner, group
        runner.add_done_callback(partial(self._leave, key))

    def floor(self, place: TopicPartition) -> int | None:
        """The first offset of a partition that is not through."""
        open_ = (r.offset for group in self._groups.values() for r in group if _partition(r) == place)
        return min(open_, default=None)

    def gave_up(self, task: asyncio.Task[Any]) -> bool:
        """Whether it was cut because its event does not come back; says so once."""
        given_up = task in self._given_up
        self._given_up.discard(task)
        return given_up

    def keep(self, places: Iterable[TopicPartition]) -> None:
        """What lies on other partitions is another's now, who begins at the first open offset."""
        ours = frozenset(places)
        for runner, group in self._groups.items():
            if not ours.issuperset(map(_partition, group)):
                runner.cancel()

    def _leave(self, key: bytes, runner: asyncio.Task[None]) -> None:
        del self._groups[runner]
        if self._last[key] is runner:
            del self._last[key]
        self._somebody_left.set()

    async def _see_through(
        self, group: Group, task: asyncio.Task[None] | None, before: asyncio.Task[None] | None
    ) -> None:
        records, wait = tuple(group), FIRST_WAIT
        log.warning("inbox.aside", topic=group[0].topic, partition=group[0].partition, offset=group[0].offset)
        if before:
            await asyncio.wait({before})
        while True:
            try:
                if group:
                    task = task or asyncio.ensure_future(self._handle(group))
                    await self._watch(task, group)
                    await task
                await self._through(records)
            except Exception as trouble:
                log.warning("inbox.aside_troubled", error=repr(trouble), wait=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, LONGEST_WAIT)
            else:
                return
            finally:
                if task:
                    task.cancel()
                task = None

    async def _watch(self, task: asyncio.Task[None], group: Group) -> None:
        strikes = 0
        while not task.done():
            left = len(group)
            await asyncio.wait({task}, timeout=HANG)
            if task.done() or left != len(group):
                strikes = 0
                continue
            try:
                await self._pulse()
            except Unavailable:
                continue  # it is the database that keeps us waiting
            strikes += 1
            if strikes == STRIKES:
                self._given_up.add(task)
                task.cancel()
                strikes = 0


def _partition(record: Record) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)


def _place(record: Record) -> tuple[str, int, int]:
    return record.topic, record.partition, record.offset
