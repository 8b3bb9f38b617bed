"""Ai được làm gì, through the service's edge: each state, each act, each role and some who have none. What
may be done is done; all else is refused in the field's words, by a stable code, and changes nothing."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from services.qa import domain
from services.qa.api import STAFF_ACTS
from services.qa.domain import Question
from services.qa.regulation import ACT_VI, WORKFLOW, Role, Status
from shared.calendar import CALENDAR
from shared.contracts.qa import NoticeKind
from shared.desk import utc_now
from tests.qa.conftest import Edges

CENTRE, HELD_BY, ASKED = "tt-cskh", "bhxh-ha-noi", "ban-chinh-sach"
Row = dict[str, Any]


def _person(role: str, unit: str, **more: Any) -> Row:
    return {"id": f"u-{role}-{unit}", "name": "Ai đó", "unit": unit, "roles": {"qa": [role]}} | more


OF_UNITS = (Role.ANSWERER, Role.UNIT_HEAD, Role.INTAKE)
PEOPLE = [
    *(_person(role, CENTRE) for role in Role if role not in (*OF_UNITS, Role.ASKER, Role.SYSTEM)),
    *(_person(role, unit) for role in OF_UNITS for unit in (HELD_BY, ASKED)),
    _person(Role.ANSWERER, "bhxh-can-tho"),
    _person("operator", "tt-truyen-thong"),
    _person("", "bhxh-ha-noi", roles={}),
]


def bodies() -> dict[str, tuple[str, Row]]:
    """By path: the act, and a body that is in order."""
    day = CALENDAR.add(CALENDAR.day_of(utc_now()), 1)
    refusal = {"ground": "unclear", "explanation": "Xin nói rõ thêm."}
    parts = [{"subject": each, "text": "Hỏi."} for each in ("Một", "Hai")]
    advisers = [{"unit": "bhxh-quang-ngai", "due_on": day.isoformat()}]
    text = {"subject": "Rút một lần", "question": "Rút được không?", "answer": "Được."}
    return {
        "forwarding": ("forward", {"unit": "bhxh-can-tho", "field": "bhyt"}),
        "refusal": ("refuse", refusal), "merging": ("merge", {}),
        "setting-aside": ("set_aside", {"suspicion": "spam"}),
        "setting-aside-confirmation": ("confirm_set_aside", {"suspicion": "spam"}),
        "restoration": ("restore", {}),
        "splitting": ("split", {"parts": parts}),
        "return": ("give_back", {"finding": "other_unit", "words": "Trả."}),
        "complexity": ("make_complex", {"consulted": advisers, "reason": "Nhiều đơn vị."}),
        "advice": ("advise", {"words": "Ý kiến."}),
        "progress": ("progress", {"words": "Đang làm.", "promised_for": day.isoformat()}),
        "answer": ("answer", {"text": "Được."}), "answer-return": ("send_back", {"reason": "Thiếu."}),
        "release": ("release", {}), "publication": ("publish", text),
        "withholding": ("withhold", {"reason": "Trùng."}),
        "correction": ("correct", {"text": "Đúng là.", "reason": "Nhầm."}),
        "reopening": (
            "reopen", {"order": "12/BHXH", "ordered_on": date(2026, 1, 5).isoformat(), "reason": "Chỉ đạo."}
        ),
        "assignment": ("assign", {"to": "u-ha"}), "notes": ("note", {"words": "Ghi."}),
        "erasure": ("erase", {}),
    }  # fmt: skip


async def _complex(edges: Edges, asked: Row) -> None:
    day = CALENDAR.add(CALENDAR.day_of(utc_now()), 1)
    body = {"consulted": [{"unit": ASKED, "due_on": day.isoformat()}], "reason": "Nhiều đơn vị."}
    await edges.done(asked, "complexity", body, "u-ha")


async def received(edges: Edges) -> Row:
    return await edges.asked()


async def forwarded(edges: Edges) -> Row:
    asked = await edges.forwarded()
    await _complex(edges, asked)
    return asked


async def returned(edges: Edges) -> Row:
    asked = await forwarded(edges)
    await edges.done(asked, "return", {"finding": "out_of_scope", "words": "Ngoài ngành."}, "u-tuan")
    return asked


async def set_aside(edges: Edges) -> Row:
    asked = await edges.asked()
    await edges.done(asked, "setting-aside", {"suspicion": "abuse"}, "u-ha")
    return asked


async def split(edges: Edges) -> Row:
    asked = await edges.asked()
    await edges.done(asked, "splitting", bodies()["splitting"][1], "u-ha")
    return asked


async def refused(edges: Edges) -> Row:
    asked = await edges.forwarded()
    await edges.done(asked, "refusal", bodies()["refusal"][1], "u-ha")
    return asked


async def answered(edges: Edges) -> Row:
    return await edges.answered()


async def released(edges: Edges) -> Row:
    asked = await edges.answered()
    await edges.done(asked, "release", {}, "u-ha")
    return asked


async def closed(edges: Edges) -> Row:
    asked = await released(edges)
    await edges.letter_accepted(asked, NoticeKind.ANSWER)
    await edges.done(asked, "publication", bodies()["publication"][1], "u-khoi")
    return asked


LIVES: list[tuple[Status, Callable[[Edges], Awaitable[Row]]]] = [
    (Status.RECEIVED, received), (Status.FORWARDED, forwarded), (Status.RETURNED, returned),
    (Status.SET_ASIDE, set_aside), (Status.SPLIT, split), (Status.REFUSED, refused),
    (Status.ANSWERED, answered), (Status.ANSWERED, released), (Status.CLOSED, closed),
]  # fmt: skip


@pytest.fixture
async def peopled(edges: Edges) -> Edges:
    await edges.service.edge.directory.load({"staff": PEOPLE})
    edges.service.edge.directory._read_at = float("-inf")
    return edges


def test_every_act_of_staff_and_every_state_is_walked() -> None:
    assert set(bodies()) == {act.path for act in STAFF_ACTS}
    assert {status for status, _ in LIVES} == set(Status)


@pytest.mark.parametrize(("status", "life"), LIVES, ids=lambda each: getattr(each, "__name__", None))
async def test_what_may_be_done_is_done_and_all_else_is_refused_in_the_fields_words(
    peopled: Edges, status: Status, life: Callable[[Edges], Awaitable[Row]]
) -> None:
    asked, other = await life(peopled), await peopled.asked()
    desk = peopled.service.edge.desk()
    question = await desk.load(Question, UUID(asked["id"]))
    version = desk.version(question)
    assert question.status is status
    for person in PEOPLE:
        roles = frozenset(person["roles"].get("qa", ()))
        by = domain.permits.Actor(person["id"], "Ai đó", person["unit"], roles)
        can = set(domain.acts(question, by))
        for path, (act, said) in bodies().items():
            own = {"merge": {"into": other["id"]}, "assign": {"to": person["id"]}}
            body = own.get(act, said)
            answer = await peopled.post(f"{asked['path']}/{path}", body, person["id"])
            where = (act, person["id"], answer.text[:300])
            if act in can and answer.status_code == 200:
                await _undo(peopled, asked["id"], version)
                continue
            problem = answer.json()
            assert problem["title"] != problem["title_en"], where
            if act in can:  # the table allows it; what was said breaks a rule of its own
                assert (answer.status_code, problem["code"]) == (422, "not_same_asker"), where
                continue
            may_ever = any(step.act == act and step.role in roles for step in WORKFLOW.steps)
            assert answer.status_code in ((403, 409) if may_ever else (403,)), where
            assert problem["code"] and problem["detail"], where
            if answer.status_code == 409 and problem["code"] == "illegal_transition":
                assert ACT_VI[act] in problem["detail"], where
                assert f"«{status.vi}»" in problem["detail"], where
    reader = next(each for each in PEOPLE if each["roles"].get("qa") == ["auditor"])["id"]
    assert (await peopled.get(asked["path"], reader)).headers["etag"] == f'"{version}"'


async def _undo(edges: Edges, id: str, version: int) -> None:
    """The act is taken off the record, so that the next one finds the question as this one did."""
    await edges.service.database.journal.delete_many(
        {"stream": Question.stream_of(id), "version": {"$gt": version}}
    )


async def test_files_lists_and_searches_reach_as_far_as_the_person_may_read(peopled: Edges) -> None:
    """What somebody finds by any way is what they may open, and nothing of that is kept from them."""
    asked = [await life(peopled) for _, life in LIVES]
    await peopled.project()
    desk = peopled.service.edge.desk()
    questions = [await desk.load(Question, UUID(each["id"])) for each in asked]
    for person in PEOPLE:
        roles = frozenset(person["roles"].get("qa", ()))
        by = domain.permits.Actor(person["id"], "Ai đó", person["unit"], roles)
        reach = {str(question.id) for question in questions if domain.concerns(question, by)}
        opened = {
            each["id"] for each in asked if (await peopled.get(each["path"], person["id"])).status_code == 200
        }
        assert opened == reach, person["id"]
        for search in ("?limit=100", "?limit=100&q=dieu%20kien", f"?limit=100&unit={HELD_BY}"):
            listed = await peopled.get(f"/v1/questions{search}", person["id"])
            if listed.status_code == 403:
                assert not reach, person["id"]
                continue
            found = {row["id"] for row in listed.json()["items"]}
            assert found <= reach, (person["id"], search)
            if search == "?limit=100":
                assert found == reach, person["id"]


async def test_nobody_without_a_token_or_a_place_in_the_directory_does_anything(edges: Edges) -> None:
    asked = await edges.asked()
    for path, (_, body) in bodies().items():
        assert (await edges.post(f"{asked['path']}/{path}", body)).status_code == 401, path
        assert (await edges.post(f"{asked['path']}/{path}", body, "u-nobody")).status_code in (403, 422), path
