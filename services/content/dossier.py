"""Hồ sơ một bài, as the desk shows it: its words, what changed, its clock day by day, and its history from
the journal with who, when, why and by which clause."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from markupsafe import Markup

from services.content import handlers, texts
from services.content.domain import decisions
from services.content.domain.body import Body, require_sources
from services.content.domain.submission import Submission
from services.content.queries import submissions as queries
from services.content.regulation import (
    CONFORMITY,
    LIMITS,
    RETURN_REASONS,
    REVIEW,
    SUPPLY,
    TRUTH,
    Limit,
    ReturnReason,
)
from services.content.views import PlacementOut, placements
from shared.contracts.base import Event
from shared.contracts.clocks import day_row, move_told
from shared.contracts.content import (
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
from shared.desk import Desk
from shared.errors import NotFound, RuleBroken
from shared.web.edge import Edge
from shared.web.vietnamese import vn_datetime

# Where a reader finds each clause.
CLAUSES: Final = {
    CONFORMITY: "Điều 8 khoản 1",
    TRUTH: "Điều 8 khoản 2",
    SUPPLY: "Điều 11 khoản 1 điểm a",
    REVIEW: "Điều 11 khoản 1 điểm a",
    **{limit.basis: f"Điều 11 khoản 1 điểm a, {limit.name}" for limit in LIMITS.values()},
}


@dataclass(frozen=True, slots=True)
class SupplyClock:
    """Thời hạn cung cấp, explained: each day counted and each day skipped, with why."""

    due_day: datetime
    explanation: str
    days: list[dict[str, Any]]
    state: str  # ok, bad, warn
    word: str


@dataclass(frozen=True, slots=True)
class Dossier:
    submission: Submission
    version: int
    body: Body
    limit: Limit
    acts: list[str]
    own: bool
    source_fault: str
    placements: list[PlacementOut]
    history: list[dict[str, Any]]
    clock: SupplyClock | None
    lag: str
    difference: dict[str, Markup] | None
    stage_since: datetime
    author_name: str
    unit_name: str


async def dossier(edge: Edge[Any], desk: Desk[Any], submission: Submission) -> Dossier:
    s = submission
    commits = await edge.journal.read(Submission.stream_of(s.id))
    history: list[dict[str, Any]] = []
    refs: list[str] = []
    stage_since = commits[0].at
    for commit in commits:
        who = await edge.directory.person_name(commit.by)
        for recorded in commit.recorded(edge.source):
            event = recorded.event
            title, text, basis = _told(event, s)
            where = f"{who} · {CLAUSES[basis]}" if basis else who
            if title:
                history.append(
                    {"at": commit.at, "title": title, "text": text, "who": where, "current": False}
                )
            if isinstance(event, SubmissionSubmitted | SubmissionEdited | SubmissionResubmitted):
                refs.append(event.body_ref)
            if not isinstance(event, SubmissionEdited | SubmissionPermitted | SubmissionClockMoved):
                stage_since = commit.at
    history.reverse()
    history[0]["current"] = True
    body = await handlers.body_of(desk, s.body_ref)
    return Dossier(
        submission=s, version=commits[-1].version, body=body, limit=LIMITS[s.content_class],
        acts=decisions.acts(s, desk.by), own=desk.by.subject in s.hands,
        source_fault=await _source_fault(edge, body), placements=await placements(edge, s.id),
        history=history, clock=_clock(edge, desk, s), lag=_lag(s),
        difference=await _difference(desk, refs, body), stage_since=stage_since,
        author_name=await edge.directory.person_name(s.author),
        unit_name=await edge.directory.unit_name(s.unit),
    )  # fmt: skip


async def _source_fault(edge: Edge[Any], body: Body) -> str:
    """What Điều 8 khoản 3 would refuse, said before the button is pressed."""
    try:
        require_sources(body, await queries.source_register(edge.database))
    except RuleBroken as fault:
        return fault.detail
    return ""


async def _difference(desk: Desk[Any], refs: list[str], body: Body) -> dict[str, Markup] | None:
    """Between the last two versions of the words; None for a first version, or when the former is gone."""
    if len(refs) < 2:
        return None
    try:
        before = await handlers.body_of(desk, refs[-2])
    except NotFound:
        return None
    names = ("title", "summary", "author_name", "source_name")
    lines = {name: texts.line_difference(getattr(before, name), getattr(body, name)) for name in names}
    return lines | {"html": texts.difference(before.html, body.html)}


def _clock(edge: Edge[Any], desk: Desk[Any], s: Submission) -> SupplyClock | None:
    if s.clock is None:
        return None
    days, at = day_row(s.clock, edge.calendars.of(s.clock.calendar_version)), s.supplied_at
    if at is None:
        late = desk.now >= s.clock.due_at
        state, word = ("bad", "Quá hạn, chưa hoàn thiện") if late else ("warn", "Đang tính")
    elif at < s.clock.due_at:
        state, word = "ok", "Đúng hạn"
    else:
        state, word = "bad", "Trễ hạn"
    return SupplyClock(s.clock.due_at - timedelta(seconds=1), s.clock.explanation_vi, days, state, word)


def _lag(s: Submission) -> str:
    """How far the supply came before or after what it is about: shown, and for news never called late."""
    if s.event_at is None or s.submitted_at is None:
        return ""
    behind = s.submitted_at - s.event_at
    days, hours = abs(behind).days, abs(behind).seconds // 3600
    size = f"{days} ngày" if days else f"{hours} giờ" if hours else "chưa đến một giờ"
    return f"trước sự kiện {size}" if behind < timedelta() else f"sau khi sự kiện diễn ra {size}"


def _told(event: Event, s: Submission) -> tuple[str, str, str]:  # noqa: PLR0911 (one return an event)
    """Title, words and basis of one line of the history."""
    match event:
        case SubmissionSubmitted():
            words = event.opens[0].explanation_vi if event.opens else ""
            return "Đơn vị gửi bài", words, LIMITS[s.content_class].basis
        case SubmissionEdited():
            return f"Biên tập, phiên bản {event.text_version}", event.note, REVIEW
        case SubmissionReturned():
            reason = RETURN_REASONS[ReturnReason(event.reason)]
            return "Trả lại đơn vị", f"{reason}. {event.words}".strip(), TRUTH
        case SubmissionResubmitted():
            return f"Đơn vị gửi lại, phiên bản {event.text_version}", event.note, SUPPLY
        case SubmissionApproved():
            words = f"Đủ sáu cam kết theo Điều 8 cho phiên bản {event.text_version}."
            return "Duyệt", words, CONFORMITY
        case SubmissionPermitted():
            return (
                "Được phép công bố",
                f"Từ {vn_datetime(event.permitted_at)}.",
                LIMITS[s.content_class].basis,
            )
        case SubmissionClockMoved():
            words, _ = move_told(event, "Hạn cung cấp")
            return ("Lịch làm việc thay đổi" if words else ""), words, LIMITS[s.content_class].basis
        case SubmissionPublished():
            return "Đăng trên Cổng", "", REVIEW
        case SubmissionWithdrawn():
            return "Gỡ khỏi Cổng", event.reason, TRUTH
        case _:
            return event.name, "", ""
