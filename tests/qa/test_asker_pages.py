"""What an asker does with a question of theirs, by page and by API: once opened with its code, and never
another's."""

import re
import time
from typing import Any
from uuid import uuid4

import pytest

from services.qa.asking import SAME_TIME
from services.qa.asking.acts import ASKER_ACTS
from services.qa.consumers import TABLE
from shared.contracts.qa import TOPIC, NoticeKind
from shared.desk import once
from shared.mongo import from_document
from tests.qa.conftest import Edges

UNCLEAR = {"ground": "unclear", "explanation": "Bạn cho biết thêm thời gian đóng."}
PARTS = {
    "parts": [
        {"subject": "Rút một lần", "text": "Có được rút không?"},
        {"subject": "Thẻ BHYT", "text": "Thẻ còn hạn không?"},
    ]
}
BODIES: dict[str, dict[str, Any]] = {
    "information": {"words": "Tôi đã chốt sổ."},
    "withdrawal": {"words": ""},
    "follow-up": {"text": "Nộp qua mạng thì sao?"},
    "resubmission": {"subject": "Rút một lần", "text": "Tôi đóng từ 2015 đến 2024."},
    "rating": {"score": 4, "words": "Rõ ràng."},
    "erasure": {},
}


async def opened(edges: Edges, asked: dict[str, Any]) -> str:
    """The tracking page, opened with code and address."""
    await edges.project()
    answer = await edges.form("/track", {"code": asked["tracking_code"], "email": asked["email"]})
    assert answer.status_code == 303, answer.text
    return (await edges.page("/track")).text


async def heard(edges: Edges) -> None:
    """What qa hears of itself."""
    edge = edges.service.edge
    for document in [d async for d in edges.service.database.journal.find().sort("at", 1)]:
        for recorded in from_document(document).recorded("qa"):
            handler = TABLE[TOPIC].get(type(recorded.event))
            if handler:
                await once(handler(recorded, edge.desk_for(recorded)))


async def sent(edges: Edges, **changes: Any) -> dict[str, Any]:
    """A question whose answer has reached its asker."""
    asked = await edges.answered(**changes)
    await edges.done(asked, "release", {}, "u-khoi")
    await edges.letter_accepted(asked, NoticeKind.ANSWER)
    return asked


async def unclear(edges: Edges) -> dict[str, Any]:
    asked = await edges.asked()
    await edges.done(asked, "refusal", UNCLEAR, "u-ha")
    await edges.letter_accepted(asked, NoticeKind.REFUSAL)
    return asked


async def act(edges: Edges, asked: dict[str, Any], path: str, **changes: Any) -> Any:
    proof = {"code": asked["tracking_code"], "email": asked["email"]}
    return await edges.post(f"/v1/tracking/{path}", proof | BODIES[path] | changes)


async def test_information_reaches_who_holds_the_question_and_no_clock_changes(edges: Edges) -> None:
    asked = await edges.forwarded()
    page = await opened(edges, asked)
    due = re.search(r"chậm nhất hết ([^.]+)\.", page)
    assert 'href="/track/information"' in page
    answer = await edges.form("/track/information", BODIES["information"])
    assert (answer.status_code, answer.headers["location"]) == (303, "/track?done=information")
    page = (await edges.page("/track?done=information")).text
    assert "Đã nhận thông tin bạn bổ sung" in page
    assert "Tôi đã chốt sổ." in page
    assert due
    assert due[0] in page
    refused = await edges.form("/track/information", {"words": " "})
    assert (refused.status_code, '<a href="#words">' in refused.text) == (422, True)


async def test_a_question_is_withdrawn_after_its_asker_confirms(edges: Edges) -> None:
    await opened(edges, await edges.asked())
    confirm = (await edges.page("/track/withdrawal")).text
    assert "không mở lại được" in confirm
    assert "Bạn đã rút câu hỏi" not in (await edges.page("/track")).text, "asking has done nothing yet"
    await edges.form("/track/withdrawal", {"words": "Đã tự tìm thấy."})
    page = (await edges.page("/track")).text
    assert "Bạn đã rút câu hỏi" in page
    assert "/track/withdrawal" not in page
    assert "Soạn trả lời" not in page, "a step that will never be taken"


