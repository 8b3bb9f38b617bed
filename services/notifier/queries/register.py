"""The register of deadlines. A sweep examines what is due, however much is open: what has nothing to wait
for has no ``next_at`` and is not in the index."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zlib import crc32

from services.notifier.queries.terms import Document
from services.notifier.regulation import DeadlineStatus
from services.notifier.regulation_stages import FROM_DUE_ON, Hours, schedule
from shared.calendar import WorkingCalendar, last_day
from shared.contracts.base import Clock, Event, Recorded
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineDischargedEarly,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMoved,
    DeadlineOpened,
    DeadlineReminderDropped,
    DeadlineReopened,
    DeadlineRescinded,
    DeadlineVoided,
    DeadlineWarned,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.mongo import Database, answered
from shared.projections import Column, Fields

ENDED: Final = frozenset({"met", "late_met", "void"})
SHARES: Final = 12  # of the work of firing: two, three, four or six replicas divide it evenly


def share_of(id: str) -> int:
    """Which share of the register a deadline belongs to: replicas take the shares in turn."""
    return crc32(id.encode()) % SHARES


def _term(clock: Clock) -> Fields:
    """How a clock counts, and what it comes to."""
    return {
        "started_at": clock.started_at, "start_reason": clock.start_reason,
        "working_days": clock.working_days, "warn_at": clock.warn_at, "due_at": clock.due_at,
        "due_day": last_day(clock.due_at).isoformat(),
        "calendar_version": clock.calendar_version, "provisional": clock.provisional,
        "explanation_vi": clock.explanation_vi, "explanation_en": clock.explanation_en,
        "received_at": clock.received_at,
    }  # fmt: skip


async def _early(r: Recorded[DeadlineDischargedEarly], _: Vault) -> Fields:
    return {"subject": r.event.subject, "status": DeadlineStatus.AWAITED.value}


async def _warned(r: Recorded[DeadlineWarned], _: Vault) -> Fields:
    event = r.event
    return {
        "warned_at": r.at, f"fired.{event.stage}": event.planned_at or event.due_at,
        f"told.{event.stage}": r.at, "next_at": event.next_at or event.due_at,
    }  # fmt: skip


async def _dropped(r: Recorded[DeadlineReminderDropped], _: Vault) -> Fields:
    return {f"fired.{r.event.stage}": r.event.planned_at, f"dropped.{r.event.stage}": r.at}


async def _breached(r: Recorded[DeadlineBreached], _: Vault) -> Fields:
    return {"breached_at": r.at, "breached": True, "fired.breached": r.event.due_at, "told.breached": r.at,
            "next_at": r.event.next_at}  # fmt: skip


async def _escalated(r: Recorded[DeadlineEscalated], _: Vault) -> Fields:
    stage = r.event.level.value
    return {"escalated": stage, f"fired.{stage}": r.event.planned_at, f"told.{stage}": r.at,
            "next_at": r.event.next_at}  # fmt: skip


async def _rescinded(r: Recorded[DeadlineRescinded], _: Vault) -> Fields:
    return {
        "breached": False, "rescinded_at": r.at, "rescinded_by": r.event.document, "escalated": "",
        "rescinded_in": r.event.calendar_version,
        "next_at": r.at, **{f"fired.{stage}": None for stage in FROM_DUE_ON},
    }  # fmt: skip


async def _met(r: Recorded[DeadlineMet], _: Vault) -> Fields:
    return {"status": DeadlineStatus.MET.value, "late": r.event.late, "ended_at": r.event.met_at,
            "cause": r.event.cause, "next_at": None}  # fmt: skip


async def _voided(r: Recorded[DeadlineVoided], _: Vault) -> Fields:
    return {"status": DeadlineStatus.VOID.value, "late": False, "ended_at": r.event.voided_at,
            "cause": r.event.cause, "next_at": None}  # fmt: skip


async def _reopened(r: Recorded[DeadlineReopened], _: Vault) -> Fields:
    """Looked at by the next sweep, which knows what has fired."""
    withdrawn = dict.fromkeys((f"fired.{stage}" for stage in FROM_DUE_ON), None) | {
        "breached": False,
        "escalated": "",
    }
    return {
        "status": DeadlineStatus.OPEN.value, "late": False, "ended_at": None, "cause": "", "next_at": r.at,
        "reopened": r.event.round, "reopened_at": r.at, **(withdrawn if r.event.withdrawn else {}),
    }  # fmt: skip


def columns(hours: Hours, calendar: Callable[[], WorkingCalendar]) -> Mapping[type[Event], Column]:
    """``calendar`` is the newest one: by its days the stages are planned."""

    async def opened(r: Recorded[DeadlineOpened], _: Vault) -> Fields:
        event, clock = r.event, r.event.clock
        plan = schedule(clock, calendar(), hours)
        return _term(clock) | {
            "subject": event.subject, "source": event.source, "label": event.label,
            "name": clock.name, "duty": clock.duty, "basis": clock.basis, "unit": clock.owner_unit,
            "status": DeadlineStatus.OPEN.value, "opened_at": r.at, "born_overdue": r.at >= clock.due_at,
            "stated_due_at": clock.due_at,
            "correlation": r.correlation, "share": share_of(r.subject_id),
            "next_at": plan[0].at if plan else clock.due_at, "late": False,
            "fired": {}, "told": {}, "dropped": {}, "moved": "", "breached": False, "escalated": "",
            "warned_at": None, "breached_at": None, "rescinded_at": None, "ended_at": None,
        }  # fmt: skip

    async def moved(r: Recorded[DeadlineMoved], _: Vault) -> Fields:
        """Where a stage's time has come, looked at by the next sweep, which knows what has fired."""
        event, clock = r.event, r.event.clock
        plan = schedule(clock, calendar(), hours)
        return _term(clock) | {
            "moved": clock.calendar_version, "moved_at": r.at, "moved_from": event.from_due_at,
            "moved_from_calendar": event.from_calendar, "moved_by": event.document,
            "next_at": max(r.at, plan[0].at) if plan else clock.due_at,
        }  # fmt: skip

    return {
        DeadlineOpened: opened, DeadlineDischargedEarly: _early, DeadlineWarned: _warned,
        DeadlineReminderDropped: _dropped, DeadlineBreached: _breached, DeadlineEscalated: _escalated,
        DeadlineMoved: moved, DeadlineRescinded: _rescinded, DeadlineReopened: _reopened,
        DeadlineMet: _met, DeadlineVoided: _voided,
    }  # fmt: skip


