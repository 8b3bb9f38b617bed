"""Tiếp nhận: a question comes in, by whatever way, by itself or going on from another."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.qa.domain.clocks import reopened_by, triage_anew, triage_clock
from services.qa.domain.codes import number_of
from services.qa.domain.question import Question
from services.qa.regulation import Policy, counted_receipt
from shared.calendar import WorkingCalendar
from shared.contracts.base import Decision
from shared.contracts.qa import AttachedFile, Part, QuestionReceived


@dataclass(frozen=True, slots=True)
class Letter:
    """What the asker wrote and who they are; it lies in the vault."""

    name: str
    email: str
    phone: str
    province: str
    subject: str
    text: str
    language: str = "vi"  # in which the letters to the asker are written
    files: tuple[tuple[str, str], ...] = ()  # id and the name that its sender gave each
    message_id: str = ""  # of the mail that it came in


@dataclass(frozen=True, slots=True)
class ReceiveQuestion:
    """``same_letter`` is the keyed hash by which the same words from the same person are recognised."""

    same_letter: str
    letter: Letter
    channel: str = "portal"
    files: tuple[AttachedFile, ...] = ()
    resubmits: UUID | None = None
    follows: UUID | None = None
    entered_by: str = ""


def receive(
    question_id: UUID, cmd: ReceiveQuestion, letter_ref: str, letter_hash: str, *, at: datetime,
    calendar: WorkingCalendar, policy: Policy,
) -> Decision[Question]:  # fmt: skip
    """Tiếp nhận: received at any hour of any day, and never refused for the hour. What is sent again, or
    asked further, is a receipt of its own with fresh clocks."""
    counted = calendar.day_of(counted_receipt(at, calendar, policy))
    return Question.starts_with(
        QuestionReceived(
            question_id=question_id, number=number_of(question_id, calendar.day_of(at)), channel=cmd.channel,
            letter_ref=letter_ref, letter_hash=letter_hash, received_at=at, counted_from=counted,
            resubmits=cmd.resubmits, follows=cmd.follows, files=cmd.files, entered_by=cmd.entered_by,
            opens=(triage_clock(at, calendar, policy),),
        )
    )  # fmt: skip


def receive_part(
    whole: Question, part: Part, place: int, channel: str, *, calendar: WorkingCalendar, policy: Policy
) -> Decision[Question]:
    """Một phần của câu hỏi đã tách: received when the whole was, and sorted by the same day."""
    triage = triage_clock(whole.received_at, calendar, policy)
    if whole.reopened is not None:
        triage = triage_anew(
            whole.began_at, reopened_by(whole.reopened.order), calendar=calendar, policy=policy
        )
    return Question.starts_with(
        QuestionReceived(
            question_id=part.question_id,
            number=f"{whole.number}-{place}",
            channel=channel,
            letter_ref=part.letter_ref,
            letter_hash=part.letter_hash,
            received_at=whole.received_at,
            counted_from=whole.counted_from,
            part_of=whole.id,
            entered_by=whole.entered_by,
            opens=(triage,),
        )
    )
