"""Journey 2: a question gets its answer, or its asker is told the same day (Điều 11.1.a, hỏi đáp)."""

from deploy.demo.edges import Edges, eventually
from tests.journeys.acts import ask, deadline, deadlines, letters, ok, once


def tracked(edges: Edges, code: str, email: str) -> dict:
    return ok(edges.post("qa", "/v1/tracking", {"code": code, "email": email}, once()))


def test_an_asker_out_of_scope_is_told_the_same_day_where_to_go(edges: Edges) -> None:
    sent, receipt = ask(
        edges, subject="Xin giấy phép xây dựng", text="Tôi muốn xin giấy phép xây nhà cấp 4 ở đâu? " + once()
    )
    acknowledged = letters(edges, sent["email"], 1)[0]
    assert receipt["number"] in acknowledged["subject"] + acknowledged["text"]
    assert receipt["tracking_code"] in acknowledged["text"]

    refusal = {
        "ground": "out_of_scope",
        "explanation": "Việc cấp giấy phép xây dựng không thuộc chức năng của cơ quan bảo hiểm xã hội.",
        "referral": "advised_asker",
        "agency": "Ủy ban nhân dân cấp xã nơi có đất",
    }
    refused = ok(edges.post("qa", f"/v1/questions/{receipt['id']}/refusal", refusal, once(), "ha"))
    assert refused["status"] == "refused"
    notice = next(
        m for m in letters(edges, sent["email"], 2) if m["message_id"] != acknowledged["message_id"]
    )
    assert "Ủy ban nhân dân" in notice["text"]
    subject = f"question-{receipt['id']}"
    met = deadline(edges, subject, "same_day_notice", "met")
    assert met["basis"] == "dieu-11#hoi-dap-1"
    assert deadline(edges, subject, "triage", "met")
    page = eventually(
        "trang tra cứu nói đã báo",
        lambda: (
            p
            if (p := tracked(edges, receipt["tracking_code"], sent["email"]))["status"] == "closed"
            else None
        ),
    )
    assert page["refusal"]["agency"] == refusal["agency"]
    sent_notices = ok(edges.get("notifier", "/v1/notices", "oanh", subject=subject))["items"]
    proof = {n["kind"]: n for n in sent_notices}["refusal"]
    assert proof["message_id"].strip("<>") == notice["message_id"].strip("<>")


def test_a_forwarded_question_is_answered_sent_and_published_without_personal_data(edges: Edges) -> None:
    sent, receipt = ask(edges)
    id, subject = receipt["id"], f"question-{receipt['id']}"
    triage = deadline(edges, subject, "triage", "open")
    assert (triage["working_days"], triage["basis"]) == (5, "dieu-11#hoi-dap-1")

    ok(
        edges.post(
            "qa",
            f"/v1/questions/{id}/forwarding",
            {"unit": "bhxh-ha-noi", "field": "luong-huu"},
            once(),
            "ha",
        )
    )
    reply = deadline(edges, subject, "unit_reply", "open")
    assert (reply["working_days"], reply["basis"]) == (7, "dieu-11#hoi-dap-2")

    answer = {"text": "Ông cần đóng đủ 15 năm. Có thể đóng tự nguyện một lần cho số tháng còn thiếu."}
    stranger = edges.post("qa", f"/v1/questions/{id}/answer", answer, once(), "lan")
    assert stranger.status == 403
    ok(edges.post("qa", f"/v1/questions/{id}/answer", answer, once(), "tuan"))
    for duty in ("send_answer", "publish_answer"):
        found = deadline(edges, subject, duty, "open")
        assert (found["working_days"], found["basis"]) == (2, "dieu-11#hoi-dap-3")

    ok(edges.post("qa", f"/v1/questions/{id}/release", {}, once(), "khoi"))
    assert any("15 năm" in m["text"] for m in letters(edges, sent["email"], 2))
    public = {
        "subject": sent["subject"], "question": "Đóng 14 năm 3 tháng thì khi nào được hưởng lương hưu?",
        "answer": answer["text"], "field": "luong-huu",
    }  # fmt: skip
    ok(edges.post("qa", f"/v1/questions/{id}/publication", public, once(), "khoi"))
    for duty in ("triage", "unit_reply", "send_answer", "publish_answer"):
        deadline(edges, subject, duty, "met")
    closed = eventually(
        "trang của người hỏi có câu trả lời",
        lambda: (
            p
            if (p := tracked(edges, receipt["tracking_code"], sent["email"]))["status"] == "closed"
            else None
        ),
    )
    assert "15 năm" in str(closed["answer"])
    shown = eventually(
        "câu trả lời công khai",
        lambda: i if (i := ok(edges.get("qa", "/v1/answers", q=sent["subject"]))["items"]) else None,
    )
    assert sent["name"] not in str(shown)
    assert sent["email"] not in str(shown)
    assert set(deadlines(edges, subject)) == {"triage", "unit_reply", "send_answer", "publish_answer"}


def test_the_same_question_sent_twice_is_one(edges: Edges) -> None:
    sent, receipt = ask(edges)
    again = edges.post("qa", "/v1/questions", sent, once())
    assert again.body["id"] == receipt["id"]
    letters(edges, sent["email"], 1)


def test_unknown_and_wrong_codes_get_the_same_answer(edges: Edges) -> None:
    sent, receipt = ask(edges)
    wrong = edges.post(
        "qa", "/v1/tracking", {"code": receipt["tracking_code"], "email": "ai-do@example.vn"}, once()
    )
    unknown = edges.post(
        "qa", "/v1/tracking", {"code": "AAAA-" * 5 + "AAAAAA", "email": sent["email"]}, once()
    )
    for answer in (wrong, unknown):
        answer.body.pop("correlation_id")
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)
    assert wrong.status == 404
