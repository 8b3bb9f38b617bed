"""What people read and press, without JavaScript: asking, tracking, the public answers, the three desks."""

import json
import re
from html import unescape
from typing import Any

import pytest

from services.qa.regulation import SAME_DAY_SENTENCE
from shared.contracts.qa import NoticeKind
from tests.qa.conftest import Edges
from tests.qa.world import question_in

PUBLIC = {"subject": "Rút một lần", "question": "Rút được không?", "answer": "Được. <b>Gọi</b> 1900 9068."}


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the page's own form."""
    form = page.split('<form method="post" action="/ask"')[1]
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found}


def typed(**changes: Any) -> dict[str, Any]:
    return {k: v for k, v in question_in(**changes).items() if k != "consent"}


async def test_an_asker_goes_step_by_step_and_gets_a_receipt(edges: Edges) -> None:
    body = typed()
    step = await edges.form("/ask", {"step": "subject", "subject": body["subject"]})
    assert (step.status_code, "Bước 2 trên 3" in step.text) == (200, True)
    step = await edges.form("/ask", {"step": "check", **body, "consent": "1"})
    assert "Xem lại trước khi gửi" in step.text
    kept = fields_of(step.text)
    assert {name: kept[name] for name in body} == body
    sent = await edges.form("/ask", {**kept, "step": "send"})
    assert (sent.status_code, sent.headers["location"]) == (303, "/ask/received")
    receipt = await edges.page("/ask/received")
    assert re.search(r"HD-\d{4}-\d\d-[0-9A-Z]{7}", receipt.text)
    assert re.search(r'id="tracking-code">[0-9A-Z-]{30}<', receipt.text)
    assert body["email"] not in receipt.text


async def test_sending_twice_by_a_double_click_is_one_question(edges: Edges) -> None:
    step = await edges.form("/ask", {"step": "check", **typed(), "consent": "1"})
    kept = fields_of(step.text)
    for _ in range(2):
        assert (await edges.form("/ask", {**kept, "step": "send"})).status_code == 303
    assert await edges.service.database.journal.count_documents({}) == 1


async def test_what_is_wrong_is_linked_to_its_field_and_what_was_typed_stays(edges: Edges) -> None:
    answer = await edges.form("/ask", {"step": "check", **typed(email="sai", name="")})
    assert answer.status_code == 422
    for field in ("name", "email", "consent"):
        assert f'<a href="#{field}">' in answer.text
        assert f'id="{field}"' in answer.text
        assert f'id="{field}-error"' in answer.text
    assert "Tôi là Nguyễn Thị Hoa" in answer.text
    assert 'value="sai"' in answer.text


async def test_published_answers_come_before_the_asker_writes(edges: Edges) -> None:
    asked = await edges.answered()
    await edges.done(asked, "publication", PUBLIC, "u-khoi")
    await edges.project()
    step = await edges.form("/ask", {"step": "subject", "subject": "toi muon rut mot lan co duoc ko"})
    assert f"/answers/{asked['id']}" in step.text


async def test_a_form_of_another_site_is_refused(edges: Edges) -> None:
    answer = await edges.form("/ask", {"csrf": "made-up", "step": "subject", "subject": "x"})
    assert answer.status_code == 403


async def test_tracking_keeps_the_code_out_of_every_address(edges: Edges) -> None:
    asked = await edges.forwarded()
    await edges.project()
    opened = await edges.form("/track", {"code": asked["tracking_code"].lower(), "email": asked["email"]})
    assert (opened.status_code, opened.headers["location"]) == (303, "/track")
    cookie = opened.headers["set-cookie"]
    assert asked["tracking_code"] not in cookie
    assert all(mark in cookie for mark in ("HttpOnly", "SameSite=lax", "Max-Age=1800"))
    page = await edges.page("/track")
    for told in (asked["number"], "Đang soạn trả lời", "Bảo hiểm xã hội thành phố Hà Nội", "Ngày 7"):
        assert told in page.text
    assert page.headers["cache-control"] == "no-store"
    assert asked["tracking_code"] not in page.text
    closed = await edges.form("/track/close", {})
    assert closed.status_code == 303
    assert asked["number"] not in (await edges.page("/track")).text


async def test_a_forged_cookie_opens_nothing(edges: Edges) -> None:
    asked = await edges.asked()
    edges.http.cookies.set("qa_track", f"{asked['id']}.9999999999.{'0' * 64}")
    page = await edges.page("/track")
    assert asked["number"] not in page.text
    assert "Tra cứu câu hỏi" in page.text


async def test_a_wrong_code_is_told_at_its_field(edges: Edges) -> None:
    answer = await edges.form("/track", {"code": "AAAA", "email": "a@x.vn"})
    assert (answer.status_code, '<a href="#code">' in answer.text) == (404, True)


async def test_the_tracking_page_says_the_ground_of_a_refusal_and_when_it_was_told(edges: Edges) -> None:
    asked = await edges.asked()
    refusal = {
        "ground": "out_of_scope",
        "explanation": "Việc của xã.",
        "referral": "advised_asker",
        "agency": "UBND xã",
    }
    await edges.done(asked, "refusal", refusal, "u-ha")
    await edges.project()
    await edges.form("/track", {"code": asked["tracking_code"], "email": asked["email"]})
    page = (await edges.page("/track")).text
    assert all(
        told in page for told in ("Việc của xã.", "UBND xã", "Điều 11 khoản 1 điểm a", "chậm nhất hết ngày")
    )
    await edges.letter_accepted(asked, NoticeKind.REFUSAL)
    assert "Đã báo bạn qua thư lúc" in (await edges.page("/track")).text


