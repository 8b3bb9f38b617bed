"""What the notifier tells the others: the register of deadlines (thời hạn) and of notices (thư báo)."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import Clock, Event

DEADLINE: Final = "notifier.deadline"
NOTICE: Final = "notifier.notice"


class DeadlineOpened(Event, topic=DEADLINE, name="notifier.deadline.opened"):
    """Thời hạn bắt đầu tính."""

    deadline_id: UUID
    subject: str  # stream of what the duty is about
    source: str  # the service whose clause it is
    clock: Clock
    label: str = ""  # how people call the subject: số tiếp nhận, mã cổng; never a citizen's words


class DeadlineMet(Event, topic=DEADLINE, name="notifier.deadline.met"):
    """Đã thực hiện đúng hạn, hoặc muộn (``late``), judged by when it happened."""

    deadline_id: UUID
    subject: str
    duty: str
    met_at: AwareDatetime
    late: bool
    cause: str  # id of the event that discharged it


class DeadlineWarned(Event, topic=DEADLINE, name="notifier.deadline.warned"):
    """Sắp đến hạn."""

    deadline_id: UUID
    subject: str
    duty: str
    due_at: AwareDatetime


class DeadlineBreached(Event, topic=DEADLINE, name="notifier.deadline.breached"):
    """Đã quá hạn mà chưa thực hiện."""

    deadline_id: UUID
    subject: str
    duty: str
    due_at: AwareDatetime


class DeadlineVoided(Event, topic=DEADLINE, name="notifier.deadline.voided"):
    """Nghĩa vụ không còn."""

    deadline_id: UUID
    subject: str
    duty: str
    voided_at: AwareDatetime
    cause: str


class DeadlineDischargedEarly(Event, topic=DEADLINE, name="notifier.deadline.discharged_early"):
    """The discharge arrived before the opening did; kept until the opening comes."""

    deadline_id: UUID
    subject: str
    happened_at: AwareDatetime
    cause: str
    void: bool = False


class Delivery(StrEnum):
    """How an attempt to send ended."""

    TEMPORARY = "temporary"  # refused for now, or before the body began: tried again
    DEFINITE = "definite"  # refused for good
    UNCERTAIN = "uncertain"  # the body had begun and no answer came


class NoticeRequested(Event, topic=NOTICE, name="notifier.notice.requested"):
    """Phải báo cho một người nhận, vì một lý do, một lần (một vòng)."""

    notice_id: UUID
    kind: str
    subject: str
    source: str
    recipient: str  # "asker" or "unit:<id>"; the address is fetched at the moment of sending
    round: int = 1
    statutory: bool
    message_id: str
    about: str = ""  # ref of the words beside the owner's journal


class NoticeSending(Event, topic=NOTICE, name="notifier.notice.sending"):
    """Recorded before the dialogue with the mail server begins."""

    notice_id: UUID
    attempt: int


class NoticeSent(Event, topic=NOTICE, name="notifier.notice.sent"):
    """Máy chủ thư đã nhận."""

    notice_id: UUID
    kind: str
    subject: str
    recipient: str
    attempt: int
    message_id: str
    accepted_at: AwareDatetime
    reply: str


class NoticeFailed(Event, topic=NOTICE, name="notifier.notice.failed"):
    """Một lần gửi không thành; ``retry_at`` is empty when it will not be tried again."""

    notice_id: UUID
    kind: str
    subject: str
    attempt: int
    outcome: Delivery
    reason: str
    retry_at: AwareDatetime | None = None
