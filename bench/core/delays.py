"""From a commit's acknowledgement until the broker has acknowledged its event, one at a time and at a steady
pace, beside what the broker's own acknowledgement costs."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from bench.core import world
from bench.core.ground import Ground
from shared.journal import Commit, Head, Stored
from shared.messaging.relay import producer_for
from shared.mongo import MongoJournal, connect

PAUSE: Final = 0.02  # between two, one at a time
ALONE: Final = 200
SECONDS: Final = 5.0
WARM: Final = 20
TICK: Final = 0.005


@dataclass(frozen=True)
class Delays:
    """Milliseconds, sorted."""

    ours: list[float]
    broker: list[float]


def measure(ground: Ground, pace: float) -> tuple[Delays, Delays]:
    """One at a time, and at ``pace`` commits a second."""
    (out,) = ground.new_topics("filed")
    database, file = ground.new_database(), ground.folder / "acked.json"
    env = {"PORTAL_MONGO_DATABASE": database, "BENCH_FILED": out}
    with ground.running("bench.core.relaying", str(file), env=env):
        alone, steady, broker = asyncio.run(_press(ground, database, out, pace))
    acked = json.loads(file.read_text())
    ours = [
        sorted(max(0.0, acked[key] - at) * 1000 for key, at in found.items()) for found in (alone, steady)
    ]
    return Delays(ours[0], broker[0]), Delays(ours[1], broker[1])


def commit() -> Commit:
    item = uuid4()
    event = world.filed(world.heard(7)).model_copy(update={"item_id": item})
    return Commit(
        key=item.hex, stream=f"item-{item}", version=0, events=(Stored.of(event),), at=datetime.now(UTC),
        by="system", correlation=item.hex, causation="",
    ).sealed(Head())  # fmt: skip


Found = dict[str, float]


async def _press(
    ground: Ground, database: str, topic: str, pace: float
) -> tuple[Found, Found, tuple[list[float], list[float]]]:
    journal = MongoJournal(connect(ground.mongo_uri, database))
    producer = producer_for(ground.bootstrap, "bench")
    await producer.start()
    await asyncio.sleep(2)  # the relay takes its lease

    async def append(found: Found) -> None:
        one = commit()
        await journal.append(one)
        found[one.key] = time.monotonic()

    async def send(waits: list[float]) -> None:
        one = commit()
        key, value, began = one.stream.encode(), one.events[0].data.encode(), time.monotonic()
        await (await producer.send(topic, value, key=key))
        waits.append((time.monotonic() - began) * 1000)

    alone: Found = {}
    steady: Found = {}
    broker_alone: list[float] = []
    broker_steady: list[float] = []
    await _one_by_one(lambda: append(alone))
    await _one_by_one(lambda: send(broker_alone))
    await _paced(lambda: append(steady), pace)
    await _paced(lambda: send(broker_steady), pace)
    await asyncio.sleep(1)
    await producer.stop()
    for found in (alone, steady):
        for key in list(found)[:WARM]:
            del found[key]
    return alone, steady, (sorted(broker_alone[WARM:]), sorted(broker_steady[WARM:]))


async def _one_by_one(work: Callable[[], Awaitable[None]]) -> None:
    for _ in range(ALONE):
        await work()
        await asyncio.sleep(PAUSE)


async def _paced(work: Callable[[], Awaitable[None]], pace: float) -> None:
    began, sent = time.monotonic(), 0
    async with asyncio.TaskGroup() as group:
        while (passed := time.monotonic() - began) < SECONDS:
            while sent < passed * pace:
                group.create_task(work())  # type: ignore[arg-type]
                sent += 1
            await asyncio.sleep(TICK)
