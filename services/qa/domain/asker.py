"""Người hỏi: what the asker may still do with a question of theirs, and how what they leave undone ends."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from services.qa.domain.permits import permit
from services.qa.domain.question import Question
from services.qa.regulation import WORKFLOW, Policy, Role, Status
from shared.calendar import VIETNAM, WorkingCalendar, end_of
from shared.contracts.base import Decision
from shared.contracts.qa import (
    AnswerRated,
    AskerErased,
    AttachedFile,
    ErasureCause,
    InformationAdded,
    Outcome,
    QuestionClosed,
    QuestionContinued,
    QuestionWithdrawn,
    RefusalGround,
)
from shared.errors import RuleBroken
from shared.workflow import SYSTEM, Actor

ASKER: Final = Actor("asker", "Người hỏi", roles=frozenset({Role.ASKER}))


class FollowUpOver(RuleBroken):
    """The window for a follow-up has passed (hết thời gian hỏi tiếp)."""

    code = "follow_up_over"
    title_vi, title_en = "Đã hết thời gian hỏi tiếp", "The time for a follow-up is over"


@dataclass(frozen=True, slots=True)
class AddInformation:
    question_id: UUID
    words: str
    files: tuple[AttachedFile, ...] = ()
    names: tuple[tuple[str, str], ...] = ()  # file id and the name that its sender gave it


@dataclass(frozen=True, slots=True)
class WithdrawQuestion:
    question_id: UUID
    words: str = ""


@dataclass(frozen=True, slots=True)
class RateAnswer:
    question_id: UUID
    score: int  # 1 to 5
    words: str = ""


@dataclass(frozen=True, slots=True)
class EraseAsker:
    question_id: UUID
    cause: ErasureCause = ErasureCause.REQUEST


def add_information(
    question: Question, cmd: AddInformation, words_ref: str, words_hash: str, *, by: Actor
) -> Decision[Question]:
    """Bổ sung thông tin: whoever holds the question reads it; no clock changes."""
    permit(question, "add_information", by)
    return question.then(
        InformationAdded(question_id=question.id, words_ref=words_ref, words_hash=words_hash, files=cmd.files)
    )


def withdraw(
    question: Question, words_ref: str = "", words_hash: str = "", *, by: Actor
) -> Decision[Question]:
    """Rút câu hỏi: nothing is owed any more."""
    permit(question, "withdraw", by)
    return _withdrawn(question, words_ref, words_hash)


def taken_back(question: Question) -> bool:
    """Its asker withdrew it or had their data erased: what they send anew is a question of its own."""
    return question.erased or question.outcome is Outcome.WITHDRAWN


def withdraw_part(part: Question) -> Decision[Question]:
    """A part goes with the whole that was withdrawn, unless it is over or answered."""
    if "withdraw" not in WORKFLOW.acts(part.status, ASKER.roles):
        return part.then()
    return _withdrawn(part, "", "")


def _withdrawn(question: Question, words_ref: str, words_hash: str) -> Decision[Question]:
    return question.then(
        QuestionWithdrawn(
            question_id=question.id, words_ref=words_ref, words_hash=words_hash, voids=tuple(question.clocks)
        ),
        QuestionClosed(question_id=question.id, outcome=Outcome.WITHDRAWN, part_of=question.part_of),
    )


def check_continuation(question: Question, act: str, *, by: Actor, at: datetime, policy: Policy) -> None:
    """Whether it may be sent again in full, or asked further about, once and within its time."""
    permit(question, act, by)
    last = follow_up_until(question, policy)
    if act == "follow_up" and last is not None and at.astimezone(VIETNAM).date() > last:
        raise FollowUpOver(f"Bạn có thể hỏi tiếp đến hết ngày {last:%d/%m/%Y}; hãy gửi một câu hỏi mới.")


def follow_up_until(question: Question, policy: Policy) -> date | None:
    """The last day on which the asker may ask further."""
    if question.told_answer_at is None:
        return None
    return question.told_answer_at.astimezone(VIETNAM).date() + timedelta(days=policy.follow_up_within)


def continued(question: Question, by: UUID, by_number: str, *, resubmitted: bool) -> Decision[Question]:
    """Another question goes on from this one; what was unclear ends with it."""
    if question.continued is not None and question.continued.resubmitted is resubmitted:
        return question.then()
    link = QuestionContinued(
        question_id=question.id, by=by, by_number=by_number, resubmitted=resubmitted
    )  # fmt: skip
    if not resubmitted or "close" not in WORKFLOW.acts(question.status, SYSTEM.roles):
        return question.then(link)
    return question.then(
        link, QuestionClosed(question_id=question.id, outcome=Outcome.RESUBMITTED, part_of=question.part_of)
    )


def rate(
    question: Question, cmd: RateAnswer, words_ref: str = "", words_hash: str = "", *, by: Actor
) -> Decision[Question]:
    permit(question, "rate", by)
    return question.then(
        AnswerRated(
            question_id=question.id, score=cmd.score, words_ref=words_ref, words_hash=words_hash
        )
    )  # fmt: skip


def resubmit_until(question: Question, calendar: WorkingCalendar, policy: Policy) -> date | None:
    """The last day on which an unclear question may be sent again, a working day (Bộ luật Dân sự, Điều 148
    khoản 5); none before its asker was told."""
    told, refusal = question.told_refusal_at, question.refusal
    if refusal is None or refusal.ground is not RefusalGround.UNCLEAR or told is None:
        return None
    last = calendar.day_of(told) + timedelta(days=policy.unclear_lapses_after)
    return calendar.working_day_from(last)


def lapse(
    question: Question, *, at: datetime, calendar: WorkingCalendar, policy: Policy
) -> Decision[Question]:
    """Chưa rõ, không ai gửi lại: closed once the days in which it could be sent again are over."""
    last = resubmit_until(question, calendar, policy)
    if question.status is not Status.REFUSED or last is None or at < end_of(last):
        return question.then()
    WORKFLOW.after(question.status, "close", SYSTEM)
    return question.then(
        QuestionClosed(question_id=question.id, outcome=Outcome.LAPSED, part_of=question.part_of)
    )


def erase(question: Question, cmd: EraseAsker, *, by: Actor) -> Decision[Question]:
    """Xóa dữ liệu của người hỏi. What is still open ends: nobody is left to answer."""
    permit(question, "erase", by)
    erased = AskerErased(question_id=question.id, cause=cmd.cause, voids=tuple(question.clocks))
    if question.outcome is not None:
        return question.then(erased)
    return question.then(
        erased, QuestionClosed(question_id=question.id, outcome=Outcome.WITHDRAWN, part_of=question.part_of)
    )
