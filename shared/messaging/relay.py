"""Journal → Kafka: every event of every commit, key = stream, in the journal's order per stream.
Publishing again is harmless: ids are deterministic and consumers know what they have handled."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError
from aiokafka.partitioner import DefaultPartitioner
from prometheus_client import Counter

from shared.contracts.base import Recorded, class_of
from shared.journal import Commit

PUBLISHED = Counter("relay_events_published", "Events acknowledged by the broker", ["service"])


def producer_for(bootstrap: str, service: str) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap, client_id=f"{service}-relay", acks="all", enable_idempotence=True,
        linger_ms=0, max_batch_size=262144, request_timeout_ms=20000,
    )  # fmt: skip


class Relay:
    def __init__(self, producer: AIOKafkaProducer, service: str) -> None:
        self._producer, self._service = producer, service
        self._places: dict[str, list[int]] = {}  # partitions of a topic, as they were when this relay began
        self._choose = DefaultPartitioner()

    async def begin(self) -> None:
        """Look at the topics anew. Which partition a key goes to then stands for as long as this relay is the
        active one: a topic that grew under it would have a key's events overtake each other."""
        self._places.clear()
        if not await self._producer.client.force_metadata_update():
            raise KafkaConnectionError("the broker does not say which partitions there are")

    async def publish(self, commits: Sequence[Commit]) -> None:
        """Returns when the broker has acknowledged the whole batch."""
        sent = []
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
        await asyncio.gather(*sent)
        PUBLISHED.labels(self._service).inc(len(sent))

    async def _partition(self, topic: str, key: bytes) -> int:
        places = self._places.get(topic)
        if places is None:
            places = self._places[topic] = sorted(await self._producer.partitions_for(topic))
        chosen: int = self._choose(key, places, places)
        return chosen
