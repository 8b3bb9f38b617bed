"""What the notifier tells the others: the register of deadlines (thời hạn) and of notices (thư báo)."""

from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import Clock, Event, Value

DEADLINE: Final = "notifier.deadline"
NOTICE: Final = "notifier.notice"
CALENDAR: Final = "notifier.calendar"


class OfDeadline(Event):
    deadline_id: UUID
    subject: str  # stream of what the duty is about
    duty: str


class OfNotice(Event):
    notice_id: UUID
    kind: str
    subject: str
    recipient: str
    round: int = 1  # of several notices of this kind to this recipient


class DeadlineOpened(Event, topic=DEADLINE, name="notifier.deadline.opened"):
    """Thời hạn bắt đầu tính."""

    deadline_id: UUID
    subject: str  # stream of what the duty is about
    source: str  # the service whose clause it is
    clock: Clock
    label: str = ""  # how people call the subject: số tiếp nhận, mã cổng; never a citizen's words


class DeadlineMet(OfDeadline, topic=DEADLINE, name="notifier.deadline.met"):
    """Đã thực hiện đúng hạn, hoặc muộn (``late``), judged by when it happened."""

    met_at: AwareDatetime
    late: bool
    cause: str  # id of the event that discharged it


class DeadlineWarned(OfDeadline, topic=DEADLINE, name="notifier.deadline.warned"):
    """Sắp đến hạn: a stage ahead of the due time. ``planned_at`` is when it ought to have fired."""

    due_at: AwareDatetime
    stage: str = "warned"
    planned_at: AwareDatetime | None = None
    unit: str = ""
    next_at: AwareDatetime | None = None  # when the stage after this one is planned


class DeadlineReminderDropped(OfDeadline, topic=DEADLINE, name="notifier.deadline.reminder_dropped"):
    """Lời nhắc đã lỡ, nhắc nữa không còn ích gì: kept as a record that it was not forgotten."""

    stage: str
    planned_at: AwareDatetime
    reason: str  # Vietnamese


class DeadlineBreached(OfDeadline, topic=DEADLINE, name="notifier.deadline.breached"):
    """Đã quá hạn mà chưa thực hiện. However late it fires, it bears the true due time."""

    due_at: AwareDatetime
    unit: str = ""
    next_at: AwareDatetime | None = None


class Level(StrEnum):
    """To whom what stays undone is carried."""

    UNIT_HEAD = "unit_head"  # thủ trưởng đơn vị
    CENTRE = "centre"  # Trung tâm Truyền thông, hoặc Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng
    LEADERSHIP = "leadership"  # lãnh đạo Ngành


class DeadlineEscalated(OfDeadline, topic=DEADLINE, name="notifier.deadline.escalated"):
    """Quá hạn kéo dài, báo lên cấp trên."""

    unit: str
    level: Level
    due_at: AwareDatetime
    planned_at: AwareDatetime
    next_at: AwareDatetime | None = None


class DeadlineMoved(OfDeadline, topic=DEADLINE, name="notifier.deadline.moved"):
    """Lịch làm việc thay đổi, hạn đang chạy được tính lại; both dates and the document are on record."""

    source: str  # the service whose clause it is, and which shows it too
    from_due_at: AwareDatetime
    from_calendar: str
    clock: Clock  # as counted now
    document: str  # văn bản đã quyết định lịch mới


class DeadlineRescinded(OfDeadline, topic=DEADLINE, name="notifier.deadline.rescinded"):
    """Rút lại: what was told as a breach is none, because the calendar says otherwise now."""

    unit: str
    breached_due_at: AwareDatetime
    due_at: AwareDatetime
    calendar_version: str
    document: str


class DeadlineVoided(OfDeadline, topic=DEADLINE, name="notifier.deadline.voided"):
    """Nghĩa vụ không còn."""

    voided_at: AwareDatetime
    cause: str


class DeadlineReopened(OfDeadline, topic=DEADLINE, name="notifier.deadline.reopened"):
    """Việc coi như chưa xong: what had ended it was none, so the term runs on as if it never had."""

    cause: str  # id of the event that says so
    round: int = 1  # how often it has been opened again
    withdrawn: bool = False  # a breach had been told of and taken back: it is told again if it stands


class DeadlineDischargedEarly(Event, topic=DEADLINE, name="notifier.deadline.discharged_early"):
    """The discharge arrived before the opening did; kept until the opening comes."""

    deadline_id: UUID
    subject: str
    happened_at: AwareDatetime
    cause: str
    void: bool = False


