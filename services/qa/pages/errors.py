"""What a page's form says when something must be changed: one sentence a field, in the asker's words."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from shared.errors import PortalError
from shared.web.problems import field_errors
from shared.web.spoken import N_, VIETNAMESE, gettext, language

EMPTY: Final[Mapping[str, str]] = {
    "name": N_("Hãy cho biết họ và tên của bạn."),
    "email": N_("Hãy cho biết địa chỉ thư điện tử để nhận trả lời."),
    "subject": N_("Hãy viết việc cần hỏi trong một câu."),
    "text": N_("Hãy viết nội dung."),
    "consent": N_("Cần bạn đồng ý để chúng tôi được dùng thông tin này khi trả lời."),
    "code": N_("Hãy nhập mã tra cứu."),
    "unit": N_("Hãy chọn đơn vị trả lời."),
    "field": N_("Hãy chọn lĩnh vực."),
    "ground": N_("Hãy chọn căn cứ."),
    "explanation": N_("Hãy viết lời giải thích gửi người hỏi."),
    "words": N_("Hãy viết nội dung."),
    "reason": N_("Hãy cho biết lý do."),
    "question": N_("Hãy viết câu hỏi sẽ đăng."),
    "score": N_("Hãy chọn từ 1 đến 5."),
    "answer": N_("Hãy viết câu trả lời sẽ đăng."),
    "finding": "Hãy chọn lý do trả lại.",
    "suspicion": "Hãy chọn nghi gì.",
    "due_on": "Hãy chọn ngày góp ý.",
    "order": "Hãy ghi số, ký hiệu văn bản.",
    "ordered_on": "Hãy chọn ngày văn bản.",
}
ABSENT: Final = frozenset({"missing", "string_too_short", "enum", "string_pattern_mismatch"})
OWN_WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("email", "value_error"): N_("Địa chỉ thư chưa đúng dạng, ví dụ ten@hopthu.vn."),
    ("score", "int_parsing"): EMPTY["score"],
    ("promised_for", "date_from_datetime_parsing"): "Ngày chưa đúng.",
    ("promised_for", "date_parsing"): "Ngày chưa đúng.",
    ("transferred_on", "date_from_datetime_parsing"): "Ngày chưa đúng.",
    ("due_on", "date_from_datetime_parsing"): "Hãy chọn ngày góp ý.",
    ("ordered_on", "date_from_datetime_parsing"): "Hãy chọn ngày văn bản.",
    ("into", "uuid_parsing"): "Chọn câu hỏi nhận gộp.",
    ("parts", "too_short"): "Tách thì phải có ít nhất hai phần.",
    ("parts", "too_long"): "Tách nhiều nhất mười phần.",
    ("consulted", "too_short"): "Nêu ít nhất một đơn vị được lấy ý kiến.",
}


def errors_of(error: ValidationError | PortalError) -> dict[str, str]:
    """Field → sentence."""
    if isinstance(error, ValidationError):
        return {each["field"]: _sentence(each) for each in field_errors(error.errors())}
    given: list[Mapping[str, Any]] = error.extra.get("errors", [])
    return {str(each["field"]): _told(each, error) for each in given} or {"": said(error)}


def _told(each: Mapping[str, Any], error: PortalError) -> str:
    """What is said of one field; as :func:`said` where the catalogue does not know the words."""
    words = str(each.get("message", ""))
    told = str(each.get("message_en") or gettext(words)) if language() != VIETNAMESE else words
    return told if told != words or language() == VIETNAMESE else said(error)


def said(error: PortalError) -> str:
    """What is told of it in the language spoken; the title, where the catalogue does not know its words."""
    if language() == VIETNAMESE:
        return error.detail or error.title_vi
    told = str(error.extra.get("detail_en") or gettext(error.detail))
    return error.title_en if told == error.detail else told


def _sentence(error: Mapping[str, str]) -> str:
    name, kind = error["field"].rpartition(".")[2], error["type"]  # of a row: `parts.1.subject`
    if kind in ABSENT and name in EMPTY:
        return gettext(EMPTY[name])
    if (name, kind) in OWN_WORDS:
        return gettext(OWN_WORDS[name, kind])
    known = language() == VIETNAMESE or error["message_en"] == error["message"]
    return gettext(error["message"]) if known else error["message_en"]
