"""The calendar's versions, and the open deadlines that a change may touch: they are found by when they end,
so that a change of next year's days examines only what runs until then."""

from collections.abc import AsyncIterator, Mapping
from datetime import date, datetime, time
from typing import Any, Final
from uuid import UUID

from services.notifier.domain import Deadline
from services.notifier.domain.deadline_moves import OpenTerm
from services.notifier.queries.terms import Document
from services.notifier.regulation import CalendarStatus, DeadlineStatus
from shared.calendar import VIETNAM
from shared.contracts.base import Clock, Event, Recorded
from shared.contracts.calendars import order_of
from shared.contracts.notifier import (
    CalendarApplied,
    CalendarDiscarded,
    CalendarDrafted,
    CalendarMovesFinished,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.journal import Head
from shared.mongo import Database, answered
from shared.projections import Column, Fields

PAGE: Final = 2000


async def _drafted(r: Recorded[CalendarDrafted], _: Vault) -> Fields:
    event = r.event.model_dump(mode="json", include={"base", "documents", "years"})
    return {**event, "document": "", "status": CalendarStatus.DRAFTED.value, "drafted_at": r.at,
            "drafted_by": r.by, "applied_at": None}  # fmt: skip


async def _applied(r: Recorded[CalendarApplied], _: Vault) -> Fields:
    event = r.event.model_dump(mode="json", include={"base", "document", "documents", "years"})
    return {**event, "status": CalendarStatus.APPLIED.value, "applied_at": r.at, "applied_by": r.by,
            "applied_event": r.id, "finished_at": None}  # fmt: skip


async def _discarded(r: Recorded[CalendarDiscarded], _: Vault) -> Fields:
    return {"status": CalendarStatus.DISCARDED.value, "reason": r.event.reason, "discarded_at": r.at,
            "discarded_by": r.by}  # fmt: skip


async def _finished(r: Recorded[CalendarMovesFinished], _: Vault) -> Fields:
    event = r.event
    return {"finished_at": r.at, "examined": event.examined, "moved": event.moved,
            "rescinded": event.rescinded}  # fmt: skip


COLUMNS: Final[Mapping[type[Event], Column]] = {
    CalendarDrafted: _drafted, CalendarApplied: _applied, CalendarDiscarded: _discarded,
    CalendarMovesFinished: _finished,
}  # fmt: skip


@answered
async def prepare(database: Database) -> None:
    """For what a version has still to look at, and for counting what it has moved."""
    await database.deadlines.create_index(
        [("status", 1), ("calendar_version", 1), ("due_at", 1), ("_id", 1)], name=BY_VERSION
    )


@answered
async def calendar_versions(database: Database, *statuses: CalendarStatus) -> list[Document]:
    """The newest first; all of them, for there are a few a year."""
    found = await database.calendars.find({"status": {"$in": list(statuses)}}).to_list(None)
    return sorted(found, key=lambda row: order_of(row["_id"]), reverse=True)


@answered
async def calendar_version(database: Database, version: str) -> Document:
    found = await database.calendars.find_one({"_id": {"$eq": version}})
    if found is None:
        raise NotFound(f"Không có bản lịch {version}.")
    return dict(found)


@answered
async def unfinished_calendars(database: Database) -> list[Document]:
    """Applied, and their moves not yet told to be over; the oldest first."""
    which = {"status": CalendarStatus.APPLIED.value, "finished_at": None}
    found = await database.calendars.find(which).to_list(None)
    return sorted(found, key=lambda row: order_of(row["_id"]))


@answered
async def open_in_other_calendars(database: Database, version: str) -> list[str]:
    """Versions that open deadlines are counted in, besides this one. The index is leapt through, a version a
    leap."""
    found: list[str] = []
    while True:
        which: Document = {"status": DeadlineStatus.OPEN.value}
        if found:
            which["calendar_version"] = {"$gt": found[-1]}
        row = await database.deadlines.find_one(
            which, {"calendar_version": 1, "_id": 0}, sort=[("calendar_version", 1)],
            hint=BY_VERSION,
        )  # fmt: skip
        if row is None:
            return [each for each in found if each != version]
        found.append(row["calendar_version"])


BY_VERSION: Final = "status_calendar_due"
Place = tuple[()] | tuple[datetime, str]  # (due_at, id) behind which to go on


def _reaching(versions: Mapping[str, date | None], after: Place = ()) -> Document:
    """Open deadlines of these versions that end on that day or later; None: all of them. Each arm is one
    stretch of the index, for thousands end at the same midnight."""
    arms: list[Document] = []
    for version, day in versions.items():
        if day is date.max:
            continue
        arm: Document = {"status": DeadlineStatus.OPEN.value, "calendar_version": {"$eq": version}}
        begins = None if day is None else datetime.combine(day, time.min, VIETNAM)
        if after and (begins is None or after[0] > begins):
            due_at, id = after
            arms += [arm | {"due_at": {"$eq": due_at}, "_id": {"$gt": id}}, arm | {"due_at": {"$gt": due_at}}]
        else:
            arms.append(arm if begins is None else arm | {"due_at": {"$gt": begins}})
    return {"$or": arms} if arms else {"_id": None}


TERM: Final = (
    "unit", "started_at", "working_days", "due_at", "stated_due_at", "calendar_version", "provisional",
    "breached", "subject", "label", "duty", "received_at",
)  # fmt: skip


def term_of(d: Mapping[str, Any]) -> OpenTerm:
    return OpenTerm(
        d["_id"], d["unit"], d["started_at"], d["working_days"], d["due_at"], d.get("stated_due_at"),
        d["calendar_version"], d["provisional"], bool(d.get("breached")), d.get("received_at"),
    )  # fmt: skip


async def open_terms(
    database: Database, versions: Mapping[str, date | None], *, after: Place = ()
) -> AsyncIterator[list[Document]]:
    """Page by page, the first due first, behind ``after``. Only what a preview must know."""
    place = after
    while True:
        page = await _open_page(database, versions, place, dict.fromkeys(TERM, 1))
        if page:
            yield page
        if len(page) < PAGE:
            return
        place = (page[-1]["due_at"], page[-1]["_id"])


async def open_deadlines(
    database: Database, versions: Mapping[str, date | None], *, after: Place = (), limit: int = PAGE
) -> list[Document]:
    """Whole, to be moved: the first due first, behind ``after``."""
    return await _open_page(database, versions, after, None, limit)


@answered
async def _open_page(
    database: Database, versions: Mapping[str, date | None], after: Place, fields: Mapping[str, int] | None,
    limit: int = PAGE,
) -> list[Document]:  # fmt: skip
    found = database.deadlines.find(_reaching(versions, after), fields).hint(BY_VERSION)
    page = await found.sort([("due_at", 1), ("_id", 1)]).limit(limit).batch_size(limit).to_list(limit)
    return list(page)


@answered
async def count_open(database: Database, versions: Mapping[str, date | None]) -> int:
    return int(await database.deadlines.count_documents(_reaching(versions), hint=BY_VERSION))


@answered
async def count_moved(database: Database, version: str) -> tuple[int, int, int]:
    """Recorded anew in this version; of them with another due time; of them no breach any more."""
    recorded = {
        "status": {"$in": list(DeadlineStatus)}, "calendar_version": {"$eq": version},
        "moved": {"$eq": version},
    }  # fmt: skip
    elsewhere = recorded | {"$expr": {"$ne": ["$due_at", "$moved_from"]}}
    withdrawn = recorded | {"rescinded_in": {"$eq": version}}
    return (
        await database.deadlines.count_documents(recorded),
        await database.deadlines.count_documents(elsewhere),
        await database.deadlines.count_documents(withdrawn),
    )


@answered
async def note_progress(database: Database, version: str, facts: Document) -> None:
    """How far the moves are; beside the projection, for no event tells of it."""
    await database.calendar_progress.update_one({"_id": version}, {"$set": facts}, upsert=True)


@answered
async def progress(database: Database, version: str) -> Document:
    return dict(await database.calendar_progress.find_one({"_id": {"$eq": version}}) or {})


def shown_of(d: Mapping[str, Any]) -> tuple[Deadline, Head | None, str]:
    """The deadline as the list shows it, the head of its stream then, and what it came of."""
    clock = Clock(
        name=d["name"], duty=d["duty"], basis=d["basis"], owner_unit=d["unit"], started_at=d["started_at"],
        start_reason=d["start_reason"], working_days=d["working_days"], warn_at=d["warn_at"],
        due_at=d["due_at"], calendar_version=d["calendar_version"], provisional=d["provisional"],
        explanation_vi=d["explanation_vi"], explanation_en=d["explanation_en"],
        received_at=d.get("received_at"),
    )  # fmt: skip
    # A list that was drawn before it kept these is no ground to write on: the stream is read.
    sure = d.get("head") and "stated_due_at" in d and "received_at" in d
    deadline = Deadline(
        id=UUID(d["_id"]), subject=d["subject"], source=d["source"], label=d["label"], clock=clock,
        status=DeadlineStatus(d["status"]), breached=bool(d.get("breached")), stated=d.get("stated_due_at"),
    )  # fmt: skip
    return deadline, Head(d["version"], d["head"]) if sure else None, d.get("correlation", "")