class DeadlineFeedRevoked(Event, topic=DEADLINE, name="notifier.deadline.feed_revoked", published=False):
    """Thu hồi địa chỉ lịch hạn của một đơn vị; ``generation`` is that of the address that counts now."""

    unit: str
    generation: int
    reason: str


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
    recipient: str  # asker, unit:<id>, head:<id>, centre:<id>, leadership, chat:<name>, sms:<recipient>
    round: int = 1
    statutory: bool
    message_id: str
    about: str = ""  # ref of the words beside the owner's journal; id of the event that is told of; a day
    template: str = "v1"  # the words are those of this version, however long the notice waits
    duty: str = ""
    unit: str = ""  # who owes the duty
    deadline_id: UUID | None = None
    not_before: AwareDatetime | None = None  # a courtesy to staff waits for working hours
    listed: tuple[UUID, ...] = ()  # the deadlines that a morning mail tells of


class NoticeSending(Event, topic=NOTICE, name="notifier.notice.sending"):
    """Recorded before the dialogue with the mail server begins."""

    notice_id: UUID
    attempt: int


class NoticeSent(OfNotice, topic=NOTICE, name="notifier.notice.sent"):
    """Máy chủ thư đã nhận."""

    attempt: int
    message_id: str
    accepted_at: AwareDatetime
    reply: str  # without any address
    signed_by: str = ""  # DKIM: domain and selector; empty: unsigned
    relay: str = ""  # host:port of the mail server that took it


class NoticeFailed(Event, topic=NOTICE, name="notifier.notice.failed"):
    """Một lần gửi không thành; ``retry_at`` is empty when it will not be tried again."""

    notice_id: UUID
    kind: str
    subject: str
    attempt: int
    outcome: Delivery
    reason: str
    retry_at: AwareDatetime | None = None


class NoticeRetryAsked(Event, topic=NOTICE, name="notifier.notice.retry_asked"):
    """Người trực yêu cầu gửi lại một thư đã bị từ chối hẳn hoặc không rõ kết quả."""

    notice_id: UUID
    reason: str


class NoticeWithheld(OfNotice, topic=NOTICE, name="notifier.notice.withheld"):
    """Không gửi thư này qua kênh này: the address is suppressed, or what it would say is no longer so."""

    reason: str  # Vietnamese
    moot: bool = False  # nobody is left to be told: a person need not tell them another way either


class NoticeBounced(OfNotice, topic=NOTICE, name="notifier.notice.bounced"):
    """Thư đã được nhận rồi bị trả lại: acceptance and delivery are two facts."""

    attempt: int = 0  # 0: told before attempts were
    permanent: bool
    status: str  # RFC 3463, e.g. 5.1.1
    reason: str  # the server's words without any address
    bounced_at: AwareDatetime


class NoticeReachedOtherwise(OfNotice, topic=NOTICE, name="notifier.notice.reached_otherwise"):
    """Đã báo bằng cách khác (điện thoại, bưu điện …), as a person records it."""

    way: str  # phone, post, in_person, other
    reached_at: AwareDatetime
    proof: str  # số công văn, mã bưu gửi …: never a name, an address or a number of the asker


class AddressSuppressed(Event, topic=NOTICE, name="notifier.notice.address_suppressed", published=False):
    """Ngừng gửi tới một địa chỉ. ``mark`` is its keyed hash; the address is nowhere."""

    mark: str
    reason: str  # Vietnamese, without any address


class AddressReleased(Event, topic=NOTICE, name="notifier.notice.address_released", published=False):
    """Gửi lại được tới địa chỉ ấy."""

    mark: str
    reason: str


class CalendarDay(Value):
    """Một ngày khác với «thứ Hai đến thứ Sáu»."""

    date: date
    kind: str  # holiday, swap_off, makeup
    vi: str
    en: str
    by: str  # key of the document that decided it


class CalendarYear(Value):
    year: int
    provisional: bool = False
    days: tuple[CalendarDay, ...] = ()


class CalendarDrafted(Event, topic=CALENDAR, name="notifier.calendar.drafted", published=False):
    """Bản thảo lịch: shown and previewed, in force for nobody."""

    calendar: str  # its version
    base: str
    documents: dict[str, str]
    years: tuple[CalendarYear, ...]


class CalendarDiscarded(Event, topic=CALENDAR, name="notifier.calendar.discarded", published=False):
    """Bỏ bản thảo lịch."""

    calendar: str  # its version
    reason: str


class CalendarApplied(Event, topic=CALENDAR, name="notifier.calendar.applied"):
    """Lịch làm việc mới có hiệu lực: every service counts by it from here on."""

    calendar: str  # its version
    base: str  # the version that it replaces
    document: str  # số, ngày của văn bản quyết định
    documents: dict[str, str]
    years: tuple[CalendarYear, ...]  # all of them, so that a version explains itself without its base


class CalendarMovesFinished(Event, topic=CALENDAR, name="notifier.calendar.moves_finished"):
    """Mọi hạn đang chạy đã được tính lại theo lịch mới."""

    calendar: str  # its version
    examined: int
    moved: int
    rescinded: int
