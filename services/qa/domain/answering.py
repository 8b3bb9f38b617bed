"""Trả lời: progress notice, answer, what is sent back or corrected, and the letters accepted for the asker
(gạch 2 và 3)."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.qa.domain.clocks import centre_clocks, stated_clock
from services.qa.domain.permits import FieldRule, permit
from services.qa.domain.question import Question, promise_name
from services.qa.regulation import WORKFLOW, WRITING, Duty, Policy, Status
from shared.calendar import WorkingCalendar
from shared.contracts.base import Decision, Event
from shared.contracts.qa import (
    AnswerCorrected,
    AnswerReleased,
    AnswerSentBack,
    NoticeAccepted,
    NoticeKind,
    Outcome,
    QuestionAnswered,
    QuestionClosed,
    QuestionProgressReported,
    RefusalGround,
)
from shared.workflow import SYSTEM, Actor


class PromiseMissing(FieldRule):
    """A progress notice states the date of the answer (nói rõ thời hạn trả lời)."""

    code = "promise_missing"
    title_vi, title_en = "Thông báo quá trình xử lý phải nêu ngày trả lời", "The reply date is missing"


class PromiseInPast(FieldRule):
    code = "promise_in_past"
    title_vi, title_en = "Ngày hẹn trả lời đã qua", "The promised date has passed"


class PromiseOnDayOff(FieldRule):
    code = "promise_on_day_off"
    title_vi, title_en = "Ngày hẹn trả lời là ngày nghỉ", "The promised date is a day off"


@dataclass(frozen=True, slots=True)
class AnswerQuestion:
    question_id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class ReportProgress:
    question_id: UUID
    words: str
    promised_for: date | None


@dataclass(frozen=True, slots=True)
class ReleaseAnswer:
    question_id: UUID


@dataclass(frozen=True, slots=True)
class RecordNotice:
    """The mail server has accepted a letter to the asker, or they were told in another ``way``."""

    question_id: UUID
    kind: NoticeKind
    notice_id: UUID
    message_id: str
    accepted_at: datetime
    way: str = "mail"
    round: int = 1


@dataclass(frozen=True, slots=True)
class SendBackAnswer:
    question_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class CorrectAnswer:
    question_id: UUID
    text: str
    reason: str


def check_promise(promised_for: date | None, *, at: datetime, calendar: WorkingCalendar) -> date:
    """A reply date is stated, still to come, and a working day."""
    if promised_for is None:
        raise PromiseMissing("promised_for")
    if promised_for < calendar.day_of(at):
        raise PromiseInPast("promised_for", f"Ngày {promised_for:%d/%m/%Y} đã qua.")
    if not calendar.is_working_day(promised_for):
        row = calendar.row(promised_for)
        why = f"nghỉ {row.vi.removeprefix('nghỉ ')}" if row else "nghỉ cuối tuần"
        raise PromiseOnDayOff(
            "promised_for",
            f"Ngày {promised_for:%d/%m/%Y} {why}; ngày làm việc kế tiếp là "
            f"{calendar.next_working_day(promised_for):%d/%m/%Y}.",
        )
    return promised_for


def progress(
    question: Question, cmd: ReportProgress, words_ref: str, words_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Thông báo quá trình xử lý. Each notice sets a promise of its own, which the answer alone keeps: a new
    date does not undo an earlier one. Beyond the policy's number it is escalated."""
    permit(question, "progress", by)
    promised_for = check_promise(cmd.promised_for, at=at, calendar=calendar)
    round = question.rounds + 1
    stated = (
        f"Đơn vị hẹn trả lời ngày {promised_for:%d/%m/%Y}.",
        f"The unit promised its answer for {promised_for:%d/%m/%Y}.",
    )
    clock = stated_clock(
        Duty.PROMISED_REPLY, promise_name(round), promised_for, question.unit, stated=stated,
        reason="ngày thông báo quá trình xử lý", at=at, calendar=calendar,
    )  # fmt: skip
    return question.then(
        QuestionProgressReported(
            question_id=question.id, round=round, words_ref=words_ref, words_hash=words_hash,
            promised_for=promised_for, escalated=round > policy.max_progress_notices,
            opens=(clock,), closes=question.of(Duty.UNIT_REPLY),
        )
    )  # fmt: skip


