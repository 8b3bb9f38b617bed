"""Journal → Kafka: every event of every commit, key = stream, in the journal's order per stream.
Publishing again is harmless: ids are deterministic and consumers know what they have handled."""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from itertools import chain
from typing import Any, Final, Self

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from aiokafka.partitioner import DefaultPartitioner
from prometheus_client import Counter

from shared.contracts.base import Recorded, class_of
from shared.journal import Commit

PUBLISHED = Counter("relay_events_published", "Events acknowledged by the broker", ["service"])
START_SECONDS: Final = 10.0  # then another try, which may choose another of the brokers
STOP_SECONDS: Final = 4.0


def producer_for(bootstrap: str, service: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, client_id=f"{service}-relay", acks="all", enable_idempotence=True,
        linger_ms=0, max_batch_size=262144, request_timeout_ms=20000,
    )  # fmt: skip


class Relay:
    """One producer from a beginning to a failure: an idempotent one that has lost count, or whose sender
    has died, refuses everything from then on. ``async with`` begins and ends."""

    def __init__(self, bootstrap: str, service: str) -> None:
        self._bootstrap, self._service = bootstrap, service
        self._producer: Any = None  # while begun
        self._places: dict[str, list[int]] = {}  # partitions of a topic, as they were when this relay began
        self._choose = DefaultPartitioner()

    async def __aenter__(self) -> Self:
        await self.begin()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.end()

    async def begin(self) -> None:
        """With a new producer and a new look at the topics. Which partition a key goes to then stands for as
        long as this relay is the active one: a topic that grew under it would have a key's events overtake
        each other."""
        await self.end()
        self._places.clear()
        self._producer = producer_for(self._bootstrap, self._service)
        try:
            await asyncio.wait_for(self._producer.start(), START_SECONDS)
        except BaseException as error:
            await self.end()
            if isinstance(error, TimeoutError):
                raise KafkaConnectionError("the broker does not answer") from error
            raise

    async def end(self) -> None:
        """At once: what still waits to be sent behind a batch that failed would overtake it."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(_cut_off(producer), STOP_SECONDS)

    async def publish(self, commits: Sequence[Commit]) -> None:
        """Returns when the broker has acknowledged the whole batch. After a failure the relay has to begin
        again."""
        sent: list[Awaitable[Any]] = []
        try:
            await self._send(commits, sent)
            await asyncio.gather(*sent)
        except BaseException:
            await self.end()
            await asyncio.gather(*sent, return_exceptions=True)
            raise
        PUBLISHED.labels(self._service).inc(len(sent))

    async def _send(self, commits: Sequence[Commit], sent: list[Awaitable[Any]]) -> None:
        for commit in commits:
            key = commit.stream.encode()
            for index, stored in enumerate(commit.events):
                kind = class_of(stored.name, stored.version)
                if kind.published:
                    # The class stands for its event: the envelope asks for its name and version alone.
                    envelope: Recorded[Any] = Recorded(
                        kind, commit.stream, commit.version, index, commit.at, commit.by, commit.correlation,
                        self._service,
                    )  # fmt: skip
                    value, headers = stored.data.encode(), envelope.headers()
                    place = await self._partition(kind.topic, key)
                    sent.append(await self._producer.send(kind.topic, value, key, place, headers=headers))

    async def _partition(self, topic: str, key: bytes) -> int:
        places = self._places.get(topic)
        if places is None:
            places = self._places[topic] = sorted(await self._producer.partitions_for(topic))
        chosen: int = self._choose(key, places, places)
        return chosen


async def _cut_off(producer: AIOKafkaProducer) -> None:
    """``stop`` alone would first send all that waits, and wait for a broker that is not there."""
    waiting = producer._message_accumulator
    for batch in [*chain.from_iterable(waiting._batches.values()), *waiting._pending_batches]:
        batch.failure(KafkaConnectionError("the relay begins anew"))
        batch._drain_waiter.exception()  # counts as heard
    if sender := producer._sender.sender_task:
        sender.cancel()
    await producer.client.close()  # what is on its way hears of it
    await producer.stop()
