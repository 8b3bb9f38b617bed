"""The HTTP edge on a real database: who may do what, what is told, what bad input gets."""

from typing import Any
from uuid import uuid4

import pytest

from tests.content.conftest import Edges
from tests.content.world import text_in


async def test_an_item_goes_from_the_unit_to_the_public(edges: Edges) -> None:
    view = await edges.submitted()
    assert (view["status"], view["unit"], view["text_version"], view["acts"]) == (
        "submitted", "bhxh-can-tho", 1, [],
    )  # fmt: skip
    path = f"/v1/submissions/{view['id']}"
    seen = await edges.get(path, "u-minh")
    assert seen.json()["acts"] == ["edit", "return"]
    text = {k: view[k] for k in ("title", "summary", "author_name", "source_name", "quoted")}
    edited = await edges.send(
        "PUT", f"{path}/text", text | {"html": "<p>Gọn hơn.</p>", "note": "gọn"}, "u-minh",
        If_Match=seen.headers["etag"],
    )  # fmt: skip
    assert (edited.status_code, edited.headers["etag"]) == (200, '"2"')
    approved = await edges.approve(edited.json())
    assert (approved.status_code, approved.json()["status"]) == (200, "published")
    article = await edges.get(f"/v1/articles/{view['id']}")
    assert article.status_code == 200, "at once, whatever the read models know"
    assert article.json() | {"published_at": "", "url": ""} == {
        "id": view["id"], "version": 3, "text_version": 2, "content_class": "activity",
        "unit": "bhxh-can-tho", "unit_name": "Bảo hiểm xã hội thành phố Cần Thơ", "title": view["title"],
        "summary": view["summary"], "author": "Võ Thanh Nga", "source": "", "html": "<p>Gọn hơn.</p>",
        "published_at": "", "url": "",
    }  # fmt: skip
    assert article.json()["url"].endswith(f"/articles/{view['id']}")


async def test_the_author_cannot_approve_it_in_the_fields_words(edges: Edges) -> None:
    view = await edges.submitted()
    refused = await edges.approve(view, "u-nga")
    problem = refused.json()
    assert (refused.status_code, problem["code"]) == (403, "own_work")
    assert "không được tự duyệt" in problem["detail"]
    assert problem["title"] != problem["title_en"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"colour": "đỏ"}, "colour", id="an unknown field"),
        pytest.param({"content_class": "poem"}, "content_class", id="an unknown class"),
        pytest.param({"title": "hai\ndòng"}, "title", id="two lines in a title"),
        pytest.param({"title": "a\x00b"}, "title", id="a NUL"),
        pytest.param({"html": "\x1b[31m"}, "html", id="a control character"),
        pytest.param({"html": "   "}, "html", id="blank words"),
        pytest.param({"html": "x" * 200_001}, "html", id="words that are too long"),
        pytest.param({"event_at": "2026-11-20T09:00:00"}, "event_at", id="a time without its zone"),
        pytest.param({"event_at": "9999-12-31T23:59:59-12:00"}, "event_at", id="a time beyond all calendars"),
        pytest.param({"event_at": "2029-01-01T00:00:00Z"}, "event_at", id="an event to come"),
        pytest.param({"quoted": "maybe"}, "quoted", id="neither yes nor no"),
    ],
)
async def test_each_wrong_field_is_named(edges: Edges, changes: dict[str, Any], field: str) -> None:
    refused = await edges.post("/v1/submissions", text_in(**changes), "u-nga")
    assert refused.status_code == 422, refused.text
    assert [error["field"] for error in refused.json()["errors"]] == [field]


async def test_an_event_before_the_calendars_years_is_taken_and_said_to_be_late(edges: Edges) -> None:
    taken = await edges.post("/v1/submissions", text_in(event_at="2001-01-01T00:00:00Z"), "u-nga")
    assert taken.status_code == 201, taken.text
    assert "trước năm đầu của lịch; hạn thật còn sớm hơn" in taken.json()["clock"]["explanation_vi"]
    page = (await edges.get(f"/desk/review/{taken.json()['id']}", "u-nga", accept="text/html")).text
    assert "Trễ hạn" in page


