"""A topic grows while commands go on, and each key keeps its order: the written way, on a real topic."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from faststream.kafka import KafkaBroker

from shared.calendar import CALENDAR
from shared.contracts.base import Event, Recorded
from shared.desk import Desk
from shared.journal import Head
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.follower import Follower
from shared.messaging.graves import DeadLetter
from shared.messaging.inbox import Inbox
from shared.messaging.relay import Relay
from shared.messaging.replay import Replayer
from shared.messaging.runs import AskReplay, Runs
from shared.messaging.topology import NotPaused, pause, resume, waiting
from shared.mongo import MongoJournal
from shared.operations import Standing
from shared.testing import MemoryJournal, MemoryVault
from tests.shared.evolving import another_build
from tests.shared.test_messaging import commit, running, until

FEW, MANY = 2, 7
# Chosen, not drawn: every one of the many partitions gets some, and some go back to an earlier one.
KEYS = [UUID(int=n) for n in range(100, 124)]


class Counter:
    """A service that takes its time over each event and notes where it came from."""

    def __init__(self, bootstrap: str, database: Any, topic: str, kind: type[Event]) -> None:
        self.seen: dict[str, list[int]] = {}
        self.broken = False
        self.group = f"counter-{uuid4().hex[:8]}"
        self.graves = DeadLetters(database)
        self.inbox = Inbox(self.group, {topic: {kind: self.note}}, self.desk_for, self.graves)
        self.broker = KafkaBroker(bootstrap, logger=None, metadata_max_age_ms=500)
        self.inbox.attach(self.broker, "")

    def desk_for(self, recorded: Recorded[Any]) -> Desk[None]:
        return Desk(MemoryJournal(), MemoryVault(), CALENDAR, None, {}, "test", once=recorded.id)

    async def note(self, recorded: Recorded[Any], _: Desk[None]) -> None:
        await asyncio.sleep(0.003)
        if self.broken:
            raise RuntimeError("không xử lý được")
        self.seen.setdefault(recorded.stream, []).append(recorded.version)


@pytest.fixture
async def admin(kafka: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    yield admin
    await admin.close()


async def partitions_of(admin: AIOKafkaAdminClient, topic: str) -> int:
    (described,) = await admin.describe_topics([topic])
    return len(described["partitions"])


async def test_each_key_keeps_its_order_while_the_topic_grows(
    kafka: str, database: Any, admin: AIOKafkaAdminClient
) -> None:
    topic = f"growing-{uuid4().hex[:8]}"
    await admin.create_topics([NewTopic(topic, FEW, 1)])
    with another_build():

        class Counted(Event, topic=topic, name=f"{topic}.counted"):
            """Test only."""

        heads: dict[UUID, Head] = {id: Head() for id in KEYS}
        journal, writing = MongoJournal(database), True

        async def write() -> None:
            while writing:
                for id, head in list(heads.items()):
                    one = commit(id, head, Counted())
                    await journal.append(one)
                    heads[id] = one.head
                await asyncio.sleep(0.05)

        relay = Relay(kafka, "growing")
        counter = Counter(kafka, database, topic, Counted)
        await counter.broker.start()
        async with running(Follower(database, "relay", "r1", relay.publish, relay.begin).run):
            writer = asyncio.create_task(write())
            await until(lambda: len(counter.seen) == len(heads))
            await pause(database, "u-truc")
            async with asyncio.timeout(40):
                while (await waiting(kafka, [topic], [counter.group]))[counter.group, topic]:
                    await asyncio.sleep(0.1)
            assert (await Standing.of(database, "relay")).holder == "paused: u-truc"
            await admin.create_partitions({topic: NewPartitions(MANY)})
            async with asyncio.timeout(10):
                while await partitions_of(admin, topic) < MANY:
                    await asyncio.sleep(0.05)
            await resume(database, "u-truc")
            reached = max(head.version for head in heads.values()) + 10
            await until(lambda: min(head.version for head in heads.values()) > reached)
            writing = False
            await writer
            await until(
                lambda: all(max(counter.seen[f"question-{id}"]) == h.version for id, h in heads.items())
            )
            used = {place.partition for place in counter.inbox.consumer.assignment()}
            assert len(used) == MANY
            ends = await counter.inbox.consumer.end_offsets(counter.inbox.consumer.assignment())
        await asyncio.wait_for(counter.broker.stop(), 10)
        await relay.end()
    # Keys that moved are the point: the partitions that are new hold something.
    assert all(ends[place] > 0 for place in ends)
    for id, head in heads.items():
        first_seen = list(dict.fromkeys(counter.seen[f"question-{id}"]))
        assert first_seen == list(range(1, head.version + 1))


async def test_letters_that_wait_while_the_topic_grows_are_replayed_in_the_order_of_their_key(
    kafka: str, database: Any, admin: AIOKafkaAdminClient
) -> None:
    """What is buried holds up its key wherever the key goes, and its letters keep their order, though the
    later ones lie on earlier partitions."""
    topic = f"growing-{uuid4().hex[:8]}"
    await admin.create_topics([NewTopic(topic, FEW, 1)])
    with another_build():

        class Counted(Event, topic=topic, name=f"{topic}.counted"):
            """Test only."""

        heads: dict[UUID, Head] = {id: Head() for id in KEYS}
        relay, counter = Relay(kafka, "growing"), Counter(kafka, database, topic, Counted)
        graves, runs = counter.graves, Runs(database)
        await graves.prepare()
        await counter.broker.start()
        acts = Desk(
            MongoJournal(database), MemoryVault(), CALENDAR, None, {DeadLetter.KIND: DeadLetter}, "test"
        )
        replayer = Replayer(database, graves, counter.inbox, lambda *_: acts, "r1")

        async def publish(count: int) -> None:
            for _ in range(count):
                made = {id: commit(id, head, Counted()) for id, head in heads.items()}
                await relay.publish(list(made.values()))
                heads.update({id: one.head for id, one in made.items()})

        async def buried(count: int) -> None:
            async with asyncio.timeout(40):
                while await graves.count({}) < count:
                    await asyncio.sleep(0.1)

        await relay.begin()
        counter.broken = True
        await publish(3)
        await buried(3 * len(heads))
        await admin.create_partitions({topic: NewPartitions(MANY)})
        async with asyncio.timeout(20):
            while await partitions_of(admin, topic) < MANY:
                await asyncio.sleep(0.1)
        await relay.begin()
        counter.broken = False
        await publish(3)
        await buried(6 * len(heads))  # though nothing is wrong with them: each waits behind its key's first
        places: dict[str, list[int]] = {}
        async for grave in database.dead_letters.find().sort("turn", 1):
            places.setdefault(grave["key"], []).append(grave["partition"])
        assert any(lay[0] > lay[-1] for lay in places.values())  # the order of places is another one
        assert await graves.stranded() == []
        await runs.ask(AskReplay("đã sửa", rate=1000), once="k", by="u", correlation="c", fingerprint="f")
        await replayer.work()
        await counter.broker.stop()
        await relay.end()
    assert await graves.count({}) == 0
    assert {tuple(seen) for seen in counter.seen.values()} == {(1, 2, 3, 4, 5, 6)}
    assert len(counter.seen) == len(heads)


async def test_a_relay_keeps_to_the_partitions_that_it_began_with(
    kafka: str, database: Any, admin: AIOKafkaAdminClient
) -> None:
    """Grown without a pause, the topic is not followed by halves: nothing moves before the next take-over."""
    topic = f"growing-{uuid4().hex[:8]}"
    await admin.create_topics([NewTopic(topic, FEW, 1)])
    with another_build():

        class Counted(Event, topic=topic, name=f"{topic}.counted"):
            """Test only."""

        relay = Relay(kafka, "growing")
        await relay.begin()
        await relay.publish([commit(uuid4(), Head(), Counted()) for _ in range(20)])
        await admin.create_partitions({topic: NewPartitions(MANY)})
        async with asyncio.timeout(20):
            while len(await relay._producer.partitions_for(topic)) < MANY:
                await relay._producer.client.force_metadata_update()
                await asyncio.sleep(0.1)
        await relay.publish([commit(uuid4(), Head(), Counted()) for _ in range(50)])
        assert {await relay._partition(topic, uuid4().bytes) for _ in range(50)} == {0, 1}
        await relay.begin()
        assert len({await relay._partition(topic, uuid4().bytes) for _ in range(200)}) == MANY
        await relay.end()


async def test_a_relay_that_runs_can_t_be_resumed_and_pausing_twice_is_as_good_as_once(database: Any) -> None:
    with pytest.raises(NotPaused):
        await resume(database, "u-truc")
    await pause(database, "u-truc")
    await pause(database, "u-oanh")
    await resume(database, "u-truc")
    with pytest.raises(NotPaused):
        await resume(database, "u-truc")
