"""What a citizen reads in a mail: what, why, by when, under which clause, what to do."""

from pathlib import Path
from typing import Any

import pytest

from services import notifier
from services.notifier.gateways import Mail
from services.notifier.letters import mail_for
from shared.testing import local
from shared.web.look import Look

LOOK = Look([Path(notifier.__file__).parent / "templates"])
FACTS = {
    "email": "an@hopthu.example.vn", "name": "Nguyễn Văn An", "number": "HD-2026-11-7K3QZ4M",
    "subject": "Cấp lại sổ đỏ & thuế", "tracking_code": "7K3QZ-4M8TX-0ABCD-9XW2T-AB3DEF",
    "tracking_url": "http://qa/track", "received_at": local("2026-11-21T22:00"), "counted_from": "2026-11-23",
    "triage_due": local("2026-12-02T00:00"), "ground": "out_of_scope", "explanation": "Việc về đất đai.",
    "referral": "advised_asker", "agency": "Ủy ban nhân dân cấp xã", "notice_due": "2026-11-23",
    "ask_url": "http://qa/ask", "words": "Đang xác minh.", "promised_for": "2026-12-04",
    "unit_name": "BHXH thành phố Hà Nội", "answer": "Được.",
}  # fmt: skip


def letter(kind: str, at: str = "2026-11-23T23:59:59", **facts: Any) -> Mail:
    return mail_for(LOOK, kind, FACTS | facts, message_id="<1@x>", at=local(at))


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("acknowledgement", ["thứ Bảy 21/11/2026, 22:00", "tính là tiếp nhận vào thứ Hai 23/11/2026",
                             "chậm nhất hết thứ Ba 01/12/2026", "gạch thứ nhất"]),
        ("refusal", ["không thuộc phạm vi", "Việc về đất đai.", "Ủy ban nhân dân cấp xã", "gạch thứ nhất"]),
        ("progress", ["BHXH thành phố Hà Nội", "Đang xác minh.", "hết thứ Sáu 04/12/2026", "gạch thứ hai"]),
        ("answer", ["BHXH thành phố Hà Nội", "Được.", "gạch thứ ba"]),
    ],
)  # fmt: skip
def test_a_letter_says_what_why_by_when_and_under_which_clause(kind: str, said: list[str]) -> None:
    mail = letter(kind)
    assert "Cấp lại sổ đỏ & thuế" in mail.text
    assert "Cấp lại sổ đỏ &amp; thuế" in mail.html
    for words in (*said, "Kính gửi Nguyễn Văn An", "Quyết định 1582/QĐ-BHXH năm 2021", FACTS["number"]):
        assert str(words) in mail.text
        assert str(words) in mail.html.replace("<b>", "").replace("</b>", "")
    assert (FACTS["tracking_code"] in mail.text) is (kind == "acknowledgement")


def test_an_unclear_question_is_asked_for_again() -> None:
    mail = letter(
        "refusal", ground="unclear", referral=None, agency="", explanation="Chưa rõ hỏi chế độ nào."
    )
    assert "chưa đủ rõ" in mail.text
    assert "gửi lại câu hỏi với nội dung đầy đủ tại http://qa/ask" in mail.text
    assert "không thuộc phạm vi, chức năng" not in mail.text


def test_a_transfer_names_its_document_and_promises_nothing_for_another_agency() -> None:
    facts = {"referral": "transferred_by_centre", "reference": "12/CV-CSKH", "transferred_on": "2026-11-23"}
    mail = letter("refusal", **facts)
    assert (
        "đã chuyển câu hỏi của bạn tới Ủy ban nhân dân cấp xã ngày 23/11/2026, văn bản số 12/CV-CSKH"
        in mail.text
    )
    assert "cơ quan ấy có trách nhiệm trả lời bạn" in mail.text


@pytest.mark.parametrize(("at", "late"), [("2026-11-23T23:59:59.999", False), ("2026-11-24T00:00", True)])
def test_a_notice_that_missed_its_day_says_so(at: str, late: bool) -> None:
    """«…thông báo ngay trong ngày…»: nothing is backdated, and the asker is told."""
    mail = letter("refusal", at)
    for words in (mail.text, mail.html):
        assert ("Lẽ ra thư này phải được gửi chậm nhất hết thứ Hai 23/11/2026." in words) is late
