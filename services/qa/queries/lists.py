"""Danh sách câu hỏi cho cán bộ: the queues of triage, of a unit and of publishing. Nobody's list, search,
count or export reaches further than what they may read, and none is a scan."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from services.qa.domain.permits import CENTRE
from services.qa.queries.rarity import containing, counted, rarity_of
from services.qa.queries.read_models import QUESTIONS, arrival
from services.qa.regulation import Role, Status
from shared.errors import Forbidden, InvalidInput
from shared.mongo import Database, answered
from shared.web.forms import cursor_of, place_of
from shared.workflow import Actor

UNIT: Final = frozenset({Role.ANSWERER, Role.UNIT_HEAD})
BY_DUE: Final = frozenset(
    {Status.RECEIVED, Status.RETURNED, Status.FORWARDED, Status.SET_ASIDE, Status.ANSWERED}
)
ALL: Final = [status.value for status in Status]
OPEN: Final = sorted(status.value for status in BY_DUE)
COUNTED_UP_TO: Final = 1000
ROWS: Final = 25  # of one page of a queue
LOOKED_AT: Final = 1000  # rows with the rarest word, by one page of a search; the next looks on
MOST_EXPORTED: Final = 10_000
HIDDEN: Final = {"terms": 0, "asker_mark": 0, "code_mark": 0}  # of no use to whoever reads a list

Row = dict[str, Any]
Filter = dict[str, Any]
Key = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for. ``words`` are the marks of the words to look for; ``decided`` tells answers
    whose publication is settled from the others, ``corrected`` those that are mended; ``since`` and ``until``
    bound the receipt. ``open``: what is still to be done; ``consulted``: what this unit is asked about and
    has not given its opinion on."""

    status: Status | None = None
    unit: str = ""
    words: tuple[int, ...] = ()
    due_before: datetime | None = None
    decided: bool | None = None
    field: str = ""
    since: datetime | None = None
    until: datetime | None = None
    assignees: tuple[str, ...] = ()
    corrected: bool = False
    open: bool = False
    consulted: str = ""

    @property
    def by_due(self) -> bool:
        """Open work goes by what ends first, the rest, and what was searched for, by what came last."""
        return (self.open or self.status in BY_DUE) and not self.words


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Row]
    next: str | None


def within_reach(by: Actor) -> Filter:
    """What this person's figures count: the centre's all questions, a unit's those forwarded to it."""
    if by.roles & CENTRE:
        return {}
    if by.roles & UNIT and by.unit:
        return {"unit": {"$eq": by.unit}}
    raise Forbidden("Bạn chưa được giao việc hỏi đáp.")


def branches(by: Actor, unit: str = "") -> list[Filter]:
    """The part of the questions this person may read, of those forwarded to ``unit`` when one is named: each
    by an index of its own, and none in two. As `domain.permits.concerns` says it of one question; ``reader``
    is the unit that it was last forwarded to, whoever answers it."""
    if by.roles & CENTRE:
        return [{"reader": {"$eq": unit}}] if unit else [{}]
    parts: list[Filter] = []
    own, others = {"reader": {"$eq": by.unit}}, {"reader": {"$ne": by.unit}}
    if by.roles & UNIT and by.unit:
        parts += [own, {"consulted": {"$eq": by.unit}, "complex": True} | others]
    if Role.INTAKE in by.roles and by.unit:
        seen = {"consulted": {"$ne": by.unit}} | others if parts else {}
        parts.append({"entered_by": {"$eq": by.unit}} | seen)
    if not parts:
        raise Forbidden("Bạn chưa được giao việc hỏi đáp.")
    if not unit:
        return parts
    if unit == by.unit and own in parts:
        return [own]
    return [{"$and": [part, {"reader": {"$eq": unit}}]} for part in parts if part != own]


