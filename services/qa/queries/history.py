"""Quá trình xử lý: what happened to a question, newest first, as its asker and as staff are told of it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from services.qa.regulation import Duty
from shared.contracts.base import Event, Recorded
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
    Finding,
    InformationAdded,
    NoteTaken,
    NoticeAccepted,
    NoticeKind,
    PartOver,
    QuestionAnswered,
    QuestionAssigned,
    QuestionClockMoved,
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
from shared.web.vietnamese import local, mask_email, vn_date

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
    NoticeKind.CORRECTION: "Thư đính chính đã gửi tới bạn",
    NoticeKind.MERGED: "Thư báo gộp câu hỏi đã gửi tới bạn",
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
    """The same for staff: with who did it, and with who looked at the asker's identity."""
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
            return "Góp ý cho đơn vị chủ trì", event.unit
        case QuestionAssigned():
            return ("Giao cho " + people.get(event.to, event.to) if event.to else "Giao lại cho bộ phận"), ""
        case NoteTaken():
            return "Ghi chú nội bộ", ""
        case FileChecked():
            return "Máy quét đã xem tệp đính kèm", event.verdict
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
        case QuestionReturned():
            title = f"{units.get(event.unit, event.unit)} trả lại câu hỏi"
        case QuestionMadeComplex():
            title = "Câu hỏi cần nhiều đơn vị cùng xem"
            text = " ".join(clock.explanation_vi for clock in event.opens[:1])
            text_en = " ".join(clock.explanation_en for clock in event.opens[:1])
        case AnswerSentBack():
            title = "Câu trả lời được yêu cầu viết lại"
        case AnswerCorrected():
            title = "Câu trả lời được đính chính"
        case QuestionMerged():
            title, text = "Gộp vào câu hỏi trước của bạn", f"Câu hỏi {event.into_number}."
        case DuplicateTaken():
            title = f"Nhận gộp câu hỏi {event.duplicate_number} của bạn"
        case QuestionSplit():
            title = f"Tách thành {len(event.parts)} phần"
        case PartOver():
            title = "Một phần đã xong"
        case QuestionWithdrawn():
            title = "Bạn rút câu hỏi"
        case InformationAdded():
            title = "Bạn bổ sung thông tin"
        case AnswerRated():
            title, text = "Bạn đánh giá câu trả lời", f"{event.score} trên 5."
        case QuestionContinued():
            how = "gửi lại đầy đủ" if event.resubmitted else "hỏi tiếp"
            title, text = f"Bạn {how}", f"Câu hỏi {event.by_number}."
        case QuestionReopened():
            title, text = "Mở lại câu hỏi", f"Theo {event.order} ngày {vn_date(event.ordered_on)}."
        case AskerErased():
            title = "Dữ liệu cá nhân đã được xóa"
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
