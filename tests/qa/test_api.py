"""The HTTP edge on a real database: who may do what, what is told, what bad input gets."""

import time
from typing import Any
from uuid import uuid4

import pytest

from services.qa.rush import Rush
from shared.calendar import CALENDAR
from shared.contracts.qa import NoticeKind
from shared.desk import utc_now
from shared.errors import TooManyRequests
from tests.qa.conftest import Edges
from tests.qa.world import question_in

PUBLIC = {
    "subject": "Rút một lần",
    "question": "Nghỉ 14 tháng, rút được không?",
    "answer": "Được. Gọi 1900 9068.",
}
ALWAYS = ["assign", "note", "disclose"]
REFUSAL = {
    "ground": "out_of_scope", "explanation": "Thuộc cơ quan khác.", "referral": "advised_asker",
    "agency": "Ủy ban nhân dân cấp xã",
}  # fmt: skip


async def test_a_question_goes_from_its_asker_to_everybody(edges: Edges) -> None:
    asked = await edges.answered()
    view = await edges.done(asked, "release", {}, "u-ha")
    assert (view["released"], view["acts"]) == (True, ["publish", "withhold", *ALWAYS])
    await edges.letter_accepted(asked, NoticeKind.ANSWER)
    view = await edges.done(asked, "publication", PUBLIC, "u-khoi")
    assert (view["status"], view["published"], view["acts"]) == ("closed", True, ALWAYS)
    assert {clock["state"] for clock in view["clocks"]} == {"met"}
    await edges.project()
    found = await edges.get("/v1/answers?q=rut%20mot%20lan")
    assert [item["id"] for item in found.json()["items"]] == [asked["id"]]
    one = await edges.get(f"/v1/answers/{asked['id']}")
    assert one.json()["answer"] == PUBLIC["answer"]
    for word in (asked["name"], asked["email"], "0100000001"):
        assert word not in one.text + found.text


async def test_the_receipt_says_when_and_how_to_come_back(edges: Edges) -> None:
    asked = await edges.asked()
    assert asked["number"].startswith("HD-")
    assert len(asked["tracking_code"].replace("-", "")) == 26
    assert "5 ngày làm việc" in asked["triage_due_vi"]
    assert asked["version"] == 1


async def test_a_repeated_request_is_answered_as_it_was_though_time_went_on(edges: Edges) -> None:
    body, key = question_in(), "key-of-mine-2"
    first = await edges.post("/v1/questions", body, Idempotency_Key=key)
    await edges.done(
        {"path": f"/v1/questions/{first.json()['id']}"},
        "forwarding",
        {"unit": "bhxh-ha-noi", "field": "bhxh-mot-lan"},
        "u-ha",
    )
    again = await edges.post("/v1/questions", body, Idempotency_Key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["etag"] == first.headers["etag"] == '"1"'
    other = await edges.post("/v1/questions", question_in(subject="Việc khác"), Idempotency_Key=key)
    assert other.status_code == 422


async def test_the_same_thing_sent_twice_is_one_question(edges: Edges) -> None:
    body = question_in()
    first = await edges.post("/v1/questions", body, Idempotency_Key="key-of-mine")
    again = await edges.post("/v1/questions", body, Idempotency_Key="key-of-mine")
    other_key = await edges.post("/v1/questions", body | {"text": body["text"].upper()})
    assert first.json() == again.json() == other_key.json()
    reused = await edges.post("/v1/questions", body | {"text": "Khác"}, Idempotency_Key="key-of-mine")
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"colour": "đỏ"}, "colour", id="an unknown field"),
        pytest.param({"name": " "}, "name", id="a blank name"),
        pytest.param({"name": "Hoa\nBcc: x@y.vn"}, "name", id="two lines in a name"),
        pytest.param({"email": "a@x.vn, b@y.vn"}, "email", id="two addresses in one field"),
        pytest.param({"email": "a@x.vn\r\nBcc: b@y.vn"}, "email", id="a header in an address"),
        pytest.param({"phone": "không có"}, "phone", id="a phone number without digits"),
        pytest.param({"subject": "a\x00b"}, "subject", id="a NUL"),
        pytest.param({"text": "\x1b[31m"}, "text", id="a control character"),
        pytest.param({"text": "x" * 5_001}, "text", id="words that are too long"),
        pytest.param({"text": {"$gt": ""}}, "text", id="an operator of the database"),
        pytest.param({"consent": False}, "consent", id="no consent"),
        pytest.param({"language": "fr"}, "language", id="a language that no letter is written in"),
        pytest.param({"language": None}, "language", id="no language"),
    ],
)
async def test_bad_input_names_its_field_and_leaves_nothing(
    edges: Edges, changes: dict[str, Any], field: str
) -> None:
    answer = await edges.post("/v1/questions", question_in(**changes))
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "invalid_input")
    assert [error["field"].split(".")[0] for error in problem["errors"]] == [field]
    assert await edges.service.database.journal.count_documents({}) == 0
    assert await edges.service.database.vault.count_documents({}) == 0


