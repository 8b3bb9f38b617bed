"""Journal → relay → Kafka → inbox on real parts: in order, once in effect, and no poison in the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaProducer
from faststream.kafka import KafkaBroker

from shared.calendar import CALENDAR
from shared.contracts.base import Recorded
from shared.contracts.qa import TOPIC, AnswerReleased, AnswerWithheld, QuestionClosed
from shared.desk import Desk
from shared.errors import Unavailable
from shared.feed import MongoFeed
from shared.journal import Commit, Head, Stored
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.follower import Follower
from shared.messaging.inbox import Inbox
from shared.messaging.relay import Relay, producer_for
from shared.mongo import MongoJournal
from shared.testing import MemoryJournal, MemoryVault, local

AT = local("2026-11-23T09:00")


async def until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


def commit(question: UUID, head: Head, *events: Any) -> Commit:
    return Commit(
        key=uuid4().hex, stream=f"question-{question}", version=0, events=tuple(map(Stored.of, events)),
        at=AT, by="u-ha", correlation="c-12345678", causation="",
    ).sealed(head)  # fmt: skip


@contextlib.asynccontextmanager
async def running(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


class Listener:
    """An inbox with a handler that notes what it saw, and fails as it is told."""

    def __init__(self, bootstrap: str, database: Any) -> None:
        self.seen: list[tuple[str, str]] = []
        self.fails: dict[str, Exception] = {}
        self.graves = DeadLetters(database)
        group = f"test-{uuid4().hex[:8]}"
        table = {TOPIC: {QuestionClosed: self.note, AnswerReleased: self.note}}
        self.inbox = Inbox(group, table, self.desk_for, self.graves)
        self.broker = KafkaBroker(bootstrap, logger=None)
        self.inbox.attach(self.broker, "")

    def desk_for(self, recorded: Recorded[Any]) -> Desk[None]:
        return Desk(MemoryJournal(), MemoryVault(), CALENDAR, None, {}, "test", once=recorded.id)

    async def note(self, recorded: Recorded[Any], _: Desk[None]) -> None:
        failure = self.fails.get(recorded.stream)
        if failure is not None:
            raise failure
        self.seen.append((recorded.stream, recorded.id))

    async def buried(self, question: UUID) -> list[dict[str, Any]]:
        return [b for b in await self.graves.buried() if b["key"] == f"question-{question}"]

    def of(self, question: UUID) -> list[str]:
        return [id for stream, id in self.seen if stream == f"question-{question}"]

    async def committed(self) -> int:
        places = self.inbox.consumer.assignment()
        return sum([await self.inbox.consumer.committed(place) or 0 for place in places])


@pytest.fixture
async def listener(kafka: str, database: Any) -> AsyncIterator[Listener]:
    listener = Listener(kafka, database)
    await listener.broker.start()
    yield listener
    await asyncio.wait_for(listener.broker.stop(), 10)


@pytest.fixture
async def producer(kafka: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = producer_for(kafka, "qa")
    await producer.start()
    yield producer
    await producer.stop()


@pytest.fixture
async def relay(kafka: str) -> AsyncIterator[Relay]:
    async with Relay(kafka, "qa") as relay:
        yield relay


async def test_what_is_committed_reaches_the_handler_in_order(
    database: Any, relay: Relay, listener: Listener
) -> None:
    journal, questions = MongoJournal(database), [uuid4() for _ in range(20)]
    async with running(Follower(database, "relay", "r1", relay.publish, relay.begin).run):
        for question in questions:
            head = Head()
            for _ in range(5):
                released = AnswerReleased(question_id=question, answer_ref="a")
                one = commit(question, head, released, QuestionClosed(question_id=question))
                await journal.append(one)
                head = one.head
        await until(lambda: all(len(listener.of(q)) >= 10 for q in questions))
    for question in questions:
        expected = [f"qa:question-{question}:{v}:{i}" for v in range(1, 6) for i in (0, 1)]
        # A first follower reads the journal and the stream, so that something may come again; order holds.
        assert list(dict.fromkeys(listener.of(question))) == expected


async def test_a_second_follower_waits_and_takes_over_where_the_first_stopped(database: Any) -> None:
    journal, seen = MongoJournal(database), {"a": [], "b": []}  # type: ignore[var-annotated]

    def into(name: str) -> Callable[[Any], Awaitable[None]]:
        async def effect(commits: Any) -> None:
            seen[name].extend(c.stream for c in commits)

        return effect

    async with running(Follower(database, "relay", "b", into("b")).run):
        await asyncio.sleep(0.1)
        async with running(Follower(database, "relay", "a", into("a")).run):
            await journal.append(one := commit(uuid4(), Head(), QuestionClosed(question_id=uuid4())))
            await until(lambda: one.stream in seen["b"])
            assert seen["a"] == []
        # The holder leaves in order; a third comes and goes on from the mark.
    async with running(Follower(database, "relay", "c", into("a")).run):
        await journal.append(two := commit(uuid4(), Head(), QuestionClosed(question_id=uuid4())))
        await until(lambda: two.stream in seen["a"])
    assert seen["a"] == [two.stream]


async def test_a_poison_is_buried_whole_and_holds_up_only_its_own_key(
    database: Any, relay: Relay, listener: Listener
) -> None:
    poisoned, healthy = uuid4(), uuid4()
    listener.fails[f"question-{poisoned}"] = RuntimeError("cannot be handled")
    for question in (poisoned, healthy):
        await relay.publish([commit(question, Head(), QuestionClosed(question_id=question))])
    await until(lambda: len(listener.of(healthy)) == 1)
    del listener.fails[f"question-{poisoned}"]
    await relay.publish([commit(poisoned, Head(1, "x"), QuestionClosed(question_id=poisoned))])
    async with asyncio.timeout(20):
        while len(buried := await listener.buried(poisoned)) < 2:
            await asyncio.sleep(0.05)
    assert [b["error"] for b in buried] == ["RuntimeError", "Blocked"]
    assert QuestionClosed.model_validate_json(bytes(buried[0]["value"])).question_id == poisoned
    assert dict(buried[0]["headers"])["ce_type"] == b"qa.question.closed"
    assert listener.of(poisoned) == []


@pytest.mark.parametrize(
    ("headers", "value"),
    [
        pytest.param([], b"{}", id="no envelope"),
        pytest.param([("ce_type", b"qa.question.closed")], b"{}", id="half an envelope"),
        pytest.param(
            [("ce_type", b"qa.question.closed"), ("x", b"\xff\xfe")], None, id="bytes that are no text"
        ),
        pytest.param("good", b"not json", id="a body that is not JSON"),
        pytest.param("newer", b"{}", id="a version that this build does not know"),
    ],
)
async def test_what_cannot_be_read_is_buried_and_the_next_one_is_handled(
    producer: AIOKafkaProducer, relay: Relay, listener: Listener, headers: Any, value: bytes | None
) -> None:
    question, after = uuid4(), uuid4()
    if isinstance(headers, str):
        recorded = commit(question, Head(), QuestionClosed(question_id=question)).recorded("qa")[0]
        changed = {"newer": ("ce_eventversion", b"99")}.get(headers, ("ce_time", b"2026-11-23T02:00:00Z"))
        headers = [h for h in recorded.headers() if h[0] != changed[0]] + [changed]
    await producer.send_and_wait(TOPIC, value, key=f"question-{question}".encode(), headers=headers)
    await relay.publish([commit(after, Head(), QuestionClosed(question_id=after))])
    await until(lambda: len(listener.of(after)) == 1)
    async with asyncio.timeout(10):
        while not (buried := await listener.buried(question)):
            await asyncio.sleep(0.05)
    assert len(buried) == 1


async def test_an_event_that_is_not_ours_is_passed_over(relay: Relay, listener: Listener) -> None:
    question = uuid4()
    withheld = AnswerWithheld(question_id=question, reason="có thông tin cá nhân")
    await relay.publish([commit(question, Head(), withheld, QuestionClosed(question_id=question))])
    await until(lambda: len(listener.of(question)) == 1)
    assert await listener.buried(question) == []


async def test_trouble_with_infrastructure_is_redelivered_and_never_buried(
    relay: Relay, listener: Listener
) -> None:
    question = uuid4()
    listener.fails[f"question-{question}"] = Unavailable("cơ sở dữ liệu đang nghỉ")
    await relay.publish([commit(question, Head(), QuestionClosed(question_id=question))])
    await asyncio.sleep(1.5)
    assert listener.of(question) == []
    before = await listener.committed()
    listener.fails.clear()
    await until(lambda: len(listener.of(question)) == 1)
    async with asyncio.timeout(10):
        while await listener.committed() <= before:
            await asyncio.sleep(0.05)
    assert await listener.buried(question) == []


async def test_the_time_of_a_commit_keeps_its_zone_on_the_way(database: Any) -> None:
    seen: list[Commit] = []

    async def effect(commits: Any) -> None:
        seen.extend(commits)

    async with running(Follower(database, "relay", "r", effect).run):
        await asyncio.sleep(0.5)  # so that it comes by the change stream and not by the first reading
        await MongoJournal(database).append(
            one := commit(uuid4(), Head(), QuestionClosed(question_id=uuid4()))
        )
        await until(lambda: bool(seen))
    assert seen == [one]
    assert dict(seen[0].recorded("qa")[0].headers())["ce_time"] == b"2026-11-23T02:00:00.000+00:00"


async def test_a_follower_that_starts_among_writers_misses_nothing(database: Any) -> None:
    """What is written, and held by no majority yet, as the first follower starts: a plain change stream would
    start after it, a majority read end before it."""
    for number in range(15):
        fresh, seen = database.client[f"{database.name}-{number}"], set()
        fresh = fresh.with_options(codec_options=database.codec_options)
        journal = MongoJournal(fresh)

        async def write(journal: MongoJournal = journal) -> None:
            for _ in range(12):
                id = uuid4()
                await journal.append(commit(id, Head(), QuestionClosed(question_id=id)))

        writing = asyncio.create_task(write())
        await asyncio.sleep(0.004 * (number % 10))
        feed, quiet = MongoFeed(fresh), 0
        await feed.open(None, None)
        while quiet < 2 or not writing.done():
            commits, _ = await feed.next(wait_ms=100)
            seen |= {c.key for c in commits}
            quiet = 0 if commits else quiet + 1
        await feed.close()
        await writing
        assert len(seen) == 12
        await database.client.drop_database(fresh.name)
