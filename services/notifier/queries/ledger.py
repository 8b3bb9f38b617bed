"""The notices and their proof."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.notifier.domain import lane_of
from services.notifier.queries.terms import Document, due
from services.notifier.regulation import LANES, Lane, NoticeStatus, Policy
from shared.contracts.base import Event, Recorded
from shared.contracts.notifier import (
    Delivery,
    NoticeBounced,
    NoticeFailed,
    NoticeReachedOtherwise,
    NoticeRequested,
    NoticeRetryAsked,
    NoticeSending,
    NoticeSent,
    NoticeWithheld,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.journal import Commit
from shared.mongo import Database, answered
from shared.projections import Column, Fields

LANE_ORDER: Final = (Lane.URGENT, Lane.STATUTORY, Lane.COURTESY, Lane.INTERNAL, Lane.SIGNAL)
# What tells our own people of a deadline, by whatever channel, has its hour.
HOURLY: Final = tuple(kind for kind, lane in LANES.items() if lane is Lane.INTERNAL)


async def _requested(r: Recorded[NoticeRequested], _: Vault) -> Fields:
    return _asked(r)


def _asked(r: Recorded[NoticeRequested]) -> Fields:
    event = r.event
    lane = LANE_ORDER.index(lane_of(event.kind, event.recipient))
    return {
        "kind": event.kind, "subject": event.subject, "recipient": event.recipient, "round": event.round,
        "statutory": event.statutory, "message_id": event.message_id, "correlation": r.correlation,
        "about": event.about, "template": event.template, "duty": event.duty, "unit": event.unit,
        "deadline_id": str(event.deadline_id or ""), "listed": [str(id) for id in event.listed],
        "status": NoticeStatus.REQUESTED.value, "requested_at": r.at, "lane": lane,
        "next_at": event.not_before or r.at, "attempts": 0, "uncertain": False, "sent_at": None, "reply": "",
        "reason": "", "bounced_at": None, "reached_at": None,
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


async def _bounced(r: Recorded[NoticeBounced], _: Vault) -> Fields:
    event = r.event
    return {"status": NoticeStatus.BOUNCED.value, "bounced_at": event.bounced_at,
            "permanent": event.permanent, "bounce": event.status, "reason": event.reason,
            "next_at": None}  # fmt: skip


async def _asked_again(r: Recorded[NoticeRetryAsked], _: Vault) -> Fields:
    return {"status": NoticeStatus.RETRYING.value, "reason": r.event.reason, "next_at": r.at}


async def _reached(r: Recorded[NoticeReachedOtherwise], _: Vault) -> Fields:
    event = r.event
    return {"status": NoticeStatus.REACHED.value, "reached_at": event.reached_at, "reached_way": event.way,
            "reached_proof": event.proof, "next_at": None}  # fmt: skip


async def _withheld(r: Recorded[NoticeWithheld], _: Vault) -> Fields:
    return {"status": NoticeStatus.WITHHELD.value, "reason": r.event.reason, "moot": r.event.moot,
            "next_at": None}  # fmt: skip


def columns(policy: Policy) -> Mapping[type[Event], Column]:
    async def sending(r: Recorded[NoticeSending], _: Vault) -> Fields:
        # Looked at again when its sender should long have said how it ended.
        return {"status": NoticeStatus.SENDING.value, "attempts": r.event.attempt, "tried_at": r.at,
                "next_at": r.at + policy.claim_timeout}  # fmt: skip

    return {NoticeRequested: _requested, NoticeSending: sending, NoticeSent: _sent, NoticeFailed: _failed,
            NoticeWithheld: _withheld, NoticeBounced: _bounced, NoticeRetryAsked: _asked_again,
            NoticeReachedOtherwise: _reached}  # fmt: skip


@dataclass(frozen=True, slots=True)
class DueNotice:
    id: UUID
    kind: str
    subject: str
    round: int
    message_id: str
    claimed: bool
    correlation: str
    recipient: str = "asker"
    about: str = ""
    template: str = "v1"
    statutory: bool = True
    duty: str = ""
    unit: str = ""
    deadline_id: UUID | None = None
    listed: tuple[UUID, ...] = ()
    requested_at: datetime | None = None

    @property
    def timed(self) -> bool:
        """What to do with it depends on what time it is: a claim to be taken as lost, or one with an hour."""
        return self.claimed or self.kind in HOURLY

    @classmethod
    def of(cls, d: Document) -> "DueNotice":
        """A row of an older build has not all of it until the list is made anew."""
        return cls(
            UUID(d["_id"]), d["kind"], d["subject"], d["round"], d["message_id"],
            d["status"] == NoticeStatus.SENDING.value, d["correlation"], d["recipient"],
            d.get("about", ""), d.get("template", "v1"), d["statutory"], d.get("duty", ""),
            d.get("unit", ""), UUID(d["deadline_id"]) if d.get("deadline_id") else None,
            tuple(map(UUID, d.get("listed", ()))), d["requested_at"],
        )  # fmt: skip

    @classmethod
    def heard(cls, commit: Commit, source: str, lanes: Sequence[Lane]) -> "DueNotice | None":
        """What a commit asks to be sent by one of these lanes at once, before any list shows it."""
        if commit.events[0].name != NoticeRequested.name:
            return None
        recorded: Recorded[Any] = commit.recorded(source)[0]
        event = recorded.event
        if event.not_before is not None or lane_of(event.kind, event.recipient) not in lanes:
            return None
        return cls.of({"_id": recorded.subject_id, **_asked(recorded)})


@answered
async def due_notices(
    database: Database, lanes: Sequence[Lane], now: datetime, limit: int, *, timed: bool = True
) -> list[DueNotice]:
    """Notices to send now, by lane and then the oldest first; without those that are ``timed`` if not
    wanted."""
    which: Document = {"lane": {"$in": [LANE_ORDER.index(lane) for lane in lanes]}, "next_at": due(now)}
    if not timed:
        which |= {"status": {"$ne": NoticeStatus.SENDING.value}, "kind": {"$nin": HOURLY}}
    found = database.notices.find(which).sort([("lane", 1), ("next_at", 1)]).limit(limit)
    return [DueNotice.of(d) async for d in found]


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