@pytest.mark.parametrize("missing", ["name", "email", "subject", "text", "consent"])
async def test_a_missing_field_is_named(edges: Edges, missing: str) -> None:
    body = question_in()
    del body[missing]
    answer = await edges.post("/v1/questions", body)
    assert [error["field"] for error in answer.json()["errors"]] == [missing]


@pytest.mark.parametrize(
    ("act", "body", "as_", "status", "code"),
    [
        ("forwarding", {"unit": "bhxh-ha-noi", "field": "bhyt"}, "u-tuan", 403, "forbidden"),
        ("forwarding", {"unit": "bhxh-ha-noi", "field": "bhyt"}, "", 401, "unauthenticated"),
        ("forwarding", {"unit": "bhxh-ha-noi", "field": "bhyt"}, "u-nobody", 403, "forbidden"),
        ("forwarding", {"unit": "nowhere", "field": "bhyt"}, "u-ha", 422, "invalid_input"),
        ("forwarding", {"unit": "tt-cskh", "field": "bhyt"}, "u-ha", 422, "invalid_input"),
        ("forwarding", {"unit": "bhxh-ha-noi", "field": "$where"}, "u-ha", 422, "invalid_input"),
        ("refusal", REFUSAL | {"agency": ""}, "u-ha", 422, "agency_missing"),
        ("refusal", REFUSAL | {"ground": "rude"}, "u-ha", 422, "invalid_input"),
        ("answer", {"text": "Được."}, "u-tuan", 409, "illegal_transition"),
        ("release", {}, "u-ha", 409, "illegal_transition"),
        ("publication", PUBLIC, "u-khoi", 409, "illegal_transition"),
    ],
)
async def test_what_may_not_be_done_is_told_in_the_fields_words(
    edges: Edges, *, act: str, body: Any, as_: str, status: int, code: str
) -> None:
    asked = await edges.asked()
    answer = await edges.post(f"{asked['path']}/{act}", body, as_)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code)
    assert problem["title"] != problem["title_en"]
    assert (await edges.get(asked["path"], "u-ha")).headers["etag"] == '"1"'


async def test_a_strange_unit_neither_reads_nor_answers(edges: Edges) -> None:
    asked = await edges.forwarded()
    for unit, status in (("u-tuan", 200), ("u-lan", 403), ("u-duc", 403), ("u-thao", 200), ("u-oanh", 403)):
        assert (await edges.get(asked["path"], unit)).status_code == status, unit
    answer = await edges.post(f"{asked['path']}/answer", {"text": "x"}, "u-lan")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_your_unit")


async def test_a_unit_lists_and_counts_its_own_alone(edges: Edges) -> None:
    mine, _ = await edges.forwarded(), await edges.forwarded(unit="ban-chinh-sach")
    await edges.asked()
    await edges.project()
    listed = {who: (await edges.get("/v1/questions", who)).json()["items"] for who in ("u-ha", "u-tuan")}
    assert [len(listed["u-ha"]), [row["id"] for row in listed["u-tuan"]]] == [3, [mine["id"]]]
    for search in ("?unit=ban-chinh-sach", "?q=hd", "?status=forwarded&unit=ban-chinh-sach"):
        rows = (await edges.get(f"/v1/questions{search}", "u-tuan")).json()["items"]
        assert {row["id"] for row in rows} <= {mine["id"]}
    assert (await edges.get("/v1/questions", "u-oanh")).status_code == 403


@pytest.mark.parametrize(
    "path", ["/v1/questions", "/v1/figures", "/v1/desk-settings", "/desk/triage", "/desk/figures"]
)
async def test_what_staff_are_shown_is_kept_by_no_cache(edges: Edges, path: str) -> None:
    shown = await edges.get(path, "u-ha")
    assert (shown.status_code, shown.headers.get_list("cache-control")) == (200, ["no-store"])