@pytest.mark.parametrize(
    ("as_", "status"),
    [("u-nga", 201), ("u-minh", 403), ("u-phuong", 403), ("u-oanh", 403), ("u-ha", 403), ("u-nobody", 403),
     ("svc-sync", 403), ("", 401)],
)  # fmt: skip
async def test_only_an_author_submits(edges: Edges, as_: str, status: int) -> None:
    assert (await edges.post("/v1/submissions", text_in(), as_)).status_code == status


@pytest.mark.parametrize(
    ("as_", "status"),
    [("u-nga", 200), ("u-lan", 403), ("u-minh", 200), ("u-phuong", 200), ("u-oanh", 200), ("u-ha", 403),
     ("svc-sync", 200), ("", 401)],
)  # fmt: skip
async def test_an_author_reads_what_the_own_unit_sent(edges: Edges, as_: str, status: int) -> None:
    view = await edges.submitted()
    assert (await edges.get(f"/v1/submissions/{view['id']}", as_)).status_code == status


async def test_lists_show_each_what_they_may_see(edges: Edges) -> None:
    nga, lan = await edges.submitted("u-nga"), await edges.submitted("u-lan", title="Bài của Lan")
    await edges.project()

    async def ids(as_: str, query: str = "") -> set[str]:
        answer = await edges.get(f"/v1/submissions{query}", as_)
        return {row["id"] for row in answer.json()["items"]}

    assert await ids("u-nga") == {nga["id"]}
    assert await ids("u-nga", "?unit=bhxh-quang-ngai") == set()
    assert await ids("u-phuong") == {nga["id"], lan["id"]}
    assert await ids("u-phuong", "?unit=bhxh-quang-ngai") == {lan["id"]}
    assert await ids("u-phuong", "?status=published") == set()
    assert (await edges.get("/v1/submissions", "u-ha")).status_code == 403


async def test_a_list_is_walked_page_by_page(edges: Edges) -> None:
    sent = [(await edges.submitted(title=f"Bài {n}"))["id"] for n in range(5)]
    await edges.project()
    seen: list[str] = []
    cursor = ""
    while True:
        answer = await edges.get(f"/v1/submissions?limit=2&cursor={cursor}", "u-minh")
        page = answer.json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"]
        if not cursor:
            break
    assert seen == sent[::-1]
    wrong = await edges.get("/v1/submissions?cursor=nonsense", "u-minh")
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "cursor")


async def test_editing_needs_the_version_that_was_seen(edges: Edges) -> None:
    view = await edges.submitted()
    path = f"/v1/submissions/{view['id']}/text"
    text = {k: view[k] for k in ("title", "summary", "html", "author_name", "source_name", "quoted")}
    assert (await edges.send("PUT", path, text, "u-minh")).status_code == 428
    first = await edges.send("PUT", path, text | {"title": "Một"}, "u-minh", If_Match='"1"')
    second = await edges.send("PUT", path, text | {"title": "Hai"}, "u-minh", If_Match='"1"')
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.json()["current"] == 2


async def test_an_act_may_name_the_version_too(edges: Edges) -> None:
    view = await edges.submitted()
    path = f"/v1/submissions/{view['id']}/return"
    stale = await edges.post(path, {"reason": "unclear"}, "u-minh", If_Match='"7"')
    assert stale.status_code == 412
    done = await edges.post(path, {"reason": "unclear"}, "u-minh", If_Match='"1"')
    assert (done.status_code, done.json()["status"]) == (200, "returned")
    again = await edges.post(path, {"reason": "unclear"}, "u-minh")
    assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")


