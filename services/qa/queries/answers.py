"""Hỏi – đáp đã đăng: what anybody may search, with or without diacritics, by words and "whole phrases"."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from services.qa.domain.terms import words_of
from services.qa.domain.words import fold
from services.qa.queries.rarity import containing, rarity_of
from services.qa.queries.read_models import ANSWERS
from shared.calendar import VIETNAM
from shared.errors import InvalidInput, NotFound
from shared.mongo import Database, answered
from shared.web.forms import cursor_of, place_of
from shared.web.spoken import N_

MOST_WORDS: Final = 12
LOOKED_AT: Final = 1000  # answers with the rarest word that one page looks at
FACETED: Final = 1000  # of what was found, the newest, are counted by field, unit and year
FRESH_FOR: Final = 60.0  # seconds for which the counts of everything are told again
IN_SITE_MAP: Final = 49_000  # a map holds no more than 50,000 addresses
SNIPPET: Final = 220  # characters
PHRASE: Final = re.compile(r'["“”«»]([^"“”«»]+)["“”«»]')
NEWEST: Final = [("published_at", -1), ("_id", -1)]
FACETS: Final = ("field", "unit", "year")
KEPT_BACK: Final = {"terms": 0, "folded": 0}
PUBLISHED: Final = {"$gt": datetime(1970, 1, 1, tzinfo=UTC)}  # what was taken down has no day

Row = dict[str, Any]
Facets = dict[str, dict[Any, int]]


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    next: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; ``year`` is that of publication."""

    q: str = ""
    field: str = ""
    unit: str = ""
    year: int | None = None

    @property
    def words(self) -> list[str]:
        return words_of(self.q)[:MOST_WORDS]

    def conditions(self) -> Row:
        found: Row = {"published_at": PUBLISHED}
        if self.year is not None:
            first, next = (datetime(year, 1, 1, tzinfo=VIETNAM) for year in (self.year, self.year + 1))
            found["published_at"] = {"$gte": first.astimezone(UTC), "$lt": next.astimezone(UTC)}
        if self.field:
            found["field"] = {"$eq": self.field}
        if self.unit:
            found["unit"] = {"$eq": self.unit}
        return found

    def phrases(self) -> list[Row]:
        said = [fold(phrase) for phrase in PHRASE.findall(self.q)][:MOST_WORDS]
        return [{"folded": {"$regex": rf"\b{re.escape(phrase)}\b"}} for phrase in said if phrase]


@dataclass(frozen=True, slots=True)
class Way:
    """How answers are found: all conditions, the index if it is not for the database to choose, and the last
    of the ``LOOKED_AT`` that have the rarest word, where there are more."""

    where: Row
    index: str = ""
    last: Row | None = None


async def _way(database: Database, asked: Asked, after: Sequence[Row] = ()) -> Way:
    conditions = [asked.conditions(), *after, *asked.phrases()]
    if not asked.words:
        return Way({"$and": conditions})
    counts = await rarity_of(database, ANSWERS, "by_word").of(asked.words)
    rarest, *others = counts
    has, last = {"terms": {"$eq": rarest}}, list[Row]()
    if 2 * counts[rarest] > LOOKED_AT:  # a remembered count may be a little old
        keys = database[ANSWERS].find({"$and": [has, *after]}, {"published_at": 1}).sort(NEWEST)
        last = await keys.hint("by_word").skip(LOOKED_AT - 1).limit(1).to_list(None)
    until = [{"published_at": {"$gte": last[0]["published_at"]}}] if last else []
    where = {"$and": [has, *until, *conditions, *containing(others)]}
    return Way(where, "by_word", last[0] if last else None)


