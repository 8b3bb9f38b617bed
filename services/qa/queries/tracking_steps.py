"""Tiến trình: the few steps of a question's way that its asker sees at a glance, each with when it was
done or by when it is due."""

from datetime import datetime
from typing import Final

from services.qa.queries.file import File, RunningClock
from services.qa.regulation import Status
from shared.contracts.qa import (
    NoticeKind,
    Outcome,
    QuestionAnswered,
    QuestionClosed,
    QuestionForwarded,
    QuestionRefused,
    QuestionSplit,
)
from shared.web.spoken import said_short, tr
from shared.web.vietnamese import vn_time

Step = dict[str, str]
PLACE: Final = {
    Status.RECEIVED: 1, Status.SET_ASIDE: 1, Status.RETURNED: 1, Status.FORWARDED: 2, Status.SPLIT: 2,
    Status.ANSWERED: 3, Status.CLOSED: 4,
}  # fmt: skip


def stamp(at: datetime | None) -> str:
    return f"{said_short(at)}, {vn_time(at)}" if at else ""


def _step(title: str, note: str, state: str = "done") -> Step:
    return {"title": title, "note": note, "state": state}


def steps(file: File, clock: RunningClock | None, ending: str) -> list[Step]:
    """``ending`` names how a question ended that was never answered."""
    question = file.question
    latest = {type(recorded.event): recorded.at for recorded in file.events}
    limit = tr("chậm nhất %(day)s", day=said_short(clock.last_instant)) if clock else ""
    sent = _step(tr("Đã gửi"), stamp(question.received_at))
    sorted_at = latest.get(QuestionForwarded) or latest.get(QuestionAnswered)
    answered = question.outcome in (None, Outcome.ANSWERED, Outcome.REFUSED, Outcome.PARTS)
    over = [] if answered else [_step(ending, stamp(latest.get(QuestionClosed)))]
    if question.refusal is not None:
        told = file.notice(NoticeKind.REFUSAL)
        sorted_at = latest[QuestionRefused]
        telling = (
            _step(tr("Đã báo bạn"), stamp(told.accepted_at)) if told else _step(tr("Báo bạn"), limit, "now")
        )
        return [sent, _step(tr("Đã phân loại"), stamp(sorted_at)), telling, *over]
    if over:
        return [sent, *([_step(tr("Phân loại"), stamp(sorted_at))] if sorted_at else []), *over]
    if question.parts:
        done, all = sum(question.parts.values()), len(question.parts)
        note = tr("%(done)s trên %(all)s phần đã xong", done=done, all=all)
        return [
            sent,
            _step(tr("Tách thành %(count)s phần", count=all), stamp(latest.get(QuestionSplit))),
            _step(tr("Trả lời từng phần"), note, "done" if done == all else "now"),
        ]
    return [sent, *_to_the_answer(file, limit, sorted_at, latest.get(QuestionAnswered))]


def _to_the_answer(
    file: File, limit: str, sorted_at: datetime | None, answered_at: datetime | None
) -> list[Step]:
    place = PLACE[file.question.status]
    told = file.notice(NoticeKind.ANSWER)
    if told:
        place = 4
    elif file.question.released:
        limit = tr("chờ máy chủ thư nhận")
    rows = (
        (tr("Phân loại"), stamp(sorted_at)),
        (tr("Soạn trả lời"), stamp(answered_at)),
        (tr("Gửi câu trả lời"), stamp(told.accepted_at if told else None)),
    )
    return [
        _step(title, note) if at < place
        else _step(title, limit, "now") if at == place else _step(title, "", "todo")
        for at, (title, note) in enumerate(rows, 1)
    ]  # fmt: skip
