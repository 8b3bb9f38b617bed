"""A notice (thư báo): requested once, and sent until a server has accepted it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid5

from services.notifier.domain.deadlines import NAMESPACE
from services.notifier.regulation import (
    AT_ONCE,
    LANES,
    NOTICES,
    REPEATED,
    SIGNALS,
    Lane,
    NoticeStatus,
    Policy,
)
from services.notifier.regulation_stages import Hours
from shared.calendar import CALENDAR, CalendarYearMissing, WorkingCalendar
from shared.contracts.base import Aggregate, Decision, Event, only
from shared.contracts.notifier import (
    Delivery,
    NoticeBounced,
    NoticeFailed,
    NoticeReachedOtherwise,
    NoticeRequested,
    NoticeRetryAsked,
    NoticeSending,
    NoticeSent,
    NoticeWithheld,
)
from shared.workflow import SYSTEM, Actor


def notice_id(kind: str, reason: str, recipient: str, round: int) -> UUID:
    """One notice a kind, reason, recipient and round: asking twice is asking once. The reason is the subject
    of an asker's letter, the event that our own people are told of, the unit and day of a morning mail."""
    return uuid5(NAMESPACE, f"notice#{kind}#{reason}#{recipient}#{round}")


def in_hours(at: datetime, calendar: WorkingCalendar, hours: Hours) -> datetime:
    """``at`` itself within working hours (giờ làm việc), else the next time that they begin, UTC. Beyond the
    years that the calendar knows nothing waits."""
    try:
        return hours.next_open(at, calendar)
    except CalendarYearMissing:
        return at


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
    duty: str = ""
    round: int = 1
    attempt: int = 0
    moot: bool = False  # nobody is left to be told
    uncertain: int = 0  # attempts that may have arrived although no answer came

    @classmethod
    def begin(cls, event: Event) -> "Notice":
        asked = only(event, NoticeRequested)
        return cls(asked.notice_id, asked.kind, asked.subject, asked.recipient, asked.statutory,
                   asked.message_id, asked.about, duty=asked.duty, round=asked.round)  # fmt: skip

    @property
    def internal(self) -> bool:
        """To our own people: tried as long as it is so, and in working hours."""
        return lane_of(self.kind, self.recipient) in (Lane.INTERNAL, Lane.SIGNAL)

    def apply(self, event: Event) -> "Notice":  # noqa: PLR0911 (an arm for each event)
        match event:
            case NoticeSending():
                return replace(self, status=NoticeStatus.SENDING, attempt=event.attempt)
            case NoticeSent():
                return replace(self, status=NoticeStatus.SENT)
            case NoticeWithheld():
                return replace(self, status=NoticeStatus.WITHHELD, moot=self.moot or event.moot)
            case NoticeFailed():
                lost = event.outcome is Delivery.UNCERTAIN
                given_up = NoticeStatus.UNCERTAIN if lost else NoticeStatus.FAILED
                return replace(self, status=NoticeStatus.RETRYING if event.retry_at else given_up,
                               uncertain=self.uncertain + lost)  # fmt: skip
            case NoticeBounced():
                return replace(self, status=NoticeStatus.BOUNCED)
            case NoticeRetryAsked():
                return replace(self, status=NoticeStatus.RETRYING)
            case NoticeReachedOtherwise():
                return replace(self, status=NoticeStatus.REACHED)
            case _:
                return self


def lane_of(kind: str, recipient: str = "") -> Lane:
    return Lane.SIGNAL if recipient.startswith(SIGNALS) else LANES.get(kind, Lane.COURTESY)


