"""What a page's form says when something must be changed: one sentence a field, in the asker's words."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from shared.errors import PortalError
from shared.web.problems import field_errors

EMPTY: Final[Mapping[str, str]] = {
    "name": "Hãy cho biết họ và tên của bạn.",
    "email": "Hãy cho biết địa chỉ thư điện tử để nhận trả lời.",
    "subject": "Hãy viết việc cần hỏi trong một câu.",
    "text": "Hãy viết nội dung.",
    "consent": "Cần bạn đồng ý để chúng tôi được dùng thông tin này khi trả lời.",
    "code": "Hãy nhập mã tra cứu.",
    "unit": "Hãy chọn đơn vị trả lời.",
    "field": "Hãy chọn lĩnh vực.",
    "ground": "Hãy chọn căn cứ.",
    "explanation": "Hãy viết lời giải thích gửi người hỏi.",
    "words": "Hãy viết nội dung.",
    "reason": "Hãy cho biết lý do.",
    "question": "Hãy viết câu hỏi sẽ đăng.",
    "answer": "Hãy viết câu trả lời sẽ đăng.",
}
ABSENT: Final = frozenset({"missing", "string_too_short", "enum", "string_pattern_mismatch"})
OWN_WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("email", "value_error"): "Địa chỉ thư chưa đúng dạng, ví dụ ten@hopthu.vn.",
    ("promised_for", "date_from_datetime_parsing"): "Ngày chưa đúng.",
    ("promised_for", "date_parsing"): "Ngày chưa đúng.",
    ("transferred_on", "date_from_datetime_parsing"): "Ngày chưa đúng.",
}


def errors_of(error: ValidationError | PortalError) -> dict[str, str]:
    """Field → sentence."""
    if isinstance(error, ValidationError):
        return {each["field"]: _sentence(each) for each in field_errors(error.errors())}
    given: list[Mapping[str, Any]] = error.extra.get("errors", [])
    found = {str(each["field"]): str(each.get("message", "")) for each in given}
    return found or {"": error.detail or error.title_vi}


def _sentence(error: Mapping[str, str]) -> str:
    name, kind = error["field"], error["type"]
    if kind in ABSENT and name in EMPTY:
        return EMPTY[name]
    return OWN_WORDS.get((name, kind), error["message"])
