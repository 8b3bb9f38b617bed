"""The inbox on a real broker while members come and go, stop, hang and are refused: each event has its effect
once, none is passed over, and what can't be handled holds up nobody for long."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer import fetcher
from aiokafka.errors import CommitFailedError, CorruptRecordException, RequestTimedOutError
from aiokafka.producer import message_accumulator
from aiokafka.record import default_records
from faststream.kafka import KafkaBroker

from shared.calendar import CALENDAR
from shared.contracts.base import Recorded
from shared.contracts.qa import AnswerReleased
from shared.desk import Desk
from shared.errors import Unavailable
from shared.messaging import inbox as inboxes
from shared.messaging.dead_letters import DeadLetters, full, original_of
from shared.messaging.graves import Edit, edited
from shared.messaging.inbox import Inbox
from shared.messaging.records import LENGTH_AT, OVERHEAD, Records
from shared.messaging.relay import producer_for
from shared.mongo import MongoJournal
from shared.testing import MemoryVault
from tests.shared.small_service import Tally, record
from tests.shared.test_messaging import until

PARTITIONS = 4
SLOW = 0.15  # seconds an event: a batch of ten on a key takes long enough to be interrupted


class Ground:
    """A topic of its own, a journal for the effects, and the members of one group that come and go."""

    def __init__(self, bootstrap: str, database: Any, topic: str, producer: AIOKafkaProducer) -> None:
        self.bootstrap, self.topic, self.producer = bootstrap, topic, producer
        self.journal, self.graves = MongoJournal(database), DeadLetters(database)
        self.group = f"group-{topic}"
        self.sent: dict[UUID, int] = {}
        self.place: dict[UUID, int] = {}
        self.members: list[Member] = []

    async def join(self, *, slow: float = 0) -> "Member":
        member = Member(self, slow)
        self.members.append(member)
        await member.broker.start()
        return member

    async def send(self, questions: int, events: int, *, partition: int | None = None) -> list[UUID]:
        """Each question's events on one partition; told none, so that no partition stays empty."""
        ids = [uuid4() for _ in range(questions)]
        self.place |= {id: n % PARTITIONS if partition is None else partition for n, id in enumerate(ids)}
        for version in range(1, events + 1):
            for id in ids:
                await self.put(record(id, version), partition=self.place[id])
        self.sent |= dict.fromkeys(ids, events)
        return ids

    @contextlib.asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Somebody goes on asking."""
        ids, stop = await self.send(12, 1), asyncio.Event()

        async def go_on() -> None:
            while not stop.is_set():
                for id in ids:
                    self.sent[id] += 1
                    await self.put(record(id, self.sent[id]), partition=self.place[id])
                await asyncio.sleep(0.1)

        asking = asyncio.create_task(go_on())
        try:
            yield
        finally:
            stop.set()
            await asking

    async def put(self, made: Any, *, partition: int | None = None, headers: Any = None) -> None:
        await self.producer.send_and_wait(
            self.topic, made.value, made.key, partition, headers=headers or list(made.headers)
        )

    async def heard(self, question: UUID) -> tuple[str, ...]:
        commits = await self.journal.read(f"tally-{question}")
        return tuple(r.event.answer_ref for c in commits for r in c.recorded("test"))  # type: ignore[attr-defined]

    async def settled(self, *, seconds: float = 40) -> None:
        """Wait until every partition's committed offset is its end."""
        async with asyncio.timeout(seconds):
            while not await self._committed_all():
                await asyncio.sleep(0.1)

    async def _committed_all(self) -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.group)
        finally:
            await admin.close()
        ends = await self._ends()
        return all(offsets[p].offset == end if p in offsets else end == 0 for p, end in ends.items())

    async def _ends(self) -> dict[TopicPartition, int]:
        alive = next(m for m in self.members if m.broker.subscribers[0].consumer is not None)
        places = [TopicPartition(self.topic, n) for n in await self.producer.partitions_for(self.topic)]
        return dict(await alive.broker.subscribers[0].consumer.end_offsets(places))  # type: ignore[attr-defined]

    async def once_each_in_order(self) -> None:
        for question, events in self.sent.items():
            assert await self.heard(question) == tuple(f"a{n}" for n in range(1, events + 1))
        assert await self.graves.buried() == []


