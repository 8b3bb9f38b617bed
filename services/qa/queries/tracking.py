"""Tra cứu: a question as its asker sees it, in plain words: state, who holds it, by when, what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from services.qa.queries.file import File, RunningClock
from services.qa.regulation import CITED, TRIAGE_BASIS, Duty, Status
from shared.calendars import Calendars
from shared.contracts.base import Event, Recorded
from shared.contracts.clocks import move_told
from shared.contracts.qa import (
    AnswerPublished,
    AnswerWithheld,
    AskerDisclosed,
    DisclosureReason,
    NoticeAccepted,
    NoticeKind,
    QuestionAnswered,
    QuestionClockMoved,
    QuestionForwarded,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
    Referral,
    RefusalGround,
)
from shared.web.vietnamese import in_sentence, local, mask_email, vn_date, vn_full_day

CENTRE: Final = "Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng"
GROUND_VI: Final = {
    RefusalGround.OUT_OF_SCOPE: "Không thuộc phạm vi, chức năng, nhiệm vụ của Bảo hiểm xã hội Việt Nam",
    RefusalGround.UNCLEAR: "Câu hỏi chưa rõ nghĩa",
}
DISCLOSURE_VI: Final = {
    DisclosureReason.CONTACT: "Liên hệ với người hỏi",
    DisclosureReason.DUPLICATE: "Đối chiếu câu hỏi trùng",
    DisclosureReason.TRANSFER: "Chuyển cơ quan có trách nhiệm",
    DisclosureReason.OTHER: "Lý do khác",
}
NOTICE_VI: Final = {
    NoticeKind.ACKNOWLEDGEMENT: "Thư xác nhận đã gửi tới bạn",
    NoticeKind.REFUSAL: "Thư thông báo đã gửi tới bạn",
    NoticeKind.PROGRESS: "Thư báo quá trình xử lý đã gửi tới bạn",
    NoticeKind.ANSWER: "Thư trả lời đã gửi tới bạn",
}
# What is owed to the asker, inside a sentence.
OWED_VI: Final = {
    Duty.TRIAGE: "phân loại câu hỏi",
    Duty.SAME_DAY_NOTICE: "gửi thư báo bạn",
    Duty.UNIT_REPLY: "trả lời, hoặc báo bạn quá trình xử lý",
    Duty.PROMISED_REPLY: "trả lời như đã hẹn",
    Duty.SEND_ANSWER: "gửi câu trả lời tới bạn",
    Duty.PUBLISH_ANSWER: "đăng công khai câu trả lời",
}


@dataclass(frozen=True, slots=True)
class Tracking:
    """``state`` and ``icon`` paint the banner; ``left`` counts working days to the running due date;
    ``basis`` cites the clause of that date."""

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


def tracked(file: File, units: Mapping[str, str], calendars: Calendars, now: datetime) -> Tracking:
    """``units`` names them by id."""
    clock = None if file.question.released else file.running()  # what follows is the centre's own affair
    title, sentence, state, icon = _banner(file, units, clock)
    late = clock is not None and now >= clock.clock.due_at
    if late and clock is not None:
        state = "bad"
        sentence = _overdue(clock, units)
    elif clock is not None and (broken := file.broken_promises(now)):
        days = ", ".join(vn_date(each.last_instant) for each in broken)
        sentence += f" Ngày hẹn trước ({days}) đã không giữ được; chúng tôi xin lỗi bạn."
    left = None
    if clock is not None and not late:
        calendar = calendars.current
        left = calendar.working_days_between(calendar.day_of(now), calendar.day_of(clock.last_instant))
    return Tracking(
        title, sentence, state, icon, left, _steps(file, clock),
        history(file.events, units, file.letter.email), clock,
        clock.basis_vi if clock else "", clock.days(calendars) if clock else [],
    )  # fmt: skip


def _overdue(clock: RunningClock, units: Mapping[str, str]) -> str:
    """Who owes what, since when."""
    who = units.get(clock.clock.owner_unit, CENTRE)
    owed = OWED_VI[Duty(clock.clock.duty)]
    return (
        f"{who} phải {owed} chậm nhất hết {day_words(clock.last_instant)}; nay đã quá hạn. "
        "Chúng tôi xin lỗi bạn."
    )


def day_words(day: date) -> str:
    return in_sentence(vn_full_day(day))


def _by(clock: RunningClock | None) -> str:
    return f"hết {day_words(clock.last_instant)}" if clock else ""


def _banner(file: File, units: Mapping[str, str], clock: RunningClock | None) -> tuple[str, str, str, str]:
    """Title, sentence, colour of the state, icon."""
    question, refusal = file.question, file.question.refusal
    unit = units.get(question.unit, question.unit)
    if question.status is Status.RECEIVED:
        words = f"{CENTRE} phân loại để trả lời hoặc chuyển đơn vị có trách nhiệm, chậm nhất {_by(clock)}."
        banner = ("Đang phân loại", words, "", "hourglass")
    elif question.status is Status.FORWARDED and question.progress is not None:
        words = f"{unit} hẹn trả lời chậm nhất {_by(clock)}."
        banner = ("Đang xử lý, có hẹn ngày trả lời", words, "", "hourglass")
    elif question.status is Status.FORWARDED:
        words = f"{unit} sẽ trả lời, hoặc báo bạn quá trình xử lý, chậm nhất {_by(clock)}."
        banner = ("Đang soạn trả lời", words, "", "hourglass")
    elif refusal is not None and refusal.ground is RefusalGround.UNCLEAR:
        words = "Nội dung cần bổ sung ghi ở dưới."
        banner = ("Câu hỏi chưa rõ, mời bạn gửi lại", words, "warn", "mail-question-mark")
    elif refusal is not None:
        words = "Nơi có trách nhiệm trả lời ghi ở dưới."
        banner = ("Câu hỏi thuộc cơ quan khác", words, "warn", "corner-up-right")
    elif not question.released:
        words = f"{CENTRE} gửi câu trả lời tới bạn chậm nhất {_by(clock)}."
        banner = ("Đã có câu trả lời, đang gửi tới bạn", words, "", "send")
    else:
        banner = ("Đã trả lời", "Câu trả lời ở ngay dưới đây.", "ok", "circle-check")
    return banner


def _stamp(at: datetime | None) -> str:
    return f"{local(at):%d/%m, %H:%M}" if at else ""


def _steps(file: File, clock: RunningClock | None) -> list[dict[str, str]]:
    question = file.question
    latest = {type(recorded.event): recorded.at for recorded in file.events}
    limit = f"chậm nhất {local(clock.last_instant):%d/%m}" if clock else ""
    sent = {"title": "Đã gửi", "note": _stamp(question.received_at), "state": "done"}
    if question.status is Status.REFUSED:
        told = file.notice(NoticeKind.REFUSAL)
        return [
            sent,
            {"title": "Đã phân loại", "note": _stamp(latest[QuestionRefused]), "state": "done"},
            {"title": "Đã báo bạn", "note": _stamp(told.accepted_at), "state": "done"} if told
            else {"title": "Báo bạn", "note": limit, "state": "now"},
        ]  # fmt: skip
    place = {Status.RECEIVED: 1, Status.FORWARDED: 2, Status.ANSWERED: 3, Status.CLOSED: 4}[question.status]
    sorted_at = latest.get(QuestionForwarded) or latest.get(QuestionAnswered)
    sent_to_asker = file.notice(NoticeKind.ANSWER)
    if sent_to_asker:
        place = 4
    elif question.released:
        limit = "chờ máy chủ thư nhận"
    titles = [
        ("Đã gửi", _stamp(question.received_at)),
        ("Phân loại", _stamp(sorted_at)),
        ("Soạn trả lời", _stamp(latest.get(QuestionAnswered))),
        ("Gửi câu trả lời", _stamp(sent_to_asker.accepted_at if sent_to_asker else None)),
    ]
    return [
        {"title": title, "note": note if at < place else limit if at == place else "",
         "state": "done" if at < place else "now" if at == place else "todo"}
        for at, (title, note) in enumerate(titles)
    ]  # fmt: skip


def history(events: list[Recorded[Event]], units: Mapping[str, str], email: str) -> list[dict[str, Any]]:
    """What happened, newest first. Only what concerns the asker; no name of a member of staff."""
    return _told([_happening(recorded, units, email) for recorded in events])


def staff_history(
    events: list[Recorded[Event]], units: Mapping[str, str], people: Mapping[str, str], email: str
) -> list[dict[str, Any]]:
    """The same for staff: with who did it, and with who looked at the asker's identity."""
    told = []
    for recorded in events:
        happening = _happening(recorded, units, email)
        if isinstance(recorded.event, AskerDisclosed):
            why = DISCLOSURE_VI[recorded.event.reason]
            happening = {"at": recorded.at, "title": "Xem danh tính người hỏi", "text": why}
        if happening and recorded.by in people:
            happening["who"] = people[recorded.by]
        told.append(happening)
    return _told(told)


