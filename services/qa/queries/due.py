"""Việc đến hạn: what time alone makes due of a question, each by an index that holds little else."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from services.qa.queries.read_models import QUESTIONS
from services.qa.regulation import Status
from shared.contracts.qa import RefusalGround
from shared.mongo import Database, answered

UNCLEAR: Final = {"status": Status.REFUSED.value, "ground": RefusalGround.UNCLEAR.value}
# By name: the keys, and which rows alone.
INDEXES: Final[dict[str, tuple[list[tuple[str, int]], dict[str, Any]]]] = {
    "unforgotten": ([("forgotten", 1), ("_id", 1)], {"forgotten": False}),
    "erased": ([("erased", 1), ("_id", 1)], {"erased": True}),
    "over": ([("closed_at", 1)], {"erased": False, "closed_at": {"$type": "date"}}),
    "unclear": ([("told_refusal_at", 1)], UNCLEAR),
}

Versioned = tuple[str, int]  # a question's id and the version at which it is due


@answered
async def unforgotten(database: Database, limit: int) -> list[str]:
    """Erased by the record, and not yet everywhere."""
    found = database[QUESTIONS].find({"forgotten": False}, {"_id": 1}).limit(limit)
    return [row["_id"] async for row in found]


@answered
async def forgotten(database: Database, ids: Sequence[str]) -> None:
    await database[QUESTIONS].update_many({"_id": {"$in": list(ids)}}, {"$set": {"forgotten": True}})


@answered
async def erased_after(database: Database, id: str, limit: int) -> list[str]:
    """All that were ever erased, in order of their ids."""
    behind = {"erased": True, "_id": {"$gt": id}}
    found = database[QUESTIONS].find(behind, {"_id": 1}).sort([("erased", 1), ("_id", 1)]).limit(limit)
    return [row["_id"] async for row in found]


@answered
async def over_since(database: Database, before: datetime, limit: int) -> list[Versioned]:
    """Closed before ``before``, with their asker's data still there."""
    due = {"erased": False, "closed_at": {"$type": "date", "$lt": before}}
    return await _versioned(database, due, "closed_at", limit)


@answered
async def unclear_since(database: Database, before: datetime, limit: int) -> list[Versioned]:
    """Refused as unclear, told so at ``before`` or earlier, and not sent again."""
    due = {**UNCLEAR, "told_refusal_at": {"$lte": before}}
    return await _versioned(database, due, "told_refusal_at", limit)


async def _versioned(database: Database, due: dict[str, Any], by: str, limit: int) -> list[Versioned]:
    found = database[QUESTIONS].find(due, {"version": 1}).sort(by, 1).limit(limit)
    return [(row["_id"], row["version"]) async for row in found]
