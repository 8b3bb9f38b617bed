"""Made-up facts for looking at a template without a notice, and the mask for looking at one with."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from services.notifier.letters.staff import Digest, Line, Memo
from services.notifier.letters.wording import Language
from shared.web.vietnamese import VIETNAM

HIDDEN: Final = "•••"
OF_PERSONS: Final[Mapping[str, str]] = {
    "tracking_code": HIDDEN,
    "subject": "••• (lời của người hỏi)",
    "explanation": "••• (lời gửi người hỏi)",
    "words": "••• (lời gửi người hỏi)",
    "answer": "••• (lời gửi người hỏi)",
    "reason": "••• (lời gửi người hỏi)",
}
ASKER: Final[Mapping[str, Any]] = {
    "email": "nguoi.hoi@example.vn", "name": "Nguyễn Văn A", "number": "HD-2026-11-0000000",
    "subject": "Cấp lại sổ bảo hiểm xã hội", "tracking_code": "00000-00000",
    "tracking_url": "https://hoidap.example.vn/track",
    "received_at": datetime(2026, 11, 21, 15, 0, tzinfo=UTC), "counted_from": date(2026, 11, 23),
    "triage_due": datetime(2026, 12, 1, 17, 0, tzinfo=UTC), "ground": "out_of_scope",
    "explanation": "Việc này thuộc lĩnh vực đất đai.", "referral": "advised_asker",
    "agency": "Ủy ban nhân dân cấp xã", "notice_due": date(2026, 11, 23),
    "ask_url": "https://hoidap.example.vn/ask", "words": "Đơn vị đang xác minh quá trình đóng.",
    "promised_for": date(2026, 12, 4), "unit_name": "Bảo hiểm xã hội tỉnh mẫu",
    "answer": "Bạn nộp hồ sơ tại cơ quan bảo hiểm xã hội nơi cư trú.",
    "reason": "Câu trả lời trước ghi sai nơi nộp hồ sơ.", "into_number": "HD-2026-11-1111111",
}  # fmt: skip


def masked(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A letter's facts without what is a person's: name, address, code, words. Numbers and dates stay."""
    name = " ".join(f"{word[0]}•••" for word in str(facts.get("name", "")).split()) or HIDDEN
    hidden = {field: words for field, words in OF_PERSONS.items() if facts.get(field)}
    shown = {**facts, **hidden, "name": name, "email": "an@example.vn"}
    return shown | ({"reply_to": HIDDEN} if facts.get("reply_to") else {})


def memo(kind: str, language: Language) -> Memo:
    last = datetime.now(VIETNAM).date() - timedelta(days=1)
    duty = {"warning": "same_day_notice", "postponement": "promised_reply"}.get(kind, "unit_reply")
    withdrawn = {"document": "văn bản số 00/TB", "told_last_day": last - timedelta(days=3)}
    sentence = {"vi": "7 ngày làm việc kể từ ngày chuyển đến đơn vị.",
                "en": "7 working days from the day of delivery to the unit."}  # fmt: skip
    return Memo(
        to="donvi@example.vn", addressee="Đơn vị mẫu", language=language, label="HD-2026-11-0000000",
        duty=duty, promises=3, unit_name="Đơn vị mẫu",
        last_day=last + timedelta(days=8) if kind == "postponement" else last,
        explanation=sentence[language], basis="dieu-11#hoi-dap-2", calendar_version="2026-10-02", late_days=1,
        subject_url="https://hoidap.example.vn/desk/triage/…",
        deadline_url="https://thoihan.example.vn/desk/deadlines/…",
        **(withdrawn if kind == "rescission" else {}),
    )  # fmt: skip


def digest(language: Language) -> Digest:
    today = datetime.now(VIETNAM).date()

    def line(number: int, duty: str, days: int) -> Line:
        return Line(label=f"HD-2026-11-000000{number}", duty=duty, last_day=today + timedelta(days=days),
                    url="https://hoidap.example.vn/desk/triage/…")  # fmt: skip

    return Digest(
        to="donvi@example.vn", addressee="Đơn vị mẫu", language=language, day=today,
        overdue=(line(1, "unit_reply", -1),), today=(line(2, "promised_reply", 0),),
        soon=(line(3, "unit_reply", 2),), overdue_count=1, today_count=1, soon_count=1,
        url="https://thoihan.example.vn/desk/deadlines",
    )  # fmt: skip
