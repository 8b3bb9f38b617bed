"""Điều 11 khoản 1 điểm a, hỏi đáp: each sentence and what it means on the calendar."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.qa import domain
from services.qa.regulation import SAME_DAY_SENTENCE, Policy, Role, Status, counted_receipt
from shared.calendar import CALENDAR
from shared.contracts.qa import Finding, NoticeKind, QuestionClockMoved, RefusalGround
from shared.errors import Forbidden, IllegalTransition, RuleBroken
from shared.testing import local
from tests.qa import reading
from tests.qa.lives import HEAD, do, facts, fit
from tests.qa.world import DUC, HA, KHOI, TUAN, Rules, clocks, last_day, received

RECEIPT, FINDING = Policy(same_day_from="receipt"), Policy(same_day_from="finding")


def test_the_centre_classifies_within_two_to_five_working_days() -> None:
    """«…phân loại câu hỏi để trả lời hoặc chuyển đến các đơn vị liên quan để trả lời trong vòng 02 đến 05
    ngày làm việc.» A warning after the second, a breach after the fifth."""
    question = received("2026-11-23T09:00")
    assert set(question.clocks) == {"triage"}
    triage = clocks(_events_of_receipt("2026-11-23T09:00"))["triage"]
    assert (triage.working_days, last_day(triage)) == (5, "2026-12-01")  # the holiday of 24/11 is not counted
    assert triage.warn_at == local("2026-11-27T00:00")
    assert triage.owner_unit == "tt-cskh"
    assert "24/11 nghỉ Ngày Văn hóa Việt Nam" in triage.explanation_vi


@pytest.mark.parametrize(
    ("arrived", "due"),
    [
        pytest.param(
            "2025-04-25T09:00", "2025-05-06", id="a worked Saturday is day one, the bridge is skipped"
        ),
        pytest.param(
            "2025-04-26T09:00", "2025-05-07", id="received on a worked Saturday is received that day"
        ),
        pytest.param("2025-04-27T09:00", "2025-05-08", id="received on a Sunday counts from Monday"),
        pytest.param("2025-05-01T09:00", "2025-05-12", id="received on a holiday counts from Monday 5 May"),
        pytest.param("2026-11-21T09:00", "2026-12-01", id="received on a Saturday counts from Monday"),
    ],
)
def test_a_receipt_on_a_day_off_counts_from_the_next_working_day(arrived: str, due: str) -> None:
    assert last_day(clocks(_events_of_receipt(arrived))["triage"]) == due


@pytest.mark.parametrize(
    ("arrived", "refused", "by_receipt", "by_finding"),
    [
        pytest.param("2026-11-23T09:00", "2026-11-23T16:00", "2026-11-23", "2026-11-23", id="the same day"),
        pytest.param("2026-11-23T23:50", "2026-11-23T23:55", "2026-11-23", "2026-11-23", id="at 23:50"),
        pytest.param("2026-11-23T23:50", "2026-11-25T08:00", "2026-11-23", "2026-11-25", id="found late"),
        pytest.param("2026-11-21T10:00", "2026-11-23T08:00", "2026-11-23", "2026-11-23", id="on a Saturday"),
        pytest.param("2026-11-21T10:00", "2026-11-21T11:00", "2026-11-23", "2026-11-21", id="found that day"),
        pytest.param("2026-11-24T10:00", "2026-11-24T11:00", "2026-11-25", "2026-11-24", id="on a holiday"),
        pytest.param("2026-08-22T10:00", "2026-08-22T11:00", "2026-08-22", "2026-08-22", id="a makeup day"),
        pytest.param("2026-08-31T10:00", "2026-08-31T11:00", "2026-09-03", "2026-08-31", id="its day off"),
        pytest.param(
            "2026-11-23T23:59:59.999999", "2026-11-25T08:00", "2026-11-23", "2026-11-25",
            id="a microsecond before midnight",
        ),
        pytest.param(
            "2026-11-25T00:00:00", "2026-11-25T08:00", "2026-11-25", "2026-11-25", id="at midnight itself"
        ),
    ],
)  # fmt: skip
def test_out_of_scope_or_unclear_is_told_the_same_day(
    arrived: str, refused: str, by_receipt: str, by_finding: str
) -> None:
    """«…phải thông báo ngay trong ngày cho tổ chức, cá nhân đặt câu hỏi biết…»"""
    assert "thông báo ngay trong ngày" in SAME_DAY_SENTENCE
    for policy, due in ((RECEIPT, by_receipt), (FINDING, by_finding)):
        question = received(arrived, policy)
        _, events = Rules(policy).refuse(question, refused)
        notice = clocks(events)["same_day_notice"]
        assert last_day(notice) == due, policy.same_day_from
        assert events[0].notice_due == date.fromisoformat(due)
        assert (notice.working_days, notice.basis) == (0, "dieu-11#hoi-dap-1")


def test_the_notice_is_given_when_the_mail_server_has_accepted_it() -> None:
    question, _ = Rules().refuse(received())
    assert set(question.clocks) == {"same_day_notice"}
    told, events = Rules().told(question, NoticeKind.REFUSAL, "2026-11-23T23:59:59.999")
    assert (events[0].closes, events[0].closed_at) == (("same_day_notice",), local("2026-11-23T23:59:59.999"))
    assert told.clocks == {}


@pytest.mark.parametrize(
    ("delivered", "due"),
    [
        pytest.param("2025-04-28T09:00", "2025-05-12", id="over the holidays of 30 April and 1 May"),
        pytest.param("2026-11-23T10:00", "2026-12-03", id="over the holiday of 24 November"),
        pytest.param("2026-08-20T09:00", "2026-08-28", id="with a worked Saturday"),
    ],
)
def test_a_unit_answers_or_tells_within_seven_working_days(delivered: str, due: str) -> None:
    """«Trong vòng 07 ngày làm việc kể từ khi tiếp nhận câu hỏi…»: from delivery to the unit."""
    _, events = Rules().forward(received(delivered), delivered)
    reply = clocks(events)["unit_reply"]
    assert (reply.working_days, last_day(reply), reply.owner_unit) == (7, due, "bhxh-ha-noi")


def test_the_other_reading_counts_the_seven_days_from_the_centres_receipt() -> None:
    policy = Policy(unit_reply_from="receipt")
    _, events = Rules(policy).forward(received("2026-11-23T09:00", policy), "2026-11-27T10:00")
    assert last_day(clocks(events)["unit_reply"]) == "2026-12-03"
    _, events = Rules().forward(received("2026-11-23T09:00"), "2026-11-27T10:00")
    assert last_day(clocks(events)["unit_reply"]) == "2026-12-08"


@pytest.mark.parametrize(
    ("arrived", "due"),
    [
        pytest.param("2025-04-25T09:00", "2025-04-28", id="a worked Saturday is day one"),
        pytest.param("2025-04-28T09:00", "2025-05-05", id="a holiday bridge is not counted"),
        pytest.param("2026-11-23T17:00", "2026-11-26", id="the holiday of 24 November is not counted"),
    ],
)
def test_the_centre_sends_and_publishes_an_answer_within_two_working_days(arrived: str, due: str) -> None:
    """«Sau khi tiếp nhận câu trả lời, không quá 02 ngày làm việc…»"""
    _, events = Rules().answer(received(arrived), arrived, by=HA)
    for duty in ("send_answer", "publish_answer"):
        clock = clocks(events)[duty]
        assert (last_day(clock), clock.working_days, clock.owner_unit) == (due, 2, "tt-cskh")


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        pytest.param("2025-04-25T09:00", 1, "2025-04-26", id="Friday, and the worked Saturday is day one"),
        pytest.param("2025-04-25T09:00", 2, "2025-04-28", id="Friday, two"),
        pytest.param("2025-04-28T09:00", 2, "2025-05-05", id="Monday, two, over the bridge"),
        pytest.param("2025-04-28T09:00", 7, "2025-05-12", id="Monday, seven"),
        pytest.param("2025-04-28T09:00", 10, "2025-05-15", id="Monday, ten"),
        pytest.param("2025-04-29T09:00", 1, "2025-05-05", id="the last day before the bridge"),
        pytest.param("2026-11-23T23:59:59.999999", 1, "2026-11-25", id="a microsecond before midnight"),
        pytest.param("2026-11-25T00:00:00", 1, "2026-11-26", id="at midnight it is the next day"),
        pytest.param("2026-02-13T17:00", 2, "2026-02-24", id="over Tết"),
        pytest.param("2025-12-31T09:00", 2, "2026-01-06", id="31 December, over the swap of 2 January"),
        pytest.param("2026-08-21T16:00", 1, "2026-08-22", id="before a Saturday that is worked"),
    ],
)
def test_the_day_of_the_event_is_not_counted_and_a_term_ends_with_a_working_day(
    start: str, days: int, due: str
) -> None:
    """Bộ luật Dân sự, Điều 147 và 148; and the second reading counts the same."""
    assert CALENDAR.due(local(start), days).last_day.isoformat() == due
    assert reading.term(reading.day_of(local(start)), days) == CALENDAR.due(local(start), days).due_at


@pytest.mark.parametrize("policy", [RECEIPT, FINDING], ids=["by receipt", "by finding"])
@pytest.mark.parametrize(
    ("found", "due"),
    [
        pytest.param("2026-11-27T09:00", "2026-11-27", id="in the morning"),
        pytest.param("2026-11-27T23:59:59.999999", "2026-11-27", id="a microsecond before midnight"),
        pytest.param("2026-11-28T00:00:00", "2026-11-28", id="at midnight, a Saturday"),
    ],
)
@pytest.mark.parametrize("finding", [Finding.OUT_OF_SCOPE, Finding.UNCLEAR])
def test_what_a_unit_finds_late_is_told_on_the_day_of_that_finding(
    policy: Policy, found: str, due: str, finding: Finding
) -> None:
    """«…thì phải thông báo ngay trong ngày…», by either reading; and that it was sorted late is on record."""
    rules = Rules(policy)
    held, _ = rules.forward(received("2026-11-23T09:00", policy))
    returned, (event,) = give_back(held, finding, found)
    assert (last_day(clocks((event,))["same_day_notice"]), event.late_triage) == (due, True)
    unclear = {"ground": RefusalGround.UNCLEAR, "referral": None, "agency": ""}
    _, (refused,) = rules.refuse(returned, "2026-11-30T09:00", **unclear)
    assert (refused.opens, refused.late_triage) == ((), True), "the notice that was due stays due"
    assert refused.notice_due.isoformat() == due


def test_what_belongs_to_another_unit_is_told_nobody_and_sorted_with_the_time_left() -> None:
    held, _ = Rules().forward(received())
    returned, _ = give_back(held, Finding.OTHER_UNIT, "2026-11-27T09:00")
    (left,) = returned.clocks.values()
    assert (left.duty, left.owner_unit, left.due_at) == (
        "unit_reply", "tt-cskh", held.clocks["unit_reply"].due_at,
    )  # fmt: skip


@pytest.mark.parametrize("promised", [False, True])
def test_forwarding_again_never_restarts_a_clock(promised: bool) -> None:
    """«Trong vòng 07 ngày làm việc kể từ khi tiếp nhận câu hỏi» is said once."""
    question, _ = Rules().forward(received())
    if promised:
        question, _ = Rules().progress(question, date(2026, 12, 4))
    before = [clock.due_at for clock in question.clocks.values()]
    for unit in ("bhxh-can-tho", "ban-chinh-sach"):
        cmd = domain.ForwardQuestion(question.id, unit, "bhyt")
        question, _ = domain.forward(question, cmd, **facts(HA, "2026-12-01T10:00"))
        assert [clock.due_at for clock in question.clocks.values()] == before
        assert {clock.owner_unit for clock in question.clocks.values()} == {unit}
        assert "Chuyển tiếp không tính lại hạn" in next(iter(question.clocks.values())).explanation_vi


class TestComplex:
    """«Đối với những câu hỏi phức tạp, liên quan đến nhiều đơn vị, phải lấy ý kiến nhiều đơn vị, xử lý trong
    vòng 10 ngày làm việc kể từ khi nhận được câu hỏi.»"""

    @staticmethod
    def complex(question: domain.Question, at: str, day: date = date(2026, 12, 4)) -> Any:
        cmd = domain.MakeComplex(question.id, ((DUC.unit, day),), "Liên quan chính sách.")
        return domain.make_complex(question, cmd, "ref", "hash", **facts(TUAN, at))

    def test_it_is_ten_days_from_the_receipt_and_never_seven_and_ten(self) -> None:
        held, _ = Rules().forward(received("2026-11-23T09:00"), "2026-11-27T10:00")
        question, events = self.complex(held, "2026-12-02T10:00")
        reply = clocks(events)["complex_reply"]
        assert (last_day(reply), reply.working_days, reply.owner_unit) == ("2026-12-08", 10, TUAN.unit)
        assert "unit_reply" not in question.clocks
        assert last_day(question.clocks[f"consultation:{DUC.unit}"]) == "2026-12-04"

    @pytest.mark.parametrize(
        ("at", "late"),
        [("2026-12-03T23:59:59.999999", False), ("2026-12-04T00:00:00", True), ("2026-12-04T09:00", True)],
    )
    def test_it_is_said_before_the_seventh_day_ends(self, at: str, late: bool) -> None:
        held, _ = Rules().forward(received("2026-11-23T09:00"))
        if not late:
            assert self.complex(held, at)[0].complex
            return
        with pytest.raises(RuleBroken) as refused:
            self.complex(held, at)
        assert refused.value.code == "complex_too_late"
        assert "hết ngày 03/12/2026" in str(refused.value.detail)

    def test_the_seventh_day_is_that_of_the_first_delivery_and_of_the_calendar_now(self) -> None:
        held, _ = Rules().forward(received("2026-11-23T09:00"))
        moved = held.clocks["unit_reply"].model_copy(update={"due_at": local("2026-12-05T00:00")})
        event = QuestionClockMoved(
            deadline_id=held.id, from_due_at=moved.due_at, clock=moved, document="Công văn"
        )
        assert self.complex(held.apply(event), "2026-12-04T23:59:59.999999")[0].complex

    def test_what_was_promised_stays_promised_and_what_ends_first_leads(self) -> None:
        question, _ = Rules().forward(received("2026-11-23T09:00"))
        question, _ = Rules().progress(question, date(2026, 12, 11))
        question, _ = self.complex(question, "2026-11-30T10:00")
        assert set(question.clocks) == {
            "promised_reply:1", "complex_reply", f"consultation:{DUC.unit}"
        }  # fmt: skip
        assert question.leading == "complex_reply", "the law's own day is not hidden by a later promise"

    @pytest.mark.parametrize(
        ("units", "code"),
        [((), "units_missing"), ((TUAN.unit,), "units_missing"), ((DUC.unit, DUC.unit), "units_missing")],
    )
    def test_it_concerns_at_least_two_units(self, units: tuple[str, ...], code: str) -> None:
        held, _ = Rules().forward(received())
        asked = tuple((unit, date(2026, 12, 4)) for unit in units)
        with pytest.raises(RuleBroken) as refused:
            domain.make_complex(
                held,
                domain.MakeComplex(held.id, asked, "Vì."),
                "ref",
                "hash",
                **facts(TUAN, "2026-11-25T09:00"),
            )
        assert refused.value.code == code

    @pytest.mark.parametrize(
        "day", [date(2026, 11, 24), date(2026, 11, 28), date(2026, 12, 9)], ids=["past", "off", "beyond ten"]
    )
    def test_an_opinion_is_asked_for_by_a_working_day_within_the_ten(self, day: date) -> None:
        held, _ = Rules().forward(received())
        with pytest.raises(RuleBroken) as refused:
            self.complex(held, "2026-11-25T09:00", day)
        assert refused.value.code == "consultation_day_wrong"

    def test_an_opinion_stays_with_whom_it_was_asked_of_when_another_unit_leads(self) -> None:
        question, _ = self.complex(Rules().forward(received())[0], "2026-11-25T09:00")
        cmd = domain.ForwardQuestion(question.id, "bhxh-can-tho", "bhyt")
        led, _ = domain.forward(question, cmd, **facts(HA, "2026-11-26T09:00"))
        owners = {clock.duty: clock.owner_unit for clock in led.clocks.values()}
        assert owners == {"complex_reply": "bhxh-can-tho", "consultation": DUC.unit}
        own, _ = domain.forward(
            question, domain.ForwardQuestion(question.id, DUC.unit, "bhyt"), **facts(HA, "2026-11-26T09:00")
        )
        assert [clock.duty for clock in own.clocks.values()] == ["complex_reply"], "who leads advises nobody"


class TestADefectiveAnswer:
    """«Sau khi tiếp nhận câu trả lời»: one that is sent back was none, and what it had ended runs on."""

    @pytest.mark.parametrize("life", ["unit_reply", "promised_reply", "complex_reply"])
    def test_the_very_clocks_of_the_unit_run_on(self, life: str) -> None:
        question, _ = Rules().forward(received())
        if life == "promised_reply":
            question, _ = Rules().progress(question, date(2026, 12, 2), "2026-11-26T09:00")
            question, _ = Rules().progress(question, date(2026, 12, 4), "2026-11-27T09:00")
        if life == "complex_reply":
            question, _ = TestComplex.complex(question, "2026-11-25T09:00")
        writing = {name: each for name, each in question.clocks.items() if each.duty != "consultation"}
        answered, _ = Rules().answer(question)
        back, (event,) = do(answered, "send_back", KHOI)
        assert (dict(back.clocks), back.status) == (writing, Status.FORWARDED)
        assert set(event.voids) == {"send_answer", "publish_answer"}
        _, events = Rules().answer(back, "2026-12-02T09:00")
        assert set(clocks(events)) == {"send_answer/2", "publish_answer/2"}
        assert set(events[0].closes) == set(writing)

    def test_the_centres_own_answer_goes_back_to_the_centre(self) -> None:
        new = received()
        back, _ = do(Rules().answer(new, "2026-11-25T09:00", by=HA)[0], "send_back", KHOI)
        assert (dict(back.clocks), back.status) == (dict(new.clocks), Status.RECEIVED)
        returned, _ = give_back(Rules().forward(new)[0], Finding.OTHER_UNIT, "2026-11-25T09:00")
        back, _ = do(Rules().answer(returned, "2026-11-25T10:00", by=HA)[0], "send_back", KHOI)
        assert (dict(back.clocks), back.status) == (dict(returned.clocks), Status.RETURNED)


def test_a_correction_is_sent_and_published_again_within_two_working_days_each_by_four_eyes() -> None:
    """«…gửi câu trả lời tới các tổ chức, cá nhân đồng thời biên tập, đăng công khai trên Cổng»."""
    closed = fit(Status.CLOSED, "correct", Role.ANSWERER)
    cmd = domain.CorrectAnswer(closed.id, "Đúng là.", "Nhầm năm.")
    corrected, events = domain.correct(
        closed, cmd, "ref2", "hash", reason_ref="ref", reason_hash="hash", **facts(TUAN, "2026-12-03T16:00")
    )
    for name in ("send_answer/2", "publish_answer/2"):
        assert last_day(clocks(events)[name]) == "2026-12-07"
    with pytest.raises(Forbidden):
        Rules().publish(corrected, by=TUAN)
    released, (event,) = domain.release(corrected, domain.ReleaseAnswer(closed.id), by=HA)
    assert event.correction == 1
    stale, _ = told(released, NoticeKind.ANSWER, 1)
    assert "send_answer/2" in stale.clocks, "the letter of the first answer does not bring its correction"
    sent, _ = told(released, NoticeKind.CORRECTION, 1)
    published, (event, end) = Rules().publish(sent)
    assert (event.correction, end.outcome, dict(published.clocks)) == (1, "answered", {})


def test_opened_again_by_order_its_terms_count_anew_from_that_day() -> None:
    refused = fit(Status.REFUSED, "reopen", Role.CENTRE_HEAD)
    cmd = domain.ReopenQuestion(refused.id, "12/BHXH-TT", date(2026, 12, 7), "Theo chỉ đạo.")
    reopened, events = domain.reopen(refused, cmd, "ref", "hash", **facts(HEAD, "2026-12-07T10:00"))
    assert (last_day(clocks(events)["triage/2"]), set(reopened.clocks)) == ("2026-12-14", {"triage/2"})
    _, (again,) = Rules().refuse(reopened, "2026-12-08T10:00")
    assert again.notice_due == date(2026, 12, 8), "what is found then is told then"
    held, _ = Rules().forward(reopened, "2026-12-08T10:00")
    _, events = TestComplex.complex(held, "2026-12-09T10:00", date(2026, 12, 14))
    assert last_day(clocks(events)["complex_reply"]) == "2026-12-21"
    with pytest.raises(RuleBroken) as early:
        tomorrow = domain.ReopenQuestion(refused.id, "12/BHXH-TT", date(2026, 12, 8), "Sớm.")
        domain.reopen(refused, tomorrow, "ref", "hash", **facts(HEAD, "2026-12-07T23:59:59.999999"))
    assert early.value.code == "order_not_yet"


@pytest.mark.parametrize(
    ("at", "open_"),
    [("2026-12-27T23:59:59.999999", True), ("2026-12-28T00:00:00", False)],
)
def test_a_follow_up_is_asked_until_the_last_day_ends_and_once(at: str, open_: bool) -> None:
    answered = fit(Status.ANSWERED, "follow_up", Role.ASKER)  # told on 27 November
    assert domain.follow_up_until(answered, Policy()) == date(2026, 12, 27)

    def ask(question: domain.Question) -> None:
        domain.check_continuation(
            question, "follow_up", by=domain.ASKER, at=local(at), policy=Policy()
        )  # fmt: skip

    if open_:
        ask(answered)
    else:
        with pytest.raises(RuleBroken):
            ask(answered)
    asked, _ = domain.continued(answered, received().id, "HD-1", resubmitted=False)
    with pytest.raises(IllegalTransition):
        ask(asked)


@pytest.mark.parametrize(
    ("told_at", "at", "closed_"),
    [
        pytest.param("2026-11-25T10:00", "2026-12-25T23:59:59.999999", False, id="thirty days, to the last"),
        pytest.param("2026-11-25T10:00", "2026-12-26T00:00:00", True, id="and over"),
        pytest.param(
            "2026-11-26T10:00", "2026-12-28T23:59:59.999999", False, id="the last a Saturday: Monday"
        ),
        pytest.param("2026-11-26T10:00", "2026-12-29T00:00:00", True, id="and over that Monday"),
    ],
)
def test_an_unclear_question_that_nobody_sends_again_is_closed_when_its_days_are_over(
    told_at: str, at: str, closed_: bool
) -> None:
    """«…hoặc gửi lại nội dung đầy đủ»; the term ends with a working day (Bộ luật Dân sự, Điều 148.5)."""
    refused = fit(Status.REFUSED, "resubmit", Role.ASKER)
    refused, _ = Rules().told(refused, NoticeKind.REFUSAL, told_at)
    _, events = domain.lapse(refused, at=local(at), calendar=CALENDAR, policy=Policy())
    assert [event.outcome for event in events] == (["lapsed"] if closed_ else [])


@given(st.integers(min_value=0, max_value=60 * 24 * 364))
def test_a_counted_receipt_is_on_a_working_day_and_never_earlier(minutes: int) -> None:
    at = local("2026-01-01T00:00") + timedelta(minutes=minutes)
    counted = counted_receipt(at, CALENDAR, RECEIPT)
    assert CALENDAR.is_working_day(CALENDAR.day_of(counted))
    assert counted >= at
    assert counted_receipt(at, CALENDAR, FINDING) == at


def give_back(question: domain.Question, finding: Finding, at: str) -> Any:
    cmd = domain.GiveBackQuestion(question.id, finding, "Vì vậy.")
    return domain.give_back(question, cmd, "ref", "hash", **facts(TUAN, at))


def told(question: domain.Question, kind: NoticeKind, round: int) -> Any:
    cmd = domain.RecordNotice(question.id, kind, uuid4(), "<m@x>", local("2026-12-04T09:00"), round=round)
    return domain.record_notice(question, cmd)


def _events_of_receipt(at: str) -> tuple[object, ...]:
    from tests.qa.world import LETTER

    _, events = domain.receive(
        received(at).id, domain.ReceiveQuestion("same", LETTER), "ref", "hash", at=local(at),
        calendar=CALENDAR, policy=Policy(),
    )  # fmt: skip
    return events
