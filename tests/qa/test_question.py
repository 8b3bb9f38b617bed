"""A question's life: promises, referrals, the letters that discharge duties, and how it ends."""

from datetime import date

import pytest

from services.qa import domain
from services.qa.domain import Question
from services.qa.domain.personal_data import NAME_MASK
from services.qa.regulation import Policy, Status
from shared.contracts.qa import DisclosureReason, NoticeKind, Referral, RefusalGround
from shared.errors import Forbidden, RuleBroken
from tests.qa.world import DUC, HA, KHOI, OANH, THAO, TUAN, Rules, clocks, closed, last_day, names, received

RULES = Rules()


@pytest.fixture
def forwarded() -> Question:
    question, events = RULES.forward(received())
    assert closed(events) == {"triage"}
    assert set(question.clocks) == {"unit_reply"}
    return question


@pytest.mark.parametrize(
    ("promised", "code"),
    [
        pytest.param(None, "promise_missing", id="no date"),
        pytest.param(date(2026, 11, 26), "promise_in_past", id="yesterday"),
        pytest.param(date(2026, 11, 28), "promise_on_day_off", id="a Saturday"),
        pytest.param(date(2027, 1, 1), "promise_on_day_off", id="a holiday"),
        pytest.param(date(2031, 1, 2), "calendar_year_missing", id="a year without a calendar"),
    ],
)
def test_a_progress_notice_needs_a_working_day_to_come(
    forwarded: Question, promised: date | None, code: str
) -> None:
    with pytest.raises(Exception) as refused:
        RULES.progress(forwarded, promised, "2026-11-27T15:00")
    assert refused.value.code == code  # type: ignore[attr-defined]


def test_a_day_off_is_named_and_the_next_working_day_offered(forwarded: Question) -> None:
    with pytest.raises(RuleBroken, match=r"24/11/2026 nghỉ Ngày Văn hóa Việt Nam; .* 25/11/2026"):
        RULES.progress(forwarded, date(2026, 11, 24), "2026-11-23T15:00")


def test_each_notice_sets_a_promise_that_the_answer_alone_keeps(forwarded: Question) -> None:
    """«…nói rõ thời hạn trả lời»: to name a later day does not keep the day that was named before."""
    once, events = RULES.progress(forwarded, date(2026, 12, 4))
    promise = clocks(events)["promised_reply:1"]
    assert (closed(events), last_day(promise), promise.working_days) == ({"unit_reply"}, "2026-12-04", None)
    twice, events = RULES.progress(once, date(2026, 12, 11), "2026-12-04T10:00")
    assert (closed(events), set(twice.clocks)) == (set(), {"promised_reply:1", "promised_reply:2"})
    answered, events = RULES.answer(twice, "2026-12-10T10:00")
    assert closed(events) == {"promised_reply:1", "promised_reply:2"}
    assert set(answered.clocks) == {"send_answer", "publish_answer"}


def test_the_last_moment_of_the_promised_day_is_in_time(forwarded: Question) -> None:
    _, events = RULES.progress(forwarded, date(2026, 11, 27), "2026-11-27T15:00")
    assert last_day(clocks(events)["promised_reply:1"]) == "2026-11-27"


def test_the_third_notice_is_taken_and_escalated(forwarded: Question) -> None:
    question = forwarded
    escalated = []
    for day in (1, 2, 3):
        question, events = RULES.progress(question, date(2026, 12, day), "2026-11-30T09:00")
        escalated.append(events[0].escalated)
    assert escalated == [False, False, True]
    _, events = Rules(Policy(max_progress_notices=1)).progress(
        question, date(2026, 12, 4), "2026-11-30T09:00"
    )
    assert events[0].escalated


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        pytest.param({"referral": None}, "agency_missing", id="out of scope without a way there"),
        pytest.param({"agency": "  "}, "agency_missing", id="out of scope without an agency"),
        pytest.param(
            {"referral": Referral.TRANSFERRED_BY_CENTRE}, "transfer_incomplete", id="a transfer, no number"
        ),
        pytest.param(
            {"referral": Referral.TRANSFERRED_BY_CENTRE, "reference": "12/CV"}, "transfer_incomplete",
            id="a transfer lacks its date",
        ),
        pytest.param({"ground": RefusalGround.UNCLEAR}, "referral_not_allowed", id="unclear with an agency"),
    ],
)  # fmt: skip
def test_a_refusal_says_where_the_question_belongs_or_what_is_missing(
    changes: dict[str, object], code: str
) -> None:
    with pytest.raises(RuleBroken) as refused:
        RULES.refuse(received(), **changes)
    assert refused.value.code == code
    assert refused.value.extra["errors"][0]["field"]


