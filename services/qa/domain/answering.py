"""Trả lời: progress notice, answer, and the letters that were accepted for the asker (gạch 2 và 3)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from services.qa.domain.question import FieldRule, Question, permit, promise_name
from services.qa.regulation import (
    CENTRE_WARNING_DAYS,
    PUBLISH_ANSWER_DAYS,
    SEND_ANSWER_DAYS,
    SENDING_BASIS,
    UNIT_BASIS,
    WORKFLOW,
    Duty,
    Policy,
    Status,
)
from shared.calendar import WorkingCalendar
from shared.contracts.base import Clock, Decision, Event
from shared.contracts.clocks import clock_for
from shared.contracts.qa import (
    AnswerReleased,
    NoticeAccepted,
    NoticeKind,
    QuestionAnswered,
    QuestionClosed,
    QuestionProgressReported,
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


def promise_clock(
    name: str, promised_for: date, unit: str, *, at: datetime, calendar: WorkingCalendar
) -> Clock:
    """Runs to the end of the stated day."""
    days = calendar.working_days_between(calendar.day_of(at), promised_for)
    due = calendar.due(at, days) if days else calendar.same_day(at)
    last_morning = due.due_at - timedelta(days=1)
    clock = clock_for(
        due, calendar, duty=Duty.PROMISED_REPLY, basis=UNIT_BASIS, owner_unit=unit, name=name,
        reason="ngày thông báo quá trình xử lý", warn_at=last_morning if last_morning > at else None,
    )  # fmt: skip
    stated_vi = f"Đơn vị hẹn trả lời ngày {promised_for:%d/%m/%Y}. {clock.explanation_vi}"
    stated_en = f"The unit promised its answer for {promised_for:%d/%m/%Y}. {clock.explanation_en}"
    return clock.model_copy(
        update={"working_days": None, "explanation_vi": stated_vi, "explanation_en": stated_en}
    )


def progress(
    question: Question, cmd: ReportProgress, words_ref: str, words_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Thông báo quá trình xử lý. Each notice sets a promise of its own, which the answer alone keeps: a new
    date does not undo an earlier one. Beyond the policy's number it is escalated."""
    permit(question, "progress", by)
    promised_for = check_promise(cmd.promised_for, at=at, calendar=calendar)
    round = question.rounds + 1
    clock = promise_clock(promise_name(round), promised_for, question.unit, at=at, calendar=calendar)
    return question.then(
        QuestionProgressReported(
            question_id=question.id, round=round, words_ref=words_ref, words_hash=words_hash,
            promised_for=promised_for, escalated=round > policy.max_progress_notices,
            opens=(clock,), closes=question.running(Duty.UNIT_REPLY),
        )
    )  # fmt: skip


def answer(
    question: Question, cmd: AnswerQuestion, answer_ref: str, answer_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Trả lời, by the unit or by the centre itself; the centre's two working days begin."""
    permit(question, "answer", by)
    unit = question.unit or policy.centre_unit

    def clock(duty: Duty, days: int) -> Clock:
        return clock_for(
            calendar.due(at, days), calendar, duty=duty, basis=SENDING_BASIS, owner_unit=policy.centre_unit,
            reason="ngày tiếp nhận câu trả lời", warn_at=calendar.due(at, CENTRE_WARNING_DAYS).due_at,
        )  # fmt: skip

    return question.then(
        QuestionAnswered(
            question_id=question.id, unit=unit, answer_ref=answer_ref, answer_hash=answer_hash,
            answered_by=by.subject,
            opens=(
                clock(Duty.SEND_ANSWER, SEND_ANSWER_DAYS),
                clock(Duty.PUBLISH_ANSWER, PUBLISH_ANSWER_DAYS),
            ),
            closes=question.running(Duty.TRIAGE, Duty.UNIT_REPLY, *question.promises),
        )
    )  # fmt: skip


def release(question: Question, cmd: ReleaseAnswer, *, by: Actor) -> Decision[Question]:
    """Cho gửi câu trả lời tới người hỏi; it counts as sent when the mail server has accepted it."""
    permit(question, "release", by)
    return question.then(AnswerReleased(question_id=question.id, answer_ref=question.answer_ref))


DISCHARGED_BY: dict[NoticeKind, Duty] = {
    NoticeKind.REFUSAL: Duty.SAME_DAY_NOTICE,
    NoticeKind.ANSWER: Duty.SEND_ANSWER,
}


def record_notice(question: Question, cmd: RecordNotice) -> Decision[Question]:
    """Ghi nhận thư đã được máy chủ nhận, hoặc đã báo cách khác; the duty is judged by when that happened."""
    duty = DISCHARGED_BY.get(cmd.kind)
    closes = question.running(duty) if duty else ()
    accepted = NoticeAccepted(
        question_id=question.id, kind=cmd.kind, notice_id=cmd.notice_id, message_id=cmd.message_id,
        accepted_at=cmd.accepted_at, way=cmd.way, closes=closes,
        closed_at=cmd.accepted_at if closes else None,
    )  # fmt: skip
    return concluded(question, accepted)


def concluded(question: Question, event: Event) -> Decision[Question]:
    """``event``, and the end of the question when nothing is owed after it."""
    state, events = question.then(event)
    if state.status is Status.ANSWERED and state.sent_at and state.publication_decided:
        WORKFLOW.after(state.status, "close", SYSTEM)
        return question.then(*events, QuestionClosed(question_id=question.id))
    return state, events
