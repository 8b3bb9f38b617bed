"""Các hạn của một câu hỏi: how each is made, and how the time that is left passes to its next holder."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from services.qa.domain.question import Question
from services.qa.regulation import (
    CENTRE_WARNING_DAYS,
    COMPLEX_REPLY_DAYS,
    COMPLEX_WARNING_DAYS,
    PUBLISH_ANSWER_DAYS,
    SEND_ANSWER_DAYS,
    SENDING_BASIS,
    TRIAGE_BASIS,
    UNIT_BASIS,
    UNIT_REPLY_DAYS,
    UNIT_REPLY_WARNING_DAYS,
    Duty,
    Policy,
    counted_receipt,
)
from shared.calendar import WorkingCalendar
from shared.contracts.base import Clock
from shared.contracts.clocks import clock_for

OF_RECEIPT: Final = "ngày tiếp nhận câu hỏi"
ONE_DAY: Final = timedelta(days=1)


def _looked_for(received_at: datetime, policy: Policy) -> datetime | None:
    """The receipt from which another calendar looks for the start again; by `finding` there is no need."""
    return received_at if policy.same_day_from == "receipt" else None


@lru_cache(64)  # asked for by the decision, and at once again by the receipt
def triage_clock(received_at: datetime, calendar: WorkingCalendar, policy: Policy) -> Clock:
    start = counted_receipt(received_at, calendar, policy)
    return clock_for(
        calendar.due(start, policy.triage_limit_days), calendar, duty=Duty.TRIAGE, basis=TRIAGE_BASIS,
        owner_unit=policy.centre_unit, reason=OF_RECEIPT, received_at=_looked_for(received_at, policy),
        warn_at=calendar.due(start, policy.triage_target_days).due_at,
    )  # fmt: skip


def reopened_by(order: str) -> str:
    return f"ngày mở lại theo {order}"


def triage_anew(at: datetime, reason: str, *, calendar: WorkingCalendar, policy: Policy) -> Clock:
    """Phân loại lại từ đầu, for what was opened again by order."""
    return clock_for(
        calendar.due(at, policy.triage_limit_days), calendar, duty=Duty.TRIAGE, basis=TRIAGE_BASIS,
        owner_unit=policy.centre_unit, reason=reason,
        warn_at=calendar.due(at, policy.triage_target_days).due_at,
    )  # fmt: skip


def _receipt(
    question: Question, calendar: WorkingCalendar, policy: Policy
) -> tuple[datetime, str, datetime | None]:
    """From when a term counts that runs from the receipt, what that is called, and where another calendar
    looks for it again. What was opened again by order counts from that."""
    if question.reopened is not None:
        return question.began_at, reopened_by(question.reopened.order), None
    start = counted_receipt(question.received_at, calendar, policy)
    return start, OF_RECEIPT, _looked_for(question.received_at, policy)


def unit_clock(
    question: Question, unit: str, *, at: datetime, calendar: WorkingCalendar, policy: Policy
) -> Clock:
    """From delivery to the unit; by the other reading, from the receipt."""
    start, reason, looked_for = _receipt(question, calendar, policy)
    if policy.unit_reply_from == "delivery":
        start, reason, looked_for = at, "ngày chuyển câu hỏi đến đơn vị", None
    return clock_for(
        calendar.due(start, UNIT_REPLY_DAYS), calendar, duty=Duty.UNIT_REPLY, basis=UNIT_BASIS,
        owner_unit=unit, reason=reason, name=question.fresh(Duty.UNIT_REPLY), received_at=looked_for,
        warn_at=calendar.due(start, UNIT_REPLY_WARNING_DAYS).due_at,
    )  # fmt: skip


def complex_clock(question: Question, *, calendar: WorkingCalendar, policy: Policy) -> Clock:
    """Ten working days in all, from the receipt of the question."""
    start, reason, looked_for = _receipt(question, calendar, policy)
    return clock_for(
        calendar.due(start, COMPLEX_REPLY_DAYS), calendar, duty=Duty.COMPLEX_REPLY, basis=UNIT_BASIS,
        owner_unit=question.unit, reason=reason, name=question.fresh(Duty.COMPLEX_REPLY),
        warn_at=calendar.due(start, COMPLEX_WARNING_DAYS).due_at,
        received_at=looked_for,
    )  # fmt: skip


def same_day_clock(question: Question, *, at: datetime, calendar: WorkingCalendar, policy: Policy) -> Clock:
    """Of what the centre finds as it sorts: the day of receipt or of the finding, as the policy reads it. Of
    what was opened again, the receipt is long past."""
    if policy.same_day_from == "finding" or question.unit or question.reopened:
        return found_clock(question, at=at, calendar=calendar, policy=policy)
    start = counted_receipt(question.received_at, calendar, policy)
    return clock_for(
        calendar.same_day(start), calendar, duty=Duty.SAME_DAY_NOTICE, basis=TRIAGE_BASIS,
        owner_unit=policy.centre_unit, reason=OF_RECEIPT, name=question.fresh(Duty.SAME_DAY_NOTICE),
        received_at=question.received_at,
    )  # fmt: skip


def found_clock(question: Question, *, at: datetime, calendar: WorkingCalendar, policy: Policy) -> Clock:
    """What is found late, after the question had gone to a unit or was closed, is told on the day of that
    finding."""
    return clock_for(
        calendar.same_day(at), calendar, duty=Duty.SAME_DAY_NOTICE, basis=TRIAGE_BASIS,
        owner_unit=policy.centre_unit, name=question.fresh(Duty.SAME_DAY_NOTICE),
        reason="ngày xác định câu hỏi không thuộc diện trả lời",
    )  # fmt: skip


def stated_clock(
    duty: Duty, name: str, day: date, unit: str, *, stated: tuple[str, str], reason: str, at: datetime,
    calendar: WorkingCalendar,
) -> Clock:  # fmt: skip
    """Runs to the end of a day that somebody named; ``stated`` says so, in Vietnamese and in English."""
    days = calendar.working_days_between(calendar.day_of(at), day)
    due = calendar.due(at, days) if days else calendar.same_day(at)
    last_morning = due.due_at - ONE_DAY
    clock = clock_for(
        due, calendar, duty=duty, basis=UNIT_BASIS, owner_unit=unit, name=name, reason=reason,
        warn_at=last_morning if last_morning > at else None,
    )  # fmt: skip
    vi, en = stated
    return clock.model_copy(
        update={
            "working_days": None,
            "explanation_vi": f"{vi} {clock.explanation_vi}",
            "explanation_en": f"{en} {clock.explanation_en}",
        }
    )


def centre_clocks(
    question: Question, *, at: datetime, calendar: WorkingCalendar, policy: Policy
) -> tuple[Clock, ...]:
    """Gửi và đăng: two working days each from the answer's arrival."""

    def clock(duty: Duty, days: int) -> Clock:
        return clock_for(
            calendar.due(at, days), calendar, duty=duty, basis=SENDING_BASIS, owner_unit=policy.centre_unit,
            reason="ngày tiếp nhận câu trả lời", name=question.fresh(duty),
            warn_at=calendar.due(at, CENTRE_WARNING_DAYS).due_at,
        )  # fmt: skip

    return clock(Duty.SEND_ANSWER, SEND_ANSWER_DAYS), clock(Duty.PUBLISH_ANSWER, PUBLISH_ANSWER_DAYS)


def handed_over(
    question: Question, duties: Iterable[Duty], unit: str
) -> tuple[tuple[Clock, ...], tuple[str, ...]]:
    """The running clocks of these duties, each taken over by ``unit`` with the time that is left of it: what
    opens for the next holder, and what the former one owes no more. Nothing starts again."""
    passing = [clock for clock in question.clocks.values() if clock.duty in set(duties)]
    taken = []
    for clock in passing:
        told = {
            "name": question.fresh(clock.name.partition("/")[0]), "owner_unit": unit,
            "explanation_vi": f"{clock.explanation_vi} Chuyển tiếp không tính lại hạn.",
            "explanation_en": f"{clock.explanation_en} Forwarding again restarts nothing.",
        }  # fmt: skip
        taken.append(clock if clock.owner_unit == unit else clock.model_copy(update=told))
    voided = tuple(clock.name for clock in passing if clock.owner_unit != unit)
    return tuple(clock for clock in taken if clock.name not in question.clocks), voided
