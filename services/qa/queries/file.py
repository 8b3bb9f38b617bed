"""Hồ sơ một câu hỏi: everything on record about one question, read from the journal itself, so that it is
never older than the decision that was just made."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeVar, cast
from uuid import UUID

from services.qa.domain import Letter, Question
from services.qa.queries.read_models import ERASED, read
from services.qa.regulation import CITED, DUTY_VI, Duty
from shared.calendar import last_day
from shared.calendars import Calendars
from shared.contracts.base import Clock, Event, Recorded
from shared.contracts.clocks import day_row
from shared.contracts.qa import (
    AnswerCorrected,
    AnswerReleased,
    AskerDisclosed,
    NoticeAccepted,
    NoticeKind,
    QuestionAnswered,
    QuestionClockMoved,
    QuestionProgressReported,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.journal import Journal

E = TypeVar("E", bound=Event)
W = TypeVar("W", QuestionAnswered, AnswerCorrected)
ONE_INSTANT: Final = timedelta(microseconds=1)
DISCLOSED_FOR: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class RunningClock:
    """A clock of the question: since when, until when, and when it was discharged."""

    clock: Clock
    closed_at: datetime | None = None
    void: bool = False  # no longer owed, or owed by another

    @property
    def duty_vi(self) -> str:
        return DUTY_VI[Duty(self.clock.duty)]

    @property
    def short_vi(self) -> str:
        return Duty(self.clock.duty).short_vi

    @property
    def basis_vi(self) -> str:
        return CITED[self.clock.basis]

    @property
    def last_instant(self) -> datetime:
        """The last instant that is in time: its day is the day one names."""
        return self.clock.due_at - ONE_INSTANT

    def state(self, now: datetime) -> str:
        if self.void:
            return "void"
        if self.closed_at is not None:
            return "met" if self.closed_at < self.clock.due_at else "late"
        return "open" if now < self.clock.due_at else "overdue"

    def days(self, calendars: Calendars) -> list[dict[str, Any]]:
        """Each day of the term as a strip: counted, or off and why, by the calendar that counted it."""
        return day_row(self.clock, calendars.of(self.clock.calendar_version))


@dataclass(frozen=True, slots=True)
class File:
    question: Question
    version: int
    events: list[Recorded[Event]]
    letter: Letter
    clocks: list[RunningClock]
    words: dict[str, str] = field(default_factory=dict)  # ref → words
    public: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # file id → the name that its sender gave it

    def running(self) -> RunningClock | None:
        """The open clock that one names."""
        leads = self.question.leading
        return next((each for each in self.clocks if each.clock.name == leads), None)

    def broken_promises(self, now: datetime) -> list[RunningClock]:
        """Days named in progress notices that have passed without an answer."""
        promised = [each for each in self.clocks if each.clock.duty == Duty.PROMISED_REPLY]
        return [each for each in promised if each.state(now) == "overdue"]

    @property
    def answer(self) -> str:
        return self.words.get(self.question.answer_ref, "")

    @property
    def note(self) -> str:
        return self.words.get(self.question.note_ref, "")

    @property
    def explanation(self) -> str:
        return self.words.get(self.question.refusal.explanation_ref, "") if self.question.refusal else ""

    @property
    def progress(self) -> str:
        return self.words.get(self.question.progress.words_ref, "") if self.question.progress else ""

    def report(self, round: int) -> QuestionProgressReported | None:
        """The progress notice of this round: a letter that waits is not overtaken by the next."""
        for recorded in self.events:
            if isinstance(recorded.event, QuestionProgressReported) and recorded.event.round == round:
                return recorded.event
        return None

    def nth(self, kind: type[E], number: int) -> E | None:
        """The event of this kind that came as this one of several, from 1."""
        found = [r.event for r in self.events if isinstance(r.event, kind)]
        return found[number - 1] if 0 < number <= len(found) else None

    def released(self, round: int) -> Recorded[QuestionAnswered] | None:
        """The answer that was let go as this one of several; neither its correction nor the answer after a
        reopening overtakes it."""
        firsts = [
            r.event for r in self.events if isinstance(r.event, AnswerReleased) and not r.event.correction
        ]
        ref = firsts[round - 1].answer_ref if 0 < round <= len(firsts) else ""
        return self._written(QuestionAnswered, ref)

    def corrected(self, round: int) -> Recorded[AnswerCorrected] | None:
        """The correction of this number, once it was let go."""
        let_go = {r.event.answer_ref for r in self.events if isinstance(r.event, AnswerReleased)}
        for recorded in self.events:
            event = recorded.event
            if (
                isinstance(event, AnswerCorrected)
                and event.correction == round
                and event.answer_ref in let_go
            ):
                return self._written(AnswerCorrected, event.answer_ref)
        return None

    def _written(self, kind: type[W], ref: str) -> Recorded[W] | None:
        for recorded in self.events:
            if ref and isinstance(recorded.event, kind) and recorded.event.answer_ref == ref:
                return cast("Recorded[W]", recorded)
        return None

    def held_by(self, report: QuestionProgressReported) -> str:
        """The unit that gave this progress notice: another one may have the question since."""
        return report.opens[0].owner_unit if report.opens else self.question.unit

    @property
    def notice_due(self) -> date | None:
        """The day by whose end a refused asker is told, as the calendar counts it now."""
        told = [each.clock.due_at for each in self.clocks if each.clock.duty == Duty.SAME_DAY_NOTICE]
        return last_day(told[-1]) if told else None

    def notice(self, kind: NoticeKind) -> NoticeAccepted | None:
        """The letter of this kind that the mail server accepted first."""
        for recorded in self.events:
            if isinstance(recorded.event, NoticeAccepted) and recorded.event.kind is kind:
                return recorded.event
        return None

    @property
    def answered_at(self) -> datetime | None:
        return next((r.at for r in self.events if isinstance(r.event, QuestionAnswered)), None)

    def disclosed_to(self, subject: str, now: datetime) -> bool:
        """Whether this person has just asked to see who the asker is."""
        return any(
            isinstance(r.event, AskerDisclosed) and r.by == subject and now - r.at < DISCLOSED_FOR
            for r in self.events
        )


async def file_of(
    journal: Journal, vault: Vault, source: str, id: UUID, *, letter: Letter | None = None
) -> File:
    """``letter``, where it was read just now."""
    commits = await journal.read(Question.stream_of(id))
    if not commits:
        raise NotFound("Không có câu hỏi mang mã này.")
    events = [recorded for commit in commits for recorded in commit.recorded(source)]
    question = Question.fold(recorded.event for recorded in events)
    letter = letter or await letter_of(vault, question)
    words, sent = {}, dict(letter.files)
    for recorded in events:
        for name in ("answer_ref", "note_ref", "explanation_ref", "words_ref", "reason_ref"):
            ref = getattr(recorded.event, name, "")
            if ref and ref not in words:
                kept = await read(vault, ref)
                words[ref] = str(kept.get("words", ERASED))
                sent |= dict(kept.get("files", ()))
    return File(
        question, commits[-1].version, events, letter, clocks_of(events), words,
        await read(vault, question.public_ref), sent,
    )  # fmt: skip


async def letter_of(vault: Vault, question: Question) -> Letter:
    return letter_in(await read(vault, question.letter_ref))


def letter_in(kept: dict[str, Any]) -> Letter:
    if not kept:
        return Letter("", "", "", "", ERASED, ERASED)
    files = tuple((str(id), str(name)) for id, name in kept.get("files", ()))
    return Letter(**{**kept, "files": files})


def clocks_of(events: list[Recorded[Event]]) -> list[RunningClock]:
    clocks: dict[str, RunningClock] = {}
    for recorded in events:
        event = recorded.event
        voids = getattr(event, "voids", ())
        for name in (*getattr(event, "closes", ()), *voids):
            if name in clocks:
                closed_at = getattr(event, "closed_at", None) or recorded.at
                clocks[name] = RunningClock(clocks[name].clock, closed_at, void=name in voids)
        for clock in (*getattr(event, "reopens", ()), *getattr(event, "opens", ())):
            clocks[clock.name] = RunningClock(clock)
        if isinstance(event, QuestionClockMoved):
            clocks[event.clock.name] = RunningClock(event.clock)
    return list(clocks.values())