class Member:
    """A replica: its handler writes what it hears to the journal, slowly if so wished."""

    def __init__(self, ground: Ground, slow: float) -> None:
        self.ground, self.slow = ground, slow
        self.calls: list[tuple[UUID, str]] = []
        self.troubled: dict[UUID, int] = {}  # question → how many calls still fail
        self.hanging: dict[UUID, int] = {}
        self.poison: set[UUID] = set()
        table = {ground.topic: {AnswerReleased: self.hear}}
        self.inbox = Inbox(ground.group, table, self.desk_for, ground.graves)
        self.broker = KafkaBroker(ground.bootstrap, logger=None)
        self.inbox.attach(self.broker, "")

    def desk_for(self, recorded: Recorded[Any]) -> Desk[None]:
        return Desk(
            self.ground.journal, MemoryVault(), CALENDAR, None, {"tally": Tally}, "test", once=recorded.id,
            correlation=recorded.correlation, causation=recorded.id,
        )  # fmt: skip

    async def hear(self, recorded: Recorded[AnswerReleased], desk: Desk[None]) -> None:
        question = recorded.event.question_id
        self.calls.append((question, recorded.event.answer_ref))
        await asyncio.sleep(self.slow)
        if question in self.poison:
            raise RuntimeError("không xử lý được")
        if self.troubled.get(question, 0) > 0:
            self.troubled[question] -= 1
            raise Unavailable("chưa trả lời")
        if self.hanging.get(question, 0) > 0:
            self.hanging[question] -= 1
            await asyncio.Event().wait()
        tally = await desk.find(Tally, question)
        await desk.append(tally.then(recorded.event) if tally else Tally.starts_with(recorded.event))

    async def leave(self) -> None:
        await asyncio.wait_for(self.broker.stop(), 10)

    async def fall(self) -> None:
        """Cut off at work; the group hears of it at once."""
        (subscriber,) = self.broker.subscribers
        for task in subscriber.tasks:  # type: ignore[attr-defined]
            task.cancel()
        await self.leave()


@pytest.fixture
async def ground(kafka: str, database: Any) -> AsyncIterator[Ground]:
    async with contextlib.AsyncExitStack() as stack:
        topic = f"inbox-{uuid4().hex[:8]}"
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        await admin.close()
        producer = producer_for(kafka, "test")
        await producer.start()
        stack.push_async_callback(producer.stop)
        ground = Ground(kafka, database, topic, producer)
        await ground.graves.prepare()
        yield ground
        for member in ground.members:
            await member.leave()


async def test_members_that_come_and_go_in_the_middle_of_a_batch(ground: Ground) -> None:
    async with ground.busy():
        first = await ground.join(slow=SLOW)
        await until(lambda: len(first.calls) > 12)
        second = await ground.join(slow=SLOW)  # while the first is at work: partitions are taken from it
        await until(lambda: len(second.calls) > 12)
        third = await ground.join(slow=SLOW)
        await until(lambda: len(third.calls) > 12)
        await second.leave()  # what was its goes to the others
        await third.fall()
        reached = len(first.calls)
        await until(lambda: len(first.calls) > reached + 60)
    await ground.settled()
    await ground.once_each_in_order()


async def test_a_member_that_is_asked_to_stop_ends_its_batch(ground: Ground) -> None:
    await ground.send(8, 10)
    member = await ground.join(slow=SLOW)
    await until(lambda: len(member.calls) > 16)
    await member.leave()
    await ground.join()
    await ground.settled()
    await ground.once_each_in_order()
    assert len(member.calls) == 80


async def test_a_member_that_falls_in_the_middle_of_a_batch_leaves_it_to_the_next(ground: Ground) -> None:
    await ground.send(8, 10)
    for _ in range(2):
        member = await ground.join(slow=SLOW)
        await until(lambda m=member: len(m.calls) > 16)  # type: ignore[misc]
        await member.fall()
        assert len(member.calls) < 80
    await ground.join()
    await ground.settled()
    await ground.once_each_in_order()


