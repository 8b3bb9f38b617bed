"""Whatever has become of its producer, the relay goes on with a new one as soon as it begins again, and
nothing that the old one still held is sent."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaConnectionError, KafkaError, NotLeaderForPartitionError
from aiokafka.errors import OutOfOrderSequenceNumber as OutOfOrder

from shared.contracts.qa import TOPIC, QuestionClosed
from shared.journal import Head
from shared.messaging import relay as relays
from shared.messaging.follower import Follower
from shared.messaging.relay import Relay
from shared.mongo import MongoJournal
from tests.shared.test_messaging import commit, running, until
from tests.shared.test_relay import Streams


@pytest.fixture
async def arrived(kafka: str) -> AsyncIterator[list[tuple[str, int]]]:
    """What lies on the topic of questions from now on: stream and version."""
    consumer, seen = AIOKafkaConsumer(bootstrap_servers=kafka), list[tuple[str, int]]()
    await consumer.start()
    consumer.assign([TopicPartition(TOPIC, number) for number in range(6)])
    await consumer.seek_to_end()
    for place in consumer.assignment():
        await consumer.position(place)

    async def read() -> None:
        async for record in consumer:
            headers = dict(record.headers)
            seen.append((headers["ce_subject"].decode(), int(headers["ce_sequence"])))

    async with running(read):
        yield seen
    await consumer.stop()


def loses_count(producer: Any) -> None:
    producer._message_accumulator.fail_all(OutOfOrder())


def loses_its_sender(producer: Any) -> None:
    def drain(**_: Any) -> Any:
        raise RuntimeError("unexpected")

    producer._message_accumulator.drain_by_nodes = drain


def skips_a_number(producer: Any) -> None:
    """As when a batch expires while its partition has no leader: the broker refuses what follows, always."""
    for number in range(6):
        producer._txn_manager.increment_sequence_number(TopicPartition(TOPIC, number), 3)


@pytest.mark.parametrize("breaks", [loses_count, loses_its_sender, skips_a_number])
async def test_a_producer_that_refuses_everything_is_replaced(
    database: Any, kafka: str, arrived: list[tuple[str, int]], breaks: Any
) -> None:
    streams = Streams(MongoJournal(database), 20)
    async with Relay(kafka, "qa") as relay:
        async with running(Follower(database, "relay", "r1", relay.publish, relay.begin).run):
            await streams.write()
            await until(lambda: streams.whole(arrived))
            first = relay._producer
            breaks(first)
            for _ in range(5):
                await streams.write()
            await until(lambda: streams.whole(arrived))
            assert relay._producer not in (None, first)
    assert streams.in_order(arrived)


async def test_what_waits_behind_a_batch_that_failed_is_not_sent(
    kafka: str, arrived: list[tuple[str, int]]
) -> None:
    question, other = uuid4(), uuid4()
    async with Relay(kafka, "qa") as relay:
        held = relay._producer._message_accumulator
        plain, held.drain_by_nodes = held.drain_by_nodes, lambda **_: ({}, False)
        one, two = (commit(id, Head(), QuestionClosed(question_id=id)) for id in (question, other))
        publishing = asyncio.create_task(relay.publish([one, two]))
        while sum(map(len, held._batches.values())) < 1:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        held._pop_batch(next(iter(held._batches))).failure(NotLeaderForPartitionError())  # it has expired
        with pytest.raises(KafkaError):
            await publishing
        held.drain_by_nodes = plain  # the others have a leader again
        await asyncio.sleep(0.5)
        assert arrived == []
        await relay.begin()
        await relay.publish([one, two])
        await until(lambda: len(arrived) == 2)


async def test_a_producer_that_does_not_stop_holds_up_nobody(
    kafka: str, monkeypatch: pytest.MonkeyPatch, arrived: list[tuple[str, int]]
) -> None:
    monkeypatch.setattr(relays, "STOP_SECONDS", 0.2)
    question = uuid4()
    async with Relay(kafka, "qa") as relay:
        first, stop = relay._producer, relay._producer.stop
        first.stop = asyncio.Event().wait
        await relay.begin()
        await relay.publish([commit(question, Head(), QuestionClosed(question_id=question))])
        await until(lambda: len(arrived) == 1)
    await stop()


async def test_a_broker_that_does_not_answer_is_given_up_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """It accepts connections, as one that is stopped does."""
    monkeypatch.setattr(relays, "START_SECONDS", 0.5)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    mute = await asyncio.start_server(listen, "127.0.0.1", 0)
    relay = Relay(f"127.0.0.1:{mute.sockets[0].getsockname()[1]}", "qa")
    began = monotonic()
    with pytest.raises(KafkaConnectionError):
        await relay.begin()
    assert monotonic() - began < 3
    mute.close()
    await asyncio.sleep(0.1)  # what it took is closed as well
