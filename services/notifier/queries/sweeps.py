"""What a sweep asks of the register: it examines what is due, however much is open. What has nothing to wait
for has no ``next_at`` and is in no index of what waits."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from pymongo import UpdateOne

from services.notifier.domain import Armed
from services.notifier.queries.register import SHARES
from services.notifier.queries.terms import Document, due
from shared.journal import Head
from shared.mongo import Database, answered

# None: what was shown before there were shares.
ALL_SHARES: Final[tuple[int | None, ...]] = (None, *range(SHARES))
ALIVE: Final = timedelta(seconds=10)  # since a replica's last heartbeat
DUE_FIELDS: Final = dict.fromkeys(
    ("subject", "duty", "unit", "started_at", "working_days", "warn_at", "due_at", "breached", "moved",
     "fired", "reopened", "version", "head", "correlation"), 1,
)  # fmt: skip
_TERM: Final = ("duty", "started_at", "working_days", "warn_at", "due_at")


class DueDeadline(NamedTuple):
    """A deadline with a stage to look at, as the read model shows it: enough to fire without reading its
    stream. ``term`` is what its plan is made of; ``head`` is where its stream stood."""

    armed: Armed
    term: tuple[Any, ...]
    head: Head
    correlation: str


def due_deadline_of(d: Mapping[str, Any]) -> DueDeadline:
    get = d.get
    armed = Armed(
        UUID(d["_id"]), d["subject"], d["duty"], d["unit"], d["due_at"], get("breached", False),
        get("moved", ""), get("fired", {}), get("reopened", 0),
    )  # fmt: skip
    term = tuple([d[name] for name in _TERM])
    return DueDeadline(armed, term, Head(d["version"], get("head", "")), get("correlation", ""))


def _waiting(now: datetime, shares: Collection[int | None], **more: Any) -> Document:
    return {**more, "share": {"$in": list(shares)}, "next_at": due(now)}


@answered
async def due_deadlines(
    database: Database, now: datetime, limit: int, shares: Collection[int | None] = ALL_SHARES,
    *, newest_first: bool = False,
) -> list[DueDeadline]:  # fmt: skip
    """Deadlines of these shares with a stage to look at, the oldest first."""
    order = -1 if newest_first else 1
    found = database.deadlines.find(_waiting(now, shares), DUE_FIELDS).sort("next_at", order).limit(limit)
    return [due_deadline_of(d) for d in await found.batch_size(limit).to_list(limit)]


@answered
async def oldest_due(database: Database, now: datetime) -> datetime | None:
    """Since when the oldest stage that has come waits; None when nothing does."""
    found = database.deadlines.find(_waiting(now, ALL_SHARES), {"next_at": 1}).sort("next_at", 1).limit(1)
    for d in await found.to_list(1):
        oldest: datetime = d["next_at"]
        return oldest
    return None


UnitFilter = str | None  # None: every unit that the directory does not know


def _of_unit(unit: UnitFilter, known: Collection[str]) -> Any:
    return {"$nin": sorted(known)} if unit is None else {"$eq": unit}


@answered
async def units_due(
    database: Database, now: datetime, known: Collection[str], shares: Collection[int | None]
) -> list[UnitFilter]:
    """Which units have something due: a look into the index for each."""

    async def has(unit: UnitFilter) -> bool:
        which = _waiting(now, shares, unit=_of_unit(unit, known))
        return await database.deadlines.find_one(which, {"_id": 1}) is not None

    asked: list[UnitFilter] = [*sorted(known), None]
    found = await asyncio.gather(*map(has, asked))
    return [unit for unit, there in zip(asked, found, strict=True) if there]


class UnitQueue:
    """What is due of one unit, the oldest first, taken a few at a time."""

    def __init__(
        self, database: Database, now: datetime, unit: UnitFilter, known: Collection[str],
        shares: Collection[int | None],
    ) -> None:  # fmt: skip
        which = _waiting(now, shares, unit=_of_unit(unit, known))
        self._cursor = database.deadlines.find(which, DUE_FIELDS).sort("next_at", 1).batch_size(1000)

    @answered
    async def take(self, count: int) -> list[DueDeadline]:
        return [due_deadline_of(d) for d in await self._cursor.to_list(count)]

    async def close(self) -> None:
        await self._cursor.close()


@answered
async def rearm(database: Database, looks: Sequence[tuple[UUID, int, datetime | None]]) -> None:
    """Look at these again at that time: (deadline, the version that said so, when). What has moved on since
    says so itself."""
    updates = [
        UpdateOne({"_id": str(id), "version": version}, {"$set": {"next_at": next_at}})
        for id, version, next_at in looks
    ]
    await database.deadlines.bulk_write(updates, ordered=False)


@answered
async def living(database: Database, now: datetime) -> list[str]:
    """The replicas that do such work, by name."""
    found = database.heartbeats.find({"at": {"$gt": now - ALIVE}, "roles": "bulk"}, {"_id": 1})
    return sorted([d["_id"] async for d in found])


@answered
async def shown_up_to(database: Database) -> datetime | None:
    """Everything that was on record by then is in the read models."""
    mark = await database.leases.find_one({"_id": "projector"}, {"marked_at": 1})
    return mark.get("marked_at") if mark else None
