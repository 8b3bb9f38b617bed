"""What must follow from what is on record: notices and mails, deadlines, portals, dead letters. Reckoned here
from the publishers' journals, not by asking those who should have done it."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.local.wiring import PORTALS
from oracle.effects_staff import ASKER
from oracle.evidence import Evidence, consumers
from oracle.findings import DOUBLED, LOST, REORDERED, STUCK, Finding, Findings
from oracle.points import ALL
from oracle.poison import Letter, Poison
from services.notifier.domain import deadline_id, notice_id
from shared.contracts.base import Clock, ClockedEvent, Event, Recorded
from shared.contracts.content import PlacementConfirmed, SubmissionPublished, SubmissionWithdrawn
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineOpened,
    DeadlineWarned,
    Delivery,
    NoticeFailed,
    NoticeRequested,
    NoticeSending,
    NoticeSent,
    NoticeWithheld,
)
from shared.contracts.qa import (
    AnswerReleased,
    NoticeAccepted,
    QuestionMerged,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
)
from shared.contracts.sync import Action, DeliveryPlanned, DeliverySucceeded, DeliverySuperseded

CLOCKS_DIFFER = timedelta(seconds=10)
Recordeds = Sequence[Recorded[Event]]


def notices(found: Evidence) -> Findings:
    """One notice for each reason to write, accepted by the mail server; copies only where the outcome of an
    attempt was uncertain, which is on record; the acceptance is on the question's own record once."""
    ours = found.events("notifier")
    requested = [r.event for r in ours if isinstance(r.event, NoticeRequested)]
    letters = [notice for notice in requested if notice.recipient == ASKER]
    asked = Counter(notice.notice_id for notice in letters)
    reasons = Counter((n.kind, n.subject, n.recipient, n.round) for n in letters)
    for reason, times in reasons.items():
        if times > 1:
            yield Finding(DOUBLED, "notices", f"{reason} was asked for {times} times", reason[1])
    for kind, recorded, round in _letters(found.events("qa")):
        id = notice_id(kind, recorded.stream, "asker", round)
        if not asked.pop(id, 0):
            yield Finding(LOST, "notices", f"{kind} of {recorded.stream} was never due", recorded.correlation)
    for id in asked:
        yield Finding(DOUBLED, "notices", f"notice {id} has no reason", str(id))
    yield from _mails(ours, found)
    askers = {notice.notice_id for notice in letters}
    to_askers = [r for r in ours if isinstance(r.event, NoticeSent) and r.event.notice_id in askers]
    yield from _accepted(to_askers, found.events("qa"))


def _letters(events: Recordeds) -> list[tuple[str, Recorded[Event], int]]:
    """Which letters the askers' questions come to. A part of a question is not acknowledged; what is answered
    or refused again after a reopening is a letter again."""
    told, rounds = [], Counter[tuple[str, str]]()
    for recorded in sorted(events, key=lambda r: (r.stream, r.sequence)):
        event = recorded.event
        match event:
            case QuestionReceived(part_of=None):
                kind = "acknowledgement"
            case QuestionRefused():
                kind = "refusal"
            case QuestionProgressReported():
                kind = "progress"
            case AnswerReleased():
                kind = "correction" if event.correction else "answer"
            case QuestionMerged():
                kind = "merged"
            case _:
                continue
        rounds[recorded.stream, kind] += 1
        named = getattr(event, "round", 0) or getattr(event, "correction", 0)
        told.append((kind, recorded, named or rounds[recorded.stream, kind]))
    return told


def _mails(ours: Recordeds, found: Evidence) -> Findings:
    copies = Counter(found.mails)
    sent = Counter(r.event.notice_id for r in ours if isinstance(r.event, NoticeSent))
    withheld = {r.event.notice_id for r in ours if isinstance(r.event, NoticeWithheld)}
    begun = Counter(r.event.notice_id for r in ours if isinstance(r.event, NoticeSending))
    doubts = Counter(
        r.event.notice_id for r in ours
        if isinstance(r.event, NoticeFailed) and r.event.outcome is Delivery.UNCERTAIN
    )  # fmt: skip
    for recorded in ours:
        notice = recorded.event
        if not isinstance(notice, NoticeRequested):
            continue
        id, count = notice.notice_id, copies.pop(notice.message_id, 0)
        name = f"{notice.kind} of {notice.subject}"
        about = recorded.correlation
        if sent[id] > begun[id]:
            yield Finding(LOST, "mails", f"{name} was accepted and is not on record as being sent", about)
        if sent[id] > 1:
            yield Finding(DOUBLED, "mails", f"{name}: {sent[id]} acceptances on record", about)
        held = id in withheld or (notice.not_before is not None and notice.not_before > datetime.now(UTC))
        if not sent[id] and not held and (notice.statutory or not doubts[id]):
            said = [
                r.event.reason for r in ours if isinstance(r.event, NoticeFailed) and r.event.notice_id == id
            ]
            yield Finding(STUCK, "mails", f"{name} was not accepted by the mail server: {said}", about)
        if sent[id] and not count:
            yield Finding(LOST, "mails", f"{name} counts as sent and never arrived", about)
        if count > min(1, sent[id]) + doubts[id]:
            what = f"{name} arrived {count} times, {doubts[id]} attempts in doubt"
            yield Finding(DOUBLED, "mails", what, about)
    for message_id, count in copies.items():
        yield Finding(DOUBLED, "mails", f"{count} mails {message_id} belong to no notice", message_id)


