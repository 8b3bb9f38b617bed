"""What can be found out afterwards, from outside: journals, topics, mails, shelves, read models, chains."""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, Protocol, cast

import httpx2
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.local.system import System
from deploy.local.wiring import PORTALS
from oracle.points import ALL
from oracle.process import CLAIM_SECONDS
from services.content.queries import PROJECTIONS as CONTENT
from services.notifier.queries import projections as notifier_projections
from services.notifier.settings import NotifierSettings
from services.qa.domain.codes import Codes
from services.qa.queries.read_models import projections as qa_projections
from services.sync.queries import PROJECTIONS as SYNC
from shared.chain import Report, verify
from shared.contracts.base import TOPICS, Event, Recorded, class_of
from shared.journal import Commit
from shared.keyring import Keyring
from shared.mongo import TROUBLE, Database, connect, from_document
from shared.projections import Projection
from shared.rebuild import differences
from shared.vault import MongoVault

# What a service notes on a row for its own work, beside what its journal says.
WORKING_NOTES: Final = {
    "questions": {"forgotten"},
    "deliveries": {"deferrals", "waiting_for", "next_at", "claimed_until"},
    "portals": {"heeded"},
}


@cache
def consumers(service: str) -> Mapping[str, Mapping[type[Event], Any]]:
    module = importlib.import_module(f"services.{service}.consumers")
    return cast(Mapping[str, Mapping[type[Event], Any]], module.TABLE)


@dataclass(frozen=True, slots=True)
class Seen:
    """One record of a topic, as a plain consumer reads it."""

    topic: str
    partition: int
    offset: int
    key: str
    id: str
    event: str
    version: int  # of the stream
    index: int
    value: bytes | None
    at: float  # seconds

    @property
    def place(self) -> tuple[str, int, int]:
        return self.topic, self.partition, self.offset


@dataclass
class Holders:
    """When each service's relay was seen to change hands: (when, how often until then)."""

    seen: dict[str, list[tuple[datetime, int]]]

    def note(self, service: str, epoch: int) -> None:
        rows = self.seen.setdefault(service, [])
        if not rows or rows[-1][1] != epoch:
            rows.append((datetime.now(UTC), epoch))

    def changes_after(self, service: str, at: datetime) -> int:
        rows = self.seen.get(service, [])
        before = max((epoch for when, epoch in rows if when <= at), default=rows[0][1] if rows else 0)
        return max((epoch for _, epoch in rows), default=0) - before


@dataclass
class Evidence:
    journals: dict[str, list[Commit]] = field(default_factory=dict)
    topics: list[Seen] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)  # Message-IDs, as often as they came
    shelves: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    graves: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)  # service → ref → hash
    differing: dict[str, list[str]] = field(default_factory=dict)  # service.collection → what
    chains: dict[str, Report] = field(default_factory=dict)
    holders: "Holders" = field(default_factory=lambda: Holders({}))
    concerns: list[str] = field(default_factory=list)  # journal writes that no majority was asked for
    deadlines: dict[str, dict[str, Any]] = field(default_factory=dict)  # by id
    lags: dict[str, int] = field(default_factory=dict)
    order: dict[str, dict[str, int]] = field(default_factory=dict)  # service → key → place in the journal

    def events(self, service: str) -> list[Recorded[Event]]:
        return [recorded for commit in self.journals[service] for recorded in commit.recorded(service)]


class Ran(Protocol):
    """Whatever ran the system."""

    @property
    def system(self) -> System: ...


