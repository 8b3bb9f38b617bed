"""Điều 11 khoản 1 điểm a, hỏi đáp: each sentence and what it means on the calendar."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.qa.regulation import SAME_DAY_SENTENCE, Policy, counted_receipt
from shared.calendar import CALENDAR
from shared.contracts.qa import NoticeKind
from shared.testing import local
from tests.qa.world import HA, Rules, clocks, last_day, received

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


@given(st.integers(min_value=0, max_value=60 * 24 * 364))
def test_a_counted_receipt_is_on_a_working_day_and_never_earlier(minutes: int) -> None:
    at = local("2026-01-01T00:00") + timedelta(minutes=minutes)
    counted = counted_receipt(at, CALENDAR, RECEIPT)
    assert CALENDAR.is_working_day(CALENDAR.day_of(counted))
    assert counted >= at
    assert counted_receipt(at, CALENDAR, FINDING) == at


def _events_of_receipt(at: str) -> tuple[object, ...]:
    from services.qa import domain
    from tests.qa.world import LETTER

    _, events = domain.receive(
        received(at).id, domain.ReceiveQuestion("same", LETTER), "ref", "hash", at=local(at),
        calendar=CALENDAR, policy=Policy(),
    )  # fmt: skip
    return events
