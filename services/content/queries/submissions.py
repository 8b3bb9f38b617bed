"""The desk's lists, and where each item is shown: reads, projections, indexes."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from services.content.domain.body import SourceRegister
from services.content.domain.placement import Placement
from services.content.domain.rules import OtherUnit
from services.content.domain.submission import Submission
from services.content.queries.paging import Listed, listed, moment_place
from services.content.regulation import LIMITS, Role, Status
from shared.contracts.base import Recorded
from shared.contracts.content import (
    PlacementConfirmed,
    SubmissionApproved,
    SubmissionClockMoved,
    SubmissionEdited,
    SubmissionPermitted,
    SubmissionPublished,
    SubmissionResubmitted,
    SubmissionReturned,
    SubmissionSubmitted,
    SubmissionWithdrawn,
)
from shared.desk import Desk, Vault
from shared.directory import SERVICE_ROLE
from shared.errors import Forbidden, NotFound
from shared.mongo import Database, answered
from shared.projections import Fields, Projection
from shared.workflow import Actor

READERS: Final = frozenset({Role.EDITOR, Role.APPROVER, "operator", SERVICE_ROLE})
WAITING: Final = [c.value for c, limit in LIMITS.items() if limit.needs_permission]


async def _submitted(r: Recorded[SubmissionSubmitted], _: Vault) -> Fields:
    e = r.event
    return {
        "status": Status.SUBMITTED.value, "content_class": e.content_class.value, "unit": e.unit,
        "author": e.author, "title": e.title, "text_version": e.text_version, "event_at": e.event_at,
        "permitted_at": e.permitted_at, "submitted_at": r.at, "stage_since": r.at, "editor": "",
        "due_at": e.opens[0].due_at if e.opens else None, "owed": False,
    }  # fmt: skip


async def _edited(r: Recorded[SubmissionEdited], _: Vault) -> Fields:
    e = r.event
    return {"status": Status.SUBMITTED.value, "title": e.title, "text_version": e.text_version,
            "editor": e.editor, "edited_at": r.at}  # fmt: skip


async def _resubmitted(r: Recorded[SubmissionResubmitted], _: Vault) -> Fields:
    e = r.event
    return {"status": Status.SUBMITTED.value, "title": e.title, "text_version": e.text_version,
            "stage_since": r.at, "owed": False}  # fmt: skip


async def _returned(r: Recorded[SubmissionReturned], _: Vault) -> Fields:
    return {"status": Status.RETURNED.value, "stage_since": r.at, "owed": r.event.incomplete}


async def _approved(r: Recorded[SubmissionApproved], _: Vault) -> Fields:
    return {"status": Status.APPROVED.value, "stage_since": r.at}


async def _permitted(r: Recorded[SubmissionPermitted], _: Vault) -> Fields:
    e = r.event
    return {"permitted_at": e.permitted_at, **({"due_at": e.opens[0].due_at} if e.opens else {})}


async def _clock_moved(r: Recorded[SubmissionClockMoved], _: Vault) -> Fields:
    return {"due_at": r.event.clock.due_at}


async def _published(r: Recorded[SubmissionPublished], _: Vault) -> Fields:
    return {"status": Status.PUBLISHED.value, "stage_since": r.at, "published_at": r.event.published_at}


async def _withdrawn(r: Recorded[SubmissionWithdrawn], _: Vault) -> Fields:
    return {"status": Status.WITHDRAWN.value, "stage_since": r.at}


async def _placed(r: Recorded[PlacementConfirmed], _: Vault) -> Fields:
    e = r.event
    return {"submission_id": str(e.submission_id), "partner": e.partner, "text_version": e.text_version,
            "action": e.action, "acknowledged_at": e.acknowledged_at}  # fmt: skip


SUBMISSIONS: Final = Projection("submissions", Submission.KIND, {
    SubmissionSubmitted: _submitted, SubmissionEdited: _edited, SubmissionResubmitted: _resubmitted,
    SubmissionReturned: _returned, SubmissionApproved: _approved, SubmissionPermitted: _permitted,
    SubmissionClockMoved: _clock_moved, SubmissionPublished: _published, SubmissionWithdrawn: _withdrawn,
})  # fmt: skip
PLACEMENTS: Final = Projection("placements", Placement.KIND, {PlacementConfirmed: _placed})


async def prepare(database: Database) -> None:
    rows = database.submissions
    await rows.create_index([("status", 1), ("stage_since", 1), ("_id", 1)], name="status_stage")
    await rows.create_index([("unit", 1), ("status", 1), ("stage_since", 1)], name="unit_status_stage")
    await database.placements.create_index([("submission_id", 1)], name="submission")


def may_read(by: Actor, unit: str) -> bool:
    return bool(by.roles & READERS) or (Role.AUTHOR in by.roles and by.unit == unit)


async def read(desk: Desk[Any], id: UUID | str) -> Submission:
    """One item, for whoever may read it: an author reads only what the own unit has sent."""
    visible_to(desk.by)
    try:
        found = await desk.load(Submission, id if isinstance(id, UUID) else UUID(id))
    except ValueError as error:
        raise NotFound("Không có bài mang mã này.") from error
    if not may_read(desk.by, found.unit):
        raise OtherUnit("Bài này do đơn vị khác gửi.")
    return found


def visible_to(by: Actor) -> dict[str, Any]:
    """Editors and approvers see every unit's items, an author those of the own unit."""
    if by.roles & READERS:
        return {}
    if Role.AUTHOR in by.roles:
        return {"unit": {"$eq": by.unit}}
    raise Forbidden("Tài khoản này không có vai trò nào trong việc gửi, biên tập, duyệt bài.")


