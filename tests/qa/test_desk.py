"""The working pages of staff, without JavaScript: whose they are, what they show before one decides, and what
becomes of a form."""

import asyncio
import re

import httpx2
import pytest

from services.qa.desk import rows
from services.qa.regulation import SAME_DAY_SENTENCE
from tests.qa.conftest import Edges

PUBLIC = {"subject": "Rút một lần", "question": "Rút được không?", "answer": "Được. <b>Gọi</b> 1900 9068."}


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
    said = f"/desk/triage?view=new&done=forwarding&was={asked['id']}"
    assert (done.status_code, done.headers["location"]) == (303, said)


async def test_the_same_day_duty_is_shown_with_its_sentence_before_one_refuses(edges: Edges) -> None:
    asked = await edges.asked()
    page = (await edges.page(f"/desk/triage/{asked['id']}", "u-ha")).text
    assert f"«{SAME_DAY_SENTENCE}»" in page
    assert "Điều 11 khoản 1 điểm a, Hỏi đáp, gạch thứ nhất" in page
    assert "(ngay trong ngày)" in page


async def test_a_line_is_kept_as_it_was_drawn_for_seconds_and_the_open_one_is_marked(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "KEPT_FOR", 0.2)
    rows._drawn.cache_clear()
    first, second = [await edges.asked(subject=f"Hỏi việc thứ {n}") for n in (1, 2)]
    await edges.project()
    drawn = [await edges.page("/desk/triage", "u-ha") for _ in range(2)]
    assert rows._drawn.cache_info().hits >= 2
    assert all("Hỏi việc thứ 1" in page.text and 'aria-current="true"' not in _list(page) for page in drawn)
    one = _list(await edges.page(f"/desk/triage/{first['id']}", "u-ha"))
    (marked,) = re.findall(r'<li id="row-([^"]+)">(?:(?!</li>).)*aria-current="true"', one, re.DOTALL)
    assert marked == first["id"] != second["id"]
    await asyncio.sleep(0.5)
    assert rows._drawn.cache_info().currsize == 0  # what an asker has had erased is left nowhere


def _list(page: httpx2.Response) -> str:
    return page.text.partition('id="d-rows"')[2].partition("</section>")[0]


async def test_a_form_that_cannot_be_done_keeps_what_was_typed(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.project()
    refusal = {"ground": "out_of_scope", "explanation": "Đã viết dài", "referral": "", "agency": ""}
    answer = await edges.form(f"/desk/triage/{asked['id']}/refusal", refusal, "u-ha")
    assert answer.status_code == 422
    assert "Đã viết dài" in answer.text
    assert '<a href="#refusal-agency">' in answer.text


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
