"""What may wait has a consumer of its own: on a real broker, however long its batch takes, what somebody
waits for is handled at once, in one group with one set of offsets."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from faststream.kafka import KafkaBroker

from shared.contracts.base import Recorded
from shared.contracts.qa import AnswerReleased, QuestionClosed
from shared.desk import Desk
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.inbox import Inbox
from shared.messaging.relay import producer_for
from shared.settings import Role
from tests.shared.small_service import record
from tests.shared.test_messaging import until


@dataclass
class Hall:
    """Two topics, ``counter`` and ``store``; the handler of the store waits for its gate."""

    bootstrap: str
    graves: DeadLetters
    producer: Any
    counter: str
    store: str
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    served: list[str] = field(default_factory=list)
    brokers: list[KafkaBroker] = field(default_factory=list)

    async def open(self, *roles: Role) -> Inbox:
        table = {self.counter: {AnswerReleased: self.serve}, self.store: {QuestionClosed: self.stow}}
        inbox = Inbox(self.counter, table, self._desk_for, self.graves, in_background=(self.store,))
        broker = KafkaBroker(self.bootstrap, logger=None)
        if inbox.attach(broker, "", frozenset(roles)):
            await broker.start()
            self.brokers.append(broker)
        return inbox

    @staticmethod
    def _desk_for(_: Recorded[Any]) -> Desk[None]:
        return None  # type: ignore[return-value] # these handlers write nothing

    async def serve(self, _: Recorded[AnswerReleased], __: Any) -> None:
        self.served.append("counter")

    async def stow(self, _: Recorded[QuestionClosed], __: Any) -> None:
        self.served.append("store")
        await self.gate.wait()

    async def send(self, topic: str, count: int) -> None:
        for _ in range(count):
            id = uuid4()
            event = QuestionClosed(question_id=id) if topic == self.store else None
            made = record(id, 1, event)
            await self.producer.send(topic, made.value, made.key, headers=list(made.headers))
        await self.producer.flush()

    async def committed(self, topic: str) -> int:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            offsets = await admin.list_consumer_group_offsets(self.counter)
        finally:
            await admin.close()
        return sum(max(o.offset, 0) for place, o in offsets.items() if place == TopicPartition(topic, 0))


@pytest.fixture
async def hall(kafka: str, database: Any) -> AsyncIterator[Hall]:
    counter, store = (f"hall-{uuid4().hex[:8]}" for _ in range(2))
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1) for name in (counter, store)])
    await admin.close()
    producer, graves = producer_for(kafka, "test"), DeadLetters(database)
    await graves.prepare()
    await producer.start()
    hall = Hall(kafka, graves, producer, counter, store)
    yield hall
    hall.gate.set()
    for broker in hall.brokers:
        await broker.stop()
    await producer.stop()


async def test_a_batch_of_what_may_wait_holds_up_nobody(hall: Hall) -> None:
    await hall.open(Role.WORKER, Role.BULK)
    await hall.send(hall.store, 300)
    await until(lambda: "store" in hall.served)
    began = monotonic()
    await hall.send(hall.counter, 1)
    await until(lambda: "counter" in hall.served)
    assert monotonic() - began < 3
    assert hall.served.count("store") < 300
    assert (await hall.committed(hall.store)) == 0
    hall.gate.set()
    async with asyncio.timeout(20):
        while await hall.committed(hall.store) < 300:
            await asyncio.sleep(0.1)
    assert (await hall.committed(hall.counter), hall.served.count("store")) == (1, 300)


async def test_each_role_listens_to_its_own(hall: Hall) -> None:
    hall.gate.set()
    await hall.open(Role.API, Role.RELAY)
    assert not hall.brokers
    await hall.open(Role.WORKER)
    await hall.send(hall.store, 3)
    await hall.send(hall.counter, 3)
    await until(lambda: len(hall.served) == 3)
    assert set(hall.served) == {"counter"}
    await hall.open(Role.BULK)
    await until(lambda: len(hall.served) == 6)
    assert sorted(hall.served) == ["counter"] * 3 + ["store"] * 3
