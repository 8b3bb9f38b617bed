"""Quét tệp đính kèm: what the scanner says of a file goes on record once."""

from dataclasses import dataclass
from uuid import UUID

from services.qa.domain.question import Question
from shared.contracts.base import Decision
from shared.contracts.qa import FileChecked, FileVerdict


@dataclass(frozen=True, slots=True)
class RecordCheck:
    question_id: UUID
    file_id: UUID
    verdict: FileVerdict
    finding: str = ""


def unchecked(question: Question) -> list[UUID]:
    """Its files of which the scanner has said nothing yet; an erased question has none left."""
    return [] if question.erased else [id for id in question.files if id not in question.verdicts]


def record_check(question: Question, cmd: RecordCheck) -> Decision[Question]:
    if cmd.file_id not in unchecked(question):
        return question.then()
    return question.then(
        FileChecked(
            question_id=question.id, file_id=cmd.file_id, verdict=cmd.verdict, finding=cmd.finding
        )
    )  # fmt: skip