def request_notice(
    known: Notice | None, kind: str, subject: str, recipient: str, *, source: str, policy: Policy,
    reason: str = "", round: int = 1, about: str = "", duty: str = "", unit: str = "",
    deadline_id: UUID | None = None, not_before: datetime | None = None, listed: Sequence[UUID] = (),
) -> Decision[Notice]:  # fmt: skip
    """Phải báo: the Message-ID is fixed here, so that a repetition can be recognised. ``reason`` is the
    subject unless something else makes the notice one; ``not_before``, UTC, holds a courtesy back."""
    if known is not None:
        return known.then()
    id = notice_id(kind, reason or subject, recipient, round)
    return Notice.starts_with(NoticeRequested(
        notice_id=id, kind=kind, subject=subject, source=source, recipient=recipient, round=round,
        statutory=lane_of(kind, recipient) in (Lane.URGENT, Lane.STATUTORY),
        message_id=f"<{id}@{policy.message_domain}>", about=about, duty=duty, unit=unit,
        deadline_id=deadline_id, not_before=not_before, listed=tuple(listed),
    ))  # fmt: skip


def claim(notice: Notice, *, by: Actor = SYSTEM) -> Decision[Notice]:
    """Recorded before the dialogue begins; of several senders, one gets its record in."""
    NOTICES.after(notice.status, "send", by)
    return notice.then(NoticeSending(notice_id=notice.id, attempt=notice.attempt + 1))


def accept(
    notice: Notice, *, attempt: int, reply: str, at: datetime, signed_by: str = "", relay: str = "",
    by: Actor = SYSTEM,
) -> Decision[Notice]:  # fmt: skip
    """Máy chủ thư đã nhận. Said once: a second acceptance adds nothing, the doubt that led to it is on
    record; nor does one that is told after the mail came back, or after a person was told another way."""
    if notice.status in (NoticeStatus.SENT, NoticeStatus.BOUNCED, NoticeStatus.REACHED):
        return notice.then()
    NOTICES.after(notice.status, "accept", by)
    return notice.then(NoticeSent(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, recipient=notice.recipient,
        round=notice.round, attempt=attempt, message_id=notice.message_id, accepted_at=at, reply=reply,
        signed_by=signed_by, relay=relay,
    ))  # fmt: skip


def fail(
    notice: Notice, *, attempt: int, outcome: Delivery, reason: str, at: datetime, policy: Policy,
    calendar: WorkingCalendar = CALENDAR, by: Actor = SYSTEM,
) -> Decision[Notice]:  # fmt: skip
    """An attempt that did not succeed. Put off: tried again, a courtesy only so often, our own people in
    working hours. Refused: not again. In doubt: what the law demands, and what tells our own people of a
    breach, is sent again with the same Message-ID; anything else is not."""
    if notice.status is not NoticeStatus.SENDING or notice.attempt != attempt:
        return notice.then()  # somebody has taken this attempt as lost, and its outcome with it
    patient = notice.internal or attempt < policy.courtesy_attempts
    repeated = notice.kind in REPEATED and not notice.recipient.startswith(SIGNALS)
    again = outcome is not Delivery.DEFINITE and (
        notice.statutory or repeated or (outcome is Delivery.TEMPORARY and patient)
    )
    lost = outcome is Delivery.UNCERTAIN
    NOTICES.after(notice.status, "retry" if again else "lose" if lost else "fail", by)
    retry_at = at + policy.retry_after(attempt) if again else None
    if retry_at and notice.internal and notice.kind != "digest" and notice.duty not in AT_ONCE:
        retry_at = in_hours(retry_at, calendar, policy.hours)
    return notice.then(NoticeFailed(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, attempt=attempt, outcome=outcome,
        reason=reason, retry_at=retry_at,
    ))  # fmt: skip


def withhold(notice: Notice, *, reason: str, moot: bool = False, by: Actor = SYSTEM) -> Decision[Notice]:
    """Không gửi thư này qua kênh này. Of a notice that the law demands, a person is then told another way,
    unless it is ``moot``: nobody is left to be told."""
    if notice.status is NoticeStatus.WITHHELD and (notice.moot or not moot):
        return notice.then()
    NOTICES.after(notice.status, "withhold", by)
    return notice.then(NoticeWithheld(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, recipient=notice.recipient,
        round=notice.round, reason=reason, moot=moot,
    ))  # fmt: skip


def is_lost(notice: Notice, claimed_at: datetime, *, at: datetime, timeout: timedelta) -> bool:
    """A claim whose sender has said nothing for too long: it may be dead, the mail may be out."""
    return notice.status is NoticeStatus.SENDING and at >= claimed_at + timeout