def _accepted(ours: Recordeds, qa: Recordeds) -> Findings:
    mailed = (r.event for r in qa if isinstance(r.event, NoticeAccepted) and r.event.way == "mail")
    told = Counter(event.notice_id for event in mailed)
    for recorded in ours:
        if not isinstance(recorded.event, NoticeSent):
            continue
        times = told.pop(recorded.event.notice_id, 0)
        if times != 1:
            kind = LOST if not times else DOUBLED
            what = f"acceptance of {recorded.event.kind} is {times} times on {recorded.event.subject}"
            yield Finding(kind, "acceptances", what, recorded.correlation)
    for id in told:
        yield Finding(DOUBLED, "acceptances", f"notice {id} is told as accepted and was not", str(id))


@dataclass
class Owed:
    """One deadline as the publishers' events make it: its clock, and how it ended for good."""

    stream: str
    name: str
    clock: Clock | None = None
    ends: list[tuple[datetime, bool]] = field(default_factory=list)

    @property
    def verdict(self) -> tuple[str, bool]:
        """Status, and late: the earliest end counts, and of two at one instant the fulfilment."""
        assert self.clock is not None  # noqa: S101 (only what was opened is judged)
        if not self.ends:
            return "open", False
        at, void = min(self.ends)
        return ("void", False) if void else ("met", at >= self.clock.due_at)


def _owed(found: Evidence) -> dict[Any, Owed]:
    owed: dict[Any, Owed] = {}
    heard = {kind for table in consumers("notifier").values() for kind in table}
    told = [r for name in ("content", "qa", "sync") for r in found.events(name)]
    for recorded in sorted(told, key=lambda r: (r.stream, r.sequence)):
        event = recorded.event
        if not isinstance(event, ClockedEvent) or type(event) not in heard:
            continue
        again = {clock.name for clock in event.reopens}
        clocks = {clock.name: clock for clock in (*event.reopens, *event.opens)}
        for name in {*clocks, *event.closes, *event.voids}:
            one = owed.setdefault(deadline_id(recorded.stream, name), Owed(recorded.stream, name))
            one.clock = one.clock or clocks.get(name)
            if name in again:
                one.ends.clear()  # what had ended it was none
            if name in event.closes:
                one.ends.append((event.closed_at or recorded.at, False))
            elif name in event.voids:
                one.ends.append((recorded.at, True))
    return owed


def deadlines(found: Evidence) -> Findings:
    """The register is what the publishers' events come to, in whatever order they were told; each stage fired
    once at most, and the breach whenever the time has passed."""
    owed, fired = _owed(found), _fired(found.events("notifier"))
    now = datetime.now(UTC) - CLOCKS_DIFFER
    for id, one in owed.items():
        row = found.deadlines.get(str(id))
        if one.clock is None:
            continue
        name = f"{one.name} of {one.stream}"
        if row is None:
            yield Finding(LOST, "deadlines", f"{name} was never opened", one.stream)
            continue
        if (row["status"], row.get("late")) != one.verdict:
            what = f"{name} is {row['status']}, late {row.get('late')}; must be {one.verdict}"
            yield Finding(LOST, "deadlines", what, one.stream)
        for kind, times in fired[id].items():
            if times > 1 and kind is DeadlineOpened:  # what a move re-arms is judged with its stages
                yield Finding(DOUBLED, "deadlines", f"{name}: {times} × {kind.name}", one.stream)
        if not one.ends and one.clock.due_at < now and not fired[id][DeadlineBreached]:
            yield Finding(STUCK, "deadlines", f"{name} is overdue and was not called a breach", one.stream)
    for row_id in set(found.deadlines) - {str(id) for id in owed}:
        yield Finding(DOUBLED, "deadlines", f"deadline {row_id} has no source", row_id)


def _fired(ours: Recordeds) -> dict[Any, Counter[type[Event]]]:
    fired: dict[Any, Counter[type[Event]]] = defaultdict(Counter)
    for recorded in ours:
        if isinstance(recorded.event, DeadlineOpened | DeadlineWarned | DeadlineBreached):
            fired[recorded.event.deadline_id][type(recorded.event)] += 1
    return fired


