"""Điều hành: who works on a question, what is noted of it, and opening it again by order."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from services.qa.domain.answering import concluded
from services.qa.domain.clocks import reopened_by, triage_anew
from services.qa.domain.permits import FieldRule, permit
from services.qa.domain.question import Question
from services.qa.regulation import Policy
from shared.calendar import WorkingCalendar
from shared.contracts.base import Decision
from shared.contracts.qa import NoteTaken, PartOver, QuestionAssigned, QuestionReopened
from shared.workflow import Actor


class OrderNotYet(FieldRule):
    """A question is opened again by an order that has been given (văn bản chỉ đạo)."""

    code = "order_not_yet"
    title_vi, title_en = "Ngày văn bản chưa tới", "The order is dated in the future"


class NotAColleague(FieldRule):
    """Work is given to somebody of one's own unit (cán bộ của đơn vị mình)."""

    code = "not_a_colleague"
    title_vi, title_en = "Người này không thuộc đơn vị mình", "Not a colleague of the same unit"


@dataclass(frozen=True, slots=True)
class AssignQuestion:
    """``to``: a member of staff, one of ``colleagues``, as the directory names those of one's unit; empty:
    the whole desk."""

    question_id: UUID
    to: str
    colleagues: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TakeNote:
    question_id: UUID
    words: str


@dataclass(frozen=True, slots=True)
class ReopenQuestion:
    question_id: UUID
    order: str  # số, ký hiệu văn bản
    ordered_on: date
    reason: str


def assign(question: Question, cmd: AssignQuestion, *, by: Actor) -> Decision[Question]:
    """Giao cho một cán bộ, or hand over to another."""
    permit(question, "assign", by)
    if cmd.to and cmd.to not in cmd.colleagues:
        raise NotAColleague("to", "Chọn một cán bộ của đơn vị mình.")
    if cmd.to == question.assignee:
        return question.then()
    return question.then(QuestionAssigned(question_id=question.id, to=cmd.to))


def take_note(question: Question, words_ref: str, words_hash: str, *, by: Actor) -> Decision[Question]:
    """Ghi chú nội bộ; the asker never sees it."""
    permit(question, "note", by)
    return question.then(NoteTaken(question_id=question.id, words_ref=words_ref, words_hash=words_hash))


def reopen(
    question: Question, cmd: ReopenQuestion, reason_ref: str, reason_hash: str, *, by: Actor, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Mở lại theo văn bản: sorted anew from the day of the order's entry."""
    permit(question, "reopen", by)
    if cmd.ordered_on > calendar.day_of(at):
        raise OrderNotYet("ordered_on", f"Văn bản ghi ngày {cmd.ordered_on:%d/%m/%Y}, chưa tới.")
    clock = triage_anew(at, reopened_by(cmd.order), calendar=calendar, policy=policy)
    return question.then(
        QuestionReopened(
            question_id=question.id,
            order=cmd.order,
            ordered_on=cmd.ordered_on,
            reason_ref=reason_ref,
            reason_hash=reason_hash,
            voids=tuple(question.clocks),
            opens=(clock.model_copy(update={"name": question.fresh(clock.name)}),),
        )
    )


def part_over(question: Question, part: UUID) -> Decision[Question]:
    """Một phần đã xong; the whole closes with the last one."""
    if question.parts.get(part, True):
        return question.then()
    return concluded(question, PartOver(question_id=question.id, part=part))