def _conditions(wanted: Wanted) -> Filter:
    """What is asked for, beside whose it is and the words."""
    some = OPEN if wanted.open else ALL
    status = {"$eq": wanted.status.value} if wanted.status is not None else {"$in": some}
    found: Filter = {"status": status}
    if wanted.corrected:
        found["correction"] = {"$gt": 0}
    if wanted.consulted:
        found |= {"consulted": {"$eq": wanted.consulted}, "complex": True}
        found[f"advised.{wanted.consulted}"] = {"$exists": False}
    if wanted.due_before is not None:
        found["due_at"] = {"$lt": wanted.due_before}
    if wanted.decided is not None:
        found["decided"] = {"$eq": wanted.decided}
    if wanted.field:
        found["field"] = {"$eq": wanted.field}
    if wanted.assignees:
        found["assignee"] = {"$in": list(wanted.assignees)}
    came = {}
    if wanted.since is not None:
        came["$gte"] = arrival(wanted.since)
    if wanted.until is not None:
        came["$lt"] = arrival(wanted.until)
    return found | ({"arrival": came} if came else {})


@dataclass(frozen=True, slots=True)
class Order:
    """How a list is sorted: by a key of each row that only grows, and what comes after a key."""

    sort: list[tuple[str, int]]
    key: Callable[[Row], Key]
    after: Callable[[Key], Filter]


def _after_arrival(place: Key) -> Filter:
    return {"arrival": {"$lt": -place[0]}}


def _due_key(row: Row) -> Key:
    due = row["due_at"]
    return (round(due.timestamp() * 1000) if due else NO_DUE, row["arrival"])


def _after_due(place: Key) -> Filter:
    """By stretches of one index: thousands end at the same midnight."""
    at, came = place
    due = None if at == NO_DUE else datetime.fromtimestamp(at / 1000, UTC)
    later: Filter = {"due_at": {"$gte": due}} if due else {}
    return later | {"$nor": [{"due_at": {"$eq": due}, "arrival": {"$lte": came}}]}


NO_DUE: Final = -1
NEWEST: Final = Order([("arrival", -1)], lambda row: (-row["arrival"],), _after_arrival)
FIRST_DUE: Final = Order([("due_at", 1), ("arrival", 1)], _due_key, _after_due)


def _number(part: Any) -> int:
    number = int(part)
    if abs(number) >= 1 << 63:
        raise ValueError(f"{number} is no number of the database")
    return number


def _after(order: Order, cursor: str) -> list[Filter]:
    if not cursor:
        return []
    place = place_of(cursor)
    try:
        return [order.after(tuple(_number(part) for _, part in zip(order.sort, place, strict=True)))]
    except (ValueError, OverflowError, OSError):
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}]) from None


@dataclass(frozen=True, slots=True)
class Found:
    """Rows of one branch, in order; ``upto``: the key up to which that is all of them, None: to the end."""

    rows: list[Row]
    upto: Key | None = None


@answered
async def questions(
    database: Database, wanted: Wanted, by: Actor, *, cursor: str = "", limit: int = 20
) -> Page:
    """Open work by what ends first; the rest, and what is searched for, by what came last. A page of a search
    may hold fewer rows than ``limit`` and still have a next one, which looks on."""
    order = FIRST_DUE if wanted.by_due else NEWEST
    sought = Sought([_conditions(wanted), *_after(order, cursor)], wanted.words, order, limit, wanted.field)
    find = _with_words if wanted.words else _in_order
    found = await asyncio.gather(*(find(database, branch, sought) for branch in branches(by, wanted.unit)))
    upto = min((each.upto for each in found if each.upto is not None), default=None)
    merged = heapq.merge(*(each.rows for each in found), key=order.key)
    rows = [row for row in merged if upto is None or order.key(row) <= upto]
    if len(rows) > limit:
        rows = rows[:limit]
        upto = order.key(rows[-1])
    return Page(rows, cursor_of(list(upto)) if upto is not None else None)


@dataclass(frozen=True, slots=True)
class Sought:
    """The same in each branch: every one of ``parts``, and the words."""

    parts: list[Filter]
    words: tuple[int, ...]
    order: Order
    limit: int
    field: str


