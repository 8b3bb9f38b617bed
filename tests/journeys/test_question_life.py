"""Journeys of a question whose way is not straight, one a paragraph of Điều 11.1.a, hỏi đáp: through real
Kafka, mongod, SMTP and HTTP."""

from datetime import UTC, datetime
from typing import Any

from deploy.demo.edges import Edges, eventually
from shared.calendar import CALENDAR
from tests.journeys.acts import ask, letters, ok, once

ANSWER = {"text": "Ông cần đóng đủ 15 năm. Có thể đóng tự nguyện một lần cho số tháng còn thiếu."}
UNCLEAR = {"ground": "unclear", "explanation": "Xin cho biết bạn hỏi về chế độ nào, từ năm nào."}
ELSEWHERE = {
    "ground": "out_of_scope", "explanation": "Việc cấp giấy phép xây dựng không thuộc ngành này.",
    "referral": "advised_asker", "agency": "Ủy ban nhân dân cấp xã nơi có đất",
}  # fmt: skip


def do(edges: Edges, id: str, path: str, body: dict[str, Any], who: str) -> dict[str, Any]:
    return ok(edges.post("qa", f"/v1/questions/{id}/{path}", body, once(), who))


def forward(edges: Edges, id: str, unit: str = "bhxh-ha-noi") -> dict[str, Any]:
    return do(edges, id, "forwarding", {"unit": unit, "field": "luong-huu"}, "ha")


def term(edges: Edges, id: str, name: str, state: str) -> dict[str, Any]:
    """The register's deadline of this name, once it stands so."""

    def look() -> dict[str, Any] | None:
        found = ok(edges.get("notifier", "/v1/deadlines", "oanh", subject=f"question-{id}"))["items"]
        return next((each for each in found if (each["name"], each["state"]) == (name, state)), None)

    return eventually(f"thời hạn {name} ở trạng thái {state}", look, 30)


