"""The relay loses nothing and keeps the order of each stream: past an oplog that has rolled over and past
kill -9 of the active process. That it is behind is seen from outside."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from subprocess import DEVNULL, Popen
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pymongo.errors import OperationFailure

from deploy.local.parts import Mongod
from deploy.local.ports import free_ports
from shared.contracts.qa import TOPIC, QuestionClosed
from shared.desk import utc_now
from shared.feed import HISTORY_LOST, MongoFeed
from shared.journal import Commit, Head, Stored
from shared.messaging.follower import REST, Follower
from shared.mongo import Lease, MongoJournal, connect, prepare
from shared.operations import Standing
from tests.shared.test_messaging import running, until

REPO = Path(__file__).resolve().parents[2]


class Streams:
    """Questions that are written to in turn, as replicas do."""

    def __init__(self, journal: MongoJournal, count: int) -> None:
        self.journal = journal
        self.heads: dict[UUID, Head] = {uuid4(): Head() for _ in range(count)}

    async def write(self, *, ago: float = 0) -> None:
        """One more commit on each stream."""
        for id, head in list(self.heads.items()):
            one = Commit(
                uuid4().hex, f"question-{id}", 0, (Stored.of(QuestionClosed(question_id=id)),),
                utc_now() - timedelta(seconds=ago), "u-ha", "c-12345678", "",
            ).sealed(head)  # fmt: skip
            await self.journal.append(one)
            self.heads[id] = one.head

    def whole(self, seen: list[tuple[str, int]]) -> bool:
        """Whether all that was written was seen."""
        written = {
            (f"question-{id}", h.version - n) for id, h in self.heads.items() for n in range(h.version)
        }
        return written <= set(seen)

    def in_order(self, seen: list[tuple[str, int]]) -> bool:
        """Whether each version was seen first after the one before it; again later is harmless."""
        reached: dict[str, int] = {}
        for stream, version in seen:
            if version > reached.get(stream, 0) + 1:
                return False
            reached[stream] = max(version, reached.get(stream, 0))
        return True


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[str]:
    """A mongod whose oplog holds next to nothing; it cuts it off with each checkpoint, every second."""
    (port,) = free_ports(1)
    part = Mongod.at(tmp_path / "data", port, log=tmp_path / "log", pid_file=tmp_path / "pid")
    part.argv[part.argv.index("--oplogSize") + 1] = "1"
    part.argv += ["--syncdelay", "1"]
    part.start()
    yield f"mongodb://127.0.0.1:{port}/?replicaSet=rs0"
    part.stop(5)


async def is_gone(database: Any, token: Any) -> bool:
    watch = {"aggregate": "journal", "pipeline": [{"$changeStream": {"resumeAfter": token}}], "cursor": {}}
    try:
        await database.command(watch)
    except OperationFailure as error:
        assert error.code == HISTORY_LOST
        return True
    return False


async def roll_over(database: Any) -> None:
    """Other work of the database pushes the follower's place out of the oplog."""
    token = (await database.leases.find_one({"_id": "relay"}))["token"]
    async with asyncio.timeout(60):
        while not await is_gone(database, token):
            for _ in range(20):
                await database.filler.insert_one({"_id": 1, "x": "x" * 500_000})
                await database.filler.delete_one({"_id": 1})


async def test_nothing_is_lost_when_the_resume_point_is_gone_from_the_oplog(narrow: str) -> None:
    database = connect(narrow, "narrow")
    await prepare(database)
    streams, seen = Streams(MongoJournal(database), 3), list[tuple[str, int]]()

    async def effect(commits: Any) -> None:
        seen.extend((c.stream, c.version) for c in commits)

    await streams.write(ago=3600)  # long before: outside the margin, so that reading all again would show
    async with running(Follower(database, "relay", "r1", effect).run):
        await until(lambda: streams.whole(seen))
        await streams.write()
        await until(lambda: streams.whole(seen))
        await asyncio.sleep(0.5)  # the mark is saved ten times a second
    for late in (0, 5, 0, 120):  # written while nobody follows, by clocks that differ
        await streams.write(ago=late)
    await roll_over(database)
    before = len(seen)
    async with running(Follower(database, "relay", "r2", effect).run):
        await until(lambda: streams.whole(seen))
        await streams.write()  # and it follows from there
        await until(lambda: streams.whole(seen))
    assert streams.in_order(seen)
    assert min(version for _, version in seen[before:]) == 2  # by time less a margin, not from the beginning
    database.client.close()


async def test_history_that_is_lost_is_told_as_the_feed_opens(narrow: str) -> None:
    database = connect(narrow, "narrow")
    await prepare(database)
    feed = MongoFeed(database)
    await feed.open(None, None)
    _, token = await feed.next(wait_ms=10)
    await feed.close()
    await database.leases.insert_one({"_id": "relay", "token": token})
    await roll_over(database)
    await MongoJournal(database).append(
        Commit("k", "question-1", 0, (), utc_now(), "u", "c", "").sealed(Head())
    )
    again = MongoFeed(database)
    await again.open(token, utc_now())
    commits, nothing = await again.next(wait_ms=10)
    await again.close()
    assert ([c.key for c in commits], nothing) == (["k"], None)
    database.client.close()


