"""Where an event's time goes: each stage alone on one batch, in microseconds an event, waiting included."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.core import world
from bench.core.ground import Ground
from shared.calendar import CALENDAR
from shared.contracts.base import from_kafka
from shared.desk import Desk
from shared.feed import MongoFeed
from shared.journal import Commit, Head
from shared.messaging.relay import Relay
from shared.mongo import MongoJournal, connect, from_document, prepare, to_document
from shared.projections import Projector
from shared.testing import MemoryVault
from shared.vault import MongoVault

BATCH: Final = 500
ROUNDS: Final = 9


def table(ground: Ground) -> str:
    (topic,) = ground.new_topics("stages")
    ground.make_topics(world.FILED)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        costs = runner.run(_Walk(ground, topic).all())
    whole = sum(cost for name, cost in costs.items() if not name.startswith(" "))
    lines = [f"{name:<44} {cost:>7.1f} µs {cost / whole:>6.0%}" for name, cost in costs.items()]
    title = f"Where an event's time goes, stage by stage in a batch of {BATCH} ({whole:.0f} µs in all)"
    return "\n".join([title, *lines, ""])


class _Instant:
    """A journal that costs nothing."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []

    async def read(self, stream: str, *, upto: int | None = None) -> list[Commit]:
        return []

    async def find(self, key: str) -> Commit | None:
        return None

    async def append(self, commit: Commit) -> None:
        self.commits.append(commit)

    async def append_all(self, commits: Sequence[Commit]) -> list[Exception | None]:
        self.commits += commits
        return [None] * len(commits)


class _Walk:
    def __init__(self, ground: Ground, topic: str) -> None:
        self.ground, self.topic = ground, topic
        self.database = connect(ground.mongo_uri, ground.new_database())
        self.best: dict[str, float] = {}

    async def all(self) -> dict[str, float]:
        await prepare(self.database)
        relay = Relay(self.ground.bootstrap, "qa")
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.ground.bootstrap, group_id="stages", enable_auto_commit=False
        )
        await relay.begin()
        await consumer.start()
        consumer.assign([TopicPartition(self.topic, 0)])
        feed = MongoFeed(self.database)
        await feed.open(None, None)
        await feed.next(wait_ms=10)
        try:
            for number in range(ROUNDS):
                await self._batch(number, relay, consumer, feed)
        finally:
            await feed.close()
            await relay.end()
            await consumer.stop()
        return self.best

    async def _batch(self, number: int, relay: Relay, consumer: Any, feed: MongoFeed) -> None:
        records = [world.record(n) for n in range(number * BATCH, (number + 1) * BATCH)]
        vault = MongoVault(self.database)
        projector = Projector(self.database, [world.ITEMS], "qa", vault, lambda _: None)
        journal, memory = MongoJournal(self.database), _Instant()
        recorded: list[Any] = []
        commits: list[Commit] = []

        async def parse() -> None:
            recorded.extend(from_kafka(headers, value) for _, value, headers in records)

        async def decide() -> None:
            for one in recorded:
                desk = Desk(
                    memory, MemoryVault(), CALENDAR, None, {}, "qa", once=one.id, causation=one.id,
                    correlation=one.correlation,
                )  # fmt: skip
                await world.file_item(one, desk)

        async def load() -> None:
            await asyncio.gather(*(journal.read(commit.stream) for commit in commits))

        async def seal() -> None:
            for commit in commits:
                commit.sealed(Head())

        async def encode() -> None:
            for commit in commits:
                from_document(to_document(commit))

        async def insert() -> None:
            await asyncio.gather(*(journal.append(commit) for commit in commits))

        async def follow() -> None:
            found = 0
            while found < BATCH:
                found += len((await feed.next())[0])

        async def commit_offsets() -> None:
            await consumer.commit({TopicPartition(self.topic, 0): number + 1})

        await self._time("parse (headers, pydantic)", parse)
        await self._time("decide (desk, handler, seal, in memory)", decide)
        commits += memory.commits
        await self._time("  of that: seal (JSON, SHA-256)", seal)
        await self._time("load (one query for the batch)", load)
        await self._time("insert (majority, group commit)", insert)
        await self._time("  of that: documents", encode)
        await self._time("follow (change stream)", follow)
        await self._time("publish (until acknowledged)", lambda: relay.publish(commits))
        await self._time("project (until the majority has it)", lambda: projector.project(commits))
        await self._time("commit offsets", commit_offsets)

    async def _time(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        began = time.perf_counter()
        await work()
        cost = (time.perf_counter() - began) / BATCH * 1e6
        self.best[name] = min(cost, self.best.get(name, cost))