def answer(
    question: Question, cmd: AnswerQuestion, answer_ref: str, answer_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Trả lời, by the unit or by the centre itself; the centre's two working days begin."""
    permit(question, "answer", by)
    by_unit = question.status is Status.FORWARDED
    return question.then(
        QuestionAnswered(
            question_id=question.id, unit=question.unit if by_unit else policy.centre_unit,
            answer_ref=answer_ref, answer_hash=answer_hash, answered_by=by.subject,
            opens=centre_clocks(question, at=at, calendar=calendar, policy=policy),
            closes=question.of(Duty.TRIAGE, *WRITING),
            voids=question.of(Duty.CONSULTATION, Duty.SAME_DAY_NOTICE),
        )
    )  # fmt: skip


def send_back(
    question: Question, cmd: SendBackAnswer, reason_ref: str, reason_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Trả lại câu trả lời chưa đạt: a defective answer has ended nothing, so what it ended runs on."""
    permit(question, "send_back", by)
    return question.then(
        AnswerSentBack(
            question_id=question.id, unit=question.answered_unit, to_centre=not question.answered_by_unit,
            reason_ref=reason_ref, reason_hash=reason_hash, reopens=question.ended_by_answer,
            voids=question.of(Duty.SEND_ANSWER, Duty.PUBLISH_ANSWER),
        )
    )  # fmt: skip


def correct(
    question: Question, cmd: CorrectAnswer, answer_ref: str, answer_hash: str, *, reason_ref: str,
    reason_hash: str, by: Actor, at: datetime, calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Đính chính: sent again and published again, each within two working days, and marked."""
    permit(question, "correct", by)
    return question.then(
        AnswerCorrected(
            question_id=question.id, correction=question.correction + 1, unit=question.answered_unit,
            answer_ref=answer_ref, answer_hash=answer_hash, answered_by=by.subject, reason_ref=reason_ref,
            reason_hash=reason_hash, voids=question.of(Duty.PUBLISH_ANSWER),
            opens=centre_clocks(question, at=at, calendar=calendar, policy=policy),
        )
    )  # fmt: skip


def release(question: Question, cmd: ReleaseAnswer, *, by: Actor) -> Decision[Question]:
    """Cho gửi câu trả lời tới người hỏi; it counts as sent when the mail server has accepted it."""
    permit(question, "release", by)
    return question.then(
        AnswerReleased(
            question_id=question.id, answer_ref=question.answer_ref, correction=question.correcting
        )
    )


def record_notice(question: Question, cmd: RecordNotice) -> Decision[Question]:
    """Ghi nhận thư đã được máy chủ nhận, hoặc đã báo cách khác; the duty is judged by when that happened."""
    closes = _discharged(question, cmd)
    accepted = NoticeAccepted(
        question_id=question.id, kind=cmd.kind, notice_id=cmd.notice_id, message_id=cmd.message_id,
        accepted_at=cmd.accepted_at, way=cmd.way, round=cmd.round, closes=closes,
        closed_at=cmd.accepted_at if closes else None,
    )  # fmt: skip
    return concluded(question, accepted)


def _discharged(question: Question, cmd: RecordNotice) -> tuple[str, ...]:
    """The letter with an answer, or with its correction, ends the duty to send it and whatever came before
    it; the letter of an earlier one leaves the later owed, as does one of before the question was opened
    again."""
    match cmd.kind:
        case NoticeKind.REFUSAL if question.refusal and cmd.round == question.refusals:
            return question.of(Duty.SAME_DAY_NOTICE)
        case NoticeKind.ANSWER | NoticeKind.CORRECTION:
            brought = [
                place for place, each in enumerate(question.issued, 1) if each[:2] == (cmd.kind, cmd.round)
            ]
            sent = {each.clock for each in question.issued[: max(brought, default=0)]}
            return tuple(name for name in question.of(Duty.SEND_ANSWER) if name in sent)
        case _:
            return ()


def concluded(question: Question, event: Event) -> Decision[Question]:
    """``event``, and the end of the question when nothing is owed after it."""
    state, events = question.then(event)
    outcome = _outcome(state)
    if outcome is None:
        return state, events
    WORKFLOW.after(state.status, "close", SYSTEM)
    closed = QuestionClosed(question_id=question.id, outcome=outcome, part_of=question.part_of)
    return question.then(*events, closed)


def _outcome(state: Question) -> Outcome | None:
    match state.status:
        case Status.ANSWERED if state.sent_at and state.publication_decided:
            return Outcome.ANSWERED
        case Status.REFUSED if state.told_refusal_at and state.refusal:
            return Outcome.REFUSED if state.refusal.ground is RefusalGround.OUT_OF_SCOPE else None
        case Status.SPLIT if state.parts and all(state.parts.values()):
            return Outcome.PARTS
        case _:
            return None
