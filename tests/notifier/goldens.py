"""Every letter there is, as it reads: one file a version, language, kind and form. After a wanted change:
``python -m tests.notifier.goldens``; the difference is then read by a person."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from services import notifier
from services.notifier.gateways import Mail
from services.notifier.letters import (
    LANGUAGES,
    VERSIONS,
    Digest,
    Language,
    Line,
    Memo,
    digest_mail,
    mail_for,
    memo_mail,
)
from shared.testing import local
from shared.web.look import Look

FOLDER = Path(__file__).parent / "golden"
LOOK = Look([Path(notifier.__file__).parent / "templates"])
SENT = local("2026-11-23T23:59:59")
FACTS: dict[str, Any] = {
    "email": "an@hopthu.example.vn", "name": "Nguyễn Văn An", "number": "HD-2026-11-7K3QZ4M",
    "subject": "Cấp lại sổ đỏ & thuế", "tracking_code": "7K3QZ-4M8TX-0ABCD-9XW2T-AB3DEF",
    "tracking_url": "http://qa/track", "received_at": local("2026-11-21T22:00"), "counted_from": "2026-11-23",
    "triage_due": local("2026-12-02T00:00"), "ground": "out_of_scope", "explanation": "Việc về đất đai.",
    "referral": "advised_asker", "agency": "Ủy ban nhân dân cấp xã", "notice_due": "2026-11-23",
    "ask_url": "http://qa/ask", "words": "Đang xác minh.", "promised_for": "2026-12-04",
    "unit_name": "BHXH thành phố Hà Nội", "answer": "Được.\n\nNộp hồ sơ tại nơi cư trú.",
    "reason": "Câu trả lời trước ghi sai nơi nộp hồ sơ.", "into_number": "HD-2026-11-5N8W2JX",
}  # fmt: skip
ASKERS = ("acknowledgement", "refusal", "progress", "answer", "correction", "merged")
PART = {"number": "HD-2026-11-7K3QZ4M-2", "part": 2, "parts": 3, "whole_number": "HD-2026-11-7K3QZ4M"}
VARIANTS: dict[str, dict[str, Any]] = {
    "refusal-unclear": {"ground": "unclear", "referral": None, "agency": ""},
    "refusal-transferred": {
        "referral": "transferred_by_centre", "reference": "12/CV-CSKH", "transferred_on": "2026-11-23",
    },
    "acknowledgement-provisional": {"triage_provisional": True},
    "refusal-provisional": {"at": local("2026-11-24T08:00"), "notice_provisional": True},
    "progress-provisional": {"promised_provisional": True},
    "answer-part": PART,
    "refusal-part": PART,
    "correction-second": {"round": 2},
}  # fmt: skip
MEMOS = ("warning", "breach", "escalation", "postponement", "rescission", "rescission-done")


def memo(kind: str, language: Language, **facts: Any) -> Memo:
    known: dict[str, Any] = {
        "to": "hanoi@bhxh.example.vn", "addressee": "Bảo hiểm xã hội thành phố Hà Nội", "language": language,
        "label": "HD-2026-11-7K3QZ4M", "duty": "unit_reply",
        "unit_name": "Bảo hiểm xã hội thành phố Hà Nội", "last_day": date(2026, 11, 20),
        "explanation": {"vi": "7 ngày làm việc kể từ ngày chuyển đến đơn vị.",
                        "en": "7 working days from the day of delivery to the unit."}[language],
        "basis": "dieu-11#hoi-dap-2", "calendar_version": "2026-10-02", "subject_url": "http://qa/desk/triage/4f2c0293",
        "deadline_url": "http://notifier/desk/deadlines/95ffe331",
    }  # fmt: skip
    if kind == "escalation":
        known |= {"addressee": "Thủ trưởng Bảo hiểm xã hội thành phố Hà Nội", "late_days": 1}
    if kind == "postponement":
        known |= {"addressee": "Thủ trưởng Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng",
                  "duty": "promised_reply", "promises": 3, "last_day": date(2026, 12, 4),
                  "explanation": {"vi": "Đơn vị hẹn trả lời ngày 04/12/2026.",
                                  "en": "The unit promised it for 04/12/2026."}[language]}  # fmt: skip
    if kind == "rescission":
        known |= {"last_day": date(2026, 11, 25), "told_last_day": date(2026, 11, 20),
                  "document": "Thông báo 1234/TB-BNV"}  # fmt: skip
    if kind == "rescission-done":
        known |= {"done_at": local("2026-11-20T16:40")}
    return Memo(**(known | facts))


def digest(language: Language, **facts: Any) -> Digest:
    def line(number: str, duty: str, day: int, *, provisional: bool = False) -> Line:
        url = f"http://qa/desk/triage/{day}"
        return Line(label=number, duty=duty, last_day=date(2026, 11, day), provisional=provisional, url=url)

    known: dict[str, Any] = {
        "to": "hanoi@bhxh.example.vn", "addressee": "Bảo hiểm xã hội thành phố Hà Nội", "language": language,
        "day": date(2026, 11, 23), "overdue": (line("HD-1", "unit_reply", 20),),
        "today": (line("HD-2", "promised_reply", 23), line("Bài 3f2a9c, Văn bản", "supply", 23)),
        "soon": (line("HD-3", "unit_reply", 25, provisional=True),),
        "overdue_count": 38, "today_count": 2, "soon_count": 1,
        "url": "http://notifier/desk/deadlines?unit=bhxh-ha-noi",
    }  # fmt: skip
    return Digest(**(known | facts))


def letter(kind: str, language: Language = "vi", version: str = "v1", **facts: Any) -> Mail:
    return mail_for(LOOK, kind, FACTS | facts, message_id="<1@x>", at=facts.pop("at", SENT), version=version,
                    language=language)  # fmt: skip


def every_letter() -> Iterator[tuple[str, Mail]]:
    """Name of the file without its ending, and the mail."""
    for version in VERSIONS:
        for language in LANGUAGES:
            place, how = f"{version}/{language}", {"message_id": "<1@x>", "at": SENT, "version": version}
            for kind in ASKERS:
                yield f"{place}/{kind}", letter(kind, language, version)
            for variant, facts in VARIANTS.items():
                yield f"{place}/{variant}", letter(variant.partition("-")[0], language, version, **facts)
            for kind in MEMOS:
                said = memo(kind, language)
                yield f"{place}/{kind}", memo_mail(LOOK, kind.partition("-")[0], said, **how)  # type: ignore[arg-type]
            yield f"{place}/digest", digest_mail(LOOK, digest(language), **how)  # type: ignore[arg-type]


def files_of(name: str, mail: Mail) -> Iterator[tuple[Path, str]]:
    yield FOLDER / f"{name}.txt", f"Subject: {mail.subject}\n\n{mail.text}"
    yield FOLDER / f"{name}.html", mail.html


def main() -> None:
    for name, mail in every_letter():
        for file, content in files_of(name, mail):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
