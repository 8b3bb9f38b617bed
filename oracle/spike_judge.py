"""The verdict on a rush of questions, beside what the oracle compares after every run: each was acknowledged
by one letter, each clock is what a walk through the days makes of its receipt; and how long refusals took."""

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any, Final

from bench.figures import percentile
from oracle.evidence import Evidence
from oracle.findings import DOUBLED, KINDS, LOST, STUCK, Finding, Findings, counted
from services.notifier.domain import deadline_id
from shared.calendar import CALENDAR
from shared.calendar_data import DayKind
from shared.contracts.base import Recorded
from shared.contracts.notifier import Delivery, NoticeFailed, NoticeRequested
from shared.contracts.qa import QuestionReceived, QuestionRefused

WRONG: Final = "wrong"
HANOI: Final = timezone(timedelta(hours=7))
DAY: Final = timedelta(days=1)
ASIDE: Final = timedelta(seconds=1)  # a process's clock and the client's: one machine has them
PROMISED: Final = 1.0  # seconds from a refusal to its acceptance by the mail server, of 99 in 100
KEPT_UP: Final = 0.98  # of the pace that was promised
HEAD: Final = 16 * 1024
RECEIVED: Final = re.compile(rb"^X-Received-At:\s*(\S+)", re.MULTILINE)
MESSAGE_ID: Final = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.IGNORECASE | re.MULTILINE)


@dataclass
class Asked:
    """One question as its asker saw it; Unix seconds. Without an ``id`` it was never acknowledged."""

    number: int
    sent_at: float
    answered_at: float = 0.0
    id: str = ""


def accepted_at(folder: Path) -> dict[str, list[float]]:
    """When the mail server took each mail (Unix seconds), by Message-ID, as often as it came."""
    found: dict[str, list[float]] = defaultdict(list)
    for file in folder.glob("*.eml"):
        with file.open("rb") as mail:
            head = mail.read(HEAD)
        at, id = RECEIVED.search(head), MESSAGE_ID.search(head)
        name = id[1].decode() if id else f"{file.name} without a Message-ID"
        found[name].append(datetime.fromisoformat(at[1].decode()).timestamp() if at else 0.0)
    return dict(found)


def letters(asked: Sequence[Asked], found: Evidence) -> Findings:
    """Each was acknowledged, as one question, and by one letter; a second copy only of an uncertain one."""
    told = Counter(each.id for each in asked if each.id)
    received = Counter(str(event.question_id) for event in _received(found))
    ours = [r.event for r in found.events("notifier")]
    named = {
        event.subject: event for event in ours
        if isinstance(event, NoticeRequested) and event.kind == "acknowledgement"
    }  # fmt: skip
    doubts = Counter(
        event.notice_id for event in ours
        if isinstance(event, NoticeFailed) and event.outcome is Delivery.UNCERTAIN
    )  # fmt: skip
    came = Counter(found.mails)
    for each in asked:
        if not each.id:
            yield Finding(STUCK, "questions", f"question {each.number} was never acknowledged")
            continue
        what, notice = f"question {each.number}", named.get(f"question-{each.id}")
        copies = came[notice.message_id] if notice else 0
        if told[each.id] > 1:
            yield Finding(DOUBLED, "questions", f"{what} has the id of another", each.id)
        if received[each.id] != 1:
            kind = DOUBLED if received[each.id] else LOST
            yield Finding(kind, "questions", f"{what} is {received[each.id]} times on record", each.id)
        if not copies:
            yield Finding(LOST, "letters", f"{what} was acknowledged by no letter", each.id)
        elif notice and copies > 1 + doubts[notice.notice_id]:
            yield Finding(DOUBLED, "letters", f"{what} was acknowledged by {copies} letters", each.id)


def works(day: date) -> bool:
    """As the documents name the days; else Monday to Friday."""
    row = CALENDAR.row(day)
    return row.kind is DayKind.MAKEUP if row else day.weekday() < 5


def walked(received_at: datetime, days: int) -> datetime:
    """The end of the term, day by day: what came on a day off counts as come on the next working day, which
    is day zero."""
    day = first_day(received_at)
    while days:
        day += DAY
        days -= works(day)
    return datetime.combine(day + DAY, time(), HANOI)


def first_day(received_at: datetime) -> date:
    day = received_at.astimezone(HANOI).date()
    while not works(day):
        day += DAY
    return day