async def test_an_answer_is_rated_once(edges: Edges) -> None:
    page = await opened(edges, await sent(edges))
    assert 'action="/track/rating"' in page
    missing = await edges.form("/track/rating", {"words": "x"})
    assert (missing.status_code, "Hãy chọn từ 1 đến 5." in missing.text) == (422, True)
    assert (await edges.form("/track/rating", BODIES["rating"])).status_code == 303
    page = (await edges.page("/track")).text
    assert "4 trên 5" in page
    assert 'action="/track/rating"' not in page
    again = await edges.form("/track/rating", {"score": "1", "words": ""})
    assert (again.status_code, "Bạn đã đánh giá câu trả lời này." in again.text) == (409, True)


async def test_a_follow_up_is_a_question_of_its_own_once_and_told_until_when(edges: Edges) -> None:
    asked = await sent(edges)
    page = await opened(edges, asked)
    assert re.search(r"Một lần, đến hết ngày \d\d/\d\d/\d{4}", page)
    answer = await edges.form("/track/follow-up", BODIES["follow-up"])
    assert answer.headers["location"] == "/ask/received"
    receipt = (await edges.page("/ask/received")).text
    number, code = re.findall(r'class="code">([^<]+)<|id="tracking-code">([^<]+)<', receipt)[:2]
    assert number[0] != asked["number"]
    follow_up = {"tracking_code": code[1], "email": asked["email"]}
    assert "Nộp qua mạng thì sao?" in await opened(edges, follow_up)
    await heard(edges)
    page = await opened(edges, asked)
    assert number[0] in page, "the question that goes on is named"
    assert "/track/follow-up" not in page


async def test_an_unclear_question_is_sent_again_from_what_was_written(edges: Edges) -> None:
    asked = await unclear(edges)
    page = await opened(edges, asked)
    assert 'href="/track/resubmission"' in page
    assert re.search(r"Đến hết ngày \d\d/\d\d/\d{4}; sau đó câu hỏi được khép lại", page)
    form = (await edges.page("/track/resubmission")).text
    assert asked["text"] in form
    assert UNCLEAR["explanation"] in form
    answer = await edges.form("/track/resubmission", BODIES["resubmission"])
    assert answer.headers["location"] == "/ask/received"
    await heard(edges)
    assert "Bạn đã gửi lại đầy đủ" in await opened(edges, asked)


async def test_who_erases_their_data_reads_beforehand_what_goes_and_what_stays(edges: Edges) -> None:
    asked = await edges.asked()
    await opened(edges, asked)
    explained = (await edges.page("/track/erasure")).text
    assert "không làm lại được" in explained
    assert "trong sổ" in explained
    answer = await edges.form("/track/erasure", {})
    assert (answer.status_code, answer.headers["location"]) == (303, "/track/erased")
    assert "đã được xóa" in (await edges.page("/track/erased")).text
    assert asked["number"] not in (await edges.page("/track")).text
    await edges.project()
    again = await edges.form("/track", {"code": asked["tracking_code"], "email": asked["email"]})
    assert again.status_code == 404