def waiting_for(by: Actor) -> dict[str, Any]:
    """What this person is the next to act on; what they wrote themselves is not theirs to approve."""
    turns: list[dict[str, Any]] = []
    not_own = {"author": {"$ne": by.subject}, "editor": {"$ne": by.subject}}
    shown = {"$or": [{"content_class": {"$nin": WAITING}}, {"permitted_at": {"$ne": None}}]}
    if Role.APPROVER in by.roles:
        turns.append({"status": Status.SUBMITTED.value, **not_own})
    if Role.EDITOR in by.roles:
        turns.append({"status": Status.SUBMITTED.value, "editor": ""})
    if by.roles & {Role.APPROVER, Role.EDITOR}:
        turns.append({"status": Status.APPROVED.value, **shown})
    if Role.AUTHOR in by.roles:
        own = {"unit": {"$eq": by.unit}}
        turns.append({"status": Status.RETURNED.value, **own})
        live = [Status.SUBMITTED.value, Status.APPROVED.value]
        turns.append(
            {"status": {"$in": live}, "content_class": {"$in": WAITING}, "permitted_at": None, **own}
        )
    return {"$or": turns} if turns else {"_id": {"$in": []}}


@answered
async def submissions(
    database: Database, which: Mapping[str, Any], *, cursor: str = "", limit: int = 20, oldest: bool = False
) -> Listed:
    """By how long they are in their stage: the newest first, or the oldest where somebody waits."""
    conditions = [dict(which)]
    order = 1 if oldest else -1
    if cursor:
        since, last = moment_place(cursor)
        beyond = "$gt" if oldest else "$lt"
        conditions.append({"$or": [
            {"stage_since": {beyond: since}}, {"stage_since": since, "_id": {beyond: last}},
        ]})  # fmt: skip
    found = database.submissions.find({"$and": conditions}).sort([("stage_since", order), ("_id", order)])
    rows = await found.limit(limit + 1).to_list(limit + 1)
    return listed(rows, limit, lambda row: [row["stage_since"].isoformat(), row["_id"]])


@answered
async def counts(database: Database, by: Actor) -> dict[str, int]:
    """How many items of each status this person sees, and how many wait for them (``mine``)."""
    seen = visible_to(by)
    grouped = database.submissions.aggregate([{"$match": seen}, {"$sortByCount": "$status"}])
    found = {status.value: 0 for status in Status} | {row["_id"]: row["count"] async for row in grouped}
    found["mine"] = await database.submissions.count_documents({"$and": [seen, waiting_for(by)]})
    return found


@answered
async def placements(database: Database, submission_id: Any) -> list[dict[str, Any]]:
    found = database.placements.find({"submission_id": {"$eq": str(submission_id)}}).sort("partner", 1)
    return [row async for row in found]


@answered
async def source_register(database: Database) -> SourceRegister:
    """Nguồn tin chính thức, as the directory has them now."""
    return SourceRegister.of(
        [name async for row in database.sources.find() for name in (row["name"], *row.get("aliases", ()))]
    )


@answered
async def source_names(database: Database) -> dict[str, str]:
    return {row["_id"]: row["name"] async for row in database.sources.find({}, {"name": 1}).sort("name", 1)}