async def test_a_list_goes_on_where_it_ended(edges: Edges) -> None:
    ids = {(await edges.asked(subject=f"Việc {n}"))["id"] for n in range(5)}
    await edges.project()
    for status in ("", "&status=received"):
        seen: list[str] = []
        cursor = ""
        while True:
            page = (await edges.get(f"/v1/questions?limit=2{status}&cursor={cursor}", "u-ha")).json()
            seen += [row["id"] for row in page["items"]]
            cursor = page["next"]
            if not cursor:
                break
        assert (len(seen), set(seen)) == (5, ids)
    bad = await edges.get("/v1/questions?cursor=xyz", "u-ha")
    assert (bad.status_code, bad.json()["code"]) == (422, "invalid_input")


async def test_nobody_in_a_list_or_file_is_named_in_full(edges: Edges) -> None:
    asked = await edges.forwarded()
    await edges.project()
    for path in ("/v1/questions", asked["path"]):
        text = (await edges.get(path, "u-ha")).text
        assert "Nguyễn T. H." in text
        assert asked["email"] not in text
        assert '"phone"' not in text


async def test_two_people_at_once_are_one_after_the_other(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.done(asked, "forwarding", {"unit": "bhxh-ha-noi", "field": "bhyt"}, "u-ha")
    late = await edges.post(f"{asked['path']}/answer", {"text": "Được."}, "u-tuan", If_Match='"1"')
    assert (late.status_code, late.json()["code"], late.json()["current"]) == (412, "precondition_failed", 2)
    good = await edges.post(f"{asked['path']}/answer", {"text": "Được."}, "u-tuan", If_Match='"2"')
    assert (good.status_code, good.headers["etag"]) == (200, '"3"')


@pytest.mark.parametrize("path", ["/v1/questions/{id}", "/v1/answers/{id}", "/v1/questions/not-an-id"])
async def test_what_does_not_exist_is_not_found(edges: Edges, path: str) -> None:
    answer = await edges.get(path.format(id=uuid4()), "u-ha")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_asker_sees_their_own_question(edges: Edges) -> None:
    asked = await edges.forwarded()
    await edges.project()
    for proof in (asked["email"], asked["email"].upper(), "0101"):
        seen = await edges.post("/v1/tracking", {"code": asked["tracking_code"], "email": proof})
        assert seen.status_code == 200, proof
    told = seen.json()
    assert (told["status"], told["status_vi"], told["holder"]) == (
        "forwarded", "Đang soạn trả lời", "Bảo hiểm xã hội thành phố Hà Nội",
    )  # fmt: skip
    assert (told["text"], told["answer"], told["refusal"]) == (asked["text"], None, None)
    assert [clock["duty"] for clock in told["deadlines"]] == ["triage", "unit_reply"]
    assert not any(name in seen.text for name in ("Trần Thu Hà", "u-ha"))


async def test_an_answer_is_the_askers_only_when_the_centre_has_let_it_go(edges: Edges) -> None:
    asked = await edges.answered()
    await edges.project()
    body = {"code": asked["tracking_code"], "email": asked["email"]}
    assert (await edges.post("/v1/tracking", body)).json()["answer"] is None
    await edges.done(asked, "release", {}, "u-khoi")
    assert (await edges.post("/v1/tracking", body)).json()["answer"] == "Kính gửi bà Hoa,\n\nĐược."


async def test_unknown_and_wrong_get_the_same_answer_in_the_same_time(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.project()
    answers, times = [], []
    for body in (
        {"code": asked["tracking_code"], "email": "khac@hopthu.example.vn"},
        {"code": asked["tracking_code"], "email": "9999"},
        {"code": "AAAAA-AAAAA-AAAAA-AAAAA-AAAAAA", "email": asked["email"]},
        {"code": "?", "email": "?"},
    ):
        began = time.monotonic()
        answer = await edges.post("/v1/tracking", body)
        times.append(time.monotonic() - began)
        problem = answer.json()
        problem.pop("correlation_id")
        answers.append((answer.status_code, problem))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][1]["code"] == "tracking_not_found"
    assert min(times) >= 0.24
    assert max(times) - min(times) < 0.2


async def test_guessing_is_stopped_and_knowing_is_not(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.project()
    right = {"code": asked["tracking_code"], "email": asked["email"]}
    for _ in range(8):
        assert (await edges.post("/v1/tracking", right)).status_code == 200
    wrong = [(await edges.post("/v1/tracking", right | {"email": "x@y.vn"})).status_code for _ in range(6)]
    assert wrong == [404] * 5 + [429]
    stopped = await edges.post("/v1/tracking", right)
    assert (stopped.status_code, int(stopped.headers["retry-after"]) > 0) == (429, True)


async def test_one_address_asks_so_often_in_a_while_and_a_units_system_as_it_needs(
    edges: Edges, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = edges.service.settings.model_copy(update={"ask_limit": 1})
    monkeypatch.setattr(edges.service, "settings", settings)
    answers = [await edges.post("/v1/questions", question_in(subject=f"Lần {n}")) for n in range(2)]
    assert (answers[-1].status_code, answers[-1].json()["code"]) == (429, "too_many_requests")
    assert int(answers[-1].headers["retry-after"]) > 0
    page = await edges.form("/ask", question_in(subject="Lần 3") | {"step": "send", "consent": "1"})
    assert "Đã thử quá nhiều lần" in page.text
    assert 'value="Lần 3"' in page.text
    own = await edges.post("/v1/questions", question_in(subject="Gửi thay"), "sys-bhxh-ha-noi")
    assert own.status_code == 201


def test_a_rush_is_over_when_its_time_is() -> None:
    at = 0.0
    rush = Rush(60, clock=lambda: at)
    for address in ("a", "a", "b"):
        rush.enter(address, 2)
    at = 59.0
    with pytest.raises(TooManyRequests) as refused:
        rush.enter("a", 2)
    assert refused.value.extra["retry_after"] == 1
    rush.enter("b", 2)
    at = 60.0
    rush.enter("a", 2)


async def test_letters_go_to_the_service_that_sends_them_and_to_nobody_else(edges: Edges) -> None:
    asked = await edges.asked()
    path = f"/v1/letters/{asked['id']}"
    for who, status in (("svc-notifier", 200), ("svc-sync", 403), ("u-ha", 403), ("u-oanh", 403), ("", 401)):
        assert (await edges.get(f"{path}/acknowledgement", who)).status_code == status
    letter = (await edges.get(f"{path}/acknowledgement", "svc-notifier")).json()
    assert letter["email"] == asked["email"]
    assert letter["tracking_code"] == asked["tracking_code"]
    assert asked["tracking_code"] not in letter["tracking_url"]
    for kind in ("refusal", "answer", "progress"):
        assert (await edges.get(f"{path}/{kind}", "svc-notifier")).status_code == 404
    await edges.done(asked, "refusal", REFUSAL, "u-ha")
    refusal = (await edges.get(f"{path}/refusal", "svc-notifier")).json()
    assert (refusal["explanation"], refusal["agency"]) == (REFUSAL["explanation"], REFUSAL["agency"])


@pytest.mark.parametrize(
    ("chosen", "told"), [({}, "vi"), ({"language": "vi"}, "vi"), ({"language": "en"}, "en")]
)
async def test_letters_are_written_in_the_language_in_which_the_question_was_asked(
    edges: Edges, chosen: dict[str, str], told: str
) -> None:
    asked = await edges.asked(**chosen)
    letter = await edges.get(f"/v1/letters/{asked['id']}/acknowledgement", "svc-notifier")
    assert letter.json()["language"] == told


async def test_a_letter_kept_from_before_languages_is_answered_in_vietnamese(edges: Edges) -> None:
    asked = await edges.asked()
    vault = edges.service.database.vault
    await vault.update_many({}, {"$unset": {"content.language": ""}})
    letter = await edges.get(f"/v1/letters/{asked['id']}/acknowledgement", "svc-notifier")
    assert letter.json()["language"] == "vi"


async def test_each_progress_letter_carries_the_words_of_its_own_round(edges: Edges) -> None:
    asked = await edges.forwarded()
    days = [CALENDAR.add(CALENDAR.day_of(utc_now()), n).isoformat() for n in (3, 60)]
    for words, day in zip(("Đang xác minh.", "Chờ hồ sơ gốc."), days, strict=True):
        await edges.done(asked, "progress", {"words": words, "promised_for": day}, "u-tuan")
    path = f"/v1/letters/{asked['id']}/progress"
    told = [(await edges.get(f"{path}?round={round}", "svc-notifier")).json() for round in (1, 2)]
    assert [letter["words"] for letter in told] == ["Đang xác minh.", "Chờ hồ sơ gốc."]
    assert [letter["promised_for"] for letter in told] == days
    assert [letter["promised_provisional"] for letter in told] == [
        any(map(CALENDAR.is_provisional, {utc_now().year, int(day[:4])})) for day in days
    ]
    assert (await edges.get(f"{path}?round=3", "svc-notifier")).status_code == 404


async def test_a_refusal_to_act_is_said_in_the_fields_words(edges: Edges) -> None:
    asked = await edges.forwarded()
    refused = await edges.post(f"{asked['path']}/refusal", REFUSAL, "u-tuan")
    words = "Vai trò của bạn không được báo câu hỏi không thuộc diện trả lời."
    assert (refused.status_code, refused.json()["detail"]) == (403, words)
    late = await edges.done(asked, "refusal", REFUSAL, "u-ha")
    assert late["status"] == "refused"
    again = await edges.post(f"{asked['path']}/refusal", REFUSAL, "u-ha")
    assert again.json()["detail"].endswith("khi câu hỏi ở trạng thái «Không thuộc diện trả lời».")


async def test_the_reason_for_not_publishing_is_looked_over_too(edges: Edges) -> None:
    asked = await edges.answered()
    refused = await edges.post(
        f"{asked['path']}/withholding", {"reason": f"Theo ý của {asked['name']}"}, "u-khoi"
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "personal_data_left")


async def test_a_letter_whose_asker_was_erased_is_gone(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.service.database.vault.delete_many({})
    gone = await edges.get(f"/v1/letters/{asked['id']}/acknowledgement", "svc-notifier")
    assert (gone.status_code, gone.json()["code"]) == (410, "letter_erased")
    await edges.project()
    rows = (await edges.get("/v1/questions", "u-ha")).json()["items"]
    assert rows[0]["subject"] == "(đã xóa)"


async def test_search_takes_words_with_and_without_diacritics(edges: Edges) -> None:
    asked = await edges.answered()
    await edges.done(asked, "publication", PUBLIC | {"field": "bhyt"}, "u-khoi")
    await edges.project()
    for q, found in (
        ("rút một", 1),
        ("RUT MOT", 1),
        ("14 thang", 1),
        ('"x" -rut', 0),
        ("$where", 0),
        ("lương hưu", 0),
    ):
        rows = (await edges.http.get("/v1/answers", params={"q": q})).json()["items"]
        assert len(rows) == found, q
    by_field = [len((await edges.get(f"/v1/answers?field={f}")).json()["items"]) for f in ("bhyt", "khac")]
    assert by_field == [1, 0]


async def test_a_forward_to_a_unit_that_was_merged_follows_to_its_successor_and_says_so(edges: Edges) -> None:
    asked = await edges.asked()
    body = {"unit": "bhxh-kon-tum", "field": "bhyt"}
    view = await edges.done(asked, "forwarding", body, "u-ha")
    assert view["unit"] == "bhxh-quang-ngai"
    assert {c["owner_unit"] for c in view["clocks"] if c["duty"] == "unit_reply"} == {"bhxh-quang-ngai"}
    said = [line["detail"] for line in view["history"] if "Quảng Ngãi" in line["title"]]
    assert said[0].startswith("Bảo hiểm xã hội tỉnh Kon Tum đã sáp nhập vào đơn vị này.")
    answered = await edges.post(f"{asked['path']}/answer", {"text": "Được."}, "u-lan")
    assert answered.status_code == 200
    again = await edges.post(f"{asked['path']}/forwarding", body, "u-ha")
    assert again.status_code == 409


async def test_an_answer_to_a_closed_question_is_a_clear_refusal_and_loses_nothing(edges: Edges) -> None:
    asked = await edges.answered()
    await edges.done(asked, "release", {}, "u-ha")
    await edges.letter_accepted(asked, NoticeKind.ANSWER)
    closed = await edges.done(asked, "publication", PUBLIC, "u-khoi")
    late = await edges.post(f"{asked['path']}/answer", {"text": "Câu khác."}, "u-tuan")
    problem = late.json()
    assert (late.status_code, problem["code"]) == (409, "illegal_transition")
    assert problem["detail"] == "Không thể trả lời câu hỏi khi câu hỏi ở trạng thái «Đã xong»."
    after = (await edges.get(asked["path"], "u-tuan")).json()
    assert (after["version"], after["answer"]) == (closed["version"], "Kính gửi bà Hoa,\n\nĐược.")