@answered
async def answers(database: Database, asked: Asked, *, cursor: str = "", limit: int = 20) -> Page:
    """Published answers, newest first; every word and phrase must be there. Each row has a ``snippet``. A
    page may hold fewer than ``limit`` and still have a next one, which looks on."""
    way = await _way(database, asked, [_after(cursor)] if cursor else [])
    found = database[ANSWERS].find(way.where, KEPT_BACK).sort(NEWEST).limit(limit + 1)
    rows = await (found.hint(way.index) if way.index else found).to_list(None)
    if way.last is not None:
        rows = [row for row in rows if _key(row) >= _key(way.last)]
    shown = [{**row, "snippet": snippet(row["answer"], asked.words)} for row in rows[:limit]]
    if len(rows) > limit:
        return Page(shown, _place(rows[limit - 1]))
    return Page(shown, _place(way.last) if way.last else None)


def _key(row: Row) -> tuple[datetime, str]:
    return row["published_at"], row["_id"]


def _place(row: Row) -> str:
    return cursor_of([row["published_at"].isoformat(), row["_id"]])


def _after(cursor: str) -> Row:
    place = place_of(cursor)
    try:
        at, id = datetime.fromisoformat(str(place[0])), str(place[1])
        at.astimezone(UTC)
    except (ValueError, IndexError, OverflowError):
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}]) from None
    return {"published_at": {"$lte": at}, "$nor": [{"published_at": {"$eq": at}, "_id": {"$gte": id}}]}


def snippet(text: str, words: Sequence[str]) -> str:
    """The part of ``text`` that begins a little before the first of these words."""
    plain = " ".join(text.split())
    wanted, at = set(words), 0
    for word in re.finditer(r"\w+", plain):
        if fold(word[0]) in wanted:
            at = word.start()
            break
    begin = 0 if at < SNIPPET // 2 else plain.find(" ", at - SNIPPET // 3) + 1
    cut = plain[begin : begin + SNIPPET]
    if begin + SNIPPET < len(plain):
        cut = cut.rpartition(" ")[0] + " …"
    return f"… {cut}" if begin else cut


@answered
async def answer(database: Database, id: str) -> Row:
    row: Row | None = await database[ANSWERS].find_one(
        {"_id": {"$eq": id}, "published_at": PUBLISHED}, KEPT_BACK
    )
    if row is None:
        raise NotFound(N_("Chưa có câu trả lời nào được đăng dưới mã này."))
    return row


@answered
async def addresses(database: Database) -> list[Row]:
    """The newest answers, each with its id and day: as many as a site map may name."""
    found = database[ANSWERS].find({"published_at": PUBLISHED}, {"published_at": 1})
    return list(await found.sort(NEWEST).limit(IN_SITE_MAP).to_list(None))


@answered
async def facets(database: Database, asked: Asked) -> Facets:
    """How many answers each field, unit and year has, of what was asked for: of everything, exactly, told
    again for a minute; of a search, of the ``FACETED`` newest found."""
    if asked == Asked():
        return await _remembered(database).all()
    way = await _way(database, asked)
    how = {"hint": way.index} if way.index else {}
    newest: list[Row] = [{"$match": way.where}, {"$sort": dict(NEWEST)}, {"$limit": FACETED}]
    return await _grouped(database, newest, **how)


async def _grouped(database: Database, stages: list[Row], **how: Any) -> Facets:
    by = {"$group": {"_id": {name: f"${name}" for name in FACETS}, "count": {"$sum": 1}}}
    found: Facets = {name: {} for name in FACETS}
    async for row in database[ANSWERS].aggregate([*stages, by], **how):
        for name in FACETS:
            value = row["_id"].get(name)
            found[name][value] = found[name].get(value, 0) + row["count"]
    return found


class _Counts:
    """The counts of everything, by the keys of one index, asked for once in a while."""

    def __init__(self, database: Database) -> None:
        self._database, self._at = database, float("-inf")
        self._facets: Facets = {}

    async def all(self) -> Facets:
        if time.monotonic() - self._at > FRESH_FOR:
            published: list[Row] = [{"$match": {"published_at": {"$exists": True}}}]
            self._facets = await _grouped(self._database, published, hint="facets")
            self._at = time.monotonic()
        return self._facets


@lru_cache(maxsize=4)
def _remembered(database: Database) -> _Counts:
    return _Counts(database)
