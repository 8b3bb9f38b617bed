"""Ai được làm gì ở trạng thái nào: the whole table, walked."""

from collections.abc import Callable
from datetime import date
from itertools import product
from typing import Any

import pytest

from services.qa import domain
from services.qa.regulation import WORKFLOW, Role, Status
from shared.contracts.qa import NoticeKind
from shared.errors import Forbidden, IllegalTransition
from shared.workflow import Actor
from tests.qa.world import DUC, HA, KHOI, NGA, TUAN, Rules, received

RULES = Rules()
ACTS = ("forward", "refuse", "answer", "progress", "release", "publish", "withhold")


def in_each_state() -> dict[Status, domain.Question]:
    new = received()
    forwarded, _ = RULES.forward(new)
    refused, _ = RULES.refuse(new)
    answered, _ = RULES.answer(forwarded)
    released, _ = domain.release(answered, domain.ReleaseAnswer(answered.id), by=HA)
    sent, _ = RULES.told(released, NoticeKind.ANSWER)
    closed, _ = RULES.publish(sent)
    return {q.status: q for q in (new, forwarded, refused, answered, closed)}


STATES = in_each_state()


def act(question: domain.Question, name: str, by: Actor) -> Any:
    id = question.id
    doing: dict[str, Callable[[], Any]] = {
        "forward": lambda: RULES.forward(question, by=by),
        "refuse": lambda: RULES.refuse(question, by=by),
        "answer": lambda: RULES.answer(question, by=by),
        "progress": lambda: RULES.progress(question, date(2026, 12, 1), by=by),
        "release": lambda: domain.release(question, domain.ReleaseAnswer(id), by=by),
        "publish": lambda: RULES.publish(question, by=by),
        "withhold": lambda: domain.withhold(question, domain.WithholdAnswer(id, "Trùng."), by=by, left={}),
    }
    return doing[name]()


def test_every_state_is_reached() -> None:
    assert set(STATES) == set(Status)


@pytest.mark.parametrize(("status", "name", "role"), list(product(Status, ACTS, Role)))
def test_only_what_the_table_says_can_be_done(status: Status, name: str, role: Role) -> None:
    question = STATES[status]
    by = Actor("u-other", "Ai đó", "bhxh-ha-noi", frozenset({role}))
    rows = [s for s in WORKFLOW.steps if (s.status, s.act, s.role) == (status, name, role)]
    if rows:
        after, events = act(question, name, by)
        assert after.status is rows[0].after
        assert events
        assert name in domain.acts(question, by)
        return
    may_ever = any(s.act == name and s.role == role for s in WORKFLOW.steps)
    with pytest.raises(IllegalTransition if may_ever else Forbidden):
        act(question, name, by)
    assert name not in domain.acts(question, by)


@pytest.mark.parametrize("name", ["answer", "progress"])
@pytest.mark.parametrize("stranger", [DUC, NGA])
def test_only_the_unit_it_was_forwarded_to_answers(name: str, stranger: Actor) -> None:
    with pytest.raises(Forbidden) as refused:
        act(STATES[Status.FORWARDED], name, stranger)
    assert refused.value.code == "not_your_unit"


def test_the_centre_does_not_answer_in_the_units_place() -> None:
    with pytest.raises(IllegalTransition):
        act(STATES[Status.FORWARDED], "answer", HA)


@pytest.mark.parametrize("name", ["publish", "withhold"])
def test_who_answered_decides_nothing_about_its_publication(name: str) -> None:
    answered, _ = RULES.answer(received(), by=HA)
    with pytest.raises(Forbidden) as refused:
        act(answered, name, HA)
    assert refused.value.code == "own_answer"
    assert name not in domain.acts(answered, HA)
    after, _ = act(answered, name, KHOI)
    assert after.publication_decided


@pytest.mark.parametrize(
    ("first", "second", "code"),
    [
        ("release", "release", "already_released"),
        ("publish", "publish", "publication_decided"),
        ("publish", "withhold", "publication_decided"),
        ("withhold", "publish", "publication_decided"),
    ],
)
def test_what_is_decided_is_not_decided_again(first: str, second: str, code: str) -> None:
    question, _ = act(STATES[Status.ANSWERED], first, KHOI)
    with pytest.raises(IllegalTransition) as refused:
        act(question, second, KHOI)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("by", "reads"),
    [
        (HA, True), (KHOI, True), (TUAN, True), (DUC, False),
        (Actor("a", "", "bhxh-ha-noi", frozenset({"unit_head"})), True),
        (Actor("a", "", "bhxh-can-tho", frozenset({"unit_head"})), False),
        (Actor("a", "", "x", frozenset({"auditor"})), True),
        (Actor("a", "", "bhxh-ha-noi", frozenset({"operator"})), False),
        (Actor("anonymous"), False),
    ],
)  # fmt: skip
def test_the_centre_reads_all_and_a_unit_its_own(by: Actor, reads: bool) -> None:
    assert domain.concerns(STATES[Status.FORWARDED], by) is reads
