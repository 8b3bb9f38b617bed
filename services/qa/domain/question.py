"""Câu hỏi: one question's life, folded from its events. State changes here and nowhere else."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as made
from datetime import date, datetime
from typing import Any, ClassVar, NamedTuple, Self
from uuid import UUID

from services.qa.regulation import Duty, Status
from shared.calendar import VIETNAM
from shared.contracts import qa
from shared.contracts.base import Aggregate, Clock, Decision, Event, only
from shared.contracts.clocks import moved_as
from shared.contracts.notifier import DeadlineMoved


def promise_name(round: int) -> str:
    """Each progress notice sets a clock of its own."""
    return f"{Duty.PROMISED_REPLY}:{round}"


def leading(clocks: Iterable[Clock]) -> Clock | None:
    """The clock that a question is worked by: what ends first; of several promises the newest alone, and no
    opinion that is asked of others."""
    running = [clock for clock in clocks if clock.duty != Duty.CONSULTATION]
    promises = [clock for clock in running if clock.duty == Duty.PROMISED_REPLY]
    counted = [clock for clock in running if clock not in promises[:-1]]
    return min(counted, key=lambda clock: clock.due_at, default=None)


class Issued(NamedTuple):
    """An answer or its correction: the letter that brings it to the asker, and the clock which that ends."""

    kind: qa.NoticeKind
    round: int
    clock: str


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
    refusal: qa.QuestionRefused | None = None
    refusals: int = 0
    progress: qa.QuestionProgressReported | None = None  # the latest
    rounds: int = 0
    answer_ref: str = ""
    answered_by: str = ""
    answered_unit: str = ""
    released: bool = False
    releases: int = 0  # of answers; a correction's letter goes by the number of the correction
    issued: tuple[Issued, ...] = ()  # since it came in or was last opened again
    sent_at: datetime | None = None  # the answer that stands now
    told_answer_at: datetime | None = None  # the latest answer that the asker has, be it corrected since
    public_ref: str = ""
    withheld_reason: str = ""
    outcome: qa.Outcome | None = None
    part_of: UUID | None = None
    parts: Mapping[UUID, bool] = made(default_factory=dict)  # the parts it was split into: over or not
    returned: qa.QuestionReturned | None = None  # the latest, while it has not been sorted again
    complex: qa.QuestionMadeComplex | None = None
    advised: frozenset[str] = frozenset()  # consulted units that have given their opinion
    ended_by_answer: tuple[Clock, ...] = ()  # given back if the answer turns out to be defective
    correction: int = 0
    corrected: qa.AnswerCorrected | None = None  # the latest, of the answer that stands now
    merged_into: UUID | None = None
    before_merge: tuple[Status, tuple[Clock, ...]] | None = None
    duplicates: frozenset[UUID] = frozenset()  # what was merged into this one
    set_aside_by: str = ""
    entered_by: str = ""
    unit_due_at: datetime | None = None  # when the unit's seven working days end, whether they still run
    continued: qa.QuestionContinued | None = None  # sent again, or asked further about
    told_refusal_at: datetime | None = None
    reopened: qa.QuestionReopened | None = None  # the latest
    assignee: str = ""
    rating: int = 0
    files: Mapping[UUID, qa.AttachedFile] = made(default_factory=dict)
    verdicts: Mapping[UUID, qa.FileVerdict] = made(default_factory=dict)
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
    def answered_by_unit(self) -> bool:
        """The unit that holds it wrote the answer, not the centre itself."""
        return bool(self.unit) and self.answered_unit == self.unit

    @property
    def began_at(self) -> datetime:
        """When it came in, or was opened again by order: its terms count anew from then."""
        return self.reopened.opens[0].started_at if self.reopened else self.received_at

    @property
    def lead(self) -> Clock | None:
        """The clock that the question is worked by; a closed one is worked no more."""
        return None if self.status is Status.CLOSED else leading(self.clocks.values())

    @property
    def leading(self) -> str:
        return self.lead.name if self.lead else ""

    def then(self, *events: Event) -> Decision[Self]:
        """Each event that touches a clock says which one the question is worked by after it."""
        state, told = self, list[Event]()
        for event in events:
            told.append(state._led(event))
            state = state.apply(told[-1])
        return state, tuple(told)

    def _led(self, event: Event) -> Event:
        if not isinstance(event, qa.OfQuestion | qa.QuestionClockMoved) or event.leading is not None:
            return event
        lead = self.apply(event).lead
        facts = {"duty": lead.duty, "due_at": lead.due_at, "warn_at": lead.warn_at} if lead else {}
        return event.model_copy(update={"leading": qa.Leading(**facts)})

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, qa.QuestionReceived)
        return cls(
            id=first.question_id, number=first.number, status=Status.RECEIVED,
            received_at=first.received_at, counted_from=first.counted_from, letter_ref=first.letter_ref,
            clocks={clock.name: clock for clock in first.opens},
            named=frozenset(clock.name for clock in first.opens), part_of=first.part_of,
            files={each.file_id: each for each in first.files}, entered_by=first.entered_by,
        )  # fmt: skip

    def apply(self, event: Event) -> Self:  # noqa: PLR0912 (an arm for each event)
        begun = (*getattr(event, "reopens", ()), *getattr(event, "opens", ()))
        opened = {clock.name: clock for clock in begun}
        ended = {*getattr(event, "closes", ()), *getattr(event, "voids", ())}
        still = {name: clock for name, clock in self.clocks.items() if name not in ended}
        seven = next((each.due_at for each in opened.values() if each.duty == Duty.UNIT_REPLY), None)
        facts = {"named": self.named | opened.keys(), "unit_due_at": seven or self.unit_due_at}
        changed = self._with(clocks=still | opened, **facts)
        match event:
            case qa.QuestionClockMoved(clock=clock):
                changed = changed._with(clocks=still | {clock.name: clock})
                if clock.received_at is not None:
                    changed = changed._with(counted_from=clock.started_at.astimezone(VIETNAM).date())
                if clock.duty == Duty.UNIT_REPLY:
                    changed = changed._with(unit_due_at=clock.due_at)
            case qa.QuestionForwarded():
                facts = {"unit": event.unit, "field": event.field, "note_ref": event.note_ref}
                changed = changed._with(status=Status.FORWARDED, returned=None, assignee="", **facts)
            case qa.QuestionReturned():
                changed = changed._with(status=Status.RETURNED, returned=event, assignee="")
            case qa.QuestionRefused():
                changed = changed._with(
                    status=Status.REFUSED, refusal=event, refusals=self.refusals + 1, told_refusal_at=None,
                    returned=None,
                )  # fmt: skip
            case qa.QuestionProgressReported():
                changed = changed._with(progress=event, rounds=event.round)
            case qa.QuestionMadeComplex():
                changed = changed._with(complex=event)
            case qa.AdviceGiven():
                changed = changed._with(advised=self.advised | {event.unit})
            case qa.QuestionAnswered() | qa.AnswerCorrected() | qa.AnswerSentBack():
                changed = changed._answered(event, self)
            case qa.AnswerReleased():
                changed = changed._with(released=True, releases=self.releases + (not event.correction))
            case qa.NoticeAccepted():
                changed = changed._told(event)
            case qa.AnswerPublished():
                changed = changed._with(public_ref=event.public_ref, field=event.field or self.field)
            case qa.AnswerWithheld():
                changed = changed._with(withheld_reason=event.reason)
            case qa.QuestionClosed():
                changed = changed._with(status=Status.CLOSED, outcome=event.outcome)
            case _:
                changed = changed._lived(event, self)
        return changed

    def _told(self, event: qa.NoticeAccepted) -> Self:
        match event.kind:
            case qa.NoticeKind.ANSWER | qa.NoticeKind.CORRECTION:
                stands = bool(self.issued) and self.issued[-1][:2] == (event.kind, event.round)
                sent_at = (self.sent_at or event.accepted_at) if stands else self.sent_at
                return self._with(told_answer_at=event.accepted_at, sent_at=sent_at)
            case qa.NoticeKind.REFUSAL if self.refusal and event.round == self.refusals:
                return self._with(told_refusal_at=self.told_refusal_at or event.accepted_at)
            case _:
                return self

    def _answered(self, event: Event, before: "Question") -> Self:
        """An answer, one that was sent back, or its correction: what was settled before is open again."""
        sending = next((c.name for c in getattr(event, "opens", ()) if c.duty == Duty.SEND_ANSWER), "")
        match event:
            case qa.QuestionAnswered():
                ended = tuple(before.clocks[name] for name in event.closes if name in before.clocks)
                return self._with(
                    status=Status.ANSWERED, answered_unit=event.unit, returned=None, ended_by_answer=ended,
                    answer_ref=event.answer_ref, answered_by=event.answered_by, corrected=None,
                    issued=(*self.issued, Issued(qa.NoticeKind.ANSWER, self.releases + 1, sending)),
                )  # fmt: skip
            case qa.AnswerCorrected():
                return self._with(
                    status=Status.ANSWERED, answer_ref=event.answer_ref, answered_by=event.answered_by,
                    correction=event.correction, corrected=event, released=False, sent_at=None,
                    public_ref="", withheld_reason="", outcome=None,
                    issued=(*self.issued, Issued(qa.NoticeKind.CORRECTION, event.correction, sending)),
                )  # fmt: skip
            case qa.AnswerSentBack(to_centre=True):
                back = Status.RETURNED if self.unit else Status.RECEIVED
                return self._with(status=back, ended_by_answer=())
            case _:
                return self._with(status=Status.FORWARDED, ended_by_answer=())

    def _lived(self, event: Event, before: "Question") -> Self:  # noqa: PLR0911, PLR0912 (an arm for each event)
        """What else happens to a question on its way."""
        match event:
            case qa.QuestionSetAside():
                return self._with(status=Status.SET_ASIDE, set_aside_by=event.set_aside_by)
            case qa.QuestionRestored():
                again = {"set_aside_by": "", "merged_into": None, "before_merge": None, "outcome": None}
                return self._with(status=Status(event.back_to), **again)
            case qa.QuestionMerged():
                ended = tuple(each for name, each in before.clocks.items() if name not in self.clocks)
                return self._with(merged_into=event.into, before_merge=(self.status, ended))
            case qa.DuplicateTaken():
                return self._with(duplicates=self.duplicates | {event.duplicate})
            case qa.QuestionSplit():
                parts = dict.fromkeys((part.question_id for part in event.parts), False)
                return self._with(status=Status.SPLIT, parts={**self.parts, **parts})
            case qa.PartOver():
                return self._with(parts={**self.parts, event.part: True})
            case qa.QuestionReopened():
                return self._with(
                    status=Status.RECEIVED, reopened=event, outcome=None, unit="", refusal=None, complex=None,
                    advised=frozenset(), released=False, sent_at=None, public_ref="", withheld_reason="",
                    told_refusal_at=None, assignee="", answer_ref="", answered_by="", answered_unit="",
                    corrected=None, unit_due_at=None, returned=None, progress=None, merged_into=None,
                    set_aside_by="", ended_by_answer=(), issued=(),
                )  # fmt: skip
            case qa.QuestionContinued():
                return self._with(continued=event)
            case qa.InformationAdded():
                return self._with(files={**self.files, **{each.file_id: each for each in event.files}})
            case qa.FileChecked():
                return self._with(verdicts={**self.verdicts, event.file_id: event.verdict})
            case qa.QuestionAssigned():
                return self._with(assignee=event.to)
            case qa.AnswerRated():
                return self._with(rating=event.score)
            case qa.AskerErased():
                return self._with(erased=True)
            case _:  # among them what the close that goes with it says
                return self

    def _with(self, **changes: Any) -> Self:
        return replace(self, **changes)


def move_clock(question: Question, told: DeadlineMoved) -> Decision[Question]:
    """Hạn đang chạy được tính lại vì lịch làm việc thay đổi; one that runs no more stays as it was judged."""
    name = told.clock.name
    known = question.clocks.get(name)
    return question.then(*moved_as(qa.QuestionClockMoved, known, told, leads=name == question.leading))