class Collector:
    def __init__(self, world: Ran) -> None:
        self._system = world.system
        self.databases: dict[str, Database] = {name: connect(self._system.mongo_uri, name) for name in ALL}

    def close(self) -> None:
        for database in self.databases.values():
            database.client.close()

    async def watch_writes(self) -> None:
        """Have mongod note how each journal write was asked for."""
        for name, database in self.databases.items():
            only = {"op": "insert", "ns": f"{name}.journal"}
            await database.command({"profile": 1, "slowms": 0, "filter": only})

    async def all(self) -> Evidence:
        found = Evidence()
        found.topics = await self.read_topics()
        found.lags = await self.lags()
        for name, database in self.databases.items():
            found.journals[name] = await _journal(database)
            found.order[name] = await _taken(database)
            found.graves[name] = await database.dead_letters.find().to_list(None)
            found.words[name] = {d["_id"]: d["hash"] async for d in database.vault.find({}, {"hash": 1})}
            found.chains[name] = await verify(database, name)
            found.concerns += await _weak_writes(database)
            for projection in self.projections(name):
                odd = await self.odd(name, projection)
                if odd:
                    found.differing[f"{name}.{projection.collection}"] = odd
        rows = self.databases["notifier"].deadlines.find()
        found.deadlines = {row["_id"]: row async for row in rows}
        await self._edges(found)
        return found

    async def odd(self, service: str, projection: Projection) -> list[str]:
        """Rows that are not what a rebuild would make of them."""
        database = self.databases[service]
        notes = WORKING_NOTES.get(projection.collection, set())
        vault = MongoVault(database, Keyring(database, self._secret(service)))
        found = await differences(database, projection, service, vault)
        return [f"{d.id}: {d.what}" for d in found if not set(d.what.split(", ")) <= notes]

    async def watch_holders(self, holders: Holders) -> None:
        """Until cancelled."""
        while True:
            for name, database in self.databases.items():
                with contextlib.suppress(*TROUBLE):
                    lease = await database.leases.find_one({"_id": "relay"}) or {}
                    holders.note(name, int(lease.get("epoch", 0)))
            await asyncio.sleep(1.0)

    def projections(self, service: str) -> Sequence[Projection]:
        match service:
            case "content":
                return CONTENT
            case "qa":
                return qa_projections(Codes(self._secret("qa")))
            case "sync":
                return SYNC
            case _:
                settings = NotifierSettings().model_copy(
                    update={"claim_timeout_seconds": float(CLAIM_SECONDS)}
                )
                return notifier_projections(settings.policy())

    def _secret(self, service: str) -> str:
        wiring = self._system._wiring
        assert wiring is not None  # noqa: S101 (the system has been started)
        return str(wiring.keys.services[service])

    async def _edges(self, found: Evidence) -> None:
        async with httpx2.AsyncClient(trust_env=False, timeout=120) as http:
            mails = (await http.get(f"{self._system.urls['mail']}/mails.json")).json()
            found.mails = [mail["message_id"] for mail in mails]
            for portal in PORTALS:
                items = (await http.get(f"{self._system.urls[portal.id]}/items.json")).json()
                found.shelves[portal.id] = {item["item_id"]: item for item in items}

    async def read_topics(self) -> list[Seen]:
        """All of it, from the first record to the last, with a consumer that belongs to no group."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._system.kafka_bootstrap, enable_auto_commit=False,
            auto_offset_reset="earliest", max_partition_fetch_bytes=4 * 1024 * 1024,
        )  # fmt: skip
        await consumer.start()
        seen: list[Seen] = []
        try:
            places = await _places(consumer, TOPICS)
            ends = await consumer.end_offsets(places)
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            open_ = {p for p in places if ends[p] > 0}
            while open_:
                for place, records in (await consumer.getmany(timeout_ms=300)).items():
                    seen += [_seen(record) for record in records]
                    del place
                for place in list(open_):
                    if await consumer.position(place) >= ends[place]:
                        open_.discard(place)
        finally:
            await consumer.stop()
        return seen

    async def lags(self) -> dict[str, int]:
        """Records that a service has not yet been through, by service and topic."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._system.kafka_bootstrap)
        consumer = AIOKafkaConsumer(bootstrap_servers=self._system.kafka_bootstrap)
        await asyncio.gather(admin.start(), consumer.start())
        found: dict[str, int] = {}
        try:
            for service in ALL:
                places = await _places(consumer, consumers(service))
                ends = await consumer.end_offsets(places)
                committed = await admin.list_consumer_group_offsets(service)
                for place in places:
                    at = committed[place].offset if place in committed else 0
                    if ends[place] > max(at, 0):
                        name = f"{service} on {place.topic}"
                        found[name] = found.get(name, 0) + ends[place] - max(at, 0)
        finally:
            await asyncio.gather(admin.close(), consumer.stop())
        return found


async def _places(consumer: AIOKafkaConsumer, topics: Any) -> list[TopicPartition]:
    every = await consumer._client.fetch_all_metadata()
    return [TopicPartition(t, p) for t in topics for p in sorted(every.partitions_for_topic(t) or ())]


def _seen(record: Any) -> Seen:
    headers = {name: raw.decode(errors="replace") for name, raw in record.headers}
    number = headers.get("ce_sequence", "0"), headers.get("ce_index", "0")
    return Seen(
        record.topic, record.partition, record.offset, (record.key or b"").decode(),
        headers.get("ce_id", ""), headers.get("ce_type", ""), int(number[0]), int(number[1]), record.value,
        record.timestamp / 1000,
    )  # fmt: skip


async def _journal(database: Database) -> list[Commit]:
    found = database.journal.find().sort([("stream", 1), ("version", 1)]).batch_size(2000)
    return [from_document(document) async for document in found]


async def _taken(database: Database) -> dict[str, int]:
    """In the order in which the database took the commits: the oplog's. A collection's natural order is that
    of the places it gives out, which several writers hold at a time."""
    inserts = {"ns": f"{database.name}.journal", "op": "i"}
    oplog = database.client.local["oplog.rs"].find(inserts, {"o._id": 1}).sort("$natural", 1)
    return {document["o"]["_id"]: place async for place, document in _numbered(oplog)}


async def _numbered(cursor: Any) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    place = 0
    async for document in cursor:
        place += 1
        yield place, document


async def _weak_writes(database: Database) -> list[str]:
    found = []
    async for row in database["system.profile"].find({"op": "insert"}):
        concern = row.get("command", {}).get("writeConcern", {})
        if concern.get("w") != "majority":
            found.append(f"{row.get('ns')} {concern or 'no write concern'}")
    return found


def on_topic(commit: Commit, service: str) -> list[tuple[str, str, str, int, str]]:
    """What of a commit must be on a topic: (id, topic, name, index, data)."""
    found = []
    for index, stored in enumerate(commit.events):
        kind = class_of(stored.name, stored.version)
        if kind.published:
            id = f"{service}:{commit.stream}:{commit.version}:{index}"
            found.append((id, kind.topic, stored.name, index, stored.data))
    return found
