"""Thiết lập: templates with blanks, canned grounds, routing, leave; each by whom it concerns, on record."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from lxml import html

from services.qa.domain.settings import BLANKS, filled
from services.qa.queries.settings import LEAVES, ROUTES, TEMPLATES, routed
from shared.calendar import VIETNAM
from tests.qa.conftest import Edges

ANSWER = {"use": "answer", "title": "Rút một lần", "text": "Câu hỏi {so} về {viec}: được."}
REFUSAL = {
    "use": "refusal", "title": "Thuộc UBND", "text": "Không thuộc BHXH.", "shared": True,
    "ground": "out_of_scope", "referral": "advised_asker", "agency": "Ủy ban nhân dân cấp xã",
}  # fmt: skip


@pytest.fixture(autouse=True)
async def cleared(edges: Edges) -> AsyncIterator[None]:
    yield
    for name in (TEMPLATES, ROUTES, LEAVES):
        await edges.service.database[name].delete_many({})


async def settings(edges: Edges, as_: str) -> dict[str, Any]:
    await edges.project()
    answer = await edges.get("/v1/desk-settings", as_)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_units_template_is_its_own_and_a_shared_one_everybodys(edges: Edges) -> None:
    assert (await edges.post("/v1/desk-settings/templates", ANSWER, "u-tuan")).status_code == 201
    assert (await edges.post("/v1/desk-settings/templates", REFUSAL, "u-ha")).status_code == 201
    seen = {
        who: [t["title"] for t in (await settings(edges, who))["templates"]] for who in ("u-tuan", "u-nga")
    }
    assert seen == {"u-tuan": ["Rút một lần", "Thuộc UBND"], "u-nga": ["Thuộc UBND"]}


async def test_a_template_is_changed_and_retired_and_its_record_keeps_both(edges: Edges) -> None:
    id = (await edges.post("/v1/desk-settings/templates", ANSWER, "u-tuan")).json()["id"]
    path = f"/v1/desk-settings/templates/{id}"
    changed = await edges.send("PUT", path, ANSWER | {"title": "Mới"}, "u-tuan")
    assert changed.status_code == 200
    assert [t["title"] for t in (await settings(edges, "u-tuan"))["templates"]] == ["Mới"]
    assert (await edges.post(f"/v1/desk-settings/template/{id}/end", {}, "u-tuan")).status_code == 200
    assert (await settings(edges, "u-tuan"))["templates"] == []
    assert len(await edges.service.edge.journal.read(f"template-{id}")) == 3


@pytest.mark.parametrize(
    ("body", "as_", "status", "told"),
    [
        pytest.param(ANSWER | {"text": "Chào {ten}"}, "u-tuan", 422, "blank_unknown", id="an unknown blank"),
        pytest.param(
            REFUSAL | {"ground": None}, "u-ha", 422, "ground_missing", id="a refusal without ground"
        ),
        pytest.param(ANSWER | {"shared": True}, "u-tuan", 403, "forbidden", id="a unit for everybody"),
        pytest.param(ANSWER, "u-thao", 403, "forbidden", id="an auditor"),
    ],
)
async def test_what_is_no_template_is_refused_in_plain_words(
    edges: Edges, body: Any, as_: str, status: int, told: str
) -> None:
    answer = await edges.post("/v1/desk-settings/templates", body, as_)
    assert (answer.status_code, answer.json()["code"]) == (status, told)


async def test_nobody_changes_another_units_template(edges: Edges) -> None:
    id = (await edges.post("/v1/desk-settings/templates", ANSWER, "u-tuan")).json()["id"]
    answer = await edges.send("PUT", f"/v1/desk-settings/templates/{id}", ANSWER, "u-nga")
    assert answer.status_code == 403


def test_blanks_are_filled_and_what_is_not_known_stays_to_be_seen() -> None:
    assert filled("{so}: {han}", {"so": "HD-1"}) == "HD-1: …"
    assert "ten" not in BLANKS


async def test_a_route_of_a_province_comes_before_its_fields_and_setting_it_again_changes_it(
    edges: Edges,
) -> None:
    rules = [("", "ban-chinh-sach"), ("Hà Nội", "bhxh-can-tho"), ("Hà Nội", "bhxh-ha-noi")]
    for province, unit in rules:
        body = {"field": "bhyt", "province": province, "unit": unit}
        assert (await edges.post("/v1/desk-settings/routes", body, "u-ha")).status_code == 201
    assert len((await settings(edges, "u-ha"))["routes"]) == 2
    database = edges.service.database
    assert await routed(database, "bhyt", "Hà Nội") == "bhxh-ha-noi"
    assert await routed(database, "bhyt", "Huế") == "ban-chinh-sach"
    assert await routed(database, "luong-huu", "Hà Nội") == ""


@pytest.mark.parametrize(
    ("body", "as_", "status"),
    [
        pytest.param({"field": "bhyt", "unit": "khong-co"}, "u-ha", 422, id="no such unit"),
        pytest.param({"field": "khong-co", "unit": "bhxh-ha-noi"}, "u-ha", 422, id="no such field"),
        pytest.param({"field": "bhyt", "unit": "bhxh-ha-noi"}, "u-tuan", 403, id="a unit"),
    ],
)
async def test_what_is_no_route_is_refused(edges: Edges, body: Any, as_: str, status: int) -> None:
    assert (await edges.post("/v1/desk-settings/routes", body, as_)).status_code == status


def away(person: str = "u-ha", deputy: str = "u-khoi", *, first: int = 0, last: int = 4) -> dict[str, str]:
    today = datetime.now(UTC).astimezone(VIETNAM).date()
    since, until = (str(today + timedelta(days=days)) for days in (first, last))
    return {"person": person, "deputy": deputy, "since": since, "until": until}


async def test_what_is_assigned_to_who_is_away_goes_to_their_deputy(edges: Edges) -> None:
    assert (await edges.post("/v1/desk-settings/leaves", away(), "u-ha")).status_code == 201
    await settings(edges, "u-ha")
    asked = await edges.asked()
    await edges.done(asked, "assignment", {"to": "u-ha"}, "u-khoi")
    await edges.project()
    row = await edges.service.database["questions"].find_one({"_id": asked["id"]})
    assert row["assignee"] == "u-khoi"


@pytest.mark.parametrize(
    "days",
    [pytest.param({"first": 1, "last": 3}, id="not yet"), pytest.param({"first": -2, "last": 0}, id="today")],
)
async def test_a_leave_counts_on_its_days_alone(edges: Edges, days: dict[str, int]) -> None:
    assert (await edges.post("/v1/desk-settings/leaves", away(**days), "u-ha")).status_code == 201
    await settings(edges, "u-ha")
    asked = await edges.asked()
    await edges.done(asked, "assignment", {"to": "u-ha"}, "u-khoi")
    await edges.project()
    row = await edges.service.database["questions"].find_one({"_id": asked["id"]})
    assert row["assignee"] == ("u-ha" if days["first"] > 0 else "u-khoi")


@pytest.mark.parametrize(
    ("body", "as_", "status", "field"),
    [
        pytest.param(away(deputy="u-ha"), "u-ha", 422, "deputy", id="oneself"),
        pytest.param(away(deputy="u-tuan"), "u-ha", 422, "deputy", id="another unit"),
        pytest.param(away(first=3, last=1), "u-ha", 422, "until", id="backwards"),
        pytest.param(away(first=-4, last=-1), "u-ha", 422, "until", id="over"),
        pytest.param(away(), "u-khoi", 403, "", id="a colleague"),
    ],
)
async def test_a_leave_that_is_none_is_refused(
    edges: Edges, body: Any, as_: str, status: int, field: str
) -> None:
    answer = await edges.post("/v1/desk-settings/leaves", body, as_)
    assert answer.status_code == status
    assert [error["field"] for error in answer.json().get("errors", [])] == ([field] if field else [])


async def test_the_page_keeps_what_was_typed_beside_what_is_wrong(edges: Edges) -> None:
    page = await edges.form("/desk/settings/template", ANSWER | {"text": "Chào {ten}, …"}, "u-tuan")
    assert page.status_code == 422
    shown = html.fromstring(page.text)
    assert shown.get_element_by_id("text").text.strip() == "Chào {ten}, …"
    assert "{ten}" in shown.get_element_by_id("text-error").text_content()


async def test_all_is_done_by_the_page(edges: Edges) -> None:
    for act, fields in (
        ("template", REFUSAL | {"shared": "1"}),
        ("route", {"field": "bhyt", "province": "", "unit": "bhxh-ha-noi"}),
        ("leave", away()),
    ):
        done = await edges.form(f"/desk/settings/{act}", fields, "u-ha")
        assert done.status_code == 303, done.text
    page = await edges.page("/desk/settings?done=leave", "u-ha")
    for words in ("Thuộc UBND", "Dùng chung", "Bảo hiểm y tế", "Phạm Minh Khôi"):
        assert words in page.text
    shown = html.fromstring(page.text)
    ends = {form.get("action"): form for form in shown.forms if (form.get("action") or "").endswith("-end")}
    for action, form in ends.items():
        done = await edges.form(action, {"id": form.fields["id"], "idempotency_key": uuid4().hex}, "u-ha")
        assert done.status_code == 303
    assert await settings(edges, "u-ha") == {"templates": [], "routes": [], "leaves": []}


async def test_a_form_starts_from_the_chosen_template_with_its_blanks_filled(edges: Edges) -> None:
    id = (
        await edges.post("/v1/desk-settings/templates", REFUSAL | {"text": "Câu {so}: {viec}."}, "u-ha")
    ).json()
    await settings(edges, "u-ha")
    asked = await edges.asked()
    await edges.project()
    page = await edges.page(f"/desk/triage/{asked['id']}?use={id['id']}", "u-ha")
    shown = html.fromstring(page.text)
    (form,) = [form for form in shown.forms if (form.get("action") or "").split("?")[0].endswith("/refusal")]
    assert form.fields["explanation"].strip() == f"Câu {asked['number']}: {asked['subject']}."
    assert (form.fields["ground"], form.fields["agency"]) == ("out_of_scope", "Ủy ban nhân dân cấp xã")
    assert shown.get_element_by_id("act-refusal").get("open") is not None


async def test_the_suggested_unit_is_the_routes(edges: Edges) -> None:
    body = {"field": "bhxh-mot-lan", "province": "", "unit": "ban-chinh-sach"}
    await edges.post("/v1/desk-settings/routes", body, "u-ha")
    await settings(edges, "u-ha")
    asked = await edges.asked()
    await edges.project()
    shown = html.fromstring((await edges.page(f"/desk/triage/{asked['id']}", "u-ha")).text)
    (form,) = [
        form for form in shown.forms if (form.get("action") or "").split("?")[0].endswith("/forwarding")
    ]
    assert form.fields["unit"] == "ban-chinh-sach"


async def test_who_stands_in_sees_what_the_absent_colleague_has_to_do(edges: Edges) -> None:
    asked = await edges.asked()
    await edges.done(asked, "assignment", {"to": "u-ha"}, "u-khoi")
    await edges.project()
    page = "/desk/triage?view=mine"
    assert asked["number"][-7:] not in (await edges.page(page, "u-khoi")).text
    await edges.post("/v1/desk-settings/leaves", away(), "u-ha")
    await edges.project()
    assert asked["number"][-7:] in (await edges.page(page, "u-khoi")).text