@pytest.mark.parametrize("refusal", [CommitFailedError, RequestTimedOutError])
async def test_a_commit_that_is_refused_costs_nothing(ground: Ground, refusal: type[Exception]) -> None:
    await ground.send(4, 3)
    member = await ground.join(slow=0.05)
    await until(lambda: member.inbox.consumer is not None)
    consumer, refused = member.inbox.consumer, 0
    allowed = consumer.commit

    async def commit(offsets: Any) -> None:
        nonlocal refused
        if refused < 3:
            refused += 1
            raise refusal
        await allowed(offsets)

    consumer.commit = commit
    for _ in range(4):
        await ground.send(4, 2)
        await asyncio.sleep(0.2)
    await ground.settled()
    assert refused == 3
    await ground.once_each_in_order()


async def test_trouble_during_a_rebalance_passes_over_nothing(ground: Ground) -> None:
    """A batch over all partitions fails, and while it waits some of them go to another member."""
    ids = await ground.send(12, 6)
    first = await ground.join()
    first.troubled = dict.fromkeys(ids[:3], 4)
    await until(lambda: bool(first.calls))
    second = await ground.join()
    second.troubled = dict.fromkeys(ids[:3], 1)
    await ground.settled()
    await ground.once_each_in_order()


async def test_one_poison_holds_its_partition_for_two_seconds_at_most(ground: Ground) -> None:
    member = await ground.join()
    await ground.send(1, 1, partition=0)
    await until(lambda: len(member.calls) == 1)
    bad = uuid4()
    member.poison.add(bad)
    began = monotonic()
    await ground.put(record(bad, 1), partition=0)
    (after,) = await ground.send(1, 1, partition=0)
    await until(lambda: (after, "a1") in member.calls)
    held = monotonic() - began
    await ground.settled()
    assert held < 2
    assert [b["error"] for b in await ground.graves.buried()] == ["RuntimeError"]


async def test_a_thousand_poisons_in_a_row_hold_up_what_follows_for_seconds(ground: Ground) -> None:
    member = await ground.join()
    broken = [record(uuid4(), 1, value=b"[]") for _ in range(1000)]
    began = monotonic()
    sent = [
        await ground.producer.send(ground.topic, r.value, r.key, 0, headers=list(r.headers)) for r in broken
    ]
    await asyncio.gather(*sent)
    (after,) = await ground.send(1, 1, partition=0)
    await until(lambda: (after, "a1") in member.calls, seconds=60)
    assert monotonic() - began < 20
    await ground.settled()
    assert await ground.graves.count({}) == 1000
    assert await ground.heard(after) == ("a1",)


async def test_a_handler_that_hangs_is_cut_short_and_its_event_buried_at_last(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inboxes, "HANG", 0.4)
    member = await ground.join()
    stuck, slowly = uuid4(), uuid4()
    member.hanging = {stuck: 99, slowly: 2}
    for question in (stuck, slowly):
        await ground.put(record(question, 1), partition=0)
    ids = await ground.send(5, 3, partition=0)
    await until(lambda: all((id, "a3") in member.calls for id in ids))
    await ground.settled()
    (buried,) = await ground.graves.buried()
    assert (buried["key"], buried["error"]) == (f"question-{stuck}", "Hung")
    assert await ground.heard(slowly) == ("a1",)  # slow twice is no poison
    for id in ids:
        assert await ground.heard(id) == ("a1", "a2", "a3")


async def test_an_event_that_takes_seconds_while_the_database_is_well_is_not_buried(ground: Ground) -> None:
    """A machine that others keep busy looks like this, and its events are in good health."""
    member, question = await ground.join(slow=3.0), uuid4()
    await ground.put(record(question, 1))
    ground.sent[question] = 1
    await ground.settled()
    assert len(member.calls) == 1
    await ground.once_each_in_order()


