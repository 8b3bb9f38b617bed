"""Câu hỏi: one question's life, folded from its events. State changes here and nowhere else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as made
from datetime import date, datetime
from typing import Any, ClassVar, Self
from uuid import UUID

from services.qa.regulation import Duty, Status
from shared.calendar import VIETNAM
from shared.contracts.base import Aggregate, Clock, Decision, Event, only
from shared.contracts.clocks import moved_as
from shared.contracts.notifier import DeadlineMoved
from shared.contracts.qa import (
    AdviceGiven,
    AnswerCorrected,
    AnswerPublished,
    AnswerRated,
    AnswerReleased,
    AnswerSentBack,
    AnswerWithheld,
    AskerErased,
    AttachedFile,
    FileChecked,
    FileVerdict,
    InformationAdded,
    NoticeAccepted,
    NoticeKind,
    Outcome,
    PartOver,
    QuestionAnswered,
    QuestionAssigned,
    QuestionClockMoved,
    QuestionClosed,
    QuestionContinued,
    QuestionForwarded,
    QuestionMadeComplex,
    QuestionMerged,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
    QuestionReopened,
    QuestionRestored,
    QuestionReturned,
    QuestionSetAside,
    QuestionSplit,
    QuestionWithdrawn,
    SetAsideConfirmed,
)


def promise_name(round: int) -> str:
    """Each progress notice sets a clock of its own."""
    return f"{Duty.PROMISED_REPLY}:{round}"


def leading(clocks: Iterable[Clock]) -> str:
    """The name of the clock that a question is worked by: its newest promise, or what ends first; an opinion
    that is asked of others leads nobody."""
    running = [clock for clock in clocks if clock.duty != Duty.CONSULTATION]
    promises = [clock for clock in running if clock.duty == Duty.PROMISED_REPLY]
    if promises:
        return promises[-1].name
    first = min(running, key=lambda clock: clock.due_at, default=None)
    return first.name if first else ""


@dataclass(frozen=True, slots=True)
class Question(Aggregate):
    KIND: ClassVar[str] = "question"

    id: UUID
    number: str
    status: Status
    received_at: datetime
    counted_from: date
    letter_ref: str
    clocks: Mapping[str, Clock] = made(default_factory=dict)  # those that run, in the order they began
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
    outcome: Outcome | None = None
    part_of: UUID | None = None
    parts: Mapping[UUID, bool] = made(default_factory=dict)  # the parts it was split into: over or not
    returned: QuestionReturned | None = None  # the latest, while it has not been sorted again
    complex: QuestionMadeComplex | None = None
    advised: frozenset[str] = frozenset()  # consulted units that have given their opinion
    ended_by_answer: tuple[Clock, ...] = ()  # given back if the answer turns out to be defective
    correction: int = 0
    corrected: AnswerCorrected | None = None  # the latest
    merged_into: UUID | None = None
    set_aside_by: str = ""
    entered_by: str = ""
    unit_due_at: datetime | None = None  # when the unit's seven working days end, whether they still run
    continued: QuestionContinued | None = None  # sent again, or asked further about
    told_refusal_at: datetime | None = None
    reopened: QuestionReopened | None = None  # the latest
    assignee: str = ""
    rating: int = 0
    files: Mapping[UUID, AttachedFile] = made(default_factory=dict)
    verdicts: Mapping[UUID, FileVerdict] = made(default_factory=dict)
    erased: bool = False
    named: frozenset[str] = frozenset()  # every clock that ever ran, so that none is named twice

    @property
    def consulted(self) -> frozenset[str]:
        """The units that are asked for their opinion (đơn vị được lấy ý kiến)."""
        return frozenset(each.unit for each in self.complex.consulted) if self.complex else frozenset()

    def fresh(self, name: str) -> str:
        """``name``, or with a number behind it when a clock was called so before."""
        taken, number = self.named, 2
        if name not in taken:
            return name
        while f"{name}/{number}" in taken:
            number += 1
        return f"{name}/{number}"

    def of(self, *duties: Duty) -> tuple[str, ...]:
        """The names of those running clocks that are of these duties."""
        return tuple(name for name, clock in self.clocks.items() if clock.duty in duties)

    @property
    def correcting(self) -> int:
        """The number of the correction that the present answer is; 0: it corrects none."""
        return self.corrected.correction if self.corrected else 0

    @property
    def published(self) -> bool:
        return bool(self.public_ref)

    @property
    def publication_decided(self) -> bool:
        return self.published or bool(self.withheld_reason)

    @property
    def leading(self) -> str:
        """The name of the clock that the question is worked by."""
        return leading(self.clocks.values())

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, QuestionReceived)
        return cls(
            id=first.question_id, number=first.number, status=Status.RECEIVED,
            received_at=first.received_at, counted_from=first.counted_from, letter_ref=first.letter_ref,
            clocks={clock.name: clock for clock in first.opens},
            named=frozenset(clock.name for clock in first.opens), part_of=first.part_of,
            files={each.file_id: each for each in first.files}, entered_by=first.entered_by,
        )  # fmt: skip

    def apply(self, event: Event) -> Self:  # noqa: PLR0912 (an arm for each event)
        opened = {
            clock.name: clock for clock in (*getattr(event, "reopens", ()), *getattr(event, "opens", ()))
        }
        ended = {*getattr(event, "closes", ()), *getattr(event, "voids", ())}
        still = {name: clock for name, clock in self.clocks.items() if name not in ended}
        seven = next((each.due_at for each in opened.values() if each.duty == Duty.UNIT_REPLY), None)
        changed = replace(
            self, clocks=still | opened, named=self.named | opened.keys(),
            unit_due_at=seven or self.unit_due_at,
        )  # fmt: skip
        match event:
            case QuestionClockMoved(clock=clock):
                changed = changed._with(clocks=still | {clock.name: clock})
                if clock.received_at is not None:
                    changed = changed._with(counted_from=clock.started_at.astimezone(VIETNAM).date())
            case QuestionForwarded():
                facts = {"unit": event.unit, "field": event.field, "note_ref": event.note_ref}
                changed = changed._with(status=Status.FORWARDED, returned=None, assignee="", **facts)
            case QuestionReturned():
                changed = changed._with(status=Status.RETURNED, returned=event, assignee="")
            case QuestionRefused():
                changed = changed._with(status=Status.REFUSED, refusal=event, returned=None)
            case QuestionProgressReported():
                changed = changed._with(progress=event, rounds=event.round)
            case QuestionMadeComplex():
                changed = changed._with(complex=event)
            case AdviceGiven():
                changed = changed._with(advised=self.advised | {event.unit})
            case QuestionAnswered() | AnswerCorrected() | AnswerSentBack():
                changed = changed._answered(event, self)
            case AnswerReleased():
                changed = changed._with(released=True)
            case NoticeAccepted(kind=NoticeKind.ANSWER | NoticeKind.CORRECTION):
                corrects = event.round if event.kind is NoticeKind.CORRECTION else 0
                if corrects == self.correcting:
                    changed = changed._with(sent_at=self.sent_at or event.accepted_at)
            case NoticeAccepted(kind=NoticeKind.REFUSAL):
                changed = changed._with(told_refusal_at=self.told_refusal_at or event.accepted_at)
            case AnswerPublished():
                changed = changed._with(public_ref=event.public_ref, field=event.field or self.field)
            case AnswerWithheld():
                changed = changed._with(withheld_reason=event.reason)
            case QuestionClosed():
                changed = changed._with(status=Status.CLOSED, outcome=event.outcome)
            case _:
                changed = changed._lived(event)
        return changed

    def _answered(self, event: Event, before: "Question") -> Self:
        """An answer, one that was sent back, or its correction: what was settled before is open again."""
        match event:
            case QuestionAnswered():
                facts = {"answer_ref": event.answer_ref, "answered_by": event.answered_by}
                ended = tuple(before.clocks[name] for name in event.closes if name in before.clocks)
                return self._with(status=Status.ANSWERED, answered_unit=event.unit, returned=None,
                                  ended_by_answer=ended, **facts)  # fmt: skip
            case AnswerCorrected():
                return self._with(
                    status=Status.ANSWERED, answer_ref=event.answer_ref, answered_by=event.answered_by,
                    correction=event.correction, corrected=event, released=False, sent_at=None,
                    public_ref="", withheld_reason="", outcome=None,
                )  # fmt: skip
            case _:
                back = Status.FORWARDED if self.unit else Status.RECEIVED
                return self._with(status=back, ended_by_answer=())

    def _lived(self, event: Event) -> Self:  # noqa: PLR0911, PLR0912 (an arm for each event)
        """What else happens to a question on its way."""
        match event:
            case QuestionSetAside():
                return self._with(status=Status.SET_ASIDE, set_aside_by=event.set_aside_by)
            case QuestionRestored():
                return self._with(status=Status.RECEIVED, set_aside_by="")
            case QuestionMerged():
                return self._with(merged_into=event.into)
            case QuestionSplit():
                parts = dict.fromkeys((part.question_id for part in event.parts), False)
                return self._with(status=Status.SPLIT, parts=parts)
            case PartOver():
                return self._with(parts={**self.parts, event.part: True})
            case QuestionReopened():
                return self._with(
                    status=Status.RECEIVED, reopened=event, outcome=None, unit="", refusal=None, complex=None,
                    advised=frozenset(), released=False, sent_at=None, public_ref="", withheld_reason="",
                    told_refusal_at=None, corrected=None, assignee="", answer_ref="", answered_by="",
                    answered_unit="",
                )  # fmt: skip
            case QuestionContinued():
                return self._with(continued=event)
            case InformationAdded():
                return self._with(files={**self.files, **{each.file_id: each for each in event.files}})
            case FileChecked():
                return self._with(verdicts={**self.verdicts, event.file_id: event.verdict})
            case QuestionAssigned():
                return self._with(assignee=event.to)
            case AnswerRated():
                return self._with(rating=event.score)
            case AskerErased():
                return self._with(erased=True)
            case QuestionWithdrawn() | SetAsideConfirmed():
                return self  # the close that goes with it says so
            case _:
                return self

    def _with(self, **changes: Any) -> Self:
        return replace(self, **changes)


def move_clock(question: Question, told: DeadlineMoved) -> Decision[Question]:
    """Hạn đang chạy được tính lại vì lịch làm việc thay đổi; one that runs no more stays as it was judged."""
    name = told.clock.name
    known = question.clocks.get(name)
    return question.then(*moved_as(QuestionClockMoved, known, told, leads=name == question.leading))
