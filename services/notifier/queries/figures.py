"""Figures of the register: what falls due when, what each unit has before it, and how punctual it was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.notifier.queries.terms import Document
from services.notifier.regulation import DeadlineStatus
from shared.mongo import Database, answered

_OPEN: Final = DeadlineStatus.OPEN.value


@answered
async def prepare(database: Database) -> None:
    """Months are counted from this index alone."""
    counted = [(name, 1) for name in ("due_day", "unit", "duty", "status", "late", "due_at")]
    await database.deadlines.create_index(counted, name="month_unit_duty")


def _of_unit(unit: str) -> Document:
    return {"unit": {"$eq": unit}} if unit else {}


@dataclass(frozen=True, slots=True)
class DayLoad:
    """What is open and ends on one day: nobody reminded yet, and reminded."""

    calm: int = 0
    reminded: int = 0

    @property
    def total(self) -> int:
        return self.calm + self.reminded


@answered
async def due_by_day(
    database: Database, now: datetime, until: datetime, *, unit: str = ""
) -> dict[str, DayLoad]:
    """Open, and ending after now and by ``until``, by last day (YYYY-MM-DD)."""
    which = {"status": _OPEN, "due_at": {"$gt": now, "$lte": until}, **_of_unit(unit)}
    counted = {"count": {"$sum": 1}, "reminded": {"$sum": {"$cond": ["$warned_at", 1, 0]}}}
    rows = database.deadlines.aggregate([{"$match": which}, {"$group": {"_id": "$due_day", **counted}}])
    return {r["_id"]: DayLoad(r["count"] - r["reminded"], r["reminded"]) async for r in rows}


@dataclass(frozen=True, slots=True)
class Workload:
    """What one unit has before it now."""

    unit: str
    open: int
    today: int
    soon: int
    overdue: int
    escalated: int


@answered
async def workload(
    database: Database, now: datetime, *, today: str, soon: str, unit: str = ""
) -> list[Workload]:
    """``today`` and ``soon`` are last days; ``soon`` counts what ends up to and including it. The unit with
    the most overdue first."""

    def counted(condition: Any) -> Document:
        return {"$sum": {"$cond": [condition, 1, 0]}}

    ahead = {"$gt": ["$due_at", now]}
    group = {
        "_id": "$unit", "open": {"$sum": 1}, "overdue": counted({"$lte": ["$due_at", now]}),
        "today": counted({"$and": [ahead, {"$eq": ["$due_day", today]}]}),
        "soon": counted({"$and": [ahead, {"$lte": ["$due_day", soon]}]}),
        "escalated": counted({"$gt": ["$escalated", ""]}),
    }  # fmt: skip
    pipeline = [{"$match": {"status": _OPEN, **_of_unit(unit)}}, {"$group": group}]
    rows = [
        Workload(r["_id"], r["open"], r["today"], r["soon"], r["overdue"], r["escalated"])
        async for r in database.deadlines.aggregate(pipeline)
    ]
    return sorted(rows, key=lambda row: (-row.overdue, -row.soon, row.unit))


@dataclass(frozen=True, slots=True)
class MonthRate:
    """How punctual a unit was in a duty, for what was to end in that month (YYYY-MM). What is void, and what
    may still be done in time, is not counted."""

    month: str
    unit: str
    duty: str
    on_time: int
    late: int
    breached: int

    @property
    def total(self) -> int:
        return self.on_time + self.late + self.breached

    @property
    def rate(self) -> float:
        """Per cent."""
        return 100 * self.on_time / self.total


@answered
async def on_time(
    database: Database, now: datetime, *, since: str, unit: str = "", duty: str = ""
) -> list[MonthRate]:
    """From the month ``since`` (YYYY-MM) on; the newest month first."""
    which: Document = {"due_day": {"$gte": f"{since}-01"}, **_of_unit(unit)}
    if duty:
        which["duty"] = {"$eq": duty}
    met, overdue = {"$eq": ["$status", "met"]}, {"$lte": ["$due_at", now]}

    def counted(*conditions: Any) -> Document:
        return {"$sum": {"$cond": [{"$and": list(conditions)}, 1, 0]}}

    group = {
        "_id": {"month": {"$substrCP": ["$due_day", 0, 7]}, "unit": "$unit", "duty": "$duty"},
        "on_time": counted(met, {"$eq": ["$late", False]}),
        "late": counted(met, {"$eq": ["$late", True]}),
        "breached": counted({"$eq": ["$status", _OPEN]}, overdue),
    }  # fmt: skip
    rows = database.deadlines.aggregate([{"$match": which}, {"$group": group}], hint="month_unit_duty")
    found = [
        MonthRate(**r["_id"], on_time=r["on_time"], late=r["late"], breached=r["breached"])
        async for r in rows
    ]
    counted_rows = [row for row in found if row.total]
    by_name = sorted(counted_rows, key=lambda row: (row.unit, row.duty))
    return sorted(by_name, key=lambda row: row.month, reverse=True)
