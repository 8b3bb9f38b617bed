"""Số liệu hỏi đáp theo đơn vị và tháng: what was received, how it ended, how punctual the answers were, and
the questions behind each number. Nobody's figures reach further than what they may read."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from services.qa.queries.lists import Page, Row, within_reach
from services.qa.queries.read_models import MONTHS, QUESTIONS
from services.qa.regulation import Status
from shared.calendar import CalendarYearMissing, WorkingCalendar
from shared.contracts.qa import Outcome, RefusalGround
from shared.errors import InvalidInput
from shared.mongo import Database, answered
from shared.web.forms import cursor_of, place_of
from shared.workflow import Actor

STILL_OWED: Final = [Status.RECEIVED, Status.FORWARDED, Status.RETURNED, Status.SET_ASIDE]

Filter = dict[str, Any]


def kinds(now: datetime) -> Mapping[str, Filter]:
    """What each number counts, as a filter: the list behind it is asked for with the same."""
    punctual = {"$expr": {"$lt": ["$answered_at", "$reply_due_at"]}}
    late = {"$expr": {"$gte": ["$answered_at", "$reply_due_at"]}}
    answered_ = {"answered_at": {"$ne": None, "$exists": True}}
    owed = {"status": {"$in": STILL_OWED}}
    return {
        "received": {"status": {"$ne": Status.SPLIT}, "outcome": {"$ne": Outcome.PARTS}},
        "on_time": answered_ | punctual,
        "late": answered_ | late,
        "open": owed | {"reply_due_at": {"$gt": now}},
        "overdue": owed | {"reply_due_at": {"$lte": now}},
        "out_of_scope": {"ground": RefusalGround.OUT_OF_SCOPE},
        "unclear": {"ground": RefusalGround.UNCLEAR},
        "withdrawn": {"outcome": Outcome.WITHDRAWN},
        "merged": {"outcome": Outcome.MERGED},
        "set_aside": {"outcome": Outcome.SET_ASIDE},
    }


KINDS_VI: Final = {
    "received": "Tiếp nhận", "on_time": "Trả lời đúng hạn", "late": "Trả lời quá hạn", "open": "Còn hạn",
    "overdue": "Quá hạn, chưa trả lời", "out_of_scope": "Ngoài phạm vi", "unclear": "Không rõ nghĩa",
    "withdrawn": "Người hỏi rút", "merged": "Gộp trùng", "set_aside": "Thư rác, lạm dụng",
}  # fmt: skip


@dataclass(slots=True)
class Figures:
    """Of one unit (empty: with none yet) and the month (YYYY-MM) in which the questions were received."""

    month: str
    unit: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS_VI, 0))
    took: dict[int, int] = field(default_factory=dict)  # working days from sorting to the answer → answers

    @property
    def rate(self) -> float | None:
        """Per cent of those that should have been answered by now; none where there are none."""
        due = self.counts["on_time"] + self.counts["late"] + self.counts["overdue"]
        return 100 * self.counts["on_time"] / due if due else None

    @property
    def median_days(self) -> float | None:
        total = sum(self.took.values())
        if not total:
            return None
        ordered = sorted(self.took.items())
        return (_nth(ordered, (total - 1) // 2) + _nth(ordered, total // 2)) / 2


def _nth(ordered: list[tuple[int, int]], place: int) -> int:
    for days, count in ordered:
        if place < count:
            return days
        place -= count
    raise IndexError(place)


def _wanted(since: str, until: str, unit: str, by: Actor) -> Filter:
    parts: list[Filter] = [{"month": {"$gte": since, "$lte": until}}, within_reach(by)]
    if unit:
        parts.append({"unit": {"$eq": unit}})
    return {"$and": parts}


def _condition(which: Filter) -> Any:
    """A filter as an aggregation's condition."""
    tests: list[Any] = []
    for name, wanted in which.items():
        if name == "$expr":
            tests.append(wanted)
        elif isinstance(wanted, dict):
            for operator, value in wanted.items():
                if operator == "$exists":
                    continue
                place: Any = {"$ifNull": [f"${name}", None]}
                tests.append({operator: [place, value]})
        else:
            tests.append({"$eq": [f"${name}", wanted]})
    return {"$and": tests}


