"""Open deadlines whose next stage a change of the calendar may bring forward, their due dates as they are."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time
from typing import NamedTuple

from services.notifier.queries.sweeps import DUE_FIELDS, DueDeadline, due_deadline_of
from services.notifier.queries.terms import Document
from services.notifier.regulation import DeadlineStatus
from shared.calendar import VIETNAM
from shared.mongo import Database

PAGE = 2000


class Waiting(NamedTuple):
    deadline: DueDeadline
    next_at: datetime | None


async def waiting_since(database: Database, day: date | None) -> AsyncIterator[list[Waiting]]:
    """Those that wait for an hour of that day or a later one, or for a year that the calendar lacked; and of
    stated dates behind it all, for what comes days ahead of them may lie before it. None: every one."""
    which: Document = {"status": DeadlineStatus.OPEN.value}
    if day is not None:
        begins = datetime.combine(day, time.min, VIETNAM)
        which["$or"] = [
            {"next_at": {"$gte": begins}}, {"next_at": None},
            {"working_days": None, "due_at": {"$gt": begins}},
        ]  # fmt: skip
    cursor = database.deadlines.find(which, DUE_FIELDS | {"next_at": 1}).batch_size(PAGE)
    while page := await cursor.to_list(PAGE):
        yield [Waiting(due_deadline_of(d), d.get("next_at")) for d in page]
