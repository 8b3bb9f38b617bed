"""Hỏi – đáp đã đăng: what anybody may search, with or without diacritics."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.qa.domain.words import fold
from services.qa.queries.read_models import ANSWERS
from shared.errors import InvalidInput, NotFound
from shared.mongo import Database, answered
from shared.web.forms import cursor_of, place_of

MOST_WORDS: Final = 12
ALIKE_SHARE: Final = 0.5  # of the asked words that an answer must share to be shown as alike
# Words that say nothing about the matter of a question.
EMPTY_WORDS: Final = """
toi em chi anh ba ong chau cho hoi ve la co khong thi duoc bi va cua o di nao gi bao hiem xa hoi bhxh xin nhu
the roi ma da dang se khi mot cac nhung nay kia voi de den tu trong ra lam sao phai can con
"""
EMPTY: Final = frozenset(EMPTY_WORDS.split())

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    next: str | None


@answered
async def answers(
    database: Database, *, q: str = "", field: str = "", cursor: str = "", limit: int = 20
) -> Page:
    """Published answers, newest first; every word of ``q`` must be there."""
    parts: list[dict[str, Any]] = [{"published_at": {"$exists": True}}]
    words = fold(q).split()[:MOST_WORDS]
    if words:
        parts.append({"$text": {"$search": " ".join(f'"{word}"' for word in words)}})
    if field:
        parts.append({"field": {"$eq": field}})
    if cursor:
        parts.append(_after(cursor))
    found = database[ANSWERS].find({"$and": parts}).sort([("published_at", -1), ("_id", -1)]).limit(limit + 1)
    rows = [row async for row in found]
    more = len(rows) > limit
    rows = rows[:limit]
    next = cursor_of([rows[-1]["published_at"].isoformat(), rows[-1]["_id"]]) if more else None
    return Page(rows, next)


def _after(cursor: str) -> dict[str, Any]:
    place = place_of(cursor)
    try:
        at, id = datetime.fromisoformat(str(place[0])), str(place[1])
    except (ValueError, IndexError):
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}]) from None
    return {"$or": [{"published_at": {"$lt": at}}, {"published_at": {"$eq": at}, "_id": {"$lt": id}}]}


@answered
async def answer(database: Database, id: str) -> Row:
    row: Row | None = await database[ANSWERS].find_one(
        {"_id": {"$eq": id}, "published_at": {"$exists": True}}
    )
    if row is None:
        raise NotFound("Chưa có câu trả lời nào được đăng dưới mã này.")
    return row


@answered
async def alike(database: Database, text: str, *, limit: int = 3, besides: str = "") -> list[Row]:
    """Published answers on the same matter as ``text``, the nearest first."""
    words = list(dict.fromkeys(word for word in fold(text).split() if word not in EMPTY))[:30]
    if not words:
        return []
    where = {"$text": {"$search": " ".join(words)}, "published_at": {"$exists": True}}
    found = database[ANSWERS].find(where, {"score": {"$meta": "textScore"}, "subject": 1, "folded": 1,
                                           "published_at": 1, "field": 1, "answer": 1})  # fmt: skip
    near = []
    async for row in found.sort([("score", {"$meta": "textScore"})]).limit(20):
        share = len(set(words) & set(row["folded"].split())) / len(words)
        if share >= ALIKE_SHARE and row["_id"] != besides:
            near.append({**row, "share": share})
    return sorted(near, key=lambda row: -row["share"])[:limit]


@answered
async def fields_in_use(database: Database) -> dict[str, int]:
    """How many published answers each field has."""
    stages: list[dict[str, Any]] = [
        {"$match": {"published_at": {"$exists": True}}},
        {"$group": {"_id": "$field", "count": {"$sum": 1}}},
        {"$sort": {"count": -1, "_id": 1}},
    ]
    return {row["_id"]: row["count"] async for row in database[ANSWERS].aggregate(stages)}
