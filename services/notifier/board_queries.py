"""What the board of operations reads: counts over the register, minutes of backlog, what services said."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.notifier.queries import Document
from services.notifier.regulation import TELLING, NoticeStatus
from shared.mongo import Database, answered

SOURCES = ("qa", "content", "sync")


@dataclass(frozen=True, slots=True)
class Tally:
    """Deadlines of one day, or of a stretch of days, by the service whose clause it is."""

    qa: int = 0
    content: int = 0
    sync: int = 0

    @property
    def total(self) -> int:
        return self.qa + self.content + self.sync


@answered
async def due_between(database: Database, start: datetime | None, end: datetime | None) -> dict[str, Tally]:
    """Open deadlines whose time falls into the span, by last day (YYYY-MM-DD)."""
    span: Document = {"$exists": True}
    if start is not None:
        span["$gt"] = start
    if end is not None:
        span["$lte"] = end
    pipeline = [
        {"$match": {"status": "open", "due_at": span}},
        {"$group": {"_id": {"day": "$due_day", "source": "$source"}, "count": {"$sum": 1}}},
    ]
    counts: dict[str, dict[str, int]] = {}
    async for row in database.deadlines.aggregate(pipeline):
        if row["_id"]["source"] in SOURCES:
            counts.setdefault(row["_id"]["day"], {})[row["_id"]["source"]] = row["count"]
    return {day: Tally(**by_source) for day, by_source in counts.items()}


@dataclass(frozen=True, slots=True)
class Punctuality:
    on_time: int
    late: int
    breached: int

    @property
    def rate(self) -> float | None:
        """Per cent of the duties that came due or were done; None when there were none."""
        total = self.on_time + self.late + self.breached
        return 100 * self.on_time / total if total else None


@answered
async def punctuality(database: Database, now: datetime, span: timedelta) -> Punctuality:
    count, since = database.deadlines.count_documents, now - span
    return Punctuality(
        on_time=await count({"status": "met", "late": False, "ended_at": {"$gte": since}}),
        late=await count({"status": "met", "late": True, "ended_at": {"$gte": since}}),
        breached=await count({"status": "open", "due_at": {"$gte": since, "$lte": now}}),
    )


@answered
async def notice_counts(database: Database, since: datetime) -> dict[str, int]:
    """Notices asked for since then, by state, and ``possibly_twice`` among them."""
    asked = {"requested_at": {"$gte": since}}
    pipeline = [
        {"$match": asked},
        {
            "$group": {
                "_id": "$status",
                "count": {"$sum": 1},
                "doubt": {"$sum": {"$cond": ["$uncertain", 1, 0]}},
            }
        },
    ]
    counts = dict.fromkeys((*(s.value for s in NoticeStatus), "possibly_twice"), 0)
    async for row in database.notices.aggregate(pipeline):
        counts[row["_id"]] = row["count"]
        counts["possibly_twice"] += row["doubt"]
    return counts


@answered
async def troubled_notices(database: Database, limit: int) -> list[Document]:
    """Notices that a person should look at: refused for good, returned, or waiting to be tried again."""
    states = (NoticeStatus.FAILED, NoticeStatus.BOUNCED, NoticeStatus.RETRYING)
    which = {"status": {"$in": [state.value for state in states]}}
    return list(await database.notices.find(which).sort([("requested_at", -1)]).limit(limit).to_list(limit))


@answered
async def endangered(database: Database, subjects: list[str]) -> list[Document]:
    """Open deadlines of these subjects that end when somebody has been told."""
    which = {"subject": {"$in": subjects}, "status": "open", "duty": {"$in": sorted(TELLING)}}
    return list(await database.deadlines.find(which).sort("due_at", 1).limit(20).to_list(20))


@answered
async def services(database: Database) -> dict[str, Document]:
    return {d["_id"]: d async for d in database.service_states.find()}


@answered
async def backlog(database: Database, since: datetime) -> list[Document]:
    """Minute by minute, what waited before each consumer."""
    found = database.backlog.find({"at": {"$gte": since}}).sort("at", 1)
    return list(await found.to_list(10_000))


@answered
async def peaks(database: Database) -> dict[str, int]:
    """The most that waited before each consumer within a day."""
    pipeline = [{"$group": {"_id": "$service", "peak": {"$max": "$waiting"}}}]
    return {d["_id"]: d["peak"] async for d in database.backlog.aggregate(pipeline)}
