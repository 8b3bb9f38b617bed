"""Bad input gets a clear problem in the field's words, in two languages, and leaves nothing behind."""

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from deploy.demo.edges import Edges
from tests.journeys.acts import ask, guidance, ok, once, question

JSON = {"Content-Type": "application/json"}


def raw(edges: Edges, place: str, path: str, content: bytes, **headers: str) -> httpx2.Response:
    return httpx2.post(
        edges.urls[place] + path,
        content=content,
        headers=JSON | {"Idempotency-Key": once()} | headers,
        trust_env=False,
        timeout=10,
    )


def problem(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    body: dict[str, Any] = response.json()
    assert body["code"] == code
    assert body["title"] != body["title_en"]
    assert body["detail"]
    assert body["correlation_id"] == response.headers["x-correlation-id"]
    return body


def test_a_body_that_is_not_json(edges: Edges) -> None:
    problem(raw(edges, "qa", "/v1/questions", b"{nope"), 400, "malformed_body")


def test_a_body_that_is_not_utf8(edges: Edges) -> None:
    problem(raw(edges, "qa", "/v1/questions", b'{"name": "\xff\xfe"}'), 400, "malformed_body")


def test_a_body_of_one_megabyte(edges: Edges) -> None:
    problem(raw(edges, "qa", "/v1/questions", b'{"text": "' + b"x" * 1_000_000 + b'"}'), 413, "too_large")


def test_a_megabyte_in_chunks_of_no_stated_length(edges: Edges) -> None:
    chunks = (b"x" * 65_536 for _ in range(16))
    headers = JSON | {"Idempotency-Key": once()}
    response = httpx2.post(
        edges.urls["qa"] + "/v1/questions", content=chunks, headers=headers, trust_env=False
    )
    problem(response, 413, "too_large")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"colour": "đỏ"}, "colour", id="an unknown field"),
        pytest.param({"email": "a@example.vn, b@example.vn"}, "email", id="two addresses in one"),
        pytest.param({"email": "a@example.vn\r\nBcc: b@example.vn"}, "email", id="a header smuggled in"),
        pytest.param({"name": "Nguyễn\x00Văn A"}, "name", id="a NUL"),
        pytest.param({"text": "hỏi\x1b[31m về lương hưu"}, "text", id="a control character"),
        pytest.param({"text": "x" * 30_000}, "text", id="a text that is too long"),
        pytest.param({"consent": False}, "consent", id="no consent"),
        pytest.param({"subject": "   "}, "subject", id="only blanks"),
    ],
)
def test_each_wrong_field_is_named(edges: Edges, change: dict[str, Any], field: str) -> None:
    answer = edges.post("qa", "/v1/questions", question(**change), once())
    assert answer.status == 422, answer
    assert field in [error["field"] for error in answer.body["errors"]]


def test_a_missing_field_is_named(edges: Edges) -> None:
    body = question()
    del body["text"]
    answer = edges.post("qa", "/v1/questions", body, once())
    assert (answer.status, answer.body["errors"][0]["field"]) == (422, "text")


def test_an_unknown_class_of_content(edges: Edges) -> None:
    answer = edges.post("content", "/v1/submissions", guidance(content_class="poem"), once(), "lan")
    assert (answer.status, answer.body["errors"][0]["field"]) == (422, "content_class")


def test_an_id_that_does_not_exist_and_one_that_is_no_id(edges: Edges) -> None:
    for id in (str(uuid4()), "not-an-id"):
        assert edges.get("content", f"/v1/submissions/{id}", "minh").status == 404
        assert edges.get("qa", f"/v1/questions/{id}", "ha").status == 404


def test_an_act_that_the_state_does_not_allow(edges: Edges) -> None:
    _, receipt = ask(edges)
    answer = edges.post("qa", f"/v1/questions/{receipt['id']}/release", {}, once(), "khoi")
    assert (answer.status, answer.code) == (409, "illegal_transition")


