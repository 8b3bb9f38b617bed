"""Ai được làm gì ở trạng thái nào: the whole table, walked."""

from itertools import product

import pytest

from services.qa import domain
from services.qa.regulation import WORKFLOW, Role, Status
from shared.errors import Forbidden, IllegalTransition
from shared.workflow import Actor
from tests.qa.lives import ACTS, RULES, do, fit, somebody
from tests.qa.world import DUC, HA, KHOI, NGA, TUAN, received


@pytest.mark.parametrize(("status", "act"), list(product(Status, ACTS)))
def test_only_what_the_table_says_can_be_done(status: Status, act: str) -> None:
    for role in Role:
        question, by = fit(status, act, role), somebody(role, act)
        rows = [step for step in WORKFLOW.steps if (step.status, step.act, step.role) == (status, act, role)]
        assert question.status is status
        assert (act in domain.acts(question, by)) is bool(rows), role
        if rows:
            after, events = do(question, act, by)
            assert after.status in {row.after for row in rows}, role
            assert events, role
            continue
        may_ever = any(step.act == act and step.role == role for step in WORKFLOW.steps)
        with pytest.raises(IllegalTransition if may_ever else Forbidden):
            do(question, act, by)


@pytest.mark.parametrize("name", ["answer", "progress"])
@pytest.mark.parametrize("stranger", [DUC, NGA])
def test_only_the_unit_it_was_forwarded_to_answers(name: str, stranger: Actor) -> None:
    with pytest.raises(Forbidden) as refused:
        do(fit(Status.FORWARDED, "answer", Role.ANSWERER), name, stranger)
    assert refused.value.code == "not_your_unit"


def test_the_centre_does_not_answer_in_the_units_place() -> None:
    with pytest.raises(IllegalTransition):
        do(fit(Status.FORWARDED, "answer", Role.ANSWERER), "answer", HA)


@pytest.mark.parametrize("name", ["publish", "withhold"])
def test_who_answered_decides_nothing_about_its_publication(name: str) -> None:
    answered, _ = RULES.answer(received(), by=HA)
    with pytest.raises(Forbidden) as refused:
        do(answered, name, HA)
    assert refused.value.code == "own_answer"
    assert name not in domain.acts(answered, HA)
    after, _ = do(answered, name, KHOI)
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
    question, _ = do(fit(Status.ANSWERED, first, Role.PUBLISHER), first, KHOI)
    with pytest.raises(IllegalTransition) as refused:
        do(question, second, KHOI)
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
    assert domain.concerns(fit(Status.FORWARDED, "note", Role.ANSWERER), by) is reads
