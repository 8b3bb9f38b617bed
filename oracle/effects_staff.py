"""What the register tells of its own deadlines: each stage fired once as long as nothing re-arms it, each
move made once, and each of our own people told once for each reason, and for nothing else."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from oracle.evidence import Evidence
from oracle.findings import DOUBLED, LOST, Finding, Findings
from services.notifier.regulation import AT_ONCE
from services.notifier.regulation_stages import FROM_DUE_ON
from shared.contracts.base import Event, Recorded
from shared.contracts.notifier import (
    CalendarMovesFinished,
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMoved,
    DeadlineReminderDropped,
    DeadlineReopened,
    DeadlineRescinded,
    DeadlineWarned,
    NoticeRequested,
)
from shared.contracts.qa import QuestionProgressReported

ASKER: Final = "asker"
TOLD_OF: Final[dict[str, tuple[type[Event], ...]]] = {
    "warning": (DeadlineWarned,), "breach": (DeadlineBreached,), "escalation": (DeadlineEscalated,),
    "rescission": (DeadlineRescinded, DeadlineMet), "postponement": (QuestionProgressReported,),
}  # fmt: skip


def stage_of(event: Event) -> str:
    """Empty: no stage of a deadline."""
    match event:
        case DeadlineWarned() | DeadlineReminderDropped():
            return event.stage
        case DeadlineBreached():
            return "breached"
        case DeadlineEscalated():
            return event.level.value
        case _:
            return ""


def stages(found: Evidence) -> Findings:
    """A stage fires once; a move or a withdrawal re-arms it, and is itself made once for each calendar."""
    fired: dict[str, set[str]] = {}
    moves: Counter[tuple[str, str]] = Counter()
    ends: Counter[str] = Counter()
    for recorded in sorted(found.events("notifier"), key=lambda r: (r.stream, r.sequence)):
        event, already = recorded.event, fired.setdefault(recorded.stream, set())
        if isinstance(event, DeadlineMoved):
            moves[recorded.stream, event.clock.calendar_version] += 1
            already.clear()
        elif isinstance(event, DeadlineRescinded) or (
            isinstance(event, DeadlineReopened) and event.withdrawn
        ):
            already.difference_update(FROM_DUE_ON)
        elif isinstance(event, CalendarMovesFinished):
            ends[event.calendar] += 1
        elif stage := stage_of(event):
            if stage in already:
                yield Finding(DOUBLED, "stages", f"{stage} of {recorded.stream} fired again", recorded.stream)
            already.add(stage)
    for (stream, calendar), times in moves.items():
        if times > 1:
            yield Finding(DOUBLED, "moves", f"{stream} was moved {times} times to {calendar}", stream)
    for calendar, times in ends.items():
        if times > 1:
            yield Finding(DOUBLED, "moves", f"the moves of {calendar} ended {times} times")


def staff_notices(found: Evidence) -> Findings:
    """For each reason and recipient one notice; a morning mail is one a unit and day; what is carried up, and
    what is late within its day, is told. What is put off too often is told once a question."""
    ours = found.events("notifier")
    put_off = {r.id: r for r in found.events("qa") if getattr(r.event, "escalated", False)}
    causes = {recorded.id: recorded for recorded in ours} | put_off
    asked: Counter[tuple[str, str, str]] = Counter()
    told: set[str] = set()
    for recorded in ours:
        notice = recorded.event
        if not isinstance(notice, NoticeRequested) or notice.recipient == ASKER:
            continue
        asked[notice.kind, notice.about, notice.recipient] += 1
        told.add(notice.about)
        if not _reasonable(notice, causes):
            what = f"{notice.kind} to {notice.recipient} about {notice.about} has no reason"
            yield Finding(DOUBLED, "staff notices", what, notice.subject)
    for (kind, about, recipient), times in asked.items():
        if times > 1:
            what = f"{kind} to {recipient} about {about} was asked for {times} times"
            yield Finding(DOUBLED, "staff notices", what, about)
    yield from _put_off(put_off.values(), ours)
    for recorded in ours:
        event = recorded.event
        must = isinstance(event, DeadlineEscalated) or (
            isinstance(event, DeadlineBreached) and event.duty in AT_ONCE
        )
        if must and recorded.id not in told:
            what = f"nobody is told of {stage_of(event)} of {recorded.stream}"
            yield Finding(LOST, "staff notices", what, recorded.stream)


def _put_off(causes: Iterable[Recorded[Event]], ours: Iterable[Recorded[Event]]) -> Findings:
    told = Counter(
        (r.event.subject, r.event.recipient) for r in ours
        if isinstance(r.event, NoticeRequested) and r.event.kind == "postponement"
    )  # fmt: skip
    for stream in {cause.stream for cause in causes} - {subject for subject, _ in told}:
        yield Finding(LOST, "staff notices", f"nobody is told that {stream} is put off again", stream)
    for (subject, recipient), times in told.items():
        if times > 1:
            what = f"{recipient} is told {times} times that {subject} is put off again"
            yield Finding(DOUBLED, "staff notices", what, subject)


def _reasonable(notice: NoticeRequested, causes: dict[str, Any]) -> bool:
    if notice.kind == "digest":
        try:
            return notice.recipient == notice.subject.replace("unit-", "unit:", 1) and bool(
                date.fromisoformat(notice.about)
            )
        except ValueError:
            return False
    if notice.kind not in TOLD_OF:
        return notice.kind == "alarm"  # what is broken is told in the operations chat, by who sees it
    cause = causes.get(notice.about)
    return cause is not None and isinstance(cause.event, TOLD_OF[notice.kind])
