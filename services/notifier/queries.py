"""Every read of the register, its read models and their indexes. A sweep examines what is due, however much
is open: what has nothing to wait for has no ``next_at`` and is not in the index."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from services.notifier.domain import Deadline, Notice, lane_of
from services.notifier.regulation import DeadlineStatus, Lane, NoticeStatus, Policy
from shared.calendar import CALENDAR
from shared.contracts.base import Recorded
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineDischargedEarly,
    DeadlineMet,
    DeadlineOpened,
    DeadlineVoided,
    DeadlineWarned,
    Delivery,
    NoticeFailed,
    NoticeRequested,
    NoticeSending,
    NoticeSent,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.mongo import Database, answered
from shared.projections import Fields, Projection

ENDED: Final = frozenset({"met", "late", "void"})
LANE_ORDER: Final = (Lane.URGENT, Lane.STATUTORY, Lane.COURTESY)
MOMENT: Final = timedelta(microseconds=1)
Document = dict[str, Any]


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


async def _requested(r: Recorded[NoticeRequested], _: Vault) -> Fields:
    event = r.event
    lane = LANE_ORDER.index(lane_of(event.kind))
    return {
        "kind": event.kind, "subject": event.subject, "recipient": event.recipient, "round": event.round,
        "statutory": event.statutory, "message_id": event.message_id, "correlation": r.correlation,
        "status": NoticeStatus.REQUESTED.value, "requested_at": r.at, "lane": lane, "next_at": r.at,
        "attempts": 0, "uncertain": False, "sent_at": None, "reply": "", "reason": "",
    }  # fmt: skip


async def _sent(r: Recorded[NoticeSent], _: Vault) -> Fields:
    event = r.event
    return {"status": NoticeStatus.SENT.value, "sent_at": event.accepted_at, "reply": event.reply,
            "next_at": None}  # fmt: skip


async def _failed(r: Recorded[NoticeFailed], _: Vault) -> Fields:
    event, lost = r.event, r.event.outcome is Delivery.UNCERTAIN
    given_up = NoticeStatus.UNCERTAIN if lost else NoticeStatus.FAILED
    status = NoticeStatus.RETRYING if event.retry_at else given_up
    doubt = {"uncertain": True} if lost else {}
    return {
        "status": status.value,
        "reason": event.reason,
        "failed_at": r.at,
        "next_at": event.retry_at,
        **doubt,
    }


def projections(policy: Policy) -> tuple[Projection, ...]:
    async def sending(r: Recorded[NoticeSending], _: Vault) -> Fields:
        # Looked at again when its sender should long have said how it ended.
        return {"status": NoticeStatus.SENDING.value, "attempts": r.event.attempt, "tried_at": r.at,
                "next_at": r.at + policy.claim_timeout}  # fmt: skip

    deadlines = Projection("deadlines", Deadline.KIND, {
        DeadlineOpened: _opened, DeadlineDischargedEarly: _early, DeadlineWarned: _warned,
        DeadlineBreached: _breached, DeadlineMet: _met, DeadlineVoided: _voided,
    }, wakes=("fire_due",))  # fmt: skip
    notices = Projection("notices", Notice.KIND, {
        NoticeRequested: _requested, NoticeSending: sending, NoticeSent: _sent, NoticeFailed: _failed,
    }, wakes=("send_urgent", "send_notices"))  # fmt: skip
    return deadlines, notices


def due(now: datetime) -> Document:
    """Of ``next_at``. The type is named so that the planner may use the index of what waits."""
    return {"$type": "date", "$lte": now}


@answered
async def prepare(database: Database) -> None:
    waiting = {"next_at": {"$type": "date"}}
    deadlines, notices = database.deadlines, database.notices
    await deadlines.create_index([("next_at", 1)], name="next", partialFilterExpression=waiting)
    await deadlines.create_index([("subject", 1), ("due_at", 1)], name="subject_due")
    await deadlines.create_index([("status", 1), ("due_at", 1), ("_id", 1)], name="status_due")
    await deadlines.create_index([("unit", 1), ("status", 1), ("due_at", 1), ("_id", 1)], name="unit_due")
    await deadlines.create_index([("status", 1), ("late", 1), ("ended_at", 1)], name="status_late_ended")
    await notices.create_index([("lane", 1), ("next_at", 1)], name="next", partialFilterExpression=waiting)
    await notices.create_index([("subject", 1), ("requested_at", 1)], name="subject_requested")
    await notices.create_index([("status", 1), ("requested_at", -1), ("_id", 1)], name="status_requested")
    await notices.create_index([("requested_at", -1), ("_id", 1)], name="requested")
    await database.backlog.create_index("at", expireAfterSeconds=24 * 3600, name="a_day")


@answered
async def due_deadlines(database: Database, now: datetime, limit: int) -> list[UUID]:
    """Deadlines with a stage to fire, the oldest first."""
    found = database.deadlines.find({"next_at": due(now)}, {"_id": 1}).sort("next_at", 1).limit(limit)
    return [UUID(d["_id"]) async for d in found]


@dataclass(frozen=True, slots=True)
class DueNotice:
    id: UUID
    kind: str
    subject: str
    round: int
    message_id: str
    claimed: bool
    correlation: str


@answered
async def due_notices(
    database: Database, lanes: Sequence[Lane], now: datetime, limit: int
) -> list[DueNotice]:
    """Notices to send now, by lane and then the oldest first."""
    which = {"lane": {"$in": [LANE_ORDER.index(lane) for lane in lanes]}, "next_at": due(now)}
    found = database.notices.find(which).sort([("lane", 1), ("next_at", 1)]).limit(limit)
    return [
        DueNotice(UUID(d["_id"]), d["kind"], d["subject"], d["round"], d["message_id"],
                  d["status"] == NoticeStatus.SENDING.value, d["correlation"])
        async for d in found
    ]  # fmt: skip


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


@answered
async def notices(
    database: Database, *, subject: str = "", state: str = "", kind: str = "", after: Sequence[Any] = (),
    limit: int = 50,
) -> list[Document]:  # fmt: skip
    """The newest first."""
    exact = {"subject": subject, "status": state, "kind": kind}
    query: Document = {name: {"$eq": value} for name, value in exact.items() if value}
    if after:
        at, id = datetime.fromisoformat(str(after[0])), str(after[1])
        query["$or"] = [{"requested_at": {"$lt": at}}, {"requested_at": {"$eq": at}, "_id": {"$gt": id}}]
    found = database.notices.find(query).sort([("requested_at", -1), ("_id", 1)]).limit(limit)
    return list(await found.to_list(limit))


@answered
async def notice(database: Database, id: UUID) -> Document:
    found = await database.notices.find_one({"_id": {"$eq": str(id)}})
    if found is None:
        raise NotFound("Không có thư báo mang mã này.")
    return dict(found)


@answered
async def unsent(database: Database, subjects: Iterable[str]) -> dict[str, Document]:
    """Statutory notices of these subjects that no server has accepted although it was tried."""
    tried = [s.value for s in (NoticeStatus.RETRYING, NoticeStatus.SENDING, NoticeStatus.FAILED)]
    which = {
        "subject": {"$in": list(set(subjects))}, "statutory": True, "attempts": {"$gt": 0},
        "status": {"$in": tried},
    }  # fmt: skip
    return {d["subject"]: d async for d in database.notices.find(which)}


@answered
async def note_service(database: Database, name: str, facts: Document) -> None:
    await database.service_states.update_one({"_id": name}, {"$set": facts}, upsert=True)


@answered
async def note_backlog(database: Database, service: str, state: Mapping[str, Any], now: datetime) -> None:
    """The most that waited in this minute, kept for a day."""
    waiting = sum(int(row["waiting"]) for row in state.get("lag", ()))
    minute = now.replace(second=0, microsecond=0)
    await database.backlog.update_one(
        {"_id": f"{service}@{minute:%Y%m%d%H%M}"},
        {"$max": {"waiting": waiting}, "$setOnInsert": {"service": service, "at": minute}},
        upsert=True,
    )
