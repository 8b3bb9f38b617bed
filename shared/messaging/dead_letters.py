"""Where an event that cannot be handled is buried with its reason (thư chết), until a person replays or
discards it. Burying twice is the same as once; the original is kept to the byte."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from time import monotonic
from typing import Any, Final

from bson import Binary
from pymongo import ASCENDING, DESCENDING, IndexModel, ReturnDocument

from shared.errors import NotFound
from shared.messaging.masking import mask, mask_body, mask_headers, mask_text, reason_of
from shared.messaging.records import kept, named
from shared.mongo import Database, answered

Grave = dict[str, Any]  # one document of the collection
Place = tuple[str, int, int]  # topic, partition, offset: the order in which things must be replayed

BLOCKED: Final = "Blocked"
FRESH: Final = 1.0  # seconds for which "nothing is buried" is believed
ORDER: Final = [("topic", ASCENDING), ("partition", ASCENDING), ("offset", ASCENDING)]
TURN: Final = [("topic", ASCENDING), ("turn", ASCENDING), *ORDER[1:]]  # of one key, wherever its letters lay
_STATE: Final = ("state", ASCENDING)
INDEXES: Final = [
    IndexModel([_STATE, ("key", ASCENDING), *TURN], name="state_key_turn"),
    IndexModel([_STATE, ("error", ASCENDING), ("event", ASCENDING), *ORDER], name="state_error_place"),
    IndexModel([_STATE, *ORDER], name="state_place"),
    IndexModel([("first_seen", ASCENDING), ("_id", ASCENDING)], name="seen"),
]


class State(StrEnum):
    BURIED = "buried"
    REPLAYED = "replayed"
    DISCARDED = "discarded"


@dataclass(frozen=True)
class Filter:
    """Which of them; an empty field asks for nothing."""

    error: str = ""
    event: str = ""
    topic: str = ""
    key: str = ""

    def query(self) -> dict[str, Any]:
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: {"$eq": value} for name, value in given.items() if value}


@dataclass(frozen=True)
class Original:
    """What came from the broker, in the shape in which the inbox takes it."""

    topic: str
    partition: int
    offset: int
    key: bytes
    headers: tuple[tuple[str, bytes | None], ...]
    value: bytes | None


def id_of(record: Any) -> str:
    """By content: an event that the relay published twice is one dead letter, and a topic that was made anew
    does not bury new things under old names."""
    digest = hashlib.sha256()
    for part in (record.key or b"", record.value or b"", *(p for h in record.headers for p in h)):
        raw = part.encode(errors="surrogateescape") if isinstance(part, str) else part or b""
        digest.update(len(raw).to_bytes(4, "big") + raw)
    return f"{record.topic}:{digest.hexdigest()[:20]}"


def place_of(grave: Grave) -> Place:
    return grave["topic"], grave["partition"], grave["offset"]


def behind(place: Place) -> dict[str, Any]:
    topic, partition, offset = place
    return {"$or": [
        {"topic": {"$gt": topic}},
        {"topic": topic, "partition": {"$gt": partition}},
        {"topic": topic, "partition": partition, "offset": {"$gt": offset}},
    ]}  # fmt: skip


class DeadLetters:
    def __init__(self, database: Database) -> None:
        self._collection = database.dead_letters
        self._empty_until = 0.0
        self._burials = 0  # by this process: one may come while another consumer asks

    @answered
    async def prepare(self) -> None:
        """Indexes; safe to repeat."""
        await self._collection.create_indexes(INDEXES)

    @answered
    async def bury(self, record: Any, error: BaseException) -> bool:
        """Keep the original to the byte before its offset moves. False when a person has settled this very
        event already: then it holds up nothing."""
        headers = {name: (raw or b"").decode(errors="replace") for name, raw in record.headers}
        now = datetime.now(UTC)
        document = {
            "turn": await self._next_turn(record),
            "topic": record.topic, "partition": record.partition, "offset": record.offset,
            "key": (record.key or b"").decode(errors="replace"), "raw_key": Binary(record.key or b""),
            "value": None if record.value is None else Binary(record.value),
            "headers": [[kept(name), None if raw is None else Binary(raw)] for name, raw in record.headers],
            "event": mask_text(headers.get("ce_type", "?")),
            "correlation": headers.get("ce_correlationid", ""),
            "error": type(error).__name__, "reason": reason_of(error),
            "state": State.BURIED, "first_seen": now,
        }  # fmt: skip
        grave = await self._collection.find_one_and_update(
            {"_id": id_of(record)},
            {"$setOnInsert": document, "$set": {"last_seen": now}, "$inc": {"times": 1}},
            upsert=True, return_document=ReturnDocument.AFTER, projection={"state": 1},
        )  # fmt: skip
        self._empty_until, self._burials = 0.0, self._burials + 1
        return bool(grave["state"] == State.BURIED)

    async def _next_turn(self, record: Any) -> int:
        """Behind what is buried of its key. Not its place, which is no order once the topic has grown."""
        which = {"state": State.BURIED, "key": (record.key or b"").decode(errors="replace")}
        which["topic"] = record.topic
        last = await self._collection.find_one(which, {"turn": 1}, sort=[("turn", DESCENDING)])
        return ((last or {}).get("turn") or 0) + 1

    @answered
    async def blocked(self, keys: list[str]) -> set[str]:
        """Keys with something buried: what follows on them waits behind it, in order. One indexed query a
        batch, and none while nothing is buried at all."""
        if not keys or monotonic() < self._empty_until:
            return set()
        burials = self._burials
        found = set(await self._collection.distinct("key", {"state": State.BURIED, "key": {"$in": keys}}))
        if not found and await self._collection.find_one({"state": State.BURIED}, {"_id": 1}) is None:
            self._empty_until = monotonic() + FRESH if burials == self._burials else 0.0
        return found - {""}  # without a key there is no order to keep

    def look_again(self) -> None:
        """Another replica may have buried something on partitions that are now ours."""
        self._empty_until = 0.0

    @answered
    async def pulse(self) -> None:
        """Returns when a majority has taken a write: then nothing waits for the database."""
        at = {"$set": {"at": datetime.now(UTC)}}
        await self._collection.database.pulses.update_one({"_id": "inbox"}, at, upsert=True)

    @answered
    async def groups(self) -> list[dict[str, Any]]:
        """By error and event: how many, first and last seen."""
        pipeline = [
            {"$match": {"state": State.BURIED}},
            {"$group": {
                "_id": {"error": "$error", "event": "$event", "topic": "$topic"}, "count": {"$sum": 1},
                "first_seen": {"$min": "$first_seen"}, "last_seen": {"$max": "$last_seen"},
                "reason": {"$last": "$reason"},
            }},
            {"$sort": {"count": -1, "_id": 1}},
        ]  # fmt: skip
        return [
            {**g["_id"], **{k: v for k, v in g.items() if k != "_id"}}
            async for g in self._collection.aggregate(pipeline)
        ]

    @answered
    async def buried(self, limit: int = 200) -> list[Grave]:
        """The oldest first, as they must be replayed."""
        return await self.next_of({}, None, limit)

    @answered
    async def next_of(self, query: dict[str, Any], after: Place | None, limit: int) -> list[Grave]:
        """The next that are still buried, in order of place."""
        which = {"$and": [{"state": State.BURIED}, query, behind(after) if after else {}]}
        found: list[Grave] = await self._collection.find(which).sort(ORDER).limit(limit).to_list(limit)
        return found

    @answered
    async def count(self, query: dict[str, Any]) -> int:
        return int(await self._collection.count_documents({"$and": [{"state": State.BURIED}, query]}))

    @answered
    async def first_of(self, key: str, *, but: Sequence[str] = ()) -> Grave | None:
        """What all others of this key wait for."""
        which = {"state": State.BURIED, "key": {"$eq": key}, "_id": {"$nin": list(but)}}
        grave: Grave | None = await self._collection.find_one(which, sort=TURN)
        return grave

    @answered
    async def stranded(self, limit: int = 500) -> list[str]:
        """Keys where things wait behind nothing: what they waited for was settled as they were buried."""
        if await self._collection.find_one({"state": State.BURIED, "error": BLOCKED}, {"_id": 1}) is None:
            return []
        pipeline: list[dict[str, Any]] = [
            {"$match": {"state": State.BURIED}},
            {"$sort": {"key": 1, **dict(TURN)}},
            {"$group": {"_id": "$key", "first": {"$first": "$error"}}},
            {"$match": {"first": BLOCKED}},
            {"$limit": limit},
        ]
        return [row["_id"] async for row in self._collection.aggregate(pipeline, allowDiskUse=True)]

    @answered
    async def page(
        self, filter: Filter, state: State | None, after: tuple[datetime, str] | None, limit: int
    ) -> list[Grave]:
        """In the order in which they were first seen."""
        which = filter.query() | ({"state": state} if state else {})
        if after:
            at, id = after
            later = [{"first_seen": {"$gt": at}}, {"first_seen": at, "_id": {"$gt": id}}]
            which["$or"] = later
        cursor = self._collection.find(which).sort([("first_seen", 1), ("_id", 1)]).limit(limit)
        found: list[Grave] = await cursor.to_list(limit)
        return found

    @answered
    async def get(self, id: str) -> Grave:
        grave: Grave | None = await self._collection.find_one({"_id": {"$eq": id}})
        if grave is None:
            raise NotFound("Không có thư chết mang mã này.")
        return grave

    @answered
    async def edit(self, id: str, edit: str, change: dict[str, Any]) -> None:
        """Lay an edited body beside the original; it counts once its commit names it."""
        await self._collection.update_one({"_id": {"$eq": id}}, {"$set": {f"edits.{edit}": change}})

    @answered
    async def failed_again(self, id: str, error: BaseException) -> None:
        """Still buried, for this reason now; one that only waited has become what the others wait for."""
        now = {"error": type(error).__name__, "reason": reason_of(error), "last_seen": datetime.now(UTC)}
        await self._collection.update_one({"_id": {"$eq": id}}, {"$set": now, "$inc": {"times": 1}})

    @answered
    async def mark(self, id: str, state: str, by: str, **facts: Any) -> None:
        """What the record of acts says, kept where it is looked up."""
        change = {"state": state, "by": by, "changed_at": datetime.now(UTC), **facts}
        await self._collection.update_one({"_id": {"$eq": id}}, {"$set": change})


def original_of(grave: Grave, edit: str = "") -> Original:
    """As it came, or as it was edited."""
    written = grave.get("edits", {}).get(edit, grave)
    return Original(
        grave["topic"], grave["partition"], grave["offset"], bytes(grave.get("raw_key", b"")),
        tuple((named(name), None if raw is None else bytes(raw)) for name, raw in written["headers"]),
        None if written["value"] is None else bytes(written["value"]),
    )  # fmt: skip


def brief(grave: Grave) -> dict[str, Any]:
    """One row of a list: nothing of the body."""
    shown = ("topic", "partition", "offset", "event", "error", "state", "first_seen", "last_seen", "times")
    return {"id": grave["_id"], "key": mask(grave["key"]), "reason": grave["reason"],
            **{name: grave[name] for name in shown}}  # fmt: skip


def full(grave: Grave) -> dict[str, Any]:
    """All of it, with personal data masked; the original and each edit."""
    original = original_of(grave)
    edits = sorted(grave.get("edits", {}).items(), key=lambda item: item[1]["at"])
    return brief(grave) | {
        "correlation": mask(grave["correlation"]),
        "headers": mask_headers(original.headers), "body": mask_body(original.value or b""),
        "edits": [
            {"edit": id, "at": e["at"], "by": e["by"], "reason": e["reason"],
             "headers": mask_headers((named(n), v and bytes(v)) for n, v in e["headers"]),
             "body": mask_body(bytes(e["value"] or b""))}
            for id, e in edits
        ],
        "current_edit": grave.get("current_edit", ""),
        "settled_by": grave.get("by", ""), "settled_at": grave.get("changed_at"),
        "settled_reason": grave.get("settled_reason", ""),
    }  # fmt: skip