class Topic:
    """What lies on the topic of questions from now on, in the order of each partition."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self.seen: list[tuple[str, int]] = []
        self.times: list[float] = []

    async def read(self) -> None:
        async for record in self._consumer:
            headers = dict(record.headers)
            self.seen.append((headers["ce_subject"].decode(), int(headers["ce_sequence"])))
            self.times.append(monotonic())


@pytest.fixture
async def topic(kafka: str) -> AsyncIterator[Topic]:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    consumer.assign([TopicPartition(TOPIC, number) for number in range(6)])
    await consumer.seek_to_end()
    topic = Topic(consumer)
    async with running(topic.read):
        yield topic
    await consumer.stop()


@contextlib.contextmanager
def relays(mongo_uri: str, database: str, kafka: str, count: int) -> Iterator[dict[str, Popen[bytes]]]:
    """Processes of qa that only relay."""
    processes = {}
    for name, port in zip((f"relay-{n}" for n in range(count)), free_ports(count), strict=True):
        env = os.environ | {
            "PORTAL_ENVIRONMENT": "local", "PORTAL_ROLES": "relay", "PORTAL_INSTANCE": name,
            "PORTAL_MONGO_URI": mongo_uri, "PORTAL_MONGO_DATABASE": database, "PORTAL_KAFKA_BOOTSTRAP": kafka,
            "PORTAL_HTTP_PORT": str(port), "PORTAL_SECRET_KEY": "k" * 40, "PORTAL_LOG_LEVEL": "ERROR",
        }  # fmt: skip
        command = [sys.executable, "-m", "services.qa.app"]
        processes[name] = Popen(command, env=env, cwd=REPO, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield processes
    finally:
        for process in processes.values():
            process.kill()
            process.wait()


async def holder_of(database: Any, *, but: str = "") -> str:
    async with asyncio.timeout(30):
        while True:
            lease = await database.leases.find_one({"_id": "relay"}) or {}
            if lease.get("token") and lease["holder"] != but:
                return str(lease["holder"])
            await asyncio.sleep(0.05)


async def test_another_process_takes_over_within_ten_seconds_of_kill_9(
    mongo_uri: str, database: Any, kafka: str, topic: Topic
) -> None:
    streams, stop = Streams(MongoJournal(database), 5), False

    async def write() -> None:
        while not stop:
            await streams.write()
            await asyncio.sleep(0.02)

    with relays(mongo_uri, database.name, kafka, 2) as processes:
        active = await holder_of(database)
        writing = asyncio.create_task(write())
        await until(lambda: len(topic.seen) > 200)
        processes[active].send_signal(signal.SIGKILL)
        processes[active].wait()
        killed = monotonic()
        await asyncio.sleep(0.3)  # what it had sent has arrived
        count = len(topic.seen)
        await until(lambda: len(topic.seen) > count, seconds=15)
        taken_over = topic.times[count] - killed
        await asyncio.sleep(1)
        stop = True
        await writing
        await until(lambda: streams.whole(topic.seen))
        assert (await database.leases.find_one({"_id": "relay"}))["epoch"] >= 2
    assert streams.in_order(topic.seen)
    assert taken_over < 10


async def test_how_far_a_follower_is_behind_is_known_while_none_lives(database: Any) -> None:
    streams = Streams(MongoJournal(database), 3)
    await streams.write(ago=40)
    await streams.write(ago=-2)  # a clock that is ahead
    assert (await Standing.of(database, "relay")).seconds > 39

    async def effect(_: Any) -> None:
        return

    async def settled() -> bool:
        standing = await Standing.of(database, "relay")
        undone = await database.journal.count_documents(standing.undone)
        return (standing.seconds, undone) == (0.0, 0)

    async with running(Follower(database, "relay", "r1", effect).run):
        async with asyncio.timeout(10):
            while not await settled():
                await asyncio.sleep(0.05)
    await streams.write()
    await asyncio.sleep(0.6)
    assert (await Standing.of(database, "relay")).seconds > 0.5


async def test_a_follower_rests_as_long_as_it_worked(database: Any) -> None:
    """Of a rush it takes more at a time, and what else runs here has its turn."""
    worked: list[tuple[float, float]] = []

    async def effect(_: Any) -> None:
        began = monotonic()
        await asyncio.sleep(0.04)
        worked.append((began, monotonic()))

    streams = Streams(MongoJournal(database), 5)
    async with running(Follower(database, "relay", "r1", effect).run):
        while len(worked) < 6:
            await streams.write()
    for (began, ended), (again, _) in pairwise(worked):
        assert again - ended >= 0.99 * min(ended - began, REST)


async def test_a_follower_in_trouble_lets_another_try(database: Any) -> None:
    """Such as one whose build is too old for what is written, or that can't reach the broker."""
    seen: list[str] = []

    async def failing(_: Any) -> None:
        raise RuntimeError("the broker is out of reach from here")

    async def effect(commits: Any) -> None:
        seen.extend(c.key for c in commits)

    await Streams(MongoJournal(database), 1).write()
    async with running(Follower(database, "relay", "r1", failing).run):
        await asyncio.sleep(0.5)
        async with running(Follower(database, "relay", "r2", effect).run):
            await until(lambda: bool(seen), seconds=10)


async def test_a_mark_is_never_ahead_of_the_server_s_clock(database: Any) -> None:
    lease = Lease(database, "relay", "r1", ttl=timedelta(seconds=6))
    assert await lease.acquire()
    await lease.renew(marked_at=utc_now() + timedelta(hours=1))
    assert (await lease.facts())["marked_at"] < utc_now() + timedelta(seconds=1)


async def test_who_waits_for_a_lease_is_told_by_the_server_how_long_it_still_has(database: Any) -> None:
    """A dead holder's is taken the moment it lapses, not at the next look."""
    held, waiting = (Lease(database, "relay", who, ttl=timedelta(seconds=1)) for who in ("r1", "r2"))
    assert await held.acquire()
    assert not await waiting.acquire()
    left = await waiting.left()
    assert 0 < left <= 1
    await asyncio.sleep(left)
    assert await waiting.acquire()
    nobodys = Lease(database, "projector", "r1", ttl=timedelta(seconds=1))
    assert 0 < await nobodys.left() < 0.1
