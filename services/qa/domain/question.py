"""Câu hỏi: one question's life, folded from its events. State changes here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from services.qa.regulation import WORKFLOW, Duty, Role, Status
from shared.calendar import VIETNAM
from shared.contracts.base import Aggregate, Clock, Decision, Event, only
from shared.contracts.clocks import moved_as
from shared.contracts.notifier import DeadlineMoved
from shared.contracts.qa import (
    AnswerPublished,
    AnswerReleased,
    AnswerWithheld,
    NoticeAccepted,
    NoticeKind,
    QuestionAnswered,
    QuestionClockMoved,
    QuestionClosed,
    QuestionForwarded,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
)
from shared.errors import Forbidden, IllegalTransition, RuleBroken
from shared.workflow import Actor


class FieldRule(RuleBroken):
    """A rule that one field of the command breaks; a form shows it beside that field."""

    def __init__(self, field: str, detail: str = "") -> None:
        super().__init__(detail, errors=[{"field": field, "message": detail or self.title_vi}])


class NotYourUnit(Forbidden):
    """The question was forwarded to another unit (câu hỏi của đơn vị khác)."""

    code = "not_your_unit"
    title_vi, title_en = "Câu hỏi được chuyển cho đơn vị khác", "The question belongs to another unit"


class OwnAnswer(Forbidden):
    """Who answered may not decide what is published (bốn mắt)."""

    code = "own_answer"
    title_vi, title_en = (
        "Người trả lời không tự quyết định việc đăng câu trả lời của mình",
        "Nobody decides on the publication of their own answer",
    )


class AlreadyReleased(IllegalTransition):
    code = "already_released"
    title_vi, title_en = "Câu trả lời đã được cho gửi", "The answer has been released already"


class PublicationDecided(IllegalTransition):
    code = "publication_decided"
    title_vi, title_en = "Việc đăng công khai đã được quyết định", "Publication has been decided already"


def promise_name(round: int) -> str:
    """Each progress notice sets a clock of its own."""
    return f"{Duty.PROMISED_REPLY}:{round}"


@dataclass(frozen=True, slots=True)
class Question(Aggregate):
    KIND: ClassVar[str] = "question"

    id: UUID
    number: str
    status: Status
    received_at: datetime
    counted_from: date
    letter_ref: str
    clocks: Mapping[str, Clock] = field(default_factory=dict)  # those that run, in the order they began
    unit: str = ""
    field: str = ""
    note_ref: str = ""
    refusal: QuestionRefused | None = None
    progress: QuestionProgressReported | None = None  # the latest
    rounds: int = 0
    answer_ref: str = ""
    answered_by: str = ""
    answered_unit: str = ""
    released: bool = False
    sent_at: datetime | None = None
    public_ref: str = ""
    withheld_reason: str = ""

    @property
    def published(self) -> bool:
        return bool(self.public_ref)

    @property
    def publication_decided(self) -> bool:
        return self.published or bool(self.withheld_reason)

    @property
    def promise(self) -> str:
        """The name of the clock that the latest progress notice set; none before the first."""
        return promise_name(self.rounds) if self.rounds else ""

    @property
    def promises(self) -> tuple[str, ...]:
        """The names of the clocks that the progress notices set, in their order."""
        return tuple(promise_name(round) for round in range(1, self.rounds + 1))

    @property
    def leading(self) -> str:
        """The name of the clock that the question is worked by: its newest promise, or what began first."""
        return self.promise if self.promise in self.clocks else next(iter(self.clocks), "")

    def running(self, *names: str) -> tuple[str, ...]:
        """Those of these clocks that still run: only they can be closed."""
        return tuple(name for name in names if name in self.clocks)

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, QuestionReceived)
        return cls(
            id=first.question_id, number=first.number, status=Status.RECEIVED,
            received_at=first.received_at, counted_from=first.counted_from, letter_ref=first.letter_ref,
            clocks={clock.name: clock for clock in first.opens},
        )  # fmt: skip

    def apply(self, event: Event) -> Self:
        opened = {clock.name: clock for clock in getattr(event, "opens", ())}
        ended = {*getattr(event, "closes", ()), *getattr(event, "voids", ())}
        still = {name: clock for name, clock in self.clocks.items() if name not in ended}
        changed = replace(self, clocks=still | opened)
        match event:
            case QuestionClockMoved(clock=clock):
                changed = changed._with(clocks=still | {clock.name: clock})
                if clock.received_at is not None:
                    changed = changed._with(counted_from=clock.started_at.astimezone(VIETNAM).date())
            case QuestionForwarded():
                facts = {"unit": event.unit, "field": event.field, "note_ref": event.note_ref}
                changed = changed._with(status=Status.FORWARDED, **facts)
            case QuestionRefused():
                changed = changed._with(status=Status.REFUSED, refusal=event)
            case QuestionProgressReported():
                changed = changed._with(progress=event, rounds=event.round)
            case QuestionAnswered():
                facts = {"answer_ref": event.answer_ref, "answered_by": event.answered_by}
                changed = changed._with(status=Status.ANSWERED, answered_unit=event.unit, **facts)
            case AnswerReleased():
                changed = changed._with(released=True)
            case NoticeAccepted(kind=NoticeKind.ANSWER):
                changed = changed._with(sent_at=self.sent_at or event.accepted_at)
            case AnswerPublished():
                changed = changed._with(public_ref=event.public_ref, field=event.field or self.field)
            case AnswerWithheld():
                changed = changed._with(withheld_reason=event.reason)
            case QuestionClosed():
                changed = changed._with(status=Status.CLOSED)
        return changed

    def _with(self, **changes: Any) -> Self:
        return replace(self, **changes)


def move_clock(question: Question, told: DeadlineMoved) -> Decision[Question]:
    """Hạn đang chạy được tính lại vì lịch làm việc thay đổi; one that runs no more stays as it was judged."""
    name = told.clock.name
    known = question.clocks.get(name)
    return question.then(*moved_as(QuestionClockMoved, known, told, leads=name == question.leading))


def concerns(question: Question, by: Actor) -> bool:
    """Whether this person may read the question at all: the centre all of them, a unit its own."""
    if by.roles & {Role.TRIAGE, Role.PUBLISHER, Role.AUDITOR}:
        return True
    return bool(by.roles & {Role.ANSWERER, Role.UNIT_HEAD}) and by.unit == question.unit


def acts(question: Question, by: Actor) -> list[str]:
    """What this person may do now: the buttons on a page."""
    return [act for act in WORKFLOW.acts(question.status, by.roles) if _refusal(question, act, by) is None]


def permit(question: Question, act: str, by: Actor) -> None:
    """Raises when the role, the state, the unit or the four eyes forbid ``act``."""
    WORKFLOW.after(question.status, act, by)
    refusal = _refusal(question, act, by)
    if refusal is not None:
        raise refusal


def _refusal(question: Question, act: str, by: Actor) -> Exception | None:
    if question.status is Status.FORWARDED and act in ("answer", "progress") and by.unit != question.unit:
        return NotYourUnit("Chỉ đơn vị được chuyển câu hỏi mới trả lời hoặc thông báo quá trình xử lý.")
    if act == "release" and question.released:
        return AlreadyReleased(f"Câu trả lời của {question.number} đã được cho gửi.")
    if act in ("publish", "withhold"):
        if question.publication_decided:
            return PublicationDecided(f"Việc đăng câu trả lời của {question.number} đã được quyết định.")
        if by.subject == question.answered_by:
            return OwnAnswer("Câu trả lời phải do người khác biên tập và quyết định đăng.")
    return None
