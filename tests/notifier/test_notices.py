"""A notice is asked for once, and sent until a server has accepted it or refused it for good."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.notifier import domain
from services.notifier.domain import Notice
from services.notifier.regulation import NOTICES, NoticeStatus, Role, SuppressionStatus
from shared.contracts.notifier import Delivery, NoticeBounced, NoticeReachedOtherwise
from shared.errors import Forbidden, IllegalTransition, InvalidInput
from shared.testing import local
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


def returned(notice: Notice) -> Notice:
    return notice.apply(NoticeBounced(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, recipient=notice.recipient,
        permanent=True, status="5.1.1", reason="no such user", bounced_at=NOW,
    ))  # fmt: skip


def reached(notice: Notice) -> Notice:
    return notice.apply(NoticeReachedOtherwise(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, recipient=notice.recipient,
        way="phone", reached_at=NOW, proof="CV 12",
    ))  # fmt: skip


STATES: dict[NoticeStatus, Callable[[], Notice]] = {
    NoticeStatus.REQUESTED: asked,
    NoticeStatus.SENDING: sending,
    NoticeStatus.RETRYING: lambda: failed(sending(), Delivery.TEMPORARY),
    NoticeStatus.SENT: lambda: accepted(sending()),
    NoticeStatus.FAILED: lambda: failed(sending(), Delivery.DEFINITE),
    NoticeStatus.UNCERTAIN: lambda: failed(sending("acknowledgement"), Delivery.UNCERTAIN),
    NoticeStatus.BOUNCED: lambda: returned(accepted(sending())),
    NoticeStatus.REACHED: lambda: reached(returned(accepted(sending()))),
    NoticeStatus.WITHHELD: lambda: domain.withhold(sending(), reason="địa chỉ ngừng nhận")[0],
}
ACTS = sorted({step.act for step in NOTICES.steps})


def test_every_state_can_be_reached() -> None:
    assert {status: build().status for status, build in STATES.items()} == {s: s for s in NoticeStatus}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("status", NoticeStatus)
def test_the_whole_table(status: NoticeStatus, act: str) -> None:
    """Each act in each state by whoever may do it; nobody else may."""
    (role,) = {step.role for step in NOTICES.steps if step.act == act}
    stranger = Actor("u-lan", roles=frozenset({"author"}))
    with pytest.raises(Forbidden):
        NOTICES.after(status, act, stranger)
    by = SYSTEM if role is Role.SYSTEM else Actor("u-oanh", roles=frozenset({role}))
    rows = [step.after for step in NOTICES.steps if (step.status, step.act) == (status, act)]
    if rows:
        assert NOTICES.after(status, act, by) == rows[0]
    else:
        with pytest.raises(IllegalTransition):
            NOTICES.after(status, act, by)


MEMO = {"source": "notifier", "policy": POLICY, "duty": "unit_reply"}


def staff_notice(at: str, duty: str = "unit_reply") -> Notice:
    facts = MEMO | {"duty": duty}
    asked = domain.request_notice(None, "breach", SUBJECT, "unit:bhxh-ha-noi", **facts)[0]  # type: ignore[arg-type]
    return domain.claim(asked)[0]


@pytest.mark.parametrize(
    ("at", "tried"),
    [
        pytest.param("2026-11-23T10:00", "2026-11-23T10:00:02", id="within working hours, at once"),
        pytest.param("2026-11-23T17:00", "2026-11-25T08:00", id="a holiday is no working day"),
        pytest.param("2026-11-23T07:59:57", "2026-11-23T08:00", id="before they begin"),
        pytest.param("2026-11-21T12:00", "2026-11-23T08:00", id="on a Saturday"),
        pytest.param("2026-08-22T12:00", "2026-08-22T12:00:02", id="on a Saturday that is worked"),
    ],
)
def test_our_own_people_are_written_to_again_in_working_hours(at: str, tried: str) -> None:
    notice = staff_notice(at)
    facts = {"attempt": 1, "reason": "451", "policy": POLICY, "at": local(at)}
    (event,) = domain.fail(notice, outcome=Delivery.TEMPORARY, **facts)[1]  # type: ignore[arg-type]
    assert event.retry_at == local(tried)  # type: ignore[attr-defined]


def test_what_is_late_within_its_day_is_told_again_at_any_hour() -> None:
    notice, at = staff_notice("", "same_day_notice"), local("2026-11-24T00:00:10")
    facts = {"attempt": 1, "reason": "451", "policy": POLICY, "at": at}
    (event,) = domain.fail(notice, outcome=Delivery.TEMPORARY, **facts)[1]  # type: ignore[arg-type]
    assert event.retry_at == at + POLICY.first_retry  # type: ignore[attr-defined]


def test_our_own_people_are_tried_as_long_as_it_is_so() -> None:
    notice = staff_notice("")
    for _ in range(40):
        again = domain.fail(notice, attempt=notice.attempt, outcome=Delivery.TEMPORARY, reason="451", at=NOW,
                            policy=POLICY)[0]  # fmt: skip
        assert again.status is NoticeStatus.RETRYING
        notice = domain.claim(again)[0]


@pytest.mark.parametrize(
    ("kind", "recipient", "ends"),
    [("breach", "unit:ban-thu", NoticeStatus.RETRYING), ("escalation", "leadership", NoticeStatus.RETRYING),
     ("rescission", "unit:ban-thu", NoticeStatus.RETRYING),
     ("escalation", "sms:head:x", NoticeStatus.UNCERTAIN),
     ("warning", "unit:ban-thu", NoticeStatus.UNCERTAIN), ("digest", "unit:ban-thu", NoticeStatus.UNCERTAIN)],
)  # fmt: skip
def test_in_doubt_a_mail_about_a_breach_goes_out_again_and_a_reminder_does_not(
    kind: str, recipient: str, ends: NoticeStatus
) -> None:
    asked = domain.request_notice(None, kind, "question-1", recipient, source="notifier", policy=POLICY)[0]
    notice = domain.claim(asked)[0]
    lost = domain.fail(notice, attempt=1, outcome=Delivery.UNCERTAIN, reason="?", at=NOW, policy=POLICY)[0]
    assert (lost.status, lost.uncertain, lost.message_id) == (ends, 1, asked.message_id)


def test_no_rule_demands_what_our_own_people_are_told() -> None:
    assert staff_notice("").statutory is False
    assert asked().statutory is True


def test_two_reasons_make_two_notices_of_one_kind_and_subject() -> None:
    ids = {domain.notice_id("breach", reason, "unit:x", 1) for reason in ("notifier:a:7:0", "notifier:a:9:0")}
    assert len(ids) == 2


def test_what_was_withheld_once_is_withheld() -> None:
    held = STATES[NoticeStatus.WITHHELD]()
    assert domain.withhold(held, reason="again") == (held, ())


class TestSuppression:
    OPERATOR = Actor("u-oanh", roles=frozenset({"operator"}))
    MARK = domain.mark_of("An@Example.VN", b"key")

    def test_the_address_is_known_by_a_keyed_hash_however_it_is_written(self) -> None:
        assert domain.mark_of(" an@example.vn ", b"key") == self.MARK
        assert domain.mark_of("an@example.vn", b"another key") != self.MARK
        assert len(self.MARK) == 64

    def test_an_operator_stops_it_and_lets_it_go_and_each_needs_a_reason(self) -> None:
        held, (first,) = domain.suppress(None, self.MARK, "Người nhận đề nghị", by=self.OPERATOR)
        assert first.model_dump() == {"mark": self.MARK, "reason": "Người nhận đề nghị"}
        assert domain.suppress(held, self.MARK, "lần nữa", by=self.OPERATOR) == (held, ())
        free, _ = domain.release(held, "đã đổi ý", by=self.OPERATOR)
        with pytest.raises(IllegalTransition):
            domain.release(free, "đã đổi ý", by=self.OPERATOR)
        again, _ = domain.suppress(free, self.MARK, "Thư bị trả lại", by=SYSTEM)
        assert again.status is SuppressionStatus.SUPPRESSED

    @pytest.mark.parametrize("reason", ["", "  ", "ok", "x" * 301, "vì an@example.vn đề nghị"])
    def test_a_reason_is_given_and_holds_no_address(self, reason: str) -> None:
        with pytest.raises(InvalidInput):
            domain.suppress(None, self.MARK, reason, by=self.OPERATOR)

    def test_nobody_else_stops_or_frees_an_address(self) -> None:
        keeper = Actor("u-thao", roles=frozenset({"calendar_keeper"}))
        with pytest.raises(Forbidden):
            domain.suppress(None, self.MARK, "Người nhận đề nghị", by=keeper)
