"""Câu hỏi phức tạp, liên quan đến nhiều đơn vị (Điều 11.1.a, hỏi đáp, gạch 2): one unit leads, others are
asked for their opinion, ten working days in all from the receipt."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.qa.domain.clocks import complex_clock, stated_clock
from services.qa.domain.permits import FieldRule, permit
from services.qa.domain.question import Question
from services.qa.regulation import Duty, Policy
from shared.calendar import WorkingCalendar, last_day
from shared.contracts.base import Clock, Decision
from shared.contracts.qa import AdviceGiven, Consultation, QuestionMadeComplex
from shared.errors import RuleBroken
from shared.workflow import Actor


class UnitsMissing(FieldRule):
    """A complex question concerns at least two units."""

    code = "units_missing"
    title_vi, title_en = "Câu hỏi phức tạp phải có ít nhất hai đơn vị", "A complex question needs two units"


class ConsultationDayWrong(FieldRule):
    """The day for an opinion is a working day, still to come, within the ten."""

    code = "consultation_day_wrong"
    title_vi, title_en = "Ngày góp ý không dùng được", "The day for the opinion cannot be used"


class ComplexTooLate(RuleBroken):
    """After the seventh working day the unit's breach stands."""

    code = "complex_too_late"
    title_vi, title_en = "Đã hết 7 ngày làm việc của đơn vị", "The unit's seven working days are over"


@dataclass(frozen=True, slots=True)
class MakeComplex:
    question_id: UUID
    consulted: tuple[tuple[str, date], ...]  # unit and the day of its opinion
    reason: str


@dataclass(frozen=True, slots=True)
class GiveAdvice:
    question_id: UUID
    words: str


def make_complex(
    question: Question, cmd: MakeComplex, reason_ref: str, reason_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Xác định câu hỏi phức tạp, before the seventh day ends; ten days from the receipt, never 7 + 10.
    What was promised to the asker stays promised."""
    permit(question, "make_complex", by)
    if question.unit_due_at is not None and at >= question.unit_due_at:
        raise ComplexTooLate(
            f"Hạn 7 ngày làm việc của đơn vị đã hết ngày {last_day(question.unit_due_at):%d/%m/%Y}."
        )
    clock = complex_clock(question, calendar=calendar, policy=policy)
    consulted = _checked(question, cmd, clock, at=at, calendar=calendar)
    return question.then(
        QuestionMadeComplex(
            question_id=question.id,
            lead=question.unit,
            consulted=consulted,
            reason_ref=reason_ref,
            reason_hash=reason_hash,
            voids=question.of(Duty.UNIT_REPLY),
            opens=(clock, *(_opinion(question, each, at=at, calendar=calendar) for each in consulted)),
        )
    )


def _checked(
    question: Question, cmd: MakeComplex, clock: Clock, *, at: datetime, calendar: WorkingCalendar
) -> tuple[Consultation, ...]:
    units = [unit for unit, _ in cmd.consulted]
    if not units or question.unit in units or len(set(units)) < len(units):
        raise UnitsMissing("consulted", "Nêu ít nhất một đơn vị khác đơn vị chủ trì, mỗi đơn vị một lần.")
    first, last = calendar.day_of(at), last_day(clock.due_at)
    for _, day in cmd.consulted:
        if not first <= day <= last or not calendar.is_working_day(day):
            raise ConsultationDayWrong(
                "consulted",
                f"Ngày {day:%d/%m/%Y}: phải là ngày làm việc, từ hôm nay đến {last:%d/%m/%Y}.",
            )
    return tuple(Consultation(unit=unit, due_on=day) for unit, day in cmd.consulted)


def _opinion(question: Question, each: Consultation, *, at: datetime, calendar: WorkingCalendar) -> Clock:
    stated = (
        f"Đơn vị góp ý chậm nhất ngày {each.due_on:%d/%m/%Y}.",
        f"The unit gives its opinion by {each.due_on:%d/%m/%Y}.",
    )
    return stated_clock(
        Duty.CONSULTATION, question.fresh(f"{Duty.CONSULTATION}:{each.unit}"), each.due_on, each.unit,
        stated=stated, reason="ngày lấy ý kiến đơn vị", at=at, calendar=calendar,
    )  # fmt: skip


def advise(
    question: Question, cmd: GiveAdvice, words_ref: str, words_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Góp ý cho đơn vị chủ trì."""
    permit(question, "advise", by)
    own = [name for name in question.of(Duty.CONSULTATION) if question.clocks[name].owner_unit == by.unit]
    return question.then(
        AdviceGiven(
            question_id=question.id, unit=by.unit, words_ref=words_ref, words_hash=words_hash,
            closes=tuple(own),
        )
    )  # fmt: skip
