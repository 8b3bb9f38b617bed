"""Đăng công khai: publish without personal data, or withhold with a reason; and who looked at the asker's
identity (gạch 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.qa.domain.answering import concluded
from services.qa.domain.permits import permit
from services.qa.domain.personal_data import LABELS
from services.qa.domain.question import Question
from services.qa.regulation import Duty
from shared.contracts.base import Decision
from shared.contracts.qa import AnswerPublished, AnswerWithheld, AskerDisclosed, DisclosureReason
from shared.errors import RuleBroken
from shared.workflow import Actor


class PersonalDataLeft(RuleBroken):
    """The text to publish still carries the asker's data (còn dữ liệu cá nhân)."""

    code = "personal_data_left"
    title_vi, title_en = "Còn dữ liệu cá nhân của người hỏi", "Personal data is left in the text"


@dataclass(frozen=True, slots=True)
class PublishAnswer:
    question_id: UUID
    subject: str
    question: str
    answer: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class WithholdAnswer:
    question_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class DiscloseAsker:
    question_id: UUID
    reason: DisclosureReason
    words: str = ""


def check_clean(left: Mapping[str, Sequence[str]]) -> None:
    """``left`` maps each field of the text to the kinds of personal data found in it."""
    errors = [
        {"field": field, "message": f"Còn {', '.join(LABELS[kind] for kind in kinds)}."}
        for field, kinds in left.items()
        if kinds
    ]
    if errors:
        raise PersonalDataLeft("Bỏ hoặc che dữ liệu cá nhân rồi gửi lại.", errors=errors)


def publish(
    question: Question, cmd: PublishAnswer, public_ref: str, public_hash: str, *, by: Actor,
    left: Mapping[str, Sequence[str]],
) -> Decision[Question]:  # fmt: skip
    """Đăng công khai, do người khác với người trả lời biên tập."""
    permit(question, "publish", by)
    check_clean(left)
    return concluded(
        question,
        AnswerPublished(
            question_id=question.id, public_ref=public_ref, public_hash=public_hash,
            field=cmd.field or question.field, correction=question.correcting,
            closes=question.of(Duty.PUBLISH_ANSWER),
        ),
    )  # fmt: skip


def withhold(
    question: Question, cmd: WithholdAnswer, *, by: Actor, left: Mapping[str, Sequence[str]]
) -> Decision[Question]:
    """Không đăng công khai, có lý do; the reason goes on record and on the topic, so it names nobody."""
    permit(question, "withhold", by)
    check_clean(left)
    return concluded(
        question,
        AnswerWithheld(question_id=question.id, reason=cmd.reason, closes=question.of(Duty.PUBLISH_ANSWER)),
    )


def disclose(
    question: Question, cmd: DiscloseAsker, words_ref: str = "", words_hash: str = "", *, by: Actor
) -> Decision[Question]:
    """Hiện danh tính người hỏi: allowed to those who work on the question, and on record."""
    permit(question, "disclose", by)
    return question.then(
        AskerDisclosed(question_id=question.id, reason=cmd.reason, words_ref=words_ref, words_hash=words_hash)
    )
