"""Growing a topic without losing order (thêm partition): a key moves to another partition, so the relay waits
until everybody has handled what lies on the topic; only then the topic grows and the relay goes on."""

import importlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.base import TOPICS
from shared.errors import PortalError
from shared.mongo import Database, Lease, answered

PAUSED: Final = "paused: "  # begins the holder's name in the lease of a relay that is paused
LONG: Final = timedelta(days=3650)

Waiting = Mapping[tuple[str, str], int]  # (group, topic) → records


class NotPaused(PortalError):
    status, code = 409, "relay_not_paused"
    title_vi, title_en = "Relay không ở trạng thái tạm dừng", "The relay is not paused"


@answered
async def pause(database: Database, by: str) -> None:
    """Take the relay's lease for good: whoever held it can't move the mark any more, and what it may still
    send is sent again, in order, by the one that goes on from the mark. Pausing twice is as good as once."""
    await Lease(database, "relay", f"{PAUSED}{by}", ttl=LONG).acquire(by_force=True)


@answered
async def resume(database: Database, by: str) -> None:
    lease = Lease(database, "relay", f"resumed: {by}", ttl=LONG)
    if not str((await lease.facts()).get("holder", "")).startswith(PAUSED):
        raise NotPaused("Relay đang chạy.")
    await lease.acquire(by_force=True)
    await lease.release()


def topics_of(service: str) -> list[str]:
    """Those that it owns: they begin with its name."""
    importlib.import_module(f"shared.contracts.{service}")
    return [topic for topic in TOPICS if topic.startswith(f"{service}.")]


async def waiting(bootstrap: str, topics: Iterable[str], groups: Iterable[str]) -> Waiting:
    """What lies on the topics and has not been handled, for each group that reads them."""
    wanted = list(topics)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await consumer.start()
        described = await admin.describe_topics(wanted)
        places = [TopicPartition(t["topic"], p["partition"]) for t in described for p in t["partitions"]]
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        found: dict[tuple[str, str], int] = {}
        known = {name for name, _ in await admin.list_consumer_groups()}
        for group in known.intersection(groups):
            offsets = await admin.list_consumer_group_offsets(group)
            reads = {place.topic for place in offsets}
            for place in places:
                if place.topic in reads:
                    at = offsets[place].offset if place in offsets else begins[place]
                    left = max(0, ends[place] - max(at, begins[place]))
                    found[group, place.topic] = found.get((group, place.topic), 0) + left
        return found
    finally:
        await consumer.stop()
        await admin.close()