async def _in_order(database: Database, branch: Filter, sought: Sought) -> Found:
    found = database[QUESTIONS].find({"$and": [branch, *sought.parts]}, HIDDEN)
    if sought.field and sought.order is NEWEST and branch.keys() == {"reader"}:
        found = found.hint("of_unit")  # its keys tell the field too, which the database weighs as nothing
    rows = await found.sort(sought.order.sort).limit(sought.limit + 1).to_list(None)
    return Found(rows, sought.order.key(rows[-1]) if len(rows) > sought.limit else None)


async def _with_words(database: Database, branch: Filter, sought: Sought) -> Found:
    """From the rarest word on, what came last first. One page looks at ``LOOKED_AT`` rows, or at ten times
    as many keys where the key itself tells whose a row is."""
    counts = await rarity_of(database, QUESTIONS, "words").of(sought.words)
    rarest, *others = counts
    has = {"terms": {"$eq": rarest}}
    came = [{"arrival": part["arrival"]} for part in sought.parts if "arrival" in part]
    most = 10 * LOOKED_AT if branch.keys() == {"reader"} else LOOKED_AT
    upto: Key | None = None
    if 2 * counts[rarest] > LOOKED_AT:  # a remembered count may be a little old
        keys = database[QUESTIONS].find({"$and": [has, *came]}, {"arrival": 1}).sort(sought.order.sort)
        ends = await keys.hint("words").skip(most - 1).limit(1).to_list(None)
        if ends:
            upto = sought.order.key(ends[0])
            came = [{"arrival": {"$gte": ends[0]["arrival"]}}]
    where = {"$and": [has, *came, branch, *sought.parts, *containing(others)]}
    found = database[QUESTIONS].find(where, HIDDEN).sort(sought.order.sort).hint("words")
    rows = await found.limit(sought.limit + 1).to_list(None)
    return Found(rows, sought.order.key(rows[-1]) if len(rows) > sought.limit else upto)


@answered
async def count(database: Database, wanted: Wanted, by: Actor) -> int:
    """How many there are, up to ``COUNTED_UP_TO``; of what is searched for, among the rows looked at."""
    if wanted.words:
        return len((await questions(database, wanted, by, limit=COUNTED_UP_TO)).rows)
    conditions = _conditions(wanted)
    counts = await asyncio.gather(
        *(
            counted(database, QUESTIONS, {"$and": [branch, conditions]}, COUNTED_UP_TO)
            for branch in branches(by, wanted.unit)
        )
    )
    return min(sum(counts), COUNTED_UP_TO)


async def every(database: Database, wanted: Wanted, by: Actor) -> AsyncIterator[Row]:
    """The rows of a list, page after page, for an export: ``MOST_EXPORTED`` at most."""
    cursor, left = "", MOST_EXPORTED
    while left > 0:
        page = await questions(database, wanted, by, cursor=cursor, limit=min(500, left))
        for row in page.rows:
            yield row
        left -= len(page.rows)
        if page.next is None:
            return
        cursor = page.next


@answered
async def load_of_units(database: Database, by: Actor, soon: datetime) -> dict[str, tuple[int, int]]:
    """How many questions each unit holds, and how many of them fall due before ``soon``: counted by the keys
    of one index, without the rows."""
    mine = {} if by.roles & CENTRE else branches(by)[0]
    stages: list[Filter] = [
        {"$match": {"$and": [{"status": {"$eq": Status.FORWARDED.value}}, mine]}},
        {"$group": {"_id": "$reader", "held": {"$sum": 1},
                    "soon": {"$sum": {"$cond": [{"$lt": ["$due_at", soon]}, 1, 0]}}}},
    ]  # fmt: skip
    found = database[QUESTIONS].aggregate(stages, hint="by_due")
    return {row["_id"]: (row["held"], row["soon"]) async for row in found}
