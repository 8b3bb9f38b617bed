"""Waits until nothing moves any more. What still moves, or waits, when patience ends is stuck."""

import asyncio
import time
from typing import Final

from aiokafka.errors import KafkaError

from oracle.evidence import Collector, on_topic
from oracle.points import ALL
from shared.mongo import TROUBLE, from_document

STILL: Final = 2.0  # seconds without a new commit
LONGEST: Final = 4  # times the patience, however much still moves
OPEN_NOTICES: Final = {"status": {"$in": ["requested", "retrying", "sending"]}}
OPEN_DELIVERIES: Final = {"state": {"$in": ["pending", "failed"]}}


async def waiting(collector: Collector) -> list[str]:
    """What is left to do, in words; nothing when all is done."""
    left: list[str] = []
    databases = collector.databases
    for what, collection, query in (
        ("notices to be sent", databases["notifier"].notices, OPEN_NOTICES),
        ("deliveries to be made", databases["sync"].deliveries, OPEN_DELIVERIES),
    ):
        if count := await collection.count_documents(query):
            left.append(f"{count} {what}")
    buried = {name: await databases[name].dead_letters.count_documents({"state": "buried"}) for name in ALL}
    left += [f"{count} dead letters in {name}" for name, count in buried.items() if count]
    left += [f"{count} records for {name}" for name, count in (await collector.lags()).items()]
    return left


async def behind(collector: Collector) -> list[str]:
    """What journals have and topics or read models have not."""
    left: list[str] = []
    ids = {seen.id for seen in await collector.read_topics()}
    for name, database in collector.databases.items():
        commits = [from_document(d) async for d in database.journal.find()]
        missing = sum(id not in ids for c in commits for id, *_ in on_topic(c, name))
        if missing:
            left.append(f"{missing} events of {name} to be published")
        odd = {p.collection: await collector.odd(name, p) for p in collector.projections(name)}
        left += [
            f"{len(rows)} rows of {name}.{where} to be brought up" for where, rows in odd.items() if rows
        ]
    return left


async def counts(collector: Collector) -> list[int]:
    return [await d.journal.estimated_document_count() for d in collector.databases.values()]


async def quiet(collector: Collector, patience: float) -> list[str]:
    """Until all is done and nothing is added for a while. Returns what was still left when nothing had moved
    for ``patience`` seconds, or something had moved for ever."""
    began = moved = time.monotonic()
    left, before = ["nothing was looked at"], [0]
    while True:
        try:
            left, seen = await waiting(collector), await counts(collector)
            if not left:
                left = await behind(collector)
                await asyncio.sleep(STILL)
                if not left and seen == await counts(collector) and not await waiting(collector):
                    return []
            if seen != before:
                before, moved = seen, time.monotonic()
        except (*TROUBLE, KafkaError, OSError) as error:
            left = [f"parts do not answer ({type(error).__name__})"]
        now = time.monotonic()
        if now - moved > patience or now - began > LONGEST * patience:
            return left
        await asyncio.sleep(1.0)