def _told(happenings: list[dict[str, Any] | None]) -> list[dict[str, Any]]:
    told = [happening for happening in happenings if happening]
    told.reverse()
    if told:
        told[0]["current"] = True
    return told


def _happening(recorded: Recorded[Event], units: Mapping[str, str], email: str) -> dict[str, Any] | None:
    event, at = recorded.event, recorded.at
    title, text, text_en = "", "", ""
    match event:
        case QuestionReceived():
            title = "Bạn gửi câu hỏi"
            if _day_of(event.received_at) != event.counted_from:
                text = f"Gửi vào ngày nghỉ nên tính là tiếp nhận ngày {vn_date(event.counted_from)}."
        case QuestionForwarded():
            title = f"Chuyển đến {units.get(event.unit, event.unit)}"
            text = " ".join(clock.explanation_vi for clock in event.opens)
            text_en = " ".join(clock.explanation_en for clock in event.opens)
        case QuestionRefused():
            title, text = (
                GROUND_VI[event.ground],
                f"Phải báo bạn chậm nhất hết ngày {vn_date(event.notice_due)}.",
            )
        case QuestionProgressReported():
            title = "Đơn vị báo quá trình xử lý"
            text = f"Hẹn trả lời chậm nhất ngày {vn_date(event.promised_for)}."
        case QuestionAnswered():
            title, text = "Đã có câu trả lời", units.get(event.unit, event.unit)
        case QuestionClockMoved():
            text, text_en = move_told(event, Duty(event.clock.duty).short_vi)
            title = "Lịch làm việc thay đổi" if text else ""
        case NoticeAccepted():
            at = event.accepted_at
            by_mail = event.way == "mail"
            title = NOTICE_VI[event.kind]
            text = f"Máy chủ thư đã nhận thư gửi {mask_email(email)}." if by_mail else "Báo bằng cách khác."
        case AnswerPublished():
            title, text = "Đã đăng công khai", "Thông tin cá nhân của bạn đã được bỏ."
        case AnswerWithheld():
            title = "Không đăng công khai"
    return {"at": at, "title": title, "text": text, "text_en": text_en} if title else None


def _day_of(instant: datetime) -> date:
    return local(instant).date()


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