def state_of(deadline: Mapping[str, Any], now: datetime) -> str:
    """What a reader is told: a breach is an open deadline whose time has passed; one that runs on although it
    was told of as a breach is rescinded."""
    match deadline["status"]:
        case DeadlineStatus.MET:
            return "late_met" if deadline["late"] else "met"
        case DeadlineStatus.VOID:
            return "void"
        case _ if now >= deadline["due_at"]:
            return "breached"
        case _:
            return "rescinded" if deadline.get("rescinded_at") else "open"


def _in_state(state: str, now: datetime) -> Document:
    every: Document = {"status": {"$in": ["open", "met", "void"]}}
    states: dict[str, Document] = {
        "owed": {"status": "open"},
        "open": {"status": "open", "due_at": {"$gt": now}},
        "breached": {"status": "open", "due_at": {"$lte": now}},
        "met": {"status": "met", "late": False},
        "late_met": {"status": "met", "late": True},
        "void": {"status": "void"},
        "rescinded": every | {"rescinded_at": {"$type": "date"}},
    }
    return states.get(state, every)


@dataclass(frozen=True, slots=True)
class DeadlineFilter:
    subject: str = ""
    duty: str = ""
    state: str = ""
    unit: str = ""
    day: str = ""  # the last day, YYYY-MM-DD
    month: str = ""  # of the last day, YYYY-MM

    def query(self, now: datetime) -> Document:
        query = _in_state(self.state, now)
        exact = {"subject": self.subject, "duty": self.duty, "unit": self.unit, "due_day": self.day}
        if self.month and not self.day:
            query = query | {"due_day": {"$gte": f"{self.month}-01", "$lte": f"{self.month}-31"}}
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


async def deadline_batches(
    database: Database, which: DeadlineFilter, now: datetime, *, size: int = 1000, limit: int = 0
) -> AsyncIterator[list[Document]]:
    """All of them, the first due first, in memory that does not grow."""
    cursor = database.deadlines.find(which.query(now)).sort([("due_at", 1), ("_id", 1)]).limit(limit)
    cursor = cursor.batch_size(size)
    while batch := await cursor.to_list(size):
        yield batch


@answered
async def count_deadlines(database: Database, which: DeadlineFilter, now: datetime) -> int:
    return int(await database.deadlines.count_documents(which.query(now)))


@answered
async def deadline(database: Database, id: UUID) -> Document:
    """Raises NotFound."""
    found = await database.deadlines.find_one({"_id": {"$eq": str(id)}, "due_at": {"$exists": True}})
    if found is None:
        raise NotFound("Không có thời hạn mang mã này.")
    return dict(found)


@answered
async def has_duty(database: Database, duty: str) -> bool:
    return await database.deadlines.find_one({"duty": {"$eq": duty}}, {"_id": 1}) is not None


@answered
async def labels(database: Database, subjects: Iterable[str]) -> dict[str, str]:
    """How people call these subjects, as the first of their deadlines says."""
    which = {"subject": {"$in": list(set(subjects))}, "label": {"$gt": ""}}
    found = database.deadlines.find(which, {"subject": 1, "label": 1})
    return {d["subject"]: d["label"] async for d in found}


@answered
async def subject_called(database: Database, number: str, unit: str = "") -> str:
    """The subject that bears this number (số tiếp nhận), among what ``unit`` owes; empty: none does."""
    which: Document = {"label": {"$eq": number}, **({"unit": {"$eq": unit}} if unit else {})}
    found = await database.deadlines.find_one(which, {"subject": 1})
    return str(found["subject"]) if found else ""
