"""Waits until nothing moves any more. What still moves, or waits, when patience ends is stuck."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from aiokafka.errors import KafkaError

from oracle.evidence import Collector
from oracle.points import ALL
from shared.mongo import TROUBLE

STILL: Final = 4.0  # seconds without a new commit
LONGEST: Final = 4  # times the patience, however much still moves
OPEN_NOTICES: Final = {"status": {"$in": ["requested", "retrying", "sending"]}}
HELD: Final = timedelta(minutes=2)  # what is to go out later waits for working hours
OPEN_DELIVERIES: Final = {"state": {"$in": ["pending", "failed"]}}


async def waiting(collector: Collector) -> list[str]:
    """What is left to do, in words; nothing when all is done."""
    left: list[str] = []
    databases = collector.databases
    soon = OPEN_NOTICES | {"next_at": {"$lt": datetime.now(UTC) + HELD}}
    for what, collection, query in (
        ("notices to be sent", databases["notifier"].notices, soon),
        ("deliveries to be made", databases["sync"].deliveries, OPEN_DELIVERIES),
    ):
        if count := await collection.count_documents(query):
            left.append(f"{count} {what}")
    buried = {name: await databases[name].dead_letters.count_documents({"state": "buried"}) for name in ALL}
    left += [f"{count} dead letters in {name}" for name, count in buried.items() if count]
    left += [f"{count} records for {name}" for name, count in (await collector.lags()).items()]
    return left


async def behind(collector: Collector, since: datetime) -> list[str]:
    """The relays and projectors that have not looked at the end of their journal since then. Whether they
    did what they say is for the checks to find out."""
    left = []
    for name, database in collector.databases.items():
        for follower in ("relay", "projector"):
            lease = await database.leases.find_one({"_id": follower}) or {}
            if lease.get("marked_at", since) <= since:
                left.append(f"the {follower} of {name}")
    return left


async def counts(collector: Collector) -> list[int]:
    return [await d.journal.estimated_document_count() for d in collector.databases.values()]


async def quiet(collector: Collector, patience: float) -> list[str]:
    """Until all is done and nothing is added for a while. Returns what was still left when nothing had moved
    for ``patience`` seconds, or something had moved for ever."""
    began = moved = time.monotonic()
    moved_at = datetime.now(UTC)
    left, before = ["nothing was looked at"], [0]
    while True:
        try:
            left, seen = await waiting(collector), await counts(collector)
            if seen != before:
                before, moved, moved_at = seen, time.monotonic(), datetime.now(UTC)
            if not left:
                left = await behind(collector, moved_at)
            if not left and time.monotonic() - moved > STILL:
                return []
        except (*TROUBLE, KafkaError, OSError) as error:
            left = [f"parts do not answer ({type(error).__name__})"]
        now = time.monotonic()
        if now - moved > patience or now - began > LONGEST * patience:
            return left
        await asyncio.sleep(0.5)
