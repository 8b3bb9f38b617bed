"""Kafka → handlers, in batches of bytes. Each event ends handled, not ours, or buried with its reason;
only trouble with infrastructure is redelivered, after a wait. Offsets are committed explicitly, last."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from prometheus_client import Counter, Histogram

from shared.contracts.base import Event, Recorded, from_kafka
from shared.desk import TRIES, Desk
from shared.errors import Unavailable
from shared.journal import AlreadyDone, VersionConflict
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.records import make_whole
from shared.mongo import TROUBLE
from shared.settings import Role
from shared.together import Together

log = structlog.get_logger(__name__)

Handler = Callable[[Any, Desk[Any]], Awaitable[object]]
Table = Mapping[str, Mapping[type[Event], Handler]]
Record = Any  # aiokafka.structs.ConsumerRecord of bytes

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 15.0  # far below max_poll_interval_ms
HANG: Final = 10.0  # seconds in which nothing of a batch gets done; a second is no sign on a busy machine
TICK: Final = 0.5
AT_ONCE: Final = 1000  # records in a batch
AT_LEISURE: Final = 100  # of what may wait: the handlers of a batch take turns with everything else here
STRIKES: Final = 3  # hangs of one event, the database taking writes after each, before it counts as poison

HANDLED = Counter("inbox_events", "Events by outcome", ["service", "outcome"])
SECONDS = Histogram("inbox_batch_seconds", "Time per batch", ["service"])


async def _parse_nothing(records: tuple[Record, ...], original: Any) -> Any:
    """FastStream's own parser decodes headers, and a header that is not UTF-8 would lose the whole batch
    before our code sees it. It is shown one record without any; ours reads the records themselves."""
    message = await original((replace(records[0], headers=()),))
    message.raw_message = records
    return message


async def _decode_nothing(message: KafkaMessage) -> Any:
    return message.body


def _as_it_is(desk: Desk[Any]) -> Desk[Any]:
    return desk


class Blocked(Exception):
    """An earlier event of the same key is buried; this one waits behind it."""


class Hung(Exception):
    """The handler does not come back, though the database answers."""


class _Rebalanced(ConsumerRebalanceListener):  # type: ignore[misc]
    """Who had these partitions until now may have buried something that what comes next must wait for."""

    def __init__(self, graves: DeadLetters) -> None:
        self._graves = graves

    async def on_partitions_revoked(self, revoked: object) -> None:
        return

    async def on_partitions_assigned(self, assigned: object) -> None:
        self._graves.look_again()


@dataclass
class _Progress:
    """Of one batch; another may be under way beside it."""

    done: int = 0


def _trouble_of(task: asyncio.Task[None]) -> BaseException | None:
    if task.cancelled():  # cut short while it was at the database
        return Unavailable("việc xử lý bị ngắt giữa chừng", retry_after=1)
    return task.exception()


class Inbox:
    """``table`` is the service's consumers.py: topic → {event class: handler}. Topics ``in_background`` have
    a consumer of their own, and however much they bring, the others do not wait behind it."""

    def __init__(
        self,
        service: str,
        table: Table,
        desk_for: Callable[[Recorded[Event]], Desk[Any]],
        graves: DeadLetters,
        in_background: Collection[str] = (),
    ) -> None:
        self.service = service
        self.topics = tuple(table)
        self._in_background = in_background
        self._handlers = {kind: handler for handlers in table.values() for kind, handler in handlers.items()}
        self._names = {kind.name.encode() for kind in self._handlers}
        self._desk_for = desk_for
        self._graves = graves
        self._counted = {name: HANDLED.labels(service, name) for name in ("handled", "not_ours", "buried")}
        self._waits: dict[Any, float] = {}  # of a consumer in trouble
        self._cut: set[asyncio.Task[Any] | None] = set()
        self._pulse: Together[str, None] = Together(self._feel)
        self._subscribers: list[Any] = []
        self.consumer: Any = None  # the one that has drawn something last

    def attach(self, broker: KafkaBroker, instance: str, roles: Collection[Role] = frozenset(Role)) -> bool:
        """Whether there is anything to listen to in these roles."""

        async def on_batch(body: list[bytes], message: KafkaMessage) -> None:
            await self.take(message)

        make_whole()
        first = [topic for topic in self.topics if topic not in self._in_background]
        rest = [topic for topic in self.topics if topic in self._in_background]
        consumers = ((first, Role.WORKER, "inbox", AT_ONCE), (rest, Role.BULK, "background", AT_LEISURE))
        for topics, role, name, most in consumers:
            if topics and role in roles:
                subscriber = broker.subscriber(
                    *topics, batch=True, group_id=self.service, ack_policy=AckPolicy.MANUAL,
                    group_instance_id=f"{instance}-{name}" if instance else None,
                    listener=_Rebalanced(self._graves), auto_offset_reset="earliest", batch_timeout_ms=20,
                    max_records=most, session_timeout_ms=10000, parser=_parse_nothing,
                    decoder=_decode_nothing, title=f"{self.service}: {name}",
                    description="Batches of CloudEvents in binary mode; see docs/events.md for each event's "
                    "fields.",
                )  # fmt: skip
                subscriber(on_batch)
                self._subscribers.append(subscriber)
        return bool(self._subscribers)

    async def take(self, message: KafkaMessage) -> None:
        records: Sequence[Record] = message.raw_message
        self.consumer = message.consumer
        with SECONDS.labels(self.service).time():
            try:
                await self.handle(records)
                await self._commit(message.consumer, records)
            except Exception as trouble:  # a commit that is refused is repeated with its batch
                wait = self._waits.get(message.consumer, FIRST_WAIT)
                log.warning("inbox.troubled", error=repr(trouble), wait=wait, records=len(records))
                await asyncio.sleep(wait)
                self._waits[message.consumer] = min(wait * 2, LONGEST_WAIT)
                await self._rewind(message)
                return
        self._waits.pop(message.consumer, None)

    async def handle(self, records: Sequence[Record]) -> None:
        """Keys side by side, each key's events in order. Raises only on trouble with infrastructure."""
        by_key: dict[bytes, list[Record]] = {}
        for record in records:
            by_key.setdefault(record.key or b"", []).append(record)
        keys = [key.decode(errors="replace") for key in by_key]
        blocked = await self._graves.blocked(keys)
        progress = _Progress()
        tasks = [
            asyncio.ensure_future(self._handle_key(group, name in blocked, progress))
            for name, group in zip(keys, by_key.values(), strict=True)
        ]
        try:
            await self._watch(tasks, progress)
        finally:
            for task in tasks:
                task.cancel()  # those that are not done: this process is leaving
        failed = [error for task in tasks if (error := _trouble_of(task))]
        if failed:
            raise failed[0]

    async def _watch(self, tasks: Sequence[asyncio.Task[None]], progress: _Progress) -> None:
        """Until all are done. When nothing has been done for long, those that still run are cut short."""
        pending = set(tasks)
        done, idle = 0, 0.0
        while pending:
            tick = min(TICK, HANG)
            _, pending = await asyncio.wait(pending, timeout=tick)
            idle += tick  # counted, not read off a clock: a process that was stopped itself has seen nothing
            if progress.done != done:
                done, idle = progress.done, 0.0
            elif idle >= HANG:
                idle = 0.0
                for task in pending - self._cut:
                    self._cut.add(task)
                    task.cancel()
        self._cut.difference_update(tasks)

    async def _handle_key(self, records: list[Record], blocked: bool, progress: _Progress) -> None:
        for record in records:
            try:
                handled = await self._bounded(record, blocked, progress)
            except (Unavailable, *TROUBLE):
                raise
            except Exception as error:  # poison: whatever it is, it must not hold up the others
                log.warning("inbox.buried", topic=record.topic, partition=record.partition,
                            offset=record.offset, error=type(error).__name__)  # fmt: skip
                holds_up = await self._graves.bury(record, error)
                self._counted["buried"].inc()
                blocked = blocked or (holds_up and bool(record.key))
            else:
                self._counted["handled" if handled else "not_ours"].inc()
            progress.done += 1

    async def _bounded(self, record: Record, blocked: bool, progress: _Progress) -> bool:
        for _ in range(STRIKES):
            try:
                return await self.handle_one(record, blocked)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or not task.cancelling():  # something that the handler waited for
                    raise Unavailable("việc xử lý bị ngắt giữa chừng", retry_after=1) from None
                if task not in self._cut:
                    raise
                task.uncancel()
            await self._pulse.ask("")  # raises Unavailable: then it was the database that kept us waiting
            self._cut.discard(task)
            progress.done += 1  # the wait begins anew
        raise Hung(f"hàm xử lý không trả lời, {STRIKES} lần, dù cơ sở dữ liệu vẫn nhận ghi")

    async def _feel(self, asked: Sequence[str]) -> dict[str, None]:
        await self._graves.pulse()
        return dict.fromkeys(asked)

    async def handle_one(
        self, record: Record, blocked: bool = False, *, around: Callable[[Desk[Any]], Desk[Any]] = _as_it_is
    ) -> bool:
        """Whether the event was ours. Handling the same event twice collides with itself. ``around`` lays
        the desk differently, for a rehearsal."""
        types = [raw for name, raw in record.headers if name == "ce_type"]
        if types and self._names.isdisjoint(types):
            return False
        if blocked:
            raise Blocked("một sự kiện trước đó của cùng hồ sơ đang nằm trong thư chết")
        recorded = from_kafka(record.headers, record.value)
        handler = self._handlers[type(recorded.event)]
        structlog.contextvars.bind_contextvars(correlation=recorded.correlation)
        for attempt in range(1, TRIES + 1):
            try:
                await handler(recorded, around(self._desk_for(recorded)))
            except AlreadyDone:
                return True
            except VersionConflict:
                if attempt == TRIES:
                    raise Unavailable("hồ sơ đang bị tranh chấp", retry_after=1) from None
            else:
                return True
        raise AssertionError("unreachable")

    async def _commit(self, consumer: Any, records: Sequence[Record]) -> None:
        offsets: dict[TopicPartition, int] = {}
        for record in records:
            place = TopicPartition(record.topic, record.partition)
            offsets[place] = max(offsets.get(place, 0), record.offset + 1)
        still_ours = {place: offset for place, offset in offsets.items() if place in consumer.assignment()}
        if still_ours:
            await consumer.commit(still_ours)

    async def _rewind(self, message: KafkaMessage) -> None:
        """Each partition that is still ours goes back to its first record; another's owner repeats it."""
        first: dict[TopicPartition, int] = {}
        for record in message.raw_message:
            place = TopicPartition(record.topic, record.partition)
            first[place] = min(first.get(place, record.offset), record.offset)
        consumer: Any = message.consumer
        for place, offset in first.items():
            if place in consumer.assignment():
                consumer.seek(place, offset)

    async def lag(self) -> dict[str, int]:
        """Records waiting per topic, over the partitions assigned to this replica."""
        waiting = dict.fromkeys(self.topics, 0)
        for consumer in [one.consumer for one in self._subscribers if one.consumer]:
            for place in consumer.assignment():
                end = consumer.highwater(place)
                if end is not None:
                    waiting[place.topic] += max(0, end - await consumer.position(place))
        return waiting
