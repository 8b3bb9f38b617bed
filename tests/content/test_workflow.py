"""The whole table: every state × act × set of roles does what the regulation says, and nothing else."""

from dataclasses import replace
from itertools import combinations
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.content.domain import decisions
from services.content.domain.decisions import (
    Approve,
    Publish,
    RecordPermission,
    ReturnToUnit,
    RewriteText,
    Withdraw,
)
from services.content.domain.submission import Submission
from services.content.regulation import WORKFLOW, Policy, ReturnReason, Role, Status
from shared.calendar import CALENDAR
from shared.contracts.base import Decision
from shared.contracts.content import ContentClass
from shared.errors import Forbidden, IllegalTransition
from shared.testing import local
from shared.workflow import Actor
from tests.content.world import ALL_SIX, BODY, NOW, REGISTER

ACTS = ("edit", "return", "resubmit", "permit", "approve", "publish", "withdraw")
ROLE_SETS = [frozenset(c) for n in range(len(Role) + 1) for c in combinations(Role, n)]


def item(status: Status, kind: ContentClass = ContentClass.CONTACT) -> Submission:
    """Permitted where a publication is tried, waiting for permission where that is what is tried."""
    return Submission(
        id=uuid4(), status=status, content_class=kind, unit="bhxh-ha-noi", author="u-author", title="T",
        body_ref="r", body_hash="h", text_version=3, quoted=False, event_at=local("2026-11-20T09:00"),
        permitted_at=None, hands=frozenset({"u-author", "u-editor"}), supplied_at=NOW,
    )  # fmt: skip


def act_on(submission: Submission, act: str, by: Actor) -> Decision[Submission]:
    match act:
        case "edit" | "resubmit":
            return decisions.rewrite(submission, RewriteText(submission.id, BODY), "ref", by=by, at=NOW)
        case "return":
            command = ReturnToUnit(submission.id, ReturnReason.OTHER)
            return decisions.give_back(submission, command, by=by, policy=Policy())
        case "permit":
            permission = RecordPermission(submission.id, NOW)
            return decisions.permit(submission, permission, by=by, at=NOW, calendar=CALENDAR, policy=Policy())
        case "approve":
            approval = Approve(submission.id, 3, ALL_SIX, REGISTER, publish=False)
            return decisions.approve(submission, approval, BODY, by=by, at=NOW)
        case "publish":
            shown = replace(submission, permitted_at=NOW)
            return decisions.publish(shown, Publish(submission.id), by=by, at=NOW)
        case _:
            return decisions.withdraw(submission, Withdraw(submission.id, "sai"), by=by)


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("act", ACTS)
def test_every_state_act_and_role_obeys_the_table(status: Status, act: str) -> None:
    for roles in ROLE_SETS:
        by = Actor("u-somebody", "Ai đó", "bhxh-ha-noi", roles)
        after = {s.after for s in WORKFLOW.steps if (s.status, s.act) == (status, act) and s.role in roles}
        # One form serves the editor's edit and the author's completion: the state and the roles decide which.
        if act in ("edit", "resubmit"):
            after = {
                s.after for s in WORKFLOW.steps
                if s.status == status and s.act in ("edit", "resubmit") and s.role in roles
            }  # fmt: skip
        if after:
            done, events = act_on(item(status), act, by)
            assert {done.status} == after
            assert events
        else:
            with pytest.raises((Forbidden, IllegalTransition)):
                act_on(item(status), act, by)


@pytest.mark.parametrize("status", Status)
def test_the_buttons_offered_are_the_acts_that_succeed(status: Status) -> None:
    for roles in ROLE_SETS:
        by = Actor("u-somebody", "Ai đó", "bhxh-ha-noi", roles)
        offered = decisions.acts(item(status), by)
        for act in set(offered) - {"publish"}:
            act_on(item(status), act, by)


@given(st.sampled_from(["u-author", "u-editor"]), st.sampled_from(list(Status)))
def test_nobody_with_a_hand_in_the_text_approves_it_in_any_state(who: str, status: Status) -> None:
    everything = Actor(who, "Người viết", "bhxh-ha-noi", frozenset(Role))
    with pytest.raises(Forbidden) as refused:
        act_on(item(status), "approve", everything)
    assert refused.value.code == "own_work"
    assert "approve" not in decisions.acts(item(status), everything)


@pytest.mark.parametrize(("act", "status"), [("resubmit", Status.RETURNED), ("permit", Status.SUBMITTED)])
def test_an_author_of_another_unit_may_not(act: str, status: Status) -> None:
    stranger = Actor("u-nga", "Nga", "bhxh-can-tho", frozenset({Role.AUTHOR}))
    with pytest.raises(Forbidden) as refused:
        act_on(item(status), act, stranger)
    assert refused.value.code == "other_unit"
    assert act not in decisions.acts(item(status), stranger)


def test_a_refusal_speaks_vietnamese() -> None:
    editor = Actor("u-minh", "Minh", "tt", frozenset({Role.EDITOR}))
    with pytest.raises(IllegalTransition) as refused:
        act_on(item(Status.PUBLISHED), "edit", editor)
    assert refused.value.detail == "Không thể biên tập khi bài ở trạng thái «Đã đăng»."