async def test_the_parts_of_a_split_question_are_one_thread(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.done(asked, "splitting", PARTS, "u-ha")
    await heard(edges)
    page = await opened(edges, asked)
    assert "Các phần của câu hỏi" in page
    for place, part in enumerate(PARTS["parts"], 1):
        assert f"{asked['number']}-{place}" in page
        assert part["subject"] in page
    ids = re.findall(r"/track/information\?part=([0-9a-f-]{36})", page)
    assert len(ids) == 2
    added = await edges.form("/track/information", {"words": "Thẻ số mới.", "part": ids[1]})
    assert added.status_code == 303
    assert f"{asked['number']}-2: Bạn bổ sung thông tin" in (await edges.page("/track")).text
    told = (
        await edges.post("/v1/tracking", {"code": asked["tracking_code"], "email": asked["email"]})
    ).json()
    assert [part["id"] for part in told["parts"]] == ids
    assert told["parts"][1]["acts"] == ["add_information"]
    other = await edges.asked()
    strange = await edges.form("/track/information", {"words": "x", "part": other["id"]})
    assert strange.status_code == 404, "a part of no question that was opened here"


async def test_a_correction_is_marked_on_the_answer_and_until_it_is_sent_the_first_one_stands(
    edges: Edges,
) -> None:
    asked = await sent(edges)
    mended = {"text": "Chưa được, phải đủ 12 tháng.", "reason": "Tính sai số tháng."}
    await edges.done(asked, "correction", mended, "u-tuan")
    page = await opened(edges, asked)
    assert "đang được đính chính" in page
    assert "Kính gửi bà Hoa" in page
    assert "Đính chính lần 1" not in page
    await edges.done(asked, "release", {}, "u-khoi")
    page = (await edges.page("/track")).text
    assert "Đính chính lần 1" in page
    assert mended["reason"] in page
    assert mended["text"] in page


@pytest.mark.parametrize("path", sorted(ASKER_ACTS))
async def test_each_act_is_there_by_api_with_code_and_proof_in_the_body(edges: Edges, path: str) -> None:
    begin = {"follow-up": sent, "rating": sent, "resubmission": unclear}.get(path)
    asked = await begin(edges) if begin else await edges.asked()
    await edges.project()
    answer = await act(edges, asked, path)
    assert answer.status_code in (200, 201), answer.text
    assert answer.headers["cache-control"] == "no-store"
    if ASKER_ACTS[path].begins:
        assert answer.json()["tracking_code"] != asked["tracking_code"]
    else:
        assert ASKER_ACTS[path].act not in answer.json()["acts"] or path == "information"
    by = await edges.service.database.journal.distinct("by", {"stream": re.compile(asked["id"])})
    assert "asker" in by or ASKER_ACTS[path].begins


@pytest.mark.parametrize("path", sorted(ASKER_ACTS))
async def test_a_wrong_proof_and_an_unknown_code_hear_the_same_after_the_same_time(
    edges: Edges, path: str
) -> None:
    asked = await edges.asked()
    await edges.project()
    told = []
    for proof in ({"email": "khac@x.vn"}, {"code": "AAAA-BBBB"}):
        began = time.monotonic()
        answer = await act(edges, asked, path, **proof)
        assert time.monotonic() - began >= SAME_TIME
        assert answer.headers["cache-control"] == "no-store"
        told.append({k: v for k, v in answer.json().items() if k != "correlation_id"})
    assert told[0] == told[1]
    assert told[0]["code"] == "tracking_not_found"


async def test_guesses_at_every_act_count_together_for_one_address(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.project()
    answers = [await act(edges, asked, path, email="khac@x.vn") for path in [*sorted(ASKER_ACTS)][:5]]
    assert {answer.status_code for answer in answers} == {404}
    over = await act(edges, asked, "withdrawal")
    assert over.status_code == 429, "even the right proof waits"


@pytest.mark.parametrize("path", sorted(ASKER_ACTS))
async def test_who_has_opened_nothing_is_led_to_the_door(edges: Edges, path: str) -> None:
    for answer in (await edges.page(f"/track/{path}"), await edges.form(f"/track/{path}", BODIES[path])):
        assert (answer.status_code, answer.headers["location"]) == (303, "/track")
        assert answer.headers["cache-control"] == "no-store"


async def test_what_cannot_be_done_any_more_is_told_on_the_page_itself(edges: Edges) -> None:
    await opened(edges, await edges.asked())
    for path in ("follow-up", "rating", "resubmission"):
        assert (await edges.page(f"/track/{path}")).status_code == 303, "not offered"
    answer = await edges.form("/track/rating", BODIES["rating"])
    assert answer.status_code == 409
    assert 'role="alert"' in answer.text


async def test_the_same_key_by_two_askers_does_not_meet(edges: Edges) -> None:
    key, pages = uuid4().hex, []
    for _ in range(2):
        await opened(edges, await edges.asked())
        form = {"idempotency_key": key, "words": "Như nhau."}
        assert (await edges.form("/track/information", form)).status_code == 303
        pages.append((await edges.page("/track")).text)
        await edges.form("/track/close", {})
    assert all("Như nhau." in page for page in pages)
