"""A notice (thư báo): requested once, and sent until a server has accepted it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID, uuid5

from services.notifier.domain.deadlines import NAMESPACE
from services.notifier.regulation import (
    LANES,
    NOTICES,
    Lane,
    NoticeStatus,
    Policy,
)
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


def notice_id(kind: str, subject: str, recipient: str, round: int) -> UUID:
    """One notice a kind, subject, recipient and round: asking twice is asking once."""
    return uuid5(NAMESPACE, f"notice#{kind}#{subject}#{recipient}#{round}")


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

    def apply(self, event: Event) -> "Notice":  # noqa: PLR0911 (an arm for each event)
        match event:
            case NoticeSending():
                return replace(self, status=NoticeStatus.SENDING, attempt=event.attempt)
            case NoticeSent():
                return replace(self, status=NoticeStatus.SENT)
            case NoticeWithheld():
                return replace(self, status=NoticeStatus.WITHHELD)
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


def withhold(notice: Notice, *, reason: str, by: Actor = SYSTEM) -> Decision[Notice]:
    """Không gửi thư này qua kênh này. Of a notice that the law demands, a person is then told another way."""
    if notice.status is NoticeStatus.WITHHELD:
        return notice.then()
    NOTICES.after(notice.status, "withhold", by)
    return notice.then(NoticeWithheld(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, recipient=notice.recipient,
        reason=reason,
    ))  # fmt: skip


def is_lost(notice: Notice, claimed_at: datetime, *, at: datetime, timeout: timedelta) -> bool:
    """A claim whose sender has said nothing for too long: it may be dead, the mail may be out."""
    return notice.status is NoticeStatus.SENDING and at >= claimed_at + timeout
