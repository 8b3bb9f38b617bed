"""The register of deadlines. A sweep examines what is due, however much is open: what has nothing to wait
for has no ``next_at`` and is not in the index."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.notifier.queries.terms import MOMENT, Document, due
from services.notifier.regulation import DeadlineStatus
from shared.calendar import CALENDAR
from shared.contracts.base import Event, Recorded
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineDischargedEarly,
    DeadlineMet,
    DeadlineOpened,
    DeadlineVoided,
    DeadlineWarned,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.mongo import Database, answered
from shared.projections import Column, Fields

ENDED: Final = frozenset({"met", "late", "void"})


async def _opened(r: Recorded[DeadlineOpened], _: Vault) -> Fields:
    clock = r.event.clock
    first = min(clock.warn_at, clock.due_at) if clock.warn_at else clock.due_at
    return {
        "subject": r.event.subject, "source": r.event.source, "label": r.event.label,
        "name": clock.name, "duty": clock.duty, "basis": clock.basis, "unit": clock.owner_unit,
        "started_at": clock.started_at, "start_reason": clock.start_reason,
        "working_days": clock.working_days, "warn_at": clock.warn_at, "due_at": clock.due_at,
        "due_day": CALENDAR.day_of(clock.due_at - MOMENT).isoformat(),
        "calendar_version": clock.calendar_version, "provisional": clock.provisional,
        "explanation_vi": clock.explanation_vi, "explanation_en": clock.explanation_en,
        "status": DeadlineStatus.OPEN.value, "opened_at": r.at, "next_at": first, "late": False,
        "warned_at": None, "breached_at": None, "ended_at": None,
    }  # fmt: skip


async def _early(r: Recorded[DeadlineDischargedEarly], _: Vault) -> Fields:
    return {"subject": r.event.subject, "status": DeadlineStatus.AWAITED.value}


async def _warned(r: Recorded[DeadlineWarned], _: Vault) -> Fields:
    return {"warned_at": r.at, "next_at": r.event.due_at}


async def _breached(r: Recorded[DeadlineBreached], _: Vault) -> Fields:
    return {"breached_at": r.at, "next_at": None}


async def _met(r: Recorded[DeadlineMet], _: Vault) -> Fields:
    return {"status": DeadlineStatus.MET.value, "late": r.event.late, "ended_at": r.event.met_at,
            "cause": r.event.cause, "next_at": None}  # fmt: skip


async def _voided(r: Recorded[DeadlineVoided], _: Vault) -> Fields:
    return {"status": DeadlineStatus.VOID.value, "late": False, "ended_at": r.event.voided_at,
            "cause": r.event.cause, "next_at": None}  # fmt: skip


COLUMNS: Final[Mapping[type[Event], Column]] = {
    DeadlineOpened: _opened, DeadlineDischargedEarly: _early, DeadlineWarned: _warned,
    DeadlineBreached: _breached, DeadlineMet: _met, DeadlineVoided: _voided,
}  # fmt: skip


@answered
async def due_deadlines(database: Database, now: datetime, limit: int) -> list[UUID]:
    """Deadlines with a stage to fire, the oldest first."""
    found = database.deadlines.find({"next_at": due(now)}, {"_id": 1}).sort("next_at", 1).limit(limit)
    return [UUID(d["_id"]) async for d in found]


def state_of(deadline: Mapping[str, Any], now: datetime) -> str:
    """What a reader is told: a breach is an open deadline whose time has passed."""
    match deadline["status"]:
        case DeadlineStatus.MET:
            return "late" if deadline["late"] else "met"
        case DeadlineStatus.VOID:
            return "void"
        case _:
            return "breached" if now >= deadline["due_at"] else "open"


def _in_state(state: str, now: datetime) -> Document:
    every: Document = {"status": {"$in": ["open", "met", "void"]}}
    states: dict[str, Document] = {
        "owed": {"status": "open"},
        "open": {"status": "open", "due_at": {"$gt": now}},
        "breached": {"status": "open", "due_at": {"$lte": now}},
        "met": {"status": "met", "late": False},
        "late": {"status": "met", "late": True},
        "void": {"status": "void"},
    }
    return states.get(state, every)


@dataclass(frozen=True, slots=True)
class DeadlineFilter:
    subject: str = ""
    duty: str = ""
    state: str = ""
    unit: str = ""
    day: str = ""  # the last day, YYYY-MM-DD

    def query(self, now: datetime) -> Document:
        query = _in_state(self.state, now)
        exact = {"subject": self.subject, "duty": self.duty, "unit": self.unit, "due_day": self.day}
        return query | {name: {"$eq": value} for name, value in exact.items() if value}


@answered
async def deadlines(
    database: Database, which: DeadlineFilter, now: datetime, *, after: Sequence[Any] = (), limit: int = 50
) -> list[Document]:
    """What is owed: the first due first. What has ended: the last due first. ``after`` is the place behind
    which to go on: (due_at, id)."""
    query, forward = which.query(now), which.state not in ENDED
    if after:
        due_at, id = datetime.fromisoformat(str(after[0])), str(after[1])
        way = "$gt" if forward else "$lt"
        behind = [{"due_at": {way: due_at}}, {"due_at": {"$eq": due_at}, "_id": {way: id}}]
        query = {"$and": [query, {"$or": behind}]}
    order = 1 if forward else -1
    found = database.deadlines.find(query).sort([("due_at", order), ("_id", order)]).limit(limit)
    return list(await found.to_list(limit))


@answered
async def count_deadlines(database: Database, which: DeadlineFilter, now: datetime) -> int:
    return int(await database.deadlines.count_documents(which.query(now)))


@answered
async def deadline(database: Database, id: UUID) -> Document:
    found = await database.deadlines.find_one({"_id": {"$eq": str(id)}, "due_at": {"$exists": True}})
    if found is None:
        raise NotFound("Không có thời hạn mang mã này.")
    return dict(found)


@answered
async def labels(database: Database, subjects: Iterable[str]) -> dict[str, str]:
    """How people call these subjects, as the first of their deadlines says."""
    which = {"subject": {"$in": list(set(subjects))}, "label": {"$gt": ""}}
    found = database.deadlines.find(which, {"subject": 1, "label": 1})
    return {d["subject"]: d["label"] async for d in found}