def status(edges: Edges, id: str, wanted: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        view = ok(edges.get("qa", f"/v1/questions/{id}", "ha"))
        return view if view["status"] == wanted else None

    return eventually(f"câu hỏi ở trạng thái {wanted}", look, 30)


def working_day(days: int) -> str:
    return CALENDAR.add(CALENDAR.day_of(datetime.now(UTC)), days).isoformat()


def public(subject: str) -> dict[str, str]:
    return {
        "subject": subject,
        "question": "Khi nào được hưởng?",
        "answer": ANSWER["text"],
        "field": "luong-huu",
    }


def test_what_a_unit_finds_out_of_scope_is_told_on_that_day_and_the_late_sorting_is_on_record(
    edges: Edges,
) -> None:
    sent, receipt = ask(edges)
    id = receipt["id"]
    forward(edges, id)
    found = {"finding": "out_of_scope", "words": "Thuộc Ủy ban nhân dân cấp xã."}
    returned = do(edges, id, "return", found, "tuan")
    assert returned["status"] == "returned"
    notice = term(edges, id, "same_day_notice", "open")
    assert (notice["working_days"], notice["unit"]) == (0, "tt-cskh")
    do(edges, id, "refusal", ELSEWHERE, "ha")
    assert any("Ủy ban nhân dân" in mail["text"] for mail in letters(edges, sent["email"], 2))
    term(edges, id, "same_day_notice", "met")
    term(edges, id, "unit_reply", "void")
    assert status(edges, id, "closed")["refusal"]["told_at"]


def test_what_belongs_to_another_unit_goes_on_with_the_time_that_is_left(edges: Edges) -> None:
    sent, receipt = ask(edges)
    id = receipt["id"]
    forward(edges, id)
    first = term(edges, id, "unit_reply", "open")
    do(edges, id, "return", {"finding": "other_unit", "words": "Hồ sơ ở Cần Thơ."}, "tuan")
    term(edges, id, "unit_reply", "void")
    forward(edges, id, "bhxh-can-tho")
    last = term(edges, id, "unit_reply/3", "open")
    assert (last["unit"], last["due_at"]) == ("bhxh-can-tho", first["due_at"])
    stranger = edges.post("qa", f"/v1/questions/{id}/answer", ANSWER, once(), "tuan")
    assert (stranger.status, stranger.body["code"]) == (403, "not_your_unit")
    do(edges, id, "answer", ANSWER, "nga")
    term(edges, id, "unit_reply/3", "met")
    letters(edges, sent["email"], 1)


def test_each_part_has_its_own_way_and_the_whole_is_over_with_the_last(edges: Edges) -> None:
    sent, receipt = ask(edges)
    id = receipt["id"]
    triage = term(edges, id, "triage", "open")
    parts = [
        {"subject": "Lương hưu", "text": "Khi nào được hưởng lương hưu?"},
        {"subject": "Giấy phép xây dựng", "text": "Xin giấy phép xây nhà ở đâu?"},
    ]
    do(edges, id, "splitting", {"parts": parts}, "ha")

    def found() -> list[str] | None:
        rows = ok(edges.get("qa", "/v1/questions", "ha", q=receipt["number"], limit="20"))["items"]
        numbers = {row["number"]: row["id"] for row in rows}
        mine = [numbers.get(f"{receipt['number']}-{place}", "") for place in (1, 2)]
        return mine if all(mine) else None

    pension, permit = eventually("hai phần của câu hỏi", found, 30)
    assert term(edges, pension, "triage", "open")["due_at"] == triage["due_at"]
    do(edges, permit, "refusal", ELSEWHERE, "ha")
    assert any("Ủy ban nhân dân" in mail["text"] for mail in letters(edges, sent["email"], 2))
    term(edges, permit, "same_day_notice", "met")
    status(edges, permit, "closed")
    assert status(edges, id, "split")
    do(edges, pension, "answer", ANSWER, "ha")
    do(edges, pension, "release", {}, "khoi")
    do(edges, pension, "publication", public(f"Lương hưu {once()[:8]}"), "khoi")
    assert any("15 năm" in mail["text"] for mail in letters(edges, sent["email"], 3))
    status(edges, pension, "closed")
    status(edges, id, "closed")


def test_a_complex_question_is_answered_within_ten_days_of_its_receipt_by_one_unit_that_asked_another(
    edges: Edges,
) -> None:
    _, receipt = ask(edges)
    id = receipt["id"]
    forward(edges, id)
    consulted = [{"unit": "ban-chinh-sach", "due_on": working_day(2)}]
    do(edges, id, "complexity", {"consulted": consulted, "reason": "Cần ý kiến về chính sách."}, "tuan")
    term(edges, id, "unit_reply", "void")
    whole = term(edges, id, "complex_reply", "open")
    opinion = term(edges, id, "consultation:ban-chinh-sach", "open")
    assert (whole["working_days"], opinion["unit"]) == (10, "ban-chinh-sach")
    do(edges, id, "advice", {"words": "Áp dụng Luật năm 2024."}, "duc")
    term(edges, id, "consultation:ban-chinh-sach", "met")
    do(edges, id, "answer", ANSWER, "tuan")
    term(edges, id, "complex_reply", "met")


def test_an_answer_that_is_sent_back_has_ended_nothing_and_a_correction_is_told_and_published_again(
    edges: Edges,
) -> None:
    sent, receipt = ask(edges)
    id = receipt["id"]
    forward(edges, id)
    first = term(edges, id, "unit_reply", "open")
    do(edges, id, "answer", {"text": "Chưa rõ."}, "tuan")
    term(edges, id, "unit_reply", "met")
    back = do(edges, id, "answer-return", {"reason": "Chưa trả lời điều được hỏi."}, "khoi")
    assert back["status"] == "forwarded"
    assert term(edges, id, "unit_reply", "open")["due_at"] == first["due_at"]
    term(edges, id, "send_answer", "void")
    do(edges, id, "answer", ANSWER, "tuan")
    do(edges, id, "release", {}, "khoi")
    letters(edges, sent["email"], 2)
    subject = f"Khi nào hưởng lương hưu {once()[:8]}"
    do(edges, id, "publication", public(subject), "khoi")
    status(edges, id, "closed")

    correction = {"text": "Từ 01/07/2025 chỉ cần đủ 15 năm đóng.", "reason": "Nêu sai năm có hiệu lực."}
    corrected = do(edges, id, "correction", correction, "tuan")
    assert (corrected["status"], corrected["published"]) == ("answered", False)
    term(edges, id, "send_answer/3", "open")
    own = edges.post("qa", f"/v1/questions/{id}/publication", public(subject), once(), "tuan")
    assert own.status == 403
    do(edges, id, "release", {}, "ha")
    mail = next(m for m in letters(edges, sent["email"], 3) if "ĐÍNH CHÍNH" in m["text"])
    assert correction["reason"] in mail["text"]
    do(edges, id, "publication", public(subject) | {"answer": correction["text"]}, "ha")
    for name in ("send_answer/3", "publish_answer/3"):
        term(edges, id, name, "met")
    status(edges, id, "closed")

    def shown() -> dict[str, Any] | None:
        answer = ok(edges.get("qa", f"/v1/answers/{id}"))
        return answer if answer["answer"] == correction["text"] else None

    assert eventually("bản đính chính đã đăng", shown, 30)


def test_what_its_asker_takes_back_is_owed_no_more(edges: Edges) -> None:
    sent, receipt = ask(edges)
    id = receipt["id"]
    forward(edges, id)
    term(edges, id, "unit_reply", "open")
    proof = {"code": receipt["tracking_code"], "email": sent["email"]}
    eventually("mã tra cứu mở được", lambda: _opens(edges, proof), 30)
    withdrawn = ok(edges.post("qa", "/v1/tracking/withdrawal", proof | {"words": "Đã tự hỏi được."}, once()))
    assert withdrawn["status"] == "closed"
    term(edges, id, "unit_reply", "void")
    late = edges.post("qa", f"/v1/questions/{id}/answer", ANSWER, once(), "tuan")
    assert (late.status, late.body["code"]) == (409, "illegal_transition")
    assert "«Đã xong»" in late.body["detail"]


def test_an_unclear_question_sent_again_in_full_is_a_new_receipt_with_clocks_of_its_own_once(
    edges: Edges,
) -> None:
    sent, receipt = ask(edges)
    id = receipt["id"]
    do(edges, id, "refusal", UNCLEAR, "ha")
    assert any("chế độ nào" in mail["text"] for mail in letters(edges, sent["email"], 2))
    term(edges, id, "same_day_notice", "met")
    status(edges, id, "refused")
    proof = {"code": receipt["tracking_code"], "email": sent["email"]}
    eventually("mã tra cứu mở được", lambda: _opens(edges, proof), 30)
    whole = proof | {
        "subject": "Lương hưu từ năm 2025",
        "text": f"Tôi hỏi về lương hưu, đóng 14 năm. {once()}",
    }
    again = ok(edges.post("qa", "/v1/tracking/resubmission", whole, once()), 201)
    twice = ok(edges.post("qa", "/v1/tracking/resubmission", whole, once()), 201)
    assert again["id"] == twice["id"] != id
    assert term(edges, again["id"], "triage", "open")["working_days"] == 5
    status(edges, id, "closed")
    letters(edges, sent["email"], 3)  # the new receipt is acknowledged, once


def _opens(edges: Edges, proof: dict[str, str]) -> bool:
    return edges.post("qa", "/v1/tracking", proof, once()).status == 200
