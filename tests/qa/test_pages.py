"""What people read and press, without JavaScript: asking, tracking, the public answers."""

import json
import re
from html import unescape
from typing import Any

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
    assert (step.status_code, "Bước 2 trên 4" in step.text) == (200, True)
    step = await edges.form("/ask", {"step": "words", "subject": body["subject"], "text": body["text"]})
    assert (step.status_code, "Bước 3 trên 4" in step.text, body["text"] in step.text) == (200, True, True)
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
