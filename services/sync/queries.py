"""The reads of deliveries: by item, portal and state; the projections and indexes of sync's database.
How each portal is doing is in health.py."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.sync import backlog
from services.sync.backlog import NEVER
from services.sync.regulation import Status
from shared.contracts.base import Recorded
from shared.contracts.clocks import move_told, since_of
from shared.contracts.sync import (
    DeliveriesRetryRequested,
    DeliveryClockMoved,
    DeliveryEscalated,
    DeliveryFailed,
    DeliveryPlanned,
    DeliverySucceeded,
    DeliverySuperseded,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.mongo import Database, answered
from shared.projections import Fields, Projection
from shared.web.forms import cursor_of, place_of

# Projections


async def _planned(recorded: Recorded[DeliveryPlanned], _: Vault) -> Fields:
    event, clock = recorded.event, recorded.event.opens[0]
    return {
        "item_id": str(event.item_id), "item_version": event.item_version,
        "text_version": event.text_version, "partner": event.partner, "action": event.action.value,
        "title": event.title, "state": Status.PENDING.value, "since": since_of(clock),
        "planned_at": recorded.at, "due_at": clock.due_at, "basis": clock.basis,
        "explanation": clock.explanation_vi, "attempts": 0, "escalated": False,
        "next_at": recorded.at, "claimed_until": NEVER, "correlation": recorded.correlation,
        "reason": "", "http_status": None, "failed_at": None, "done_at": None, "content_hash": "",
        "cause": "", "waiting_for": "", "deferrals": 0,
    }  # fmt: skip


async def _failed(recorded: Recorded[DeliveryFailed], _: Vault) -> Fields:
    event = recorded.event
    return {
        "state": Status.FAILED.value, "attempts": event.attempt, "reason": event.reason,
        "http_status": event.http_status, "failed_at": recorded.at, "next_at": event.retry_at,
        "claimed_until": NEVER, "waiting_for": "",
    }  # fmt: skip


async def _escalated(recorded: Recorded[DeliveryEscalated], _: Vault) -> Fields:
    return {"escalated": True}


async def _clock_moved(recorded: Recorded[DeliveryClockMoved], _: Vault) -> Fields:
    clock, (words, _en) = recorded.event.clock, move_told(recorded.event, "Hạn đồng bộ")
    told = {"moved": words, "moved_at": recorded.at} if words else {}
    return {"due_at": clock.due_at, "explanation": clock.explanation_vi, **told}


async def _succeeded(recorded: Recorded[DeliverySucceeded], _: Vault) -> Fields:
    event = recorded.event
    return {
        "state": Status.DONE.value, "attempts": event.attempts, "content_hash": event.content_hash,
        "done_at": event.acknowledged_at, "next_at": None, "claimed_until": NEVER, "waiting_for": "",
    }  # fmt: skip


async def _superseded(recorded: Recorded[DeliverySuperseded], _: Vault) -> Fields:
    return {
        "state": Status.SUPERSEDED.value, "cause": recorded.event.cause.value, "done_at": recorded.at,
        "next_at": None, "claimed_until": NEVER, "waiting_for": "",
    }  # fmt: skip


async def _retry_requested(recorded: Recorded[DeliveriesRetryRequested], _: Vault) -> Fields:
    return {"retry_requested_at": recorded.at, "retry_requested_by": recorded.by}


PROJECTIONS: Final = (
    Projection(
        "deliveries", "delivery",
        {
            DeliveryPlanned: _planned, DeliveryFailed: _failed, DeliveryEscalated: _escalated,
            DeliveryClockMoved: _clock_moved, DeliverySucceeded: _succeeded, DeliverySuperseded: _superseded,
        },
        wakes=("dispatch",),
    ),
    Projection("portals", "portal", {DeliveriesRetryRequested: _retry_requested}, wakes=("dispatch",)),
)  # fmt: skip


async def prepare(database: Database) -> None:
    await backlog.prepare(database)
    for name, keys in {
        "since": [("since", -1), ("_id", 1)],
        "partner_since": [("partner", 1), ("since", -1), ("_id", 1)],
        "item_since": [("item_id", 1), ("since", -1), ("_id", 1)],
        "state_since": [("state", 1), ("since", -1), ("_id", 1)],
        "partner_done": [("partner", 1), ("state", 1), ("done_at", -1)],
    }.items():
        await database.deliveries.create_index(keys, name=name)


# Deliveries


@dataclass(frozen=True, slots=True)
class Page:
    items: list[dict[str, Any]]
    next: str | None


@answered
async def deliveries(
    database: Database,
    *,
    item_id: str = "",
    partner: str = "",
    state: Status | None = None,
    cursor: str = "",
    limit: int = 50,
) -> Page:
    """The newest first."""
    which: dict[str, Any] = {}
    if item_id:
        which["item_id"] = {"$eq": item_id}
    if partner:
        which["partner"] = {"$eq": partner}
    if state:
        which["state"] = {"$eq": state.value}
    if cursor:
        since, id = _place(cursor)
        which["$or"] = [{"since": {"$lt": since}}, {"since": since, "_id": {"$gt": id}}]
    found = database.deliveries.find(which).sort([("since", -1), ("_id", 1)]).limit(limit + 1)
    rows = [row async for row in found]
    more = (
        cursor_of([rows[limit - 1]["since"].isoformat(), rows[limit - 1]["_id"]])
        if len(rows) > limit
        else None
    )
    return Page(rows[:limit], more)


def _place(cursor: str) -> tuple[datetime, str]:
    place = place_of(cursor)
    try:
        since, id = datetime.fromisoformat(str(place[0])), str(place[1])
    except (ValueError, IndexError):
        since = None
    if since is None or since.tzinfo is None:
        place_of("!")  # refused in the same words as any other broken cursor
        raise AssertionError("unreachable")
    return since, id


@answered
async def delivery(database: Database, id: str) -> dict[str, Any]:
    """With each of its attempts, the newest first."""
    row: dict[str, Any] | None = await database.deliveries.find_one({"_id": {"$eq": id}})
    if row is None:
        raise NotFound("Không có lượt chuyển mang mã này.")
    tries = database.attempts.find({"delivery_id": {"$eq": id}}).sort("number", -1).limit(100)
    return row | {"tries": [one async for one in tries]}


@answered
async def last_attempts(database: Database, rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The latest attempt of each of these deliveries, by delivery."""
    ids = [f"{row['_id']}:{row['attempts']}" for row in rows]
    return {one["delivery_id"]: one async for one in database.attempts.find({"_id": {"$in": ids}})}


@answered
async def counts(database: Database, partner: str = "") -> Mapping[str, int]:
    which = {"partner": {"$eq": partner}} if partner else {}
    pipeline = [{"$match": which}, {"$group": {"_id": "$state", "count": {"$sum": 1}}}]
    return {row["_id"]: row["count"] async for row in database.deliveries.aggregate(pipeline)}
