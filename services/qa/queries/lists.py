"""Danh sách câu hỏi cho cán bộ: the queues of triage, of a unit and of publishing. Nobody's list, search or
count reaches further than what they may read."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.qa.domain.permits import CENTRE
from services.qa.domain.words import fold
from services.qa.queries.read_models import QUESTIONS
from services.qa.regulation import Role, Status
from shared.errors import Forbidden, InvalidInput
from shared.mongo import Database, answered
from shared.web.forms import cursor_of, place_of
from shared.workflow import Actor

UNIT: Final = frozenset({Role.ANSWERER, Role.UNIT_HEAD})
BY_DUE: Final = frozenset({Status.RECEIVED, Status.FORWARDED, Status.ANSWERED})
MOST_WORDS: Final = 8
COUNTED_UP_TO: Final = 1000

Row = dict[str, Any]
Filter = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for. ``decided`` tells answers whose publication is settled from the others."""

    status: Status | None = None
    unit: str = ""
    q: str = ""
    due_before: datetime | None = None
    decided: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    next: str | None


def within_reach(by: Actor) -> Filter:
    """The part of the questions this person may read."""
    if by.roles & CENTRE:
        return {}
    if by.roles & UNIT and by.unit:
        return {"unit": {"$eq": by.unit}}
    raise Forbidden("Bạn chưa được giao việc hỏi đáp.")


def _filter(wanted: Wanted, by: Actor) -> Filter:
    parts: list[Filter] = [within_reach(by)]
    if wanted.status is not None:
        parts.append({"status": {"$eq": wanted.status.value}})
    if wanted.unit:
        parts.append({"unit": {"$eq": wanted.unit}})
    if wanted.due_before is not None:
        parts.append({"due_at": {"$lt": wanted.due_before}})
    if wanted.decided is not None:
        parts.append({"decided": {"$eq": wanted.decided}})
    parts += [{"folded": {"$regex": re.escape(word)}} for word in fold(wanted.q).split()[:MOST_WORDS]]
    return {"$and": parts}


@answered
async def questions(
    database: Database, wanted: Wanted, by: Actor, *, cursor: str = "", limit: int = 20
) -> Page:
    """Open work by what ends first, the rest by what came last."""
    first_due = wanted.status in BY_DUE
    key, way = ("due_at", 1) if first_due else ("received_at", -1)
    where = _filter(wanted, by)
    if cursor:
        where["$and"].append(_after(cursor, key, way))
    found = database[QUESTIONS].find(where).sort([(key, way), ("_id", way)]).limit(limit + 1)
    rows = [row async for row in found]
    more = len(rows) > limit
    rows = rows[:limit]
    next = cursor_of([rows[-1][key].isoformat(), rows[-1]["_id"]]) if more else None
    return Page(rows, next)


def _after(cursor: str, key: str, way: int) -> Filter:
    place = place_of(cursor)
    try:
        at, id = datetime.fromisoformat(str(place[0])), str(place[1])
    except (ValueError, IndexError):
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}]) from None
    beyond = "$gt" if way > 0 else "$lt"
    return {"$or": [{key: {beyond: at}}, {key: {"$eq": at}, "_id": {beyond: id}}]}


@answered
async def count(database: Database, wanted: Wanted, by: Actor) -> int:
    total: int = await database[QUESTIONS].count_documents(_filter(wanted, by), limit=COUNTED_UP_TO)
    return total


@answered
async def load_of_units(database: Database, by: Actor, soon: datetime) -> dict[str, tuple[int, int]]:
    """How many questions each unit holds, and how many of them fall due before ``soon``."""
    stages: list[dict[str, Any]] = [
        {"$match": {"$and": [within_reach(by), {"status": Status.FORWARDED}]}},
        {"$group": {"_id": "$unit", "held": {"$sum": 1},
                    "soon": {"$sum": {"$cond": [{"$lt": ["$due_at", soon]}, 1, 0]}}}},
    ]  # fmt: skip
    return {row["_id"]: (row["held"], row["soon"]) async for row in database[QUESTIONS].aggregate(stages)}


@answered
async def others_of(database: Database, row_id: str, subject: str, by: Actor) -> list[Row]:
    """Other questions in reach whose subject has the same words: likely duplicates (nghi trùng)."""
    words = [word for word in fold(subject).split() if len(word) > 2][:MOST_WORDS]
    if len(words) < 2:
        return []
    pipeline: list[dict[str, Any]] = [
        {"$match": {"$and": [within_reach(by), {"_id": {"$ne": row_id}}, {"status": {"$ne": "closed"}}]}},
        {"$sort": {"received_at": -1}}, {"$limit": COUNTED_UP_TO},
        {"$set": {"shared": {"$size": {"$setIntersection": [{"$split": ["$folded", " "]}, words]}}}},
        {"$match": {"shared": {"$gte": max(2, (len(set(words)) * 2 + 2) // 3)}}},
        {"$sort": {"shared": -1, "received_at": -1}}, {"$limit": 3},
    ]  # fmt: skip
    return [row async for row in database[QUESTIONS].aggregate(pipeline)]