async def test_a_database_that_takes_no_writes_makes_no_poison(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a majority reads go on and writes wait: handlers hang, and that is no event's fault."""
    monkeypatch.setattr(inboxes, "HANG", 0.1)
    member, question = await ground.join(), uuid4()
    asked = 0

    async def unanswered() -> None:
        nonlocal asked
        asked += 1
        raise Unavailable("chưa trả lời")

    monkeypatch.setattr(ground.graves, "pulse", unanswered)
    member.hanging = {question: 3}
    await ground.put(record(question, 1))
    ground.sent[question] = 1
    await ground.settled()
    assert asked == 3
    await ground.once_each_in_order()


async def test_a_handler_whose_own_work_is_cancelled_does_not_stop_the_inbox(ground: Ground) -> None:
    member, odd = await ground.join(), uuid4()
    plain, fails = member.hear, 2

    async def hear(recorded: Recorded[AnswerReleased], desk: Desk[None]) -> None:
        nonlocal fails
        if recorded.event.question_id == odd and fails:
            fails -= 1
            raise asyncio.CancelledError
        await plain(recorded, desk)

    member.inbox._handlers[AnswerReleased] = hear  # type: ignore[assignment]
    await ground.put(record(odd, 1))
    ground.sent[odd] = 1
    await ground.settled()
    await ground.once_each_in_order()


async def test_headers_of_others_are_no_business_of_ours(ground: Ground) -> None:
    """Tracing tools add some of their own: bytes that are no text, or nothing at all."""
    await ground.join()
    question = uuid4()
    ground.sent[question] = 1
    made = record(question, 1)
    foreign = [("trace", b"\xff\xfe\x00"), ("baggage", None)]
    await ground.put(made, headers=[*made.headers, *foreign])
    await ground.settled()
    await ground.once_each_in_order()


@pytest.mark.parametrize("value", [None, b"\xff\xfe"])
async def test_an_attribute_without_value_or_text_is_buried_as_it_came(
    ground: Ground, value: bytes | None
) -> None:
    await ground.join()
    made, after = record(uuid4(), 1), uuid4()
    ground.sent[after] = 1
    headers = [(name, value if name == "ce_time" else raw) for name, raw in made.headers]
    await ground.put(made, headers=headers, partition=0)
    await ground.put(record(after, 1), partition=0)
    await ground.settled()
    (buried,) = await ground.graves.buried()
    assert dict(buried["headers"])["ce_time"] == value
    assert await ground.heard(after) == ("a1",)


class _Raw(str):
    """A header's name that is sent as these bytes."""

    def encode(self, *_: object) -> bytes:  # type: ignore[override]
        return b"tr\xff\xfece"


async def test_a_header_name_that_is_no_text_is_buried_to_the_byte_within_two_seconds(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """aiokafka's own reader would raise at it for ever, and lose what it drew from other partitions."""
    builder = default_records._DefaultRecordBatchBuilderPy
    monkeypatch.setattr(message_accumulator, "DefaultRecordBatchBuilder", builder)
    monkeypatch.setattr("aiokafka.producer.producer.DefaultRecordBatchBuilder", builder)
    member = await ground.join()
    others = await ground.send(1, 1, partition=0)
    await until(lambda: len(member.calls) == 1)
    bad = record(uuid4(), 1)
    began = monotonic()
    others += await ground.send(6, 4)
    await ground.put(bad, headers=[*bad.headers, (_Raw("x"), b"\x00\x01")], partition=0)
    others += await ground.send(1, 1, partition=0)
    await until(lambda: (others[-1], "a1") in member.calls)
    assert monotonic() - began < 2
    await ground.settled()
    (buried,) = await ground.graves.buried()
    original = original_of(buried)
    assert original.headers[-1] == ("tr\udcff\udcfece", b"\x00\x01")
    assert original.headers[-1][0].encode(errors="surrogateescape") == b"tr\xff\xfece"
    assert (original.key, original.value, original.headers[:-1]) == (bad.key, bad.value, bad.headers)
    assert full(buried)["headers"][-1][0] == r"tr\xff\xfece"
    mended = edited(buried, Edit("bỏ tiêu đề lạ", headers={r"tr\xff\xfece": None}))
    assert tuple(mended["headers"]) == bad.headers
    for id in others:
        assert await ground.heard(id) == tuple(f"a{n}" for n in range(1, ground.sent[id] + 1))


def wrong_checksum(batch: bytearray) -> None:
    batch[-1] ^= 1


def wrong_length(batch: bytearray) -> None:
    batch[LENGTH_AT:OVERHEAD] = (len(batch) * 1000).to_bytes(4, "big")


class Damage:
    """What is fetched of the batch that holds ``mark`` is damaged, as long as it lasts."""

    def __init__(self, mark: bytes, harm: Callable[[bytearray], None]) -> None:
        self.mark, self.harm, self.lasts, self.met = mark, harm, True, 0

    def __call__(self, data: bytes) -> Records:
        start, whole = 0, bytearray(data)
        while self.lasts and start < len(whole):
            end = start + OVERHEAD + int.from_bytes(whole[start + LENGTH_AT : start + OVERHEAD], "big")
            batch = whole[start:end]
            if self.mark in batch:
                self.met += 1
                self.harm(batch)
                whole[start:end] = batch
                break
            start = end
        return Records(bytes(whole))


@pytest.mark.parametrize("harm", [wrong_checksum, wrong_length])
async def test_a_partition_that_can_t_be_read_stands_still_alone(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, harm: Callable[[bytearray], None]
) -> None:
    """What lies before the damage and elsewhere is handled; what lies behind it is, once it is mended."""
    member, bad = await ground.join(), uuid4()
    damage = Damage(str(bad).encode(), harm)
    monkeypatch.setattr(fetcher, "MemoryRecords", damage)

    async def no_answer(*_: object) -> None:
        raise RequestTimedOutError

    monkeypatch.setattr(AIOKafkaConsumer, "committed", no_answer)  # nothing hangs on a broker that is asked
    before = await ground.send(1, 3, partition=0)
    await ground.put(record(bad, 1), partition=0)
    ground.sent[bad] = 1
    behind = await ground.send(2, 3, partition=0)
    elsewhere = [id for n in (1, 2, 3) for id in await ground.send(4, 5, partition=n)]
    await until(lambda: all((id, "a5") in member.calls for id in elsewhere))
    await until(lambda: (before[0], "a3") in member.calls)
    for _ in range(8):
        await ground.send(3, 1)
        await asyncio.sleep(0.5)
    assert not {bad, *behind} & {question for question, _ in member.calls}
    assert (await member.inbox.lag())[ground.topic] >= 7
    assert 2 <= damage.met <= 6  # waits that grow
    monkeypatch.undo()
    damage.lasts = False
    await ground.settled()
    await ground.once_each_in_order()


async def test_a_partition_that_can_t_be_read_shows_as_lag_though_nothing_was_ever_drawn(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    member, bad = await ground.join(), uuid4()
    damage = Damage(str(bad).encode(), wrong_checksum)
    monkeypatch.setattr(fetcher, "MemoryRecords", damage)
    await ground.put(record(bad, 1), partition=0)
    await until(lambda: damage.met > 0)
    assert await member.inbox.lag() == {ground.topic: 1}


async def test_fetches_that_break_off_now_and_then_lose_and_double_nothing(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a partition, and while records of others are drawn already."""
    monkeypatch.setattr("shared.messaging.records.FIRST_WAIT", 0.05)
    plain, drawn, broken = fetcher.PartitionRecords.__next__, 0, 0

    def following(these: Any) -> Any:
        nonlocal drawn, broken
        drawn += 1
        if drawn % 7 == 0:
            broken += 1
            raise CorruptRecordException("Invalid CRC")
        return plain(these)

    await ground.send(12, 6)
    monkeypatch.setattr(fetcher.PartitionRecords, "__next__", following)
    await ground.join()
    await ground.settled()
    assert broken > 6
    await ground.once_each_in_order()