async def test_a_published_answer_is_a_page_that_machines_read_too(edges: Edges) -> None:
    asked = await edges.answered()
    await edges.done(asked, "publication", PUBLIC, "u-khoi")
    await edges.project()
    page = await edges.page(f"/answers/{asked['id']}")
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)
    assert found
    data = json.loads(found[1])
    assert (data["@type"], data["mainEntity"]["acceptedAnswer"]["text"]) == ("QAPage", PUBLIC["answer"])
    assert "<b>Gọi" not in page.text
    assert f"/answers/{asked['id']}" in (await edges.page("/answers?q=rut")).text


@pytest.mark.parametrize(
    ("place", "who", "status"),
    [
        ("triage", "u-ha", 200), ("triage", "u-thao", 200), ("triage", "u-tuan", 403),
        ("triage", "u-oanh", 403),
        ("unit", "u-tuan", 200), ("unit", "u-ha", 403),
        ("publishing", "u-khoi", 200), ("publishing", "u-tuan", 403), ("elsewhere", "u-ha", 404),
    ],
)  # fmt: skip
async def test_each_desk_is_for_those_whose_work_it_is(
    edges: Edges, place: str, who: str, status: int
) -> None:
    assert (await edges.page(f"/desk/{place}", who)).status_code == status


async def test_a_stranger_is_sent_to_sign_in(edges: Edges) -> None:
    answer = await edges.page("/desk/triage")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=%2Fdesk%2Ftriage")


async def test_the_due_date_is_shown_before_one_forwards(edges: Edges) -> None:
    asked = await edges.asked(
        subject="Con tôi sắp sinh con", province="Quảng Ngãi", text="Hỏi chế độ thai sản"
    )
    await edges.project()
    page = await edges.page(f"/desk/triage/{asked['id']}", "u-ha")
    assert "Hạn trả lời nếu chuyển bây giờ" in page.text
    assert '<option value="thai-san" selected>' in page.text
    assert '<option value="bhxh-quang-ngai" selected>' in page.text
    sent = {"unit": "bhxh-quang-ngai", "field": "thai-san", "note": "", "expected_version": "1"}
    done = await edges.form(f"/desk/triage/{asked['id']}/forwarding", sent, "u-ha")
    assert (done.status_code, done.headers["location"].startswith(f"/desk/triage/{asked['id']}")) == (
        303,
        True,
    )


async def test_the_same_day_duty_is_shown_with_its_sentence_before_one_refuses(edges: Edges) -> None:
    asked = await edges.asked()
    page = (await edges.page(f"/desk/triage/{asked['id']}", "u-ha")).text
    assert f"«{SAME_DAY_SENTENCE}»" in page
    assert "Điều 11 khoản 1 điểm a, Hỏi đáp, gạch thứ nhất" in page
    assert "(ngay trong ngày)" in page


async def test_a_form_that_cannot_be_done_keeps_what_was_typed(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.project()
    refusal = {"ground": "out_of_scope", "explanation": "Đã viết dài", "referral": "", "agency": ""}
    answer = await edges.form(f"/desk/triage/{asked['id']}/refusal", refusal, "u-ha")
    assert answer.status_code == 422
    assert "Đã viết dài" in answer.text
    assert '<a href="#agency">' in answer.text


async def test_seeing_who_asks_takes_a_reason_and_is_on_record(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.project()
    path = f"/desk/triage/{asked['id']}"
    assert asked["email"] not in (await edges.page(path, "u-ha")).text
    refused = await edges.form(f"{path}/identity", {"reason": ""}, "u-ha")
    assert (refused.status_code, '<a href="#identity-reason">' in refused.text) == (422, True)
    await edges.form(f"{path}/identity", {"reason": "contact"}, "u-ha")
    page = (await edges.page(path, "u-ha")).text
    assert asked["email"] in page
    assert "Xem danh tính người hỏi" in page
    assert asked["email"] not in (await edges.page(path, "u-khoi")).text, "only to whom it was shown"


async def test_a_unit_cannot_open_anothers_question(edges: Edges) -> None:
    asked = await edges.forwarded()
    assert (await edges.page(f"/desk/unit/{asked['id']}", "u-tuan")).status_code == 200
    assert (await edges.page(f"/desk/unit/{asked['id']}", "u-lan")).status_code == 403
    act = await edges.form(f"/desk/unit/{asked['id']}/answer", {"text": "x"}, "u-lan")
    assert act.status_code == 403


async def test_the_publisher_starts_from_a_masked_draft_and_sees_what_was_masked(edges: Edges) -> None:
    asked = await edges.answered()
    await edges.project()
    page = (await edges.page(f"/desk/publishing/{asked['id']}", "u-khoi")).text
    draft = re.search(r'<textarea[^>]*name="question"[^>]*>\s*(.*?)</textarea>', page, re.DOTALL)
    assert draft
    assert "Nguyễn Thị Hoa" not in draft[1]
    assert "[mã số BHXH]" in draft[1]
    assert "<del>" in page
    assert "<ins>" in page
    left = {**PUBLIC, "question": "Tôi là Nguyễn Thị Hoa", "field": "bhyt"}
    refused = await edges.form(f"/desk/publishing/{asked['id']}/publication", left, "u-khoi")
    assert (refused.status_code, "Còn họ tên người hỏi." in refused.text) == (422, True)


async def test_nothing_of_a_page_is_inline(edges: Edges) -> None:
    asked = await edges.forwarded()
    await edges.project()
    for path, who in (
        ("/ask", ""),
        ("/track", ""),
        ("/answers", ""),
        (f"/desk/unit/{asked['id']}", "u-tuan"),
    ):
        page = await edges.page(path, who)
        assert " style=" not in page.text
        assert not re.findall(r"<script(?![^>]*(?:src=|ld\+json))", page.text)
        assert "unsafe" not in page.headers["content-security-policy"]
