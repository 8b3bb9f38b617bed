"""Tra cứu: a question as its asker sees it, in plain words: state, who holds it, by when, what happened."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from services.qa.queries.file import File, RunningClock
from services.qa.queries.history import GROUND_VI, history
from services.qa.regulation import CITED, TRIAGE_BASIS, Duty, Status
from shared.calendars import Calendars
from shared.contracts.qa import (
    NoticeKind,
    Outcome,
    QuestionAnswered,
    QuestionForwarded,
    QuestionRefused,
    Referral,
    RefusalGround,
)
from shared.web.vietnamese import in_sentence, local, vn_date, vn_full_day

CENTRE: Final = "Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng"
# How a question ended, as its asker is told: title, sentence, colour, icon.
ENDED: Final = {
    Outcome.WITHDRAWN: ("Bạn đã rút câu hỏi", "Không còn việc gì phải làm với câu hỏi này.", "", "undo-2"),
    Outcome.MERGED: ("Đã gộp vào câu hỏi trước", "Câu trả lời sẽ ở câu hỏi kia.", "", "corner-up-right"),
    Outcome.PARTS: ("Đã trả lời từng phần", "Mỗi phần của câu hỏi đã xong.", "ok", "circle-check"),
    Outcome.RESUBMITTED: (
        "Bạn đã gửi lại đầy đủ",
        "Câu hỏi mới được xử lý thay câu này.",
        "",
        "corner-up-right",
    ),
    Outcome.LAPSED: ("Đã khép lại", "Câu hỏi chưa rõ và không được gửi lại; bạn có thể hỏi lại.", "", "lock"),
    Outcome.SET_ASIDE: ("Không xử lý", "Nội dung này không được xử lý như một câu hỏi.", "", "ban"),
}
# What is owed to the asker, inside a sentence.
OWED_VI: Final = {
    Duty.TRIAGE: "phân loại câu hỏi",
    Duty.SAME_DAY_NOTICE: "gửi thư báo bạn",
    Duty.UNIT_REPLY: "trả lời, hoặc báo bạn quá trình xử lý",
    Duty.COMPLEX_REPLY: "trả lời câu hỏi cần nhiều đơn vị cùng xem",
    Duty.CONSULTATION: "góp ý cho đơn vị chủ trì",
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
    if question.outcome in ENDED:
        banner = ENDED[question.outcome]
    elif question.status is Status.SPLIT:
        words = "Câu hỏi của bạn có nhiều việc nên được tách; mỗi phần có hạn riêng, ghi ở dưới."
        banner = ("Đang xử lý từng phần", words, "", "hourglass")
    elif question.status in (Status.RECEIVED, Status.SET_ASIDE):
        words = f"{CENTRE} phân loại để trả lời hoặc chuyển đơn vị có trách nhiệm, chậm nhất {_by(clock)}."
        banner = ("Đang phân loại", words, "", "hourglass")
    elif question.status is Status.RETURNED:
        words = f"{CENTRE} đang xem lại nơi trả lời câu hỏi, chậm nhất {_by(clock)}."
        banner = ("Đang chuyển lại", words, "", "hourglass")
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


PLACE: Final = {
    Status.RECEIVED: 1, Status.SET_ASIDE: 1, Status.RETURNED: 1, Status.FORWARDED: 2, Status.SPLIT: 2,
    Status.ANSWERED: 3, Status.CLOSED: 4,
}  # fmt: skip


def _steps(file: File, clock: RunningClock | None) -> list[dict[str, str]]:
    question = file.question
    latest = {type(recorded.event): recorded.at for recorded in file.events}
    limit = f"chậm nhất {local(clock.last_instant):%d/%m}" if clock else ""
    sent = {"title": "Đã gửi", "note": _stamp(question.received_at), "state": "done"}
    if question.refusal is not None:
        told = file.notice(NoticeKind.REFUSAL)
        return [
            sent,
            {"title": "Đã phân loại", "note": _stamp(latest[QuestionRefused]), "state": "done"},
            {"title": "Đã báo bạn", "note": _stamp(told.accepted_at), "state": "done"} if told
            else {"title": "Báo bạn", "note": limit, "state": "now"},
        ]  # fmt: skip
    place = PLACE[question.status]
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
