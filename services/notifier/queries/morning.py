"""What a unit reads in its morning mail (thư đầu ngày), and who was told in one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from services.notifier.queries.terms import Document
from services.notifier.regulation import DeadlineStatus, NoticeStatus
from shared.mongo import Database, answered

SHOWN: Final = 100  # deadlines of a part that a morning mail names; the rest it counts
FIELDS: Final = {
    "unit": 1, "subject": 1, "label": 1, "duty": 1, "due_at": 1, "due_day": 1, "provisional": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Morning:
    """The instants by which a morning sorts what is open: begin and end of the day, the end of the days
    ahead, the farthest that a reminder is looked for. What was opened after ``known_at`` is tomorrow's."""

    begins: datetime
    ends: datetime
    ahead: datetime
    farthest: datetime
    known_at: datetime

    def part(self, name: str) -> Document:
        """overdue, today, soon: apart from one another."""
        parts: dict[str, Document] = {
            "overdue": {"due_at": {"$lte": self.begins}},
            "today": {"due_at": {"$gt": self.begins, "$lte": self.ends}},
            "soon": {
                "due_at": {"$gt": self.ends, "$lte": self.farthest},
                "$or": [{"due_at": {"$lte": self.ahead}}, {"warned_at": {"$type": "date"}}],
            },
        }
        return {"status": DeadlineStatus.OPEN.value, "opened_at": {"$lte": self.known_at}, **parts[name]}


PARTS: Final = ("overdue", "today", "soon")


@answered
async def units_at_work(database: Database, morning: Morning) -> list[str]:
    """Units for which the morning has something."""
    units: set[str] = set()
    for part in PARTS:
        grouped = database.deadlines.aggregate([{"$match": morning.part(part)}, {"$group": {"_id": "$unit"}}])
        units.update([row["_id"] async for row in grouped])
    return sorted(units)


@answered
async def morning_of(database: Database, morning: Morning, unit: str) -> dict[str, list[UUID]]:
    """What the mail names: of the overdue the newest, whose breach this mail tells; else the first due."""
    found: dict[str, list[UUID]] = {}
    for part in PARTS:
        order = -1 if part == "overdue" else 1
        which = {"unit": {"$eq": unit}, **morning.part(part)}
        rows = database.deadlines.find(which, {"_id": 1}).sort([("due_at", order), ("_id", 1)]).limit(SHOWN)
        found[part] = [UUID(row["_id"]) async for row in rows]
    return found


@answered
async def morning_counts(database: Database, morning: Morning, unit: str) -> dict[str, int]:
    counts = {}
    for part in PARTS:
        which = {"unit": {"$eq": unit}, **morning.part(part)}
        counts[part] = int(await database.deadlines.count_documents(which))
    return counts


@answered
async def still_open(database: Database, listed: tuple[UUID, ...]) -> list[Document]:
    """Those of them that are open now, the first due first."""
    which = {"_id": {"$in": [str(id) for id in listed]}, "status": DeadlineStatus.OPEN.value}
    return list(await database.deadlines.find(which, FIELDS).sort([("due_at", 1), ("_id", 1)]).to_list(None))


@answered
async def told_by_digest(database: Database, unit: str, deadline: UUID, since: datetime) -> bool:
    """Whether a morning mail that named the deadline may have been read since then."""
    said = [NoticeStatus.SENT.value, NoticeStatus.SENDING.value, NoticeStatus.UNCERTAIN.value]
    which = {"listed": {"$eq": str(deadline)}, "unit": {"$eq": unit}, "status": {"$in": said},
             "tried_at": {"$gte": since}}  # fmt: skip
    return await database.notices.find_one(which, {"_id": 1}) is not None
