"""The ledger of who was told what (sổ báo): by duty, unit, month and subject, the newest first."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.notifier.queries.terms import Document
from shared.calendar import VIETNAM
from shared.mongo import Database, answered

MOST_EXPORTED: Final = 50_000  # rows of one export; a month of one duty is far below


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """``month``: YYYY-MM, of the request, Vietnamese time."""

    duty: str = ""
    unit: str = ""
    month: str = ""
    subject: str = ""

    def query(self, named: Iterable[str] = ()) -> Document:
        """``named``: ids of the subject's deadlines, of which a morning mail may have told too."""
        query: Document = {
            name: {"$eq": value} for name, value in (("duty", self.duty), ("unit", self.unit)) if value
        }
        if self.subject:
            listed = {"listed": {"$in": list(named)}}
            query["$or"] = [{"subject": {"$eq": self.subject}}, listed]
        if self.month:
            begins = datetime.strptime(self.month, "%Y-%m").replace(tzinfo=VIETNAM)
            ends = (begins.replace(day=1, month=begins.month % 12 + 1,
                                   year=begins.year + begins.month // 12))  # fmt: skip
            query["requested_at"] = {"$gte": begins, "$lt": ends}
        return query


@answered
async def proofs(
    database: Database, which: LedgerFilter, *, after: Sequence[Any] = (), limit: int = 50
) -> list[Document]:
    query = which.query(await _deadlines_of(database, which.subject))
    if after:
        at, id = datetime.fromisoformat(str(after[0])), str(after[1])
        behind = [{"requested_at": {"$lt": at}}, {"requested_at": {"$eq": at}, "_id": {"$gt": id}}]
        query = {"$and": [query, {"$or": behind}]}
    found = database.notices.find(query).sort([("requested_at", -1), ("_id", 1)]).limit(limit)
    return list(await found.to_list(limit))


async def every_proof(database: Database, which: LedgerFilter) -> AsyncIterator[list[Document]]:
    """All rows, a page at a time: memory does not grow with the month."""
    after: Sequence[Any] = ()
    for _ in range(MOST_EXPORTED // 500):
        rows = await proofs(database, which, after=after, limit=500)
        if rows:
            yield rows
        if len(rows) < 500:
            return
        after = (rows[-1]["requested_at"].isoformat(), rows[-1]["_id"])


async def _deadlines_of(database: Database, subject: str) -> list[str]:
    if not subject:
        return []
    return [row["_id"] async for row in database.deadlines.find({"subject": {"$eq": subject}}, {"_id": 1})]
