"""Gộp câu hỏi trùng: what one person asked twice is answered once (Điều 11.1.a, hỏi đáp, gạch 1)."""

from dataclasses import dataclass
from uuid import UUID

from services.qa.domain.permits import FieldRule, permit
from services.qa.domain.question import Question
from services.qa.regulation import REPLYING, WORKFLOW, Duty, Status
from shared.contracts.base import Decision
from shared.contracts.qa import DuplicateTaken, Outcome, QuestionClosed, QuestionMerged, QuestionRestored
from shared.workflow import SYSTEM, Actor


class NotSameAsker(FieldRule):
    """Only what one person asked twice is merged: another asker is owed an answer of their own."""

    code = "not_same_asker"
    title_vi, title_en = "Hai câu hỏi của hai người khác nhau", "The questions come from different askers"


class MergeTargetOver(FieldRule):
    """A duplicate is merged into what is answered, or will be."""

    code = "merge_target_over"
    title_vi, title_en = "Câu hỏi nhận gộp không còn được trả lời", "The other question will not be answered"


@dataclass(frozen=True, slots=True)
class MergeQuestion:
    question_id: UUID
    into: UUID


def merge(question: Question, into: Question, *, same_asker: bool, by: Actor) -> Decision[Question]:
    """Gộp câu hỏi trùng của cùng một người; they are told which question goes on."""
    permit(question, "merge", by)
    if into.id == question.id:
        raise MergeTargetOver("into", "Không gộp một câu hỏi vào chính nó.")
    if not same_asker:
        raise NotSameAsker("into", "Hai câu hỏi có hai người hỏi khác nhau; mỗi người được trả lời riêng.")
    if not takes_duplicates(into):
        raise MergeTargetOver("into", f"{into.number} không còn được trả lời; hãy chọn câu khác.")
    return question.then(
        QuestionMerged(
            question_id=question.id, into=into.id, into_number=into.number,
            closes=question.of(Duty.TRIAGE), voids=question.of(*REPLYING, Duty.SAME_DAY_NOTICE),
        ),
        QuestionClosed(question_id=question.id, outcome=Outcome.MERGED),
    )  # fmt: skip


def takes_duplicates(into: Question) -> bool:
    """It is answered, or will be, and it stands by itself."""
    alive = into.status in (Status.RECEIVED, Status.FORWARDED, Status.RETURNED, Status.ANSWERED)
    return (alive or into.outcome is Outcome.ANSWERED) and into.part_of is None and not into.erased


def take_duplicate(question: Question, duplicate: UUID, number: str) -> Decision[Question]:
    if duplicate in question.duplicates:
        return question.then()
    return question.then(
        DuplicateTaken(question_id=question.id, duplicate=duplicate, duplicate_number=number)
    )


def unmerge(question: Question, into: UUID) -> Decision[Question]:
    """Gỡ gộp: what it was merged into had ended in the meantime, so it goes on as if it had not been."""
    if question.merged_into != into or question.outcome is not Outcome.MERGED or not question.before_merge:
        return question.then()
    WORKFLOW.after(question.status, "unmerge", SYSTEM)
    status, clocks = question.before_merge
    return question.then(
        QuestionRestored(question_id=question.id, back_to=status, merged_into=into, reopens=clocks)
    )