def portals(found: Evidence) -> Findings:
    """Each portal holds the newest version of each item, or its withdrawal; nothing of it is still open; the
    acknowledgement is on the item's own record."""
    newest: dict[str, tuple[int, Action, str]] = {}
    wanted: dict[tuple[str, int], str] = {}
    for r in found.events("content"):
        if isinstance(r.event, SubmissionPublished | SubmissionWithdrawn):
            action = Action.PUBLISH if isinstance(r.event, SubmissionPublished) else Action.WITHDRAW
            newest[str(r.event.submission_id)] = (r.version, action, r.correlation)
            wanted[str(r.event.submission_id), r.version] = r.correlation
    sync = found.events("sync")
    planned = Counter(
        (str(r.event.item_id), r.event.item_version, r.event.partner)
        for r in sync if isinstance(r.event, DeliveryPlanned)
    )  # fmt: skip
    ended = Counter(
        r.event.delivery_id for r in sync if isinstance(r.event, DeliverySucceeded | DeliverySuperseded)
    )
    open_ = [r for r in sync if isinstance(r.event, DeliveryPlanned) and not ended[r.event.delivery_id]]
    for recorded in open_:
        yield Finding(STUCK, "portals", f"{recorded.stream} is still to be made", recorded.correlation)
    placed: dict[tuple[str, str], int] = {}
    for r in found.events("content"):
        if isinstance(r.event, PlacementConfirmed):
            placed[str(r.event.submission_id), r.event.partner] = r.event.item_version
    for portal in PORTALS:
        for (item, version), about in wanted.items():
            times = planned.pop((item, version, portal.id), 0)
            if times != 1:
                kind = DOUBLED if times else LOST
                what = f"{item} v{version} was planned {times} times for {portal.id}"
                yield Finding(kind, "portals", what, about)
        for item, (version, action, about) in newest.items():
            held = found.shelves[portal.id].get(item, {})
            if (held.get("version"), held.get("action")) != (version, action.value):
                what = f"{portal.id} holds v{held.get('version')} of {item}, must hold v{version} ({action})"
                yield Finding(LOST, "portals", what, about)
            if placed.get((item, portal.id)) != version:
                what = (
                    f"{item} at {portal.id} is confirmed as v{placed.get((item, portal.id))}, not v{version}"
                )
                yield Finding(LOST, "portals", what, about)
    for item, version, partner in planned:
        yield Finding(DOUBLED, "portals", f"{item} v{version} for {partner} has no source", item)


def dead_letters(poisons: Sequence[Poison], found: Evidence) -> Findings:
    """Poison is buried and nothing else is; its key waits until it is discarded, and all of it goes on."""
    by_hand = {(letter.service, poison.place) for poison in poisons for letter in poison.letters}
    for poison in poisons:
        for letter in poison.letters:
            graves = [g for g in found.graves[letter.service] if g["_id"] == letter.id]
            if poison.offset >= 0 and not graves:
                where = f"{poison.topic}[{poison.partition}]@{poison.offset}"
                yield Finding(LOST, "dead letters", f"{where} is not buried in {letter.service}", poison.key)
            elif letter.discard_key:
                yield from _behind(poison, letter, found)
    for service in ALL:
        for grave in found.graves[service]:
            place = grave["topic"], grave["partition"], grave["offset"]
            if grave["error"] != "Blocked" and (service, place) not in by_hand:
                what = f"{service} buried {grave['event']} of {grave['key']}: {grave['reason']}"
                yield Finding(STUCK, "dead letters", what, grave["key"])


def _behind(poison: Poison, letter: Letter, found: Evidence) -> Findings:
    """By the order of the service's own journal: what came behind it had its effect after the discard."""
    names = {kind.name for kind in consumers(letter.service)[poison.topic]}
    order = found.order[letter.service]
    discarded = order.get(letter.discard_key)
    first: dict[str, Any] = {}
    for record in sorted(found.topics, key=lambda r: r.place):
        first.setdefault(record.id, record)
    causes: dict[str, list[str]] = defaultdict(list)
    for commit in found.journals[letter.service]:
        causes[commit.causation].append(commit.key)
    for record in first.values():
        same = (record.topic, record.partition, record.key) == (poison.topic, poison.partition, poison.key)
        if not same or record.offset <= poison.offset or record.event not in names:
            continue
        for key in causes[record.id]:
            if discarded is not None and order[key] < discarded:
                what = f"{record.id} was handled while an earlier event of its key was buried"
                yield Finding(REORDERED, "dead letters", what, record.key)
