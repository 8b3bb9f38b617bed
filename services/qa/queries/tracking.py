"""Tra cứu: a question as its asker sees it, in plain words of the language spoken: state, who holds it, by
when, what happened, what they were answered, and what they may do now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from services.qa.domain import ASKER, acts, follow_up_until
from services.qa.queries.file import File, RunningClock
from services.qa.queries.history import GROUND_VI, history
from services.qa.queries.tracking_steps import steps
from services.qa.regulation import CITED, TRIAGE_BASIS, Duty, Policy, Status
from shared.calendars import Calendars
from shared.contracts.qa import (
    AnswerCorrected,
    AnswerReleased,
    NoticeKind,
    Outcome,
    QuestionContinued,
    QuestionMerged,
    QuestionReopened,
    Referral,
    RefusalGround,
)
from shared.web.english import dates_written_out
from shared.web.spoken import N_, VIETNAMESE, gettext, language, said_date, said_full_day, tr
from shared.web.vietnamese import VIETNAM, in_sentence

CENTRE: Final = N_("Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng")
# How a question ended, as its asker is told: title, sentence, colour, icon.
ENDED: Final = {
    Outcome.WITHDRAWN: (
        N_("Bạn đã rút câu hỏi"), N_("Không còn việc gì phải làm với câu hỏi này."), "", "undo-2",
    ),
    Outcome.MERGED: (
        N_("Đã gộp vào câu hỏi trước"), N_("Câu trả lời sẽ ở câu hỏi kia."), "", "corner-up-right",
    ),
    Outcome.PARTS: (N_("Đã trả lời từng phần"), N_("Mỗi phần của câu hỏi đã xong."), "ok", "circle-check"),
    Outcome.RESUBMITTED: (
        N_("Bạn đã gửi lại đầy đủ"), N_("Câu hỏi mới được xử lý thay câu này."), "", "corner-up-right",
    ),
    Outcome.LAPSED: (
        N_("Đã khép lại"), N_("Câu hỏi chưa rõ và không được gửi lại; bạn có thể hỏi lại."), "", "lock",
    ),
    Outcome.SET_ASIDE: (
        N_("Không xử lý"), N_("Nội dung này không được xử lý như một câu hỏi."), "", "octagon-x",
    ),
}  # fmt: skip
ERASED_BANNER: Final = (
    N_("Dữ liệu của bạn đã được xóa"), N_("Không còn việc gì phải làm với câu hỏi này."), "", "trash-2",
)  # fmt: skip
# What is owed to the asker, inside the sentence that says it is late.
OWED_VI: Final = {
    Duty.TRIAGE: N_("phân loại câu hỏi"),
    Duty.SAME_DAY_NOTICE: N_("gửi thư báo bạn"),
    Duty.UNIT_REPLY: N_("trả lời, hoặc báo bạn quá trình xử lý"),
    Duty.COMPLEX_REPLY: N_("trả lời câu hỏi cần nhiều đơn vị cùng xem"),
    Duty.CONSULTATION: N_("góp ý cho đơn vị chủ trì"),
    Duty.PROMISED_REPLY: N_("trả lời như đã hẹn"),
    Duty.SEND_ANSWER: N_("gửi câu trả lời tới bạn"),
    Duty.PUBLISH_ANSWER: N_("đăng công khai câu trả lời"),
}


@dataclass(frozen=True, slots=True)
class AnswerTold:
    """The answer that was sent to the asker last; ``correction`` counts what mended it (0: the first), and a
    correction has its day and its reason."""

    text: str
    correction: int
    corrected_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Onward:
    """The question that goes on from this one: ``how`` is merged, resubmitted or follow_up."""

    how: str
    number: str


@dataclass(frozen=True, slots=True)
class Tracking:
    """``state`` and ``icon`` paint the banner; ``left`` counts working days to the running due date;
    ``basis`` cites the clause of that date, ``explanation`` says how it was counted."""

    title: str
    sentence: str
    state: str
    icon: str
    left: int | None
    steps: list[dict[str, str]]
    history: list[dict[str, Any]]
    clock: RunningClock | None
    basis: str
    days: list[dict[str, Any]] = field(default_factory=list)
    explanation: str = ""
    answer: AnswerTold | None = None
    onward: Onward | None = None


def tracked(file: File, units: Mapping[str, str], calendars: Calendars, now: datetime) -> Tracking:
    """``units`` names them by id."""
    clock = None if file.question.released else file.running()  # what follows is the centre's own affair
    onward = onward_of(file)
    title, sentence, state, icon = _banner(file, units, clock, onward)
    late = clock is not None and now >= clock.clock.due_at
    if late and clock is not None:
        state = "bad"
        sentence = _overdue(clock, units)
    elif clock is not None and (broken := file.broken_promises(now)):
        days = ", ".join(said_date(each.last_instant) for each in broken)
        sorry = tr("Ngày hẹn trước (%(days)s) đã không giữ được; chúng tôi xin lỗi bạn.", days=days)
        sentence += f" {sorry}"
    left = None
    if clock is not None and not late:
        calendar = calendars.current
        left = calendar.working_days_between(calendar.day_of(now), calendar.day_of(clock.last_instant))
    return Tracking(
        title, sentence, state, icon, left, steps(file, clock, title),
        history(file.events, units, file.letter.email), clock,
        tr(clock.basis_vi) if clock else "", _days(clock, calendars) if clock else [],
        explained(clock) if clock else "", answer_told(file), onward,
    )  # fmt: skip


def explained(clock: RunningClock) -> str:
    """How the due date was counted, in the calendar's own words."""
    if language() == VIETNAMESE:
        return clock.clock.explanation_vi
    return dates_written_out(clock.clock.explanation_en)


