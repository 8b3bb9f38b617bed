"""A notice is asked for once, and sent until a server has accepted it or refused it for good."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.notifier import domain
from services.notifier.domain import Notice
from services.notifier.regulation import NOTICES, NoticeStatus
from shared.contracts.notifier import Delivery
from shared.errors import Forbidden, IllegalTransition
from shared.workflow import SYSTEM, Actor
from tests.notifier.world import POLICY, RECEIVED, SUBJECT

NOW = RECEIVED


def asked(kind: str = "refusal") -> Notice:
    return domain.request_notice(None, kind, SUBJECT, "asker", source="qa", policy=POLICY)[0]


def sending(kind: str = "refusal", attempt: int = 1) -> Notice:
    notice = asked(kind)
    for number in range(1, attempt + 1):
        notice, _ = domain.claim(notice)
        if number < attempt:
            notice = failed(notice, Delivery.TEMPORARY)
    return notice


def failed(notice: Notice, outcome: Delivery) -> Notice:
    return domain.fail(notice, attempt=notice.attempt, outcome=outcome, reason="451", at=NOW, policy=POLICY)[
        0
    ]


def accepted(notice: Notice, attempt: int = 1) -> Notice:
    return domain.accept(notice, attempt=attempt, reply="250 OK", at=NOW)[0]


def test_the_message_id_is_fixed_when_the_notice_is_asked_for_and_never_changes() -> None:
    first, again = asked(), sending(attempt=3)
    assert first.message_id == again.message_id == f"<{first.id}@bhxh.example.vn>"


def test_asking_twice_is_asking_once() -> None:
    _, events = domain.request_notice(asked(), "refusal", SUBJECT, "asker", source="qa", policy=POLICY)
    assert events == ()


def test_a_second_round_is_a_notice_of_its_own() -> None:
    first, second = (domain.notice_id("progress", SUBJECT, "asker", round) for round in (1, 2))
    assert first != second


def test_whoever_claims_first_sends_and_the_other_is_refused() -> None:
    with pytest.raises(IllegalTransition):
        domain.claim(sending())


@pytest.mark.parametrize("kind", ["refusal", "answer", "progress", "acknowledgement"])
def test_what_was_refused_for_now_is_tried_again_later(kind: str) -> None:
    notice = failed(sending(kind), Delivery.TEMPORARY)
    assert notice.status is NoticeStatus.RETRYING


@pytest.mark.parametrize("kind", ["refusal", "answer", "progress", "acknowledgement"])
def test_what_was_refused_for_good_is_not_tried_again(kind: str) -> None:
    assert failed(sending(kind), Delivery.DEFINITE).status is NoticeStatus.FAILED


@pytest.mark.parametrize("kind", ["refusal", "answer", "progress"])
def test_in_doubt_what_the_law_demands_is_sent_again(kind: str) -> None:
    notice = failed(sending(kind), Delivery.UNCERTAIN)
    assert (notice.status, notice.uncertain) == (NoticeStatus.RETRYING, 1)


def test_in_doubt_a_courtesy_is_not_sent_again() -> None:
    assert failed(sending("acknowledgement"), Delivery.UNCERTAIN).status is NoticeStatus.UNCERTAIN


def test_a_courtesy_is_tried_only_so_often_and_a_duty_for_ever() -> None:
    assert failed(sending("acknowledgement", POLICY.courtesy_attempts), Delivery.TEMPORARY).status == "failed"
    assert failed(sending("refusal", 200), Delivery.TEMPORARY).status is NoticeStatus.RETRYING


def test_acceptance_is_recorded_once() -> None:
    sent = accepted(sending())
    assert sent.status is NoticeStatus.SENT
    assert domain.accept(sent, attempt=2, reply="250", at=NOW)[1] == ()


def test_an_acceptance_that_comes_after_the_sender_was_given_up_is_still_a_fact() -> None:
    given_up = failed(sending(), Delivery.UNCERTAIN)
    assert accepted(given_up).status is NoticeStatus.SENT


def test_the_end_of_an_attempt_that_was_already_given_up_adds_nothing() -> None:
    second = domain.claim(failed(sending(), Delivery.UNCERTAIN))[0]
    late = domain.fail(second, attempt=1, outcome=Delivery.DEFINITE, reason="550", at=NOW, policy=POLICY)
    assert late == (second, ())


def test_a_sender_is_taken_as_lost_only_after_its_time() -> None:
    timeout, notice = POLICY.claim_timeout, sending()
    assert not domain.is_lost(notice, NOW, at=NOW + timeout - timedelta(milliseconds=1), timeout=timeout)
    assert domain.is_lost(notice, NOW, at=NOW + timeout, timeout=timeout)
    assert not domain.is_lost(accepted(notice), NOW, at=NOW + timeout, timeout=timeout)


STATES: dict[NoticeStatus, Callable[[], Notice]] = {
    NoticeStatus.REQUESTED: asked,
    NoticeStatus.SENDING: sending,
    NoticeStatus.RETRYING: lambda: failed(sending(), Delivery.TEMPORARY),
    NoticeStatus.SENT: lambda: accepted(sending()),
    NoticeStatus.FAILED: lambda: failed(sending(), Delivery.DEFINITE),
    NoticeStatus.UNCERTAIN: lambda: failed(sending("acknowledgement"), Delivery.UNCERTAIN),
}
ACTS = sorted({step.act for step in NOTICES.steps})


def test_every_state_can_be_reached() -> None:
    assert {status: build().status for status, build in STATES.items()} == {s: s for s in NoticeStatus}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("status", NoticeStatus)
def test_the_whole_table(status: NoticeStatus, act: str) -> None:
    with pytest.raises(Forbidden):
        NOTICES.after(status, act, Actor("u-oanh", roles=frozenset({"operator"})))
    rows = [step.after for step in NOTICES.steps if (step.status, step.act) == (status, act)]
    if rows:
        assert NOTICES.after(status, act, SYSTEM) == rows[0]
    else:
        with pytest.raises(IllegalTransition):
            NOTICES.after(status, act, SYSTEM)