def clocks(asked: Sequence[Asked], found: Evidence) -> Findings:
    """On the question's record and in the register: sorted within five working days, warned of after two; who
    is refused is told by the end of the day of receipt."""
    told = {each.id: each for each in asked if each.id}
    received: dict[str, datetime] = {}
    for recorded in found.events("qa"):
        event, stream = recorded.event, recorded.stream
        match event:
            case QuestionReceived():
                at = received[stream] = event.received_at
                yield from _receipt(event, told.get(str(event.question_id)))
                warned = {"due_at": walked(at, 5), "warn_at": walked(at, 2)}
                yield from _terms(recorded, "triage", warned, found)
            case QuestionRefused():
                same_day = {"due_at": walked(received[stream], 0)}
                yield from _terms(recorded, "same_day_notice", same_day, found)


def _receipt(event: QuestionReceived, asked: Asked | None) -> Findings:
    stream = f"question-{event.question_id}"
    if event.counted_from != first_day(event.received_at):
        yield Finding(WRONG, "clocks", f"{stream} counts from {event.counted_from}", stream)
    if asked is not None:
        sent, answered = (datetime.fromtimestamp(at, UTC) for at in (asked.sent_at, asked.answered_at))
        if not sent - ASIDE <= event.received_at <= answered + ASIDE:
            what = f"{stream} is received at {event.received_at}, was sent at {sent}, answered at {answered}"
            yield Finding(WRONG, "clocks", what, stream)


def _terms(recorded: Recorded[Any], duty: str, by_hand: Mapping[str, datetime], found: Evidence) -> Findings:
    stream, ours = recorded.stream, [clock for clock in recorded.event.opens if clock.duty == duty]
    if len(ours) != 1:
        yield Finding(WRONG, "clocks", f"{len(ours)} × {duty} of {stream}", stream)
        return
    row = found.deadlines.get(str(deadline_id(stream, ours[0].name)), {})
    for name, at in by_hand.items():
        if (said := getattr(ours[0], name)) != at:
            yield Finding(WRONG, "clocks", f"{duty} of {stream}: {name} {said}; by hand {at}", stream)
    if row.get("due_at") != by_hand["due_at"]:
        what = f"{duty} of {stream} ends {row.get('due_at')} in the register; by hand {by_hand['due_at']}"
        yield Finding(WRONG, "clocks", what, stream)


def refusal_waits(
    found: Evidence, accepted: Mapping[str, Sequence[float]], measured: Collection[str]
) -> list[float]:
    """Seconds from each decision, as its record has it, until the mail server has its letter."""
    named = {
        r.event.subject: r.event.message_id for r in found.events("notifier")
        if isinstance(r.event, NoticeRequested) and r.event.kind == "refusal"
    }  # fmt: skip
    decided = [r for r in found.events("qa") if isinstance(r.event, QuestionRefused) and r.stream in measured]
    came = [(r.at.timestamp(), accepted.get(named.get(r.stream, ""), ())) for r in decided]
    return [min(times) - at for at, times in came if times]


def figures(
    asked: Sequence[Asked], killed: Sequence[str], findings: Sequence[Finding], wrong: Sequence[Finding],
    waits: Sequence[float],
) -> dict[str, Any]:  # fmt: skip
    """The last line: what was asked, at what pace, what was found, and how long people waited."""
    sent = [each.sent_at for each in asked]
    answers = [each.answered_at - each.sent_at for each in asked if each.id]
    totals = counted(findings)
    return {
        "questions": len(asked), "per_minute": round(60 * (len(sent) - 1) / (max(sent) - min(sent))),
        "kills": len(killed), "refusals": len(waits), **{kind: totals[kind] for kind in KINDS},
        "clocks_wrong": len(wrong),
        "answer_p50_ms": _ms(answers, 50), "answer_p99_ms": _ms(answers, 99),
        "refusal_p50_ms": _ms(waits, 50), "refusal_p99_ms": _ms(waits, 99),
    }  # fmt: skip


def is_slow(told: Mapping[str, Any], per_minute: int) -> Findings:
    """Only a machine that has nothing else to do can say so."""
    if told["refusal_p99_ms"] > PROMISED * 1000:
        what = f"one refusal in a hundred takes {told['refusal_p99_ms']} ms or longer to the mail server"
        yield Finding(STUCK, "refusals", what)
    if told["per_minute"] < KEPT_UP * per_minute:
        yield Finding(STUCK, "pace", f"{told['per_minute']} questions a minute were asked, not {per_minute}")


def _ms(seconds: Sequence[float], percent: float) -> int:
    return round(percentile(seconds, percent) * 1000) if seconds else 0


def _received(found: Evidence) -> list[QuestionReceived]:
    return [r.event for r in found.events("qa") if isinstance(r.event, QuestionReceived)]