def test_a_role_that_may_not(edges: Edges) -> None:
    _, receipt = ask(edges)
    forwarding = {"unit": "bhxh-ha-noi", "field": "luong-huu"}
    assert (
        edges.post("qa", f"/v1/questions/{receipt['id']}/forwarding", forwarding, once(), "tuan").status
        == 403
    )


def test_a_forward_to_a_unit_that_does_not_exist(edges: Edges) -> None:
    _, receipt = ask(edges)
    body = {"unit": "bhxh-atlantis", "field": "luong-huu"}
    answer = edges.post("qa", f"/v1/questions/{receipt['id']}/forwarding", body, once(), "ha")
    assert answer.status == 422
    assert ok(edges.get("qa", f"/v1/questions/{receipt['id']}", "ha"))["status"] == "received"


def test_someone_elses_unit(edges: Edges) -> None:
    _, receipt = ask(edges)
    path = f"/v1/questions/{receipt['id']}"
    ok(edges.post("qa", f"{path}/forwarding", {"unit": "bhxh-ha-noi", "field": "luong-huu"}, once(), "ha"))
    assert edges.get("qa", path, "lan").status in (403, 404)
    assert (
        edges.post("qa", f"{path}/answer", {"text": "Không phải việc của tôi."}, once(), "lan").status == 403
    )


@pytest.mark.parametrize("token", ["", "Bearer x.y.z", "Basic aGE6cHc="])
def test_no_token_and_wrong_tokens(edges: Edges, token: str) -> None:
    headers = {"Authorization": token} if token else {}
    response = raw(edges, "content", "/v1/submissions", b"{}", **headers)
    problem(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"]


def test_a_command_without_an_idempotency_key(edges: Edges) -> None:
    response = httpx2.post(edges.urls["qa"] + "/v1/questions", json=question(), trust_env=False)
    problem(response, 400, "idempotency_key_missing")


def test_an_edit_that_does_not_say_what_it_has_seen(edges: Edges) -> None:
    view = ok(edges.post("content", "/v1/submissions", guidance(), once(), "lan"), 201)
    text = {k: view[k] for k in ("title", "summary", "html", "author_name", "source_name", "quoted")} | {
        "note": ""
    }
    answer = edges.put("content", f"/v1/submissions/{view['id']}/text", text, once(), "minh", etag="")
    assert (answer.status, answer.code) == (428, "precondition_required")


def test_a_cursor_that_we_did_not_make(edges: Edges) -> None:
    assert edges.get("content", "/v1/articles", cursor="bịa").status == 422


def test_a_search_full_of_operators_finds_nothing_and_breaks_nothing(edges: Edges) -> None:
    for words in ('"', "-", "$where", '{"$gt": ""}', "a" * 500, "\\", "*"):
        assert edges.get("content", "/v1/articles", q=words).status in (200, 422)
        assert edges.get("qa", "/v1/answers", q=words).status in (200, 422)


@pytest.mark.parametrize(
    ("start", "days"),
    [("2026-11-23", "2"), ("2026-11-23T09:00:00", "2"), ("hôm nay", "2"), ("2026-11-23T09:00:00+07:00", "x"),
     ("2026-11-23T09:00:00+07:00", "-1"), ("1999-01-01T00:00:00Z", "2"), ("2027-12-31T00:00:00Z", "10")],
)  # fmt: skip
def test_the_calendar_says_what_it_cannot_count(edges: Edges, start: str, days: str) -> None:
    answer = edges.get("notifier", "/v1/calendar/due", **{"from": start, "working_days": days})
    assert answer.status == 422
    assert answer.body["detail"]


def test_nothing_of_a_refused_question_is_kept_or_mailed(edges: Edges) -> None:
    body = question(extra="x")
    edges.post("qa", "/v1/questions", body, once())
    found = edges.get("mail", "/mails.json", to=body["email"]).body
    assert not (found if isinstance(found, list) else found["mails"])
