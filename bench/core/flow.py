"""Consume → dedupe, history, state → published and acked: a full topic is worked off, by the naive service,
by bare drivers and by ours; the watcher looks at the state and at the broker, never into a process."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import psutil  # type: ignore[import-untyped]
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.core import world
from bench.core.ground import PARTITIONS, Ground
from bench.figures import percentile

WARM: Final = 0.1  # of the work; about there the clock starts
PATIENCE: Final = 60.0  # seconds without anything done
LOOK: Final = 0.05
JOINING: Final = 1.5  # seconds a worker, until the group is at rest


@dataclass(frozen=True)
class Flow:
    rate: float
    cost: float  # µs of processor time an event, in all processes together
    rss_early: float = 0.0  # MB of the busiest process, at a fifth of the work and at its end
    rss_late: float = 0.0


async def fill(ground: Ground, topic: str, numbers: range, pace: float = 0.0) -> None:
    """``pace`` is events a second; 0: as fast as can be."""
    producer = AIOKafkaProducer(bootstrap_servers=ground.bootstrap, acks="all", max_batch_size=262144)
    await producer.start()
    began = time.monotonic()
    try:
        for start in range(numbers.start, numbers.stop, 500 if not pace else max(1, int(pace / 200))):
            stop = min(numbers.stop, start + (500 if not pace else max(1, int(pace / 200))))
            if pace:
                await asyncio.sleep(max(0.0, began + (start - numbers.start) / pace - time.monotonic()))
            for number in range(start, stop):
                key, value, headers = world.record(number)
                await producer.send(topic, value, key=key, headers=headers)
        await producer.flush()
    finally:
        await producer.stop()


async def watch(ground: Ground, database: str, topic: str, count: int, pids: tuple[int, ...] = ()) -> Flow:
    """Done is what is both in the state and acknowledged by the broker."""
    consumer = AIOKafkaConsumer(bootstrap_servers=ground.bootstrap)
    await consumer.start()
    places = [TopicPartition(topic, n) for n in range(PARTITIONS)]
    items, early, before = ground.mongo[database]["items"], 0.0, 0
    first = time.monotonic(), 0, ground.cpu_seconds()
    moved = first[0]
    try:
        while True:
            published = sum((await consumer.end_offsets(places)).values())
            done, now = min(published, items.estimated_document_count()), time.monotonic()
            if done < count * WARM:  # the last look before the work is warm
                first = (now, done, ground.cpu_seconds())
            if pids and not early and done >= count / 5:
                early = _rss(pids)
            if done >= count:
                break
            if done > before:
                before, moved = done, now
            elif now > moved + PATIENCE:
                raise TimeoutError(f"{done} of {count}, then nothing for {PATIENCE} s: {published} published")
            await asyncio.sleep(LOOK)
    finally:
        await consumer.stop()
    events = done - first[1]
    cost = (ground.cpu_seconds() - first[2]) / events * 1e6
    return Flow(events / (now - first[0]), cost, early, _rss(pids) if pids else 0.0)


def _rss(pids: tuple[int, ...]) -> float:
    return float(max(psutil.Process(pid).memory_info().rss for pid in pids)) / 1e6


def naive(ground: Ground, count: int) -> Flow:
    heard, out = ground.new_topics("heard", "filed")
    database = ground.new_database()
    asyncio.run(fill(ground, heard, range(count)))
    env = {"PORTAL_MONGO_DATABASE": database, "BENCH_HEARD": heard, "BENCH_FILED": out}
    with ground.running("bench.core.naive", env=env):
        return asyncio.run(watch(ground, database, out, count))


def bare(ground: Ground, count: int, batch: int) -> Flow:
    heard, out = ground.new_topics("heard", "filed")
    database = ground.new_database()
    asyncio.run(fill(ground, heard, range(count)))
    env = {"PORTAL_MONGO_DATABASE": database, "BENCH_HEARD": heard, "BENCH_FILED": out}
    with ground.running("bench.core.bare", env={**env, "BENCH_BATCH": str(batch)}):
        return asyncio.run(watch(ground, database, out, count))


@contextlib.contextmanager
def _ours(ground: Ground, workers: int, heard: str, out: str) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The relay in a process of its own, workers in theirs, on an empty database."""
    database, env = ground.new_database(), {"BENCH_HEARD": heard, "BENCH_FILED": out}
    env["PORTAL_LOG_LEVEL"] = "WARNING"
    with contextlib.ExitStack() as stack:
        stack.enter_context(ground.service(database, "relay", **env))
        pids = []
        for _ in range(workers):
            child, _ = stack.enter_context(ground.service(database, "worker,bulk", **env))
            pids.append(child.pid or 0)
        yield database, tuple(pids)


def ours(ground: Ground, count: int, workers: int = 1) -> Flow:
    """The workers stand still while the topic is filled, so that none begins before the others."""
    heard, out = ground.new_topics("heard", "filed")
    with _ours(ground, workers, heard, out) as (database, pids):
        time.sleep(JOINING * workers)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        asyncio.run(fill(ground, heard, range(count)))
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
        return asyncio.run(watch(ground, database, out, count, pids))


def delay(ground: Ground, pace: float, seconds: float) -> list[float]:
    """Seconds from the broker's taking an event to its taking what came of it, at a steady pace."""
    heard, out = ground.new_topics("heard", "filed")
    with _ours(ground, 1, heard, out) as (database, _):
        count = int(pace * seconds)

        async def both() -> list[float]:
            await asyncio.gather(fill(ground, heard, range(count), pace), watch(ground, database, out, count))
            came, went = await asyncio.gather(_times(ground, heard, count), _times(ground, out, count))
            return [(went[id] - at) / 1000 for id, at in came.items()][count // 10 :]

        return asyncio.run(both())


async def _times(ground: Ground, topic: str, count: int) -> dict[bytes, int]:
    """When the broker took each item, in milliseconds; the key is the stream, without its kind."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=ground.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found: dict[bytes, int] = {}
    try:
        while len(found) < count:
            parts: dict[Any, list[Any]] = await consumer.getmany(timeout_ms=1000, max_records=5000)
            for record in (r for part in parts.values() for r in part):
                found.setdefault(record.key.partition(b"-")[2], record.timestamp)
    finally:
        await consumer.stop()
    return found


def p99_ms(seconds: list[float]) -> float:
    return percentile(seconds, 99) * 1000
