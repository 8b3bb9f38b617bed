"""Where an event that cannot be handled is buried with its reason (thư chết), until a person replays or
discards it. Burying twice is the same as once."""

from datetime import UTC, datetime
from typing import Any

from bson import Binary

from shared.mongo import Database, answered


class DeadLetters:
    def __init__(self, database: Database) -> None:
        self._collection = database.dead_letters

    @answered
    async def bury(self, record: Any, error: BaseException) -> None:
        """Keep the original to the byte before its offset moves."""
        headers = {name: raw.decode(errors="replace") for name, raw in record.headers}
        now = datetime.now(UTC)
        document = {
            "topic": record.topic, "partition": record.partition, "offset": record.offset,
            "key": (record.key or b"").decode(errors="replace"),
            "value": Binary(record.value or b""),
            "headers": [[name, Binary(raw)] for name, raw in record.headers],
            "event": headers.get("ce_type", "?"), "correlation": headers.get("ce_correlationid", ""),
            "error": type(error).__name__, "reason": str(error)[:500],
            "state": "buried", "first_seen": now,
        }  # fmt: skip
        await self._collection.update_one(
            {"_id": f"{record.topic}/{record.partition}/{record.offset}"},
            {"$setOnInsert": document, "$set": {"last_seen": now}, "$inc": {"times": 1}},
            upsert=True,
        )

    @answered
    async def blocked(self, keys: list[str]) -> set[str]:
        """Keys with something buried: what follows on them waits behind it, in order."""
        if not keys:
            return set()
        return set(await self._collection.distinct("key", {"state": "buried", "key": {"$in": keys}}))

    @answered
    async def groups(self) -> list[dict[str, Any]]:
        """By error and event: how many, first and last seen."""
        pipeline = [
            {"$match": {"state": "buried"}},
            {"$group": {
                "_id": {"error": "$error", "event": "$event", "topic": "$topic"}, "count": {"$sum": 1},
                "first_seen": {"$min": "$first_seen"}, "last_seen": {"$max": "$last_seen"},
                "reason": {"$last": "$reason"},
            }},
            {"$sort": {"count": -1}},
        ]  # fmt: skip
        return [
            {**g["_id"], **{k: v for k, v in g.items() if k != "_id"}}
            async for g in self._collection.aggregate(pipeline)
        ]

    @answered
    async def buried(self, limit: int = 200) -> list[dict[str, Any]]:
        """The oldest first, as they must be replayed."""
        cursor = self._collection.find({"state": "buried"}).sort(
            [("topic", 1), ("partition", 1), ("offset", 1)]
        )
        return await cursor.to_list(limit)  # type: ignore[no-any-return]

    @answered
    async def mark(self, id: str, state: str, by: str) -> None:
        change = {"state": state, "by": by, "changed_at": datetime.now(UTC)}
        await self._collection.update_one({"_id": id}, {"$set": change})