@answered
async def by_month(
    database: Database, calendar: WorkingCalendar, now: datetime, by: Actor, *, since: str, until: str,
    unit: str = "",
) -> list[Figures]:  # fmt: skip
    """The newest month first, in it the unit with the most received."""
    counted = {
        name: {"$sum": {"$cond": [_condition(which), 1, 0]}} for name, which in kinds(now).items()
    }  # fmt: skip
    key = {"month": "$month", "unit": "$unit"}
    match = {"$match": _wanted(since, until, unit, by)}
    found: dict[tuple[str, str], Figures] = {}
    async for row in database[QUESTIONS].aggregate([match, {"$group": {"_id": key, **counted}}], hint=MONTHS):
        figures = Figures(row["_id"]["month"], row["_id"]["unit"])
        figures.counts.update({name: row[name] for name in KINDS_VI})
        found[figures.month, figures.unit] = figures
    spans = {**key, "from": "$sorted_on", "to": "$answered_on"}
    pipeline = [
        match, {"$match": {"answered_on": {"$gt": ""}}}, {"$group": {"_id": spans, "count": {"$sum": 1}}},
    ]  # fmt: skip
    async for row in database[QUESTIONS].aggregate(pipeline, hint=MONTHS):
        span = row["_id"]
        if (days := _working_days(calendar, span["from"], span["to"])) is not None:
            took = found[span["month"], span["unit"]].took
            took[days] = took.get(days, 0) + row["count"]
    ordered = sorted(found.values(), key=lambda each: (-each.counts["received"], each.unit))
    return sorted(ordered, key=lambda each: each.month, reverse=True)


def _working_days(calendar: WorkingCalendar, start: str, end: str) -> int | None:
    """None where the calendar has no such year."""
    try:
        return calendar.working_days_between(date.fromisoformat(start), date.fromisoformat(end))
    except CalendarYearMissing:
        return None


def together(rows: list[Figures]) -> list[Figures]:
    """All units of each month as one."""
    months: dict[str, Figures] = {}
    for row in rows:
        whole = months.setdefault(row.month, Figures(row.month, ""))
        for name, count in row.counts.items():
            whole.counts[name] += count
        took = defaultdict(int, whole.took)
        for days, count in row.took.items():
            took[days] += count
        whole.took = dict(took)
    return list(months.values())


def _behind(month: str, unit: str | None, kind: str, now: datetime, by: Actor) -> Filter:
    which = kinds(now).get(kind)
    if which is None:
        raise InvalidInput("Không có số liệu này.", errors=[{"field": "counted"}])
    parts: list[Filter] = [{"month": {"$eq": month}}, within_reach(by), which]
    if unit is not None:
        parts.append({"unit": {"$eq": unit}})
    return {"$and": parts}


@answered
async def behind(
    database: Database, now: datetime, by: Actor, *, month: str, unit: str | None, kind: str,
    cursor: str = "", limit: int = 25,
) -> Page:  # fmt: skip
    """The questions that one number counts; ``unit`` None: of all units. Raises InvalidInput."""
    where = _behind(month, unit, kind, now, by)
    if cursor:
        where["$and"].append({"_id": {"$gt": str(place_of(cursor)[0])}})
    found = database[QUESTIONS].find(where).sort([("_id", 1)]).limit(limit + 1)
    rows: list[Row] = [row async for row in found]
    next = cursor_of([rows[limit - 1]["_id"]]) if len(rows) > limit else None
    return Page(rows[:limit], next)


async def every(
    database: Database, by: Actor, *, since: str, until: str, unit: str = ""
) -> AsyncIterator[Row]:
    """Each question of these months, for a file to take away."""
    shown = (
        "number", "month", "unit", "status", "outcome", "ground", "received_at", "sorted_on", "reply_due_at",
        "answered_at", "sent_at", "published_at", "closed_at", "rounds", "complex", "correction", "rating",
    )  # fmt: skip
    wanted = dict.fromkeys(shown, 1)
    async for row in database[QUESTIONS].find(_wanted(since, until, unit, by), wanted).hint(MONTHS):
        yield row