def _days(clock: RunningClock, calendars: Calendars) -> list[dict[str, Any]]:
    days = clock.days(calendars)
    if language() == VIETNAMESE:
        return days
    return [{**day, "reason": day.get("reason_en", "")} for day in days]


def _overdue(clock: RunningClock, units: Mapping[str, str]) -> str:
    """Who owes what, since when."""
    return tr(
        "%(who)s phải %(owed)s chậm nhất hết %(day)s; nay đã quá hạn. Chúng tôi xin lỗi bạn.",
        who=gettext(units.get(clock.clock.owner_unit, CENTRE)), owed=tr(OWED_VI[Duty(clock.clock.duty)]),
        day=day_words(clock.last_instant),
    )  # fmt: skip


def day_words(day: date) -> str:
    return in_sentence(said_full_day(day)) if language() == VIETNAMESE else said_full_day(day)


def _by(clock: RunningClock | None) -> str:
    return day_words(clock.last_instant) if clock else ""


def _banner(
    file: File, units: Mapping[str, str], clock: RunningClock | None, onward: Onward | None
) -> tuple[str, str, str, str]:
    """Title, sentence, colour of the state, icon."""
    question, refusal = file.question, file.question.refusal
    who = {
        "centre": gettext(CENTRE),
        "unit": gettext(units.get(question.unit, question.unit)),
        "day": _by(clock),
    }
    if question.erased or question.outcome in ENDED:
        title, words, state, icon = (
            ERASED_BANNER if question.erased else ENDED[Outcome(question.outcome or "")]
        )
        words = tr(words)
        if onward and not question.erased:
            words += " " + tr("Đó là câu hỏi %(number)s.", number=onward.number)
        return tr(title), words, state, icon
    state, icon = "", "hourglass"
    if question.status is Status.SPLIT:
        title = tr("Đang xử lý từng phần")
        words = tr("Câu hỏi của bạn có nhiều việc nên được tách; mỗi phần có hạn riêng, ghi ở dưới.")
    elif question.status in (Status.RECEIVED, Status.SET_ASIDE):
        title = tr("Đang phân loại")
        words = tr(
            "%(centre)s phân loại để trả lời hoặc chuyển đơn vị có trách nhiệm, chậm nhất hết %(day)s.", **who
        )
    elif question.status is Status.RETURNED:
        title = tr("Đang chuyển lại")
        words = tr("%(centre)s đang xem lại nơi trả lời câu hỏi, chậm nhất hết %(day)s.", **who)
    elif question.status is Status.FORWARDED and question.progress is not None:
        title = tr("Đang xử lý, có hẹn ngày trả lời")
        words = tr("%(unit)s hẹn trả lời chậm nhất hết %(day)s.", **who)
    elif question.status is Status.FORWARDED:
        title = tr("Đang soạn trả lời")
        words = tr("%(unit)s sẽ trả lời, hoặc báo bạn quá trình xử lý, chậm nhất hết %(day)s.", **who)
    elif refusal is not None and refusal.ground is RefusalGround.UNCLEAR:
        state, icon = "warn", "mail-question-mark"
        title, words = tr("Câu hỏi chưa rõ, mời bạn gửi lại"), tr("Nội dung cần bổ sung ghi ở dưới.")
    elif refusal is not None:
        state, icon = "warn", "corner-up-right"
        title, words = tr("Câu hỏi thuộc cơ quan khác"), tr("Nơi có trách nhiệm trả lời ghi ở dưới.")
    elif not question.released and question.correction:
        icon, title = "send", tr("Câu trả lời đang được đính chính")
        words = tr("%(centre)s gửi bản đính chính tới bạn chậm nhất hết %(day)s.", **who)
    elif not question.released:
        icon, title = "send", tr("Đã có câu trả lời, đang gửi tới bạn")
        words = tr("%(centre)s gửi câu trả lời tới bạn chậm nhất hết %(day)s.", **who)
    else:
        state, icon = "ok", "circle-check"
        title, words = tr("Đã trả lời"), tr("Câu trả lời ở ngay dưới đây.")
    return title, words, state, icon


