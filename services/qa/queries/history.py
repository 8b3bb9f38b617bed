"""Quá trình xử lý: what happened to a question, newest first, as its asker and as staff are told of it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from services.qa.regulation import Duty
from shared.contracts.base import Clock, Event, Recorded
from shared.contracts.clocks import move_told
from shared.contracts.qa import (
    AdviceGiven,
    AnswerCorrected,
    AnswerPublished,
    AnswerRated,
    AnswerSentBack,
    AnswerWithheld,
    AskerDisclosed,
    AskerErased,
    DisclosureReason,
    DuplicateTaken,
    FileChecked,
    FileVerdict,
    Finding,
    InformationAdded,
    NoteTaken,
    NoticeAccepted,
    NoticeKind,
    Outcome,
    PartOver,
    QuestionAnswered,
    QuestionAssigned,
    QuestionClockMoved,
    QuestionClosed,
    QuestionContinued,
    QuestionForwarded,
    QuestionMadeComplex,
    QuestionMerged,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
    QuestionReopened,
    QuestionRestored,
    QuestionReturned,
    QuestionSetAside,
    QuestionSplit,
    QuestionWithdrawn,
    RefusalGround,
    SetAsideConfirmed,
    Suspicion,
)
from shared.web.english import dates_written_out
from shared.web.spoken import N_, VIETNAMESE, gettext, language, said_date, tr
from shared.web.vietnamese import local, mask_email

GROUND_VI: Final = {
    RefusalGround.OUT_OF_SCOPE: N_("Không thuộc phạm vi, chức năng, nhiệm vụ của Bảo hiểm xã hội Việt Nam"),
    RefusalGround.UNCLEAR: N_("Câu hỏi chưa rõ nghĩa"),
}
VERDICT_VI: Final = {
    FileVerdict.CLEAN: "Không thấy mã độc",
    FileVerdict.INFECTED: "Có mã độc, không ai mở được",
    FileVerdict.UNREADABLE: "Máy quét không đọc được, không ai mở được",
}
DISCLOSURE_VI: Final = {
    DisclosureReason.CONTACT: "Liên hệ với người hỏi",
    DisclosureReason.DUPLICATE: "Đối chiếu câu hỏi trùng",
    DisclosureReason.TRANSFER: "Chuyển cơ quan có trách nhiệm",
    DisclosureReason.OTHER: "Lý do khác",
}
NOTICE_VI: Final = {
    NoticeKind.ACKNOWLEDGEMENT: N_("Thư xác nhận đã gửi tới bạn"),
    NoticeKind.REFUSAL: N_("Thư thông báo đã gửi tới bạn"),
    NoticeKind.PROGRESS: N_("Thư báo quá trình xử lý đã gửi tới bạn"),
    NoticeKind.ANSWER: N_("Thư trả lời đã gửi tới bạn"),
    NoticeKind.CORRECTION: N_("Thư đính chính đã gửi tới bạn"),
    NoticeKind.MERGED: N_("Thư báo gộp câu hỏi đã gửi tới bạn"),
}
FINDING_VI: Final = {
    Finding.OTHER_UNIT: "Thuộc đơn vị khác của ngành",
    Finding.OUT_OF_SCOPE: "Ngoài phạm vi của ngành",
    Finding.UNCLEAR: "Câu hỏi chưa rõ nghĩa",
}
SUSPICION_VI: Final = {Suspicion.SPAM: "Thư rác", Suspicion.ABUSE: "Lạm dụng, xúc phạm"}


def history(events: list[Recorded[Event]], units: Mapping[str, str], email: str) -> list[dict[str, Any]]:
    """What happened, newest first. Only what concerns the asker; no name of a member of staff."""
    return _told([_happening(recorded, units, email) for recorded in events])


def staff_history(
    events: list[Recorded[Event]], units: Mapping[str, str], people: Mapping[str, str], email: str
) -> list[dict[str, Any]]:
    """The same for staff: with who did it, and with who looked at the asker's identity. ``people`` names
    staff and units by id."""
    told = []
    for recorded in events:
        happening = _happening(recorded, units, email)
        inside = _inside(recorded.event, people)
        if inside:
            happening = {"at": recorded.at, "title": inside[0], "text": inside[1]}
        if happening and recorded.by in people:
            happening["who"] = people[recorded.by]
        told.append(happening)
    return _told(told)


def _inside(  # noqa: PLR0911 (an arm for each event)
    event: Event, people: Mapping[str, str]
) -> tuple[str, str] | None:
    """What staff alone are told of."""
    match event:
        case AskerDisclosed():
            return "Xem danh tính người hỏi", DISCLOSURE_VI[event.reason]
        case QuestionReturned():
            return "Đơn vị trả lại câu hỏi", FINDING_VI[event.finding]
        case QuestionSetAside():
            return "Gạt ra, chờ người thứ hai xem", SUSPICION_VI[event.suspicion]
        case SetAsideConfirmed():
            return "Xác nhận không xử lý", SUSPICION_VI[event.suspicion]
        case QuestionRestored():
            return "Đưa lại hàng chờ", ""
        case AdviceGiven():
            return "Góp ý cho đơn vị chủ trì", people.get(event.unit, event.unit)
        case QuestionAssigned():
            return ("Giao cho " + people.get(event.to, event.to) if event.to else "Giao lại cho bộ phận"), ""
        case NoteTaken():
            return "Ghi chú nội bộ", ""
        case FileChecked():
            return "Máy quét đã xem tệp đính kèm", VERDICT_VI[event.verdict]
        case _:
            return None


def _told(happenings: list[dict[str, Any] | None]) -> list[dict[str, Any]]:
    told = [happening for happening in happenings if happening]
    told.reverse()
    if told:
        told[0]["current"] = True
    return told


def _happening(  # noqa: PLR0912, PLR0915 (an arm for each event)
    recorded: Recorded[Event], units: Mapping[str, str], email: str
) -> dict[str, Any] | None:
    event, at = recorded.event, recorded.at
    title, text, text_en = "", "", ""
    match event:
        case QuestionReceived():
            title = tr("Bạn gửi câu hỏi")
            if event.resubmits or event.follows:
                title = tr("Bạn gửi lại câu hỏi đầy đủ") if event.resubmits else tr("Bạn hỏi tiếp")
            if _day_of(event.received_at) != event.counted_from:
                day = said_date(event.counted_from)
                text = tr("Gửi vào ngày nghỉ nên tính là tiếp nhận ngày %(day)s.", day=day)
        case QuestionForwarded():
            title = tr("Chuyển đến %(unit)s", unit=_unit(event.unit, units))
            text, text_en = _explained(event.opens)
            if event.asked_unit:
                merged = tr("%(unit)s đã sáp nhập vào đơn vị này.", unit=_unit(event.asked_unit, units))
                text = f"{merged} {text}"
        case QuestionRefused():
            title = tr(GROUND_VI[event.ground])
            text = tr("Phải báo bạn chậm nhất hết ngày %(day)s.", day=said_date(event.notice_due))
        case QuestionProgressReported():
            title = tr("Đơn vị báo quá trình xử lý")
            text = tr("Hẹn trả lời chậm nhất ngày %(day)s.", day=said_date(event.promised_for))
        case QuestionAnswered():
            title, text = tr("Đã có câu trả lời"), _unit(event.unit, units)
        case QuestionReturned():
            title = tr("%(unit)s trả lại câu hỏi", unit=_unit(event.unit, units))
        case QuestionMadeComplex():
            title = tr("Câu hỏi cần nhiều đơn vị cùng xem")
            text, text_en = _explained(event.opens[:1])
        case AnswerSentBack():
            title = tr("Câu trả lời được yêu cầu viết lại")
        case AnswerCorrected():
            title = tr("Câu trả lời được đính chính")
        case QuestionMerged():
            title = tr("Gộp vào câu hỏi trước của bạn")
            text = tr("Câu hỏi %(number)s.", number=event.into_number)
        case DuplicateTaken():
            title = tr("Nhận gộp câu hỏi %(number)s của bạn", number=event.duplicate_number)
        case QuestionSplit():
            title = tr("Tách thành %(count)s phần", count=len(event.parts))
        case PartOver():
            title = tr("Một phần đã xong")
        case QuestionWithdrawn():
            title = tr("Bạn rút câu hỏi")
        case InformationAdded():
            title = tr("Bạn bổ sung thông tin")
        case AnswerRated():
            title = tr("Bạn đánh giá câu trả lời")
            text = tr("%(score)s trên 5.", score=event.score)
        case QuestionContinued():
            title = tr("Bạn gửi lại câu hỏi đầy đủ") if event.resubmitted else tr("Bạn hỏi tiếp")
            text = tr("Câu hỏi %(number)s.", number=event.by_number)
        case QuestionReopened():
            title = tr("Mở lại câu hỏi")
            text = tr("Theo %(order)s ngày %(day)s.", order=event.order, day=said_date(event.ordered_on))
        case AskerErased():
            title = tr("Dữ liệu cá nhân đã được xóa")
        case QuestionClockMoved():
            text, text_en = move_told(event, Duty(event.clock.duty).short_vi)
            title = tr("Lịch làm việc thay đổi") if text else ""
        case NoticeAccepted():
            at = event.accepted_at
            title = tr(NOTICE_VI[event.kind])
            text = tr("Máy chủ thư đã nhận thư gửi %(address)s.", address=mask_email(email))
            if event.way != "mail":
                text = tr("Báo bằng cách khác.")
        case AnswerPublished():
            title = tr("Đã đăng công khai")
            text = tr("Thông tin cá nhân của bạn đã được bỏ.")
        case AnswerWithheld():
            title = tr("Không đăng công khai")
        case QuestionClosed(outcome=Outcome.LAPSED):
            title = tr("Khép lại vì không có câu hỏi gửi lại")
    if language() != VIETNAMESE:
        text = dates_written_out(text_en) or text
    return {"at": at, "title": title, "text": text, "text_en": text_en} if title else None


def _explained(clocks: tuple[Clock, ...]) -> tuple[str, str]:
    """What the calendar says of these clocks, vi and en."""
    return " ".join(c.explanation_vi for c in clocks), " ".join(c.explanation_en for c in clocks)


def _unit(id: str, units: Mapping[str, str]) -> str:
    return gettext(units.get(id, id))


def _day_of(instant: datetime) -> date:
    return local(instant).date()
