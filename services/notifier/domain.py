"""The register's two aggregates: a deadline (thời hạn), judged by when things happened and in whatever order
they are told; and a notice (thư báo), requested once and sent until a server has accepted it."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import ClassVar, Final
from uuid import UUID, uuid5

from services.notifier.regulation import (
    DEADLINES,
    LANES,
    NOTICES,
    DeadlineStatus,
    Lane,
    NoticeStatus,
    Policy,
)
from shared.contracts.base import Aggregate, Clock, Decision, Event, only
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineDischargedEarly,
    DeadlineMet,
    DeadlineOpened,
    DeadlineVoided,
    DeadlineWarned,
    Delivery,
    NoticeFailed,
    NoticeRequested,
    NoticeSending,
    NoticeSent,
)
from shared.workflow import SYSTEM, Actor

NAMESPACE: Final = UUID("6f1b1c0e-5d0c-5b8e-9c43-0d8f7c1a2b11")


def deadline_id(subject: str, clock: str) -> UUID:
    """One deadline a subject and clock: opening twice is opening once."""
    return uuid5(NAMESPACE, f"deadline#{subject}#{clock}")


def notice_id(kind: str, subject: str, recipient: str, round: int) -> UUID:
    """One notice a kind, subject, recipient and round: asking twice is asking once."""
    return uuid5(NAMESPACE, f"notice#{kind}#{subject}#{recipient}#{round}")


@dataclass(frozen=True, slots=True, order=True)
class Ending:
    """How a duty ended. The earliest one counts; of two at the same instant, the fulfilment."""

    at: datetime
    void: bool
    cause: str = field(compare=False, default="")


@dataclass(frozen=True, slots=True)
class Deadline(Aggregate):
    KIND: ClassVar[str] = "deadline"

    id: UUID
    subject: str
    source: str = ""
    label: str = ""
    clock: Clock | None = None
    status: DeadlineStatus = DeadlineStatus.AWAITED
    ending: Ending | None = None
    late: bool = False
    warned: bool = False
    breached: bool = False

    @classmethod
    def begin(cls, event: Event) -> "Deadline":
        if isinstance(event, DeadlineDischargedEarly):
            return cls(event.deadline_id, event.subject).apply(event)
        opened = only(event, DeadlineOpened)
        return cls(opened.deadline_id, opened.subject).apply(opened)

    def apply(self, event: Event) -> "Deadline":  # noqa: PLR0911 (an arm for each event)
        match event:
            case DeadlineOpened():
                return replace(self, source=event.source, label=event.label, clock=event.clock,
                               status=DeadlineStatus.OPEN)  # fmt: skip
            case DeadlineDischargedEarly():
                return replace(self, ending=Ending(event.happened_at, event.void, event.cause))
            case DeadlineMet():
                return replace(self, status=DeadlineStatus.MET, late=event.late,
                               ending=Ending(event.met_at, False, event.cause))  # fmt: skip
            case DeadlineVoided():
                return replace(self, status=DeadlineStatus.VOID, late=False,
                               ending=Ending(event.voided_at, True, event.cause))  # fmt: skip
            case DeadlineWarned():
                return replace(self, warned=True)
            case DeadlineBreached():
                return replace(self, breached=True)
            case _:
                return self

    def overdue(self, at: datetime) -> bool:
        """Derived, never recorded as a state."""
        return self.status is DeadlineStatus.OPEN and self.clock is not None and at >= self.clock.due_at


def open_deadline(
    known: Deadline | None, subject: str, clock: Clock, *, source: str, label: str = "", by: Actor = SYSTEM
) -> Decision[Deadline]:
    """Thời hạn bắt đầu tính. An end that came before is applied at once; opening again changes nothing."""
    id = deadline_id(subject, clock.name)
    opened = DeadlineOpened(deadline_id=id, subject=subject, source=source, clock=clock, label=label)
    if known is None:
        return Deadline.starts_with(opened)
    if known.clock is not None:
        return known.then()
    DEADLINES.after(known.status, "open", by)
    state, events = known.then(opened)
    if known.ending is None:
        return state, events
    state, ended = state.then(_ended(state, known.ending))
    return state, (*events, *ended)


def end_deadline(
    known: Deadline | None, subject: str, clock: str, ending: Ending, *, by: Actor = SYSTEM
) -> Decision[Deadline]:
    """Đã thực hiện, or no longer owed: the earliest end counts, whenever it is told."""
    if known is None:
        return Deadline.starts_with(_early(deadline_id(subject, clock), subject, ending))
    if known.ending is not None and known.ending <= ending:
        return known.then()
    DEADLINES.after(known.status, "void" if ending.void else "discharge", by)
    if known.clock is None:
        return known.then(_early(known.id, subject, ending))
    return known.then(_ended(known, ending))


def _early(id: UUID, subject: str, ending: Ending) -> DeadlineDischargedEarly:
    return DeadlineDischargedEarly(
        deadline_id=id, subject=subject, happened_at=ending.at, cause=ending.cause, void=ending.void
    )


def _ended(deadline: Deadline, ending: Ending) -> Event:
    clock = deadline.clock
    assert clock is not None  # noqa: S101 (the callers have looked)
    if ending.void:
        return DeadlineVoided(
            deadline_id=deadline.id, subject=deadline.subject, duty=clock.duty, cause=ending.cause,
            voided_at=ending.at,
        )  # fmt: skip
    return DeadlineMet(
        deadline_id=deadline.id, subject=deadline.subject, duty=clock.duty, met_at=ending.at,
        late=ending.at >= clock.due_at, cause=ending.cause,
    )  # fmt: skip


def fire(deadline: Deadline, *, at: datetime, by: Actor = SYSTEM) -> Decision[Deadline]:
    """The next stage whose time has come: the warning (sắp đến hạn), then the breach (quá hạn). Each once,
    bearing the true due time however late it fires; nothing when neither is due."""
    clock = deadline.clock
    if clock is None or deadline.status is not DeadlineStatus.OPEN:
        return deadline.then()
    facts = {"deadline_id": deadline.id, "subject": deadline.subject, "duty": clock.duty}
    if clock.warn_at is not None and not deadline.warned and at >= clock.warn_at:
        DEADLINES.after(deadline.status, "warn", by)
        return deadline.then(DeadlineWarned(**facts, due_at=clock.due_at))
    if not deadline.breached and at >= clock.due_at:
        DEADLINES.after(deadline.status, "breach", by)
        return deadline.then(DeadlineBreached(**facts, due_at=clock.due_at))
    return deadline.then()


@dataclass(frozen=True, slots=True)
class Notice(Aggregate):
    KIND: ClassVar[str] = "notice"

    id: UUID
    kind: str
    subject: str
    recipient: str
    statutory: bool
    message_id: str
    about: str
    status: NoticeStatus = NoticeStatus.REQUESTED
    attempt: int = 0
    uncertain: int = 0  # attempts that may have arrived although no answer came

    @classmethod
    def begin(cls, event: Event) -> "Notice":
        asked = only(event, NoticeRequested)
        return cls(asked.notice_id, asked.kind, asked.subject, asked.recipient, asked.statutory,
                   asked.message_id, asked.about)  # fmt: skip

    def apply(self, event: Event) -> "Notice":
        match event:
            case NoticeSending():
                return replace(self, status=NoticeStatus.SENDING, attempt=event.attempt)
            case NoticeSent():
                return replace(self, status=NoticeStatus.SENT)
            case NoticeFailed():
                lost = event.outcome is Delivery.UNCERTAIN
                given_up = NoticeStatus.UNCERTAIN if lost else NoticeStatus.FAILED
                return replace(self, status=NoticeStatus.RETRYING if event.retry_at else given_up,
                               uncertain=self.uncertain + lost)  # fmt: skip
            case _:
                return self


def lane_of(kind: str) -> Lane:
    return LANES.get(kind, Lane.COURTESY)


def request_notice(
    known: Notice | None, kind: str, subject: str, recipient: str, *, source: str, policy: Policy,
    round: int = 1, about: str = "",
) -> Decision[Notice]:  # fmt: skip
    """Phải báo: the Message-ID is fixed here, so that a repetition can be recognised."""
    if known is not None:
        return known.then()
    id = notice_id(kind, subject, recipient, round)
    return Notice.starts_with(NoticeRequested(
        notice_id=id, kind=kind, subject=subject, source=source, recipient=recipient, round=round,
        statutory=lane_of(kind) is not Lane.COURTESY, message_id=f"<{id}@{policy.message_domain}>",
        about=about,
    ))  # fmt: skip


def claim(notice: Notice, *, by: Actor = SYSTEM) -> Decision[Notice]:
    """Recorded before the dialogue begins; of several senders, one gets its record in."""
    NOTICES.after(notice.status, "send", by)
    return notice.then(NoticeSending(notice_id=notice.id, attempt=notice.attempt + 1))


def accept(notice: Notice, *, attempt: int, reply: str, at: datetime, by: Actor = SYSTEM) -> Decision[Notice]:
    """Máy chủ thư đã nhận. Said once: a second acceptance adds nothing, the doubt that led to it is on
    record."""
    if notice.status is NoticeStatus.SENT:
        return notice.then()
    NOTICES.after(notice.status, "accept", by)
    return notice.then(NoticeSent(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, recipient=notice.recipient,
        attempt=attempt, message_id=notice.message_id, accepted_at=at, reply=reply,
    ))  # fmt: skip


def fail(
    notice: Notice, *, attempt: int, outcome: Delivery, reason: str, at: datetime, policy: Policy,
    by: Actor = SYSTEM,
) -> Decision[Notice]:  # fmt: skip
    """An attempt that did not succeed. Put off: tried again, a courtesy only so often. Refused: not again. In
    doubt: what the law demands is sent again with the same Message-ID, a courtesy is not."""
    if notice.status is not NoticeStatus.SENDING or notice.attempt != attempt:
        return notice.then()  # somebody has taken this attempt as lost, and its outcome with it
    again = outcome is not Delivery.DEFINITE and (
        notice.statutory or (outcome is Delivery.TEMPORARY and attempt < policy.courtesy_attempts)
    )
    lost = outcome is Delivery.UNCERTAIN
    NOTICES.after(notice.status, "retry" if again else "lose" if lost else "fail", by)
    return notice.then(NoticeFailed(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, attempt=attempt, outcome=outcome,
        reason=reason, retry_at=at + policy.retry_after(attempt) if again else None,
    ))  # fmt: skip


def is_lost(notice: Notice, claimed_at: datetime, *, at: datetime, timeout: timedelta) -> bool:
    """A claim whose sender has said nothing for too long: it may be dead, the mail may be out."""
    return notice.status is NoticeStatus.SENDING and at >= claimed_at + timeout