def test_an_unclear_question_is_refused_without_an_agency() -> None:
    question, events = RULES.refuse(received(), ground=RefusalGround.UNCLEAR, referral=None, agency="")
    assert (question.status, closed(events)) == (Status.REFUSED, {"triage"})


def test_the_centre_may_answer_by_itself() -> None:
    question, events = RULES.answer(received(), "2026-11-23T10:00", by=HA)
    assert (events[0].unit, closed(events)) == ("tt-cskh", {"triage"})
    assert (question.status, question.answered_by) == (Status.ANSWERED, "u-ha")


def test_the_reason_for_not_publishing_names_nobody() -> None:
    question, _ = RULES.answer(RULES.forward(received())[0])
    cmd = domain.WithholdAnswer(question.id, "Trùng với câu của Nguyễn Thị Hoa.")
    with pytest.raises(RuleBroken) as refused:
        domain.withhold(question, cmd, by=KHOI, left={"reason": (NAME_MASK,)})
    assert refused.value.code == "personal_data_left"
    assert domain.withhold(question, cmd, by=KHOI, left={"reason": ()})[0].publication_decided


@pytest.mark.parametrize("sent_first", [True, False])
@pytest.mark.parametrize("published", [True, False])
def test_it_ends_when_it_is_sent_and_published_or_withheld(sent_first: bool, published: bool) -> None:
    question, _ = RULES.answer(RULES.forward(received())[0])
    question, _ = domain.release(question, domain.ReleaseAnswer(question.id), by=HA)

    def send(q: Question) -> Question:
        return RULES.told(q, NoticeKind.ANSWER)[0]  # type: ignore[no-any-return]

    def decide(q: Question) -> Question:
        withheld = domain.WithholdAnswer(q.id, "Trùng với câu đã đăng.")
        return RULES.publish(q)[0] if published else domain.withhold(q, withheld, by=KHOI, left={})[0]  # type: ignore[no-any-return]

    first, second = (send, decide) if sent_first else (decide, send)
    half = first(question)
    assert half.status is Status.ANSWERED
    whole = second(half)
    assert (whole.status, whole.clocks) == (Status.CLOSED, {})


def test_a_letter_accepted_again_changes_nothing() -> None:
    question, _ = RULES.refuse(received())
    told, _ = RULES.told(question, NoticeKind.REFUSAL)
    again, events = RULES.told(told, NoticeKind.REFUSAL)
    assert (names(events), closed(events), again) == (["notice_accepted"], set(), told)


@pytest.mark.parametrize("kind", [NoticeKind.ACKNOWLEDGEMENT, NoticeKind.PROGRESS])
def test_a_courtesy_letter_discharges_no_duty(kind: NoticeKind) -> None:
    question = received()
    after, events = RULES.told(question, kind)
    assert (closed(events), after.clocks) == (set(), question.clocks)


def test_the_state_is_what_its_events_say() -> None:
    question, first = RULES.forward(received())
    answered, second = RULES.answer(question)
    assert Question.fold((*_receipt(), *first, *second)) == answered


def _receipt() -> tuple[object, ...]:
    from services.qa.domain.codes import question_id_of
    from shared.calendar import CALENDAR
    from tests.qa.world import LETTER, NOW

    _, events = domain.receive(
        question_id_of("same", date(2026, 11, 23)), domain.ReceiveQuestion("same", LETTER), "ref", "hash",
        at=NOW, calendar=CALENDAR, policy=Policy(),
    )  # fmt: skip
    return events


@pytest.mark.parametrize(
    ("by", "allowed"), [(HA, True), (TUAN, True), (DUC, False), (THAO, False), (OANH, False)]
)
def test_only_who_works_on_it_may_see_who_asks(forwarded: Question, by: object, allowed: bool) -> None:
    cmd = domain.DiscloseAsker(forwarded.id, DisclosureReason.CONTACT)
    if allowed:
        assert names(domain.disclose(forwarded, cmd, by=by)[1]) == ["asker_disclosed"]  # type: ignore[arg-type]
        return
    with pytest.raises(Forbidden):
        domain.disclose(forwarded, cmd, by=by)  # type: ignore[arg-type]