async def test_the_same_command_twice_is_one(edges: Edges) -> None:
    body = text_in()
    first = await edges.post("/v1/submissions", body, "u-nga", Idempotency_Key="mot-hai-ba-bon")
    again = await edges.post("/v1/submissions", body, "u-nga", Idempotency_Key="mot-hai-ba-bon")
    other = await edges.post(
        "/v1/submissions", body | {"title": "Khác"}, "u-nga", Idempotency_Key="mot-hai-ba-bon"
    )
    assert (first.status_code, first.json()["id"]) == (again.status_code, again.json()["id"])
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_an_id_that_is_not_there_is_not_found(edges: Edges) -> None:
    for id in (str(uuid4()), "not-an-id"):
        assert (await edges.get(f"/v1/submissions/{id}", "u-minh")).status_code == 404
        assert (await edges.get(f"/v1/articles/{id}")).status_code == 404
    view = await edges.submitted()
    assert (await edges.get(f"/v1/articles/{view['id']}")).status_code == 404, "not yet published"


async def test_a_withdrawn_item_is_gone(edges: Edges) -> None:
    view = await edges.published()
    path = f"/v1/submissions/{view['id']}/withdrawal"
    assert (await edges.post(path, {"reason": "Sai."}, "u-minh")).status_code == 403
    assert (await edges.post(path, {"reason": " "}, "u-phuong")).status_code == 422
    assert (await edges.post(path, {"reason": "Sai."}, "u-phuong")).json()["status"] == "withdrawn"
    gone = await edges.get(f"/v1/articles/{view['id']}")
    assert (gone.status_code, gone.json()["code"]) == (410, "withdrawn")
    await edges.project()
    page = await edges.get(f"/articles/{view['id']}", accept="text/html")
    assert page.status_code == 410
    assert view["title"] not in page.text
    assert (await edges.get("/v1/articles?q=mat+phi")).json()["items"] == []


async def test_an_older_version_is_superseded(edges: Edges) -> None:
    view = await edges.published()
    assert view["version"] == 2
    gone = await edges.get(f"/v1/articles/{view['id']}?version=1")
    assert (gone.status_code, gone.json()["code"]) == (410, "superseded")


async def test_a_quoted_item_is_refused_by_the_register_of_the_day(edges: Edges) -> None:
    quoted: dict[str, Any] = {"quoted": True, "author_name": "Trần Bình", "source_name": "Báo Lá Cải"}
    view = await edges.submitted(**quoted)
    refused = await edges.approve(view)
    assert (refused.status_code, refused.json()["code"]) == (422, "source_not_official")
    await edges.service.database.sources.insert_one({"_id": "la-cai", "name": "Báo Lá Cải"})
    assert (await edges.approve(view)).status_code == 200


async def test_waiting_for_permission_it_is_approved_and_published_later(edges: Edges) -> None:
    view = await edges.submitted(content_class="contact")
    assert (view["clock"], view["supply_owed"]) == (None, False)
    approved = await edges.approve(view)
    assert approved.json()["status"] == "approved"
    path = f"/v1/submissions/{view['id']}"
    early = await edges.post(f"{path}/publication", {}, "u-phuong")
    assert (early.status_code, early.json()["code"]) == (409, "permission_missing")
    moment = {"permitted_at": text_in()["event_at"]}
    assert (await edges.post(f"{path}/permission", moment, "u-lan")).status_code == 403
    permitted = await edges.post(f"{path}/permission", moment, "u-nga")
    assert permitted.json()["clock"]["basis"] == "dieu-11#lien-he"
    assert (await edges.post(f"{path}/publication", {}, "u-phuong")).json()["status"] == "published"


async def test_every_operation_is_described(edges: Edges) -> None:
    spec = (await edges.get("/openapi.json")).json()
    ours = {p: ops for p, ops in spec["paths"].items() if p.startswith(("/v1/submissions", "/v1/articles"))}
    assert len(ours) >= 9
    assert all(op["summary"] for ops in ours.values() for op in ops.values())
