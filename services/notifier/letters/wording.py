"""The words that letters share, in Vietnamese and in English: subjects, duties, clauses, days."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final, Literal

from services.notifier.regulation import DUTIES
from services.notifier.regulation_clauses import CITED
from shared.web.vietnamese import in_sentence, local, vn_datetime, vn_full_day

Language = Literal["vi", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
VERSIONS: Final = ("v1",)  # every one of them is kept: a notice goes out in the words of its request

SUBJECTS: Final[Mapping[Language, Mapping[str, str]]] = {
    "vi": {
        "acknowledgement": "Đã nhận câu hỏi {number}",
        "refusal": "Thông báo về câu hỏi {number}",
        "progress": "Câu hỏi {number}: đang xử lý, hẹn trả lời {promised}",
        "answer": "Trả lời câu hỏi {number}",
        "correction": "Đính chính câu trả lời cho câu hỏi {number}",
        "merged": "Câu hỏi {number} được gộp vào câu hỏi {into}",
        "warning": "Sắp hết hạn: {duty}, {label}",
        "breach": "Quá hạn: {duty}, {label}",
        "escalation": "Báo cấp trên, quá hạn: {duty}, {label}",
        "postponement": "Báo cấp trên, hẹn lại lần thứ {promises}: {label}",
        "rescission": "Rút lại báo quá hạn: {duty}, {label}",
        "digest": "Việc của {unit} ngày {day}: {counts}",
    },
    "en": {
        "acknowledgement": "Your question {number} has been received",
        "refusal": "About your question {number}",
        "progress": "Your question {number} is being worked on; reply promised by {promised}",
        "answer": "Reply to your question {number}",
        "correction": "Corrected reply to your question {number}",
        "merged": "Your question {number} has been merged into {into}",
        "warning": "Due very soon: {duty}, {label}",
        "breach": "Overdue: {duty}, {label}",
        "escalation": "Escalated, overdue: {duty}, {label}",
        "postponement": "Escalated, put off again ({promises} notices): {label}",
        "rescission": "Withdrawn, not overdue: {duty}, {label}",
        "digest": "{unit}, {day}: {counts}",
    },
}
DUTIES_EN: Final[Mapping[str, str]] = {
    "same_day_notice": "Tell the asker the same day",
    "triage": "Classify the question",
    "unit_reply": "Reply, or report progress",
    "complex_reply": "Reply to a complex question",
    "consultation": "Give an opinion to the lead unit",
    "promised_reply": "Reply by the promised day",
    "send_answer": "Send the answer to the asker",
    "publish_answer": "Publish the answer",
    "supply": "Supply content",
    "linking": "Keep linked portals in step",
}
_LAW: Final = "Article 11, clause 1, point a"
_QA: Final = f"{_LAW}, Questions and answers"
CITED_EN: Final[Mapping[str, str]] = {
    "dieu-11#lien-he": f"{_LAW}, Contact details",
    "dieu-11#tin-tuc-su-kien": f"{_LAW}, News and events",
    "dieu-11#hoi-dap-1": f"{_QA}, first indent",
    "dieu-11#hoi-dap-2": f"{_QA}, second indent",
    "dieu-11#hoi-dap-3": f"{_QA}, third indent",
    "dieu-11#hoat-dong": f"{_LAW}, Activities of the unit",
    "dieu-11#van-ban": f"{_LAW}, Documents",
    "dieu-11#du-thao": f"{_LAW}, Drafts for consultation",
    "dieu-11#huong-dan": f"{_LAW}, Guidance",
    "dieu-12#khoan-1": "Article 12, clause 1",
    "dieu-12#khoan-2": "Article 12, clause 2",
    "bo-luat-dan-su#dieu-147": "Civil Code 2015, Article 147",
    "bo-luat-dan-su#dieu-148": "Civil Code 2015, Article 148",
}
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def en_day(value: date) -> str:
    """Monday 23 November 2026, as the day is in Vietnam"""
    day = local(value).date() if isinstance(value, datetime) else value
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def en_moment(value: datetime) -> str:
    """Monday 23 November 2026, 09:44 (Vietnam)"""
    return f"{en_day(value)}, {local(value):%H:%M} (Vietnam)"


def duty_name(duty: str, language: Language) -> str:
    return (DUTIES if language == "vi" else DUTIES_EN).get(duty, duty)


def tentative(provisional: bool, language: Language) -> str:
    """What follows a day that leans on a year without its official decision (tạm tính)."""
    if not provisional:
        return ""
    vi, en = (
        "tạm tính: lịch nghỉ chính thức của năm chưa đủ",
        "provisional: the year's calendar is incomplete",
    )
    return f" ({vi if language == 'vi' else en})"


def spoken(language: Language) -> dict[str, Any]:
    """What a template of this language says days, instants, duties and clauses with."""
    if language == "vi":
        return {
            "cited": CITED, "day": lambda value: in_sentence(vn_full_day(value)),
            "moment": lambda value: in_sentence(vn_datetime(value)), "duty": lambda d: duty_name(d, "vi"),
            "tentative": lambda is_so: tentative(is_so, "vi"),
        }  # fmt: skip
    return {"cited": CITED_EN, "day": en_day, "moment": en_moment, "duty": lambda d: duty_name(d, "en"),
            "tentative": lambda is_so: tentative(is_so, "en")}  # fmt: skip