def one_thread(whole: Tracking, parts: list[Tracking], numbers: list[str]) -> list[dict[str, Any]]:
    """What happened to a question that was split and to its parts, by ``numbers``, newest first. That a part
    began is told by the splitting."""
    told = [{**line, "current": False} for line in whole.history]
    for part, number in zip(parts, numbers, strict=True):
        told += [
            {**line, "current": False, "title": f"{number}: {line['title']}"} for line in part.history[:-1]
        ]
    told.sort(key=lambda line: line["at"], reverse=True)
    if told:
        told[0]["current"] = True
    return told


def answer_told(file: File) -> AnswerTold | None:
    """None before anything was sent, and while a reopened question has no new answer."""
    sent: AnswerReleased | None = None
    corrections: dict[int, tuple[datetime, str]] = {}
    for recorded in file.events:
        match recorded.event:
            case AnswerReleased():
                sent = recorded.event
            case AnswerCorrected() as mended:
                corrections[mended.correction] = recorded.at, file.words.get(mended.reason_ref, "")
            case QuestionReopened():
                sent = None
    if sent is None:
        return None
    at, reason = corrections.get(sent.correction, (None, ""))
    return AnswerTold(file.words.get(sent.answer_ref, ""), sent.correction, at, reason)


def onward_of(file: File) -> Onward | None:
    for recorded in reversed(file.events):
        match recorded.event:
            case QuestionMerged(into_number=number):
                return Onward("merged", number)
            case QuestionContinued(by_number=number, resubmitted=resubmitted):
                return Onward("resubmitted" if resubmitted else "follow_up", number)
    return None


def may(file: File, policy: Policy, now: datetime) -> list[str]:
    """What the asker may do now."""
    last = follow_up_until(file.question, policy)
    over = last is None or now.astimezone(VIETNAM).date() > last
    return [act for act in acts(file.question, ASKER) if not (act == "follow_up" and over)]


def refusal_view(file: File) -> dict[str, Any] | None:
    """Lý do, và nơi có trách nhiệm hoặc điều còn thiếu."""
    refusal = file.question.refusal
    if refusal is None:
        return None
    told = file.notice(NoticeKind.REFUSAL)
    return {
        "ground": refusal.ground, "ground_vi": GROUND_VI[refusal.ground], "explanation": file.explanation,
        "referral": refusal.referral, "agency": refusal.agency, "reference": refusal.reference,
        "transferred_on": refusal.transferred_on, "notice_due": file.notice_due,
        "transferred": refusal.referral is Referral.TRANSFERRED_BY_CENTRE,
        "told_at": told.accepted_at if told else None, "basis": TRIAGE_BASIS,
        "basis_vi": CITED[TRIAGE_BASIS],
    }  # fmt: skip
