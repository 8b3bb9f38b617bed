"""THE LAW as the register keeps it: who may do what to a deadline and a notice, and how a notice is tried
again. Each duty's own limit is computed by the service whose clause it is.

Điều 11.1.a, hỏi đáp, gạch 1: «phải thông báo ngay trong ngày cho tổ chức, cá nhân đặt câu hỏi biết».
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from typing import Final

from services.notifier.regulation_stages import Hours
from shared.workflow import Step, Workflow


class Role(StrEnum):
    """Who works with the register; the system is the one that keeps it."""

    SYSTEM = "system"
    OPERATOR = "operator"  # trực vận hành
    CALENDAR_KEEPER = "calendar_keeper"  # người giữ lịch
    UNIT_HEAD = "unit_head"  # phụ trách đơn vị: has the address of what the unit owes


READERS: Final = frozenset({Role.OPERATOR, Role.CALENDAR_KEEPER})


class DeadlineStatus(StrEnum):
    """Whether it is overdue is no status: it follows from the clock and from these."""

    AWAITED = "awaited"  # its end was told before its beginning
    OPEN = "open"
    MET = "met"  # done, in time or late
    VOID = "void"  # no longer owed


class NoticeStatus(StrEnum):
    REQUESTED = "requested"
    SENDING = "sending"
    RETRYING = "retrying"
    SENT = "sent"
    FAILED = "failed"  # refused for good
    UNCERTAIN = "uncertain"  # a courtesy whose fate nobody knows; it is not sent again
    BOUNCED = "bounced"  # accepted, and returned afterwards
    REACHED = "reached"  # told another way, as a person has recorded
    WITHHELD = "withheld"  # not sent this way: its address is suppressed, or it is no longer so


class FeedStatus(StrEnum):
    GIVEN = "given"


class CalendarStatus(StrEnum):
    """Whether it is the one in force is no status: it follows from which version was applied last."""

    NONE = "none"  # there is no such version yet
    DRAFTED = "drafted"
    APPLIED = "applied"
    DISCARDED = "discarded"


_D, _N, _SAME_DAY = DeadlineStatus, NoticeStatus, "dieu-11#hoi-dap-1"
_TERM, _LAST_MOMENT = "bo-luat-dan-su#dieu-147", "bo-luat-dan-su#dieu-148"

DEADLINES: Final = Workflow(
    #    đang ở      việc         ai           thành       căn cứ
    Step(_D.AWAITED, "open", Role.SYSTEM, _D.OPEN, _TERM),
    Step(_D.AWAITED, "discharge", Role.SYSTEM, _D.AWAITED, _LAST_MOMENT),
    Step(_D.AWAITED, "void", Role.SYSTEM, _D.AWAITED, _LAST_MOMENT),
    Step(_D.OPEN, "warn", Role.SYSTEM, _D.OPEN, _LAST_MOMENT),
    Step(_D.OPEN, "drop", Role.SYSTEM, _D.OPEN, _LAST_MOMENT),
    Step(_D.OPEN, "breach", Role.SYSTEM, _D.OPEN, _LAST_MOMENT),
    Step(_D.OPEN, "escalate", Role.SYSTEM, _D.OPEN, _LAST_MOMENT),
    Step(_D.OPEN, "move", Role.SYSTEM, _D.OPEN, _LAST_MOMENT),
    Step(_D.OPEN, "rescind", Role.SYSTEM, _D.OPEN, _LAST_MOMENT),
    Step(_D.OPEN, "discharge", Role.SYSTEM, _D.MET, _LAST_MOMENT),
    Step(_D.OPEN, "void", Role.SYSTEM, _D.VOID, _LAST_MOMENT),
    # A defective answer that is sent back has discharged nothing: the same term runs on.
    Step(_D.MET, "reopen", Role.SYSTEM, _D.OPEN, _LAST_MOMENT),
    Step(_D.VOID, "reopen", Role.SYSTEM, _D.OPEN, _LAST_MOMENT),
    # What happened earlier may be told later; the register then follows what happened.
    Step(_D.MET, "discharge", Role.SYSTEM, _D.MET, _LAST_MOMENT),
    Step(_D.MET, "void", Role.SYSTEM, _D.VOID, _LAST_MOMENT),
    Step(_D.VOID, "discharge", Role.SYSTEM, _D.MET, _LAST_MOMENT),
    Step(_D.VOID, "void", Role.SYSTEM, _D.VOID, _LAST_MOMENT),
)

# A unit's calendar of due dates has an address that only those who were given it know.
FEEDS: Final = Workflow(
    Step(FeedStatus.GIVEN, "revoke", Role.OPERATOR, FeedStatus.GIVEN, _LAST_MOMENT),
    Step(FeedStatus.GIVEN, "revoke", Role.UNIT_HEAD, FeedStatus.GIVEN, _LAST_MOMENT),
    what_vi="địa chỉ lịch hạn",
    acts_vi={"revoke": "thu hồi địa chỉ lịch hạn"},
)

NOTICES: Final = Workflow(
    #    đang ở        việc       ai           thành         căn cứ
    Step(_N.REQUESTED, "send", Role.SYSTEM, _N.SENDING, _SAME_DAY),
    Step(_N.RETRYING, "send", Role.SYSTEM, _N.SENDING, _SAME_DAY),
    Step(_N.SENDING, "fail", Role.SYSTEM, _N.FAILED, _SAME_DAY),
    Step(_N.SENDING, "retry", Role.SYSTEM, _N.RETRYING, _SAME_DAY),
    Step(_N.SENDING, "lose", Role.SYSTEM, _N.UNCERTAIN, _SAME_DAY),
    *(Step(status, "withhold", Role.SYSTEM, _N.WITHHELD, _SAME_DAY)
      for status in (_N.REQUESTED, _N.SENDING, _N.RETRYING)),
    # Nobody is left to be told: what had not reached them is no task for a person any more.
    *(Step(status, "withhold", Role.SYSTEM, _N.WITHHELD, _SAME_DAY)
      for status in (_N.FAILED, _N.UNCERTAIN, _N.BOUNCED, _N.WITHHELD)),
    # The server's word is a fact even when it comes after we stopped waiting for it.
    *(Step(status, "accept", Role.SYSTEM, _N.SENT, _SAME_DAY)
      for status in (_N.SENDING, _N.RETRYING, _N.FAILED, _N.UNCERTAIN)),
    # Accepted is not delivered: what comes back has reached nobody, whoever took it in.
    *(Step(status, "bounce", Role.SYSTEM, _N.BOUNCED, _SAME_DAY)
      for status in (_N.SENT, _N.RETRYING, _N.FAILED, _N.UNCERTAIN)),
    # "Phải thông báo": whom a mail does not reach is written to again, or told another way.
    *(Step(status, "ask_again", Role.OPERATOR, _N.RETRYING, _SAME_DAY)
      for status in (_N.FAILED, _N.UNCERTAIN, _N.BOUNCED, _N.WITHHELD)),
    *(Step(status, "reach", Role.OPERATOR, _N.REACHED, _SAME_DAY)
      for status in (_N.RETRYING, _N.FAILED, _N.UNCERTAIN, _N.BOUNCED, _N.WITHHELD)),
    what_vi="thư báo",
    acts_vi={"ask_again": "yêu cầu gửi lại thư", "reach": "ghi nhận đã báo bằng cách khác"},
    states_vi={
        _N.REQUESTED: "chờ gửi", _N.SENDING: "đang gửi", _N.RETRYING: "chờ gửi lại", _N.SENT: "đã gửi",
        _N.FAILED: "không gửi được", _N.UNCERTAIN: "không rõ", _N.BOUNCED: "bị trả lại",
        _N.REACHED: "đã báo bằng cách khác", _N.WITHHELD: "không gửi",
    },
)  # fmt: skip

_C, _WORKING_DAY = CalendarStatus, "bo-luat-dan-su#ngay-lam-viec"

CALENDARS: Final = Workflow(
    #    đang ở     việc          ai                thành         căn cứ
    Step(_C.NONE, "draft", Role.CALENDAR_KEEPER, _C.DRAFTED, _WORKING_DAY),
    Step(_C.DRAFTED, "revise", Role.CALENDAR_KEEPER, _C.DRAFTED, _WORKING_DAY),
    Step(_C.DRAFTED, "discard", Role.CALENDAR_KEEPER, _C.DISCARDED, _WORKING_DAY),
    Step(_C.DRAFTED, "apply", Role.CALENDAR_KEEPER, _C.APPLIED, _WORKING_DAY),
    Step(_C.APPLIED, "finish_moves", Role.SYSTEM, _C.APPLIED, _LAST_MOMENT),
    what_vi="bản lịch",
    acts_vi={
        "draft": "soạn bản thảo lịch", "revise": "sửa bản thảo lịch", "discard": "bỏ bản thảo lịch",
        "apply": "áp dụng lịch", "finish_moves": "kết thúc việc tính lại các hạn",
    },
    states_vi={
        _C.NONE: "chưa có", _C.DRAFTED: "bản thảo", _C.APPLIED: "đã áp dụng", _C.DISCARDED: "đã bỏ",
    },
)  # fmt: skip


class SuppressionStatus(StrEnum):
    SUPPRESSED = "suppressed"
    RELEASED = "released"


_S = SuppressionStatus
SUPPRESSIONS: Final = Workflow(
    #    đang ở        việc        ai             thành          căn cứ
    Step(_S.RELEASED, "suppress", Role.OPERATOR, _S.SUPPRESSED, _SAME_DAY),
    Step(_S.RELEASED, "suppress", Role.SYSTEM, _S.SUPPRESSED, _SAME_DAY),  # it has come back for good
    Step(_S.SUPPRESSED, "suppress", Role.OPERATOR, _S.SUPPRESSED, _SAME_DAY),
    Step(_S.SUPPRESSED, "suppress", Role.SYSTEM, _S.SUPPRESSED, _SAME_DAY),
    Step(_S.SUPPRESSED, "release", Role.OPERATOR, _S.RELEASED, _SAME_DAY),
    what_vi="địa chỉ",
    acts_vi={"suppress": "ngừng gửi tới địa chỉ này", "release": "cho gửi lại"},
    states_vi={_S.SUPPRESSED: "đang ngừng gửi", _S.RELEASED: "gửi được"},
)


class Lane(StrEnum):
    """Notices that must leave today never wait behind others."""

    URGENT = "urgent"
    STATUTORY = "statutory"
    COURTESY = "courtesy"
    INTERNAL = "internal"  # to our own people: no rule demands it, it is tried until it is no longer so
    SIGNAL = "signal"  # the same by chat or SMS


# What somebody is written to about: whether the text demands it, and how fast.
LANES: Final[Mapping[str, Lane]] = {
    "refusal": Lane.URGENT,  # "thông báo ngay trong ngày", dieu-11#hoi-dap-1
    "answer": Lane.STATUTORY,  # "gửi câu trả lời tới các tổ chức, cá nhân", dieu-11#hoi-dap-3
    "correction": Lane.STATUTORY,  # an answer too
    "progress": Lane.STATUTORY,  # "thông báo quá trình xử lý", dieu-11#hoi-dap-2
    "acknowledgement": Lane.COURTESY,
    "merged": Lane.COURTESY,  # the answer comes with the other question
    "warning": Lane.INTERNAL,
    "breach": Lane.INTERNAL,
    "escalation": Lane.INTERNAL,
    "postponement": Lane.INTERNAL,
    "rescission": Lane.INTERNAL,
    "digest": Lane.INTERNAL,
    "alarm": Lane.SIGNAL,
}
# None of these may be lost: in doubt their mail goes out again with the same Message-ID.
REPEATED: Final = frozenset({"breach", "escalation", "postponement", "rescission"})
SIGNALS: Final = ("chat:", "sms:")  # how a recipient begins that is told otherwise than by mail

# «phải thông báo ngay trong ngày»: what is late here is told at any hour, and never waits for a morning mail.
AT_ONCE: Final = frozenset({"same_day_notice"})
EVERY_UNIT: Final = "*"


@dataclass(frozen=True, slots=True)
class Policy:
    """What the text leaves open about notices. «Ngay trong ngày» (Điều 11.1.a, hỏi đáp, gạch 1) asks for
    haste: the first repetition comes after seconds, the later ones ever more slowly; what the law demands is
    repeated for ever."""

    first_retry: timedelta = timedelta(seconds=2)
    longest_retry: timedelta = timedelta(minutes=15)
    claim_timeout: timedelta = timedelta(seconds=25)  # a sender silent for so long is taken as lost
    courtesy_attempts: int = 10
    message_domain: str = "bhxh.example.vn"  # right of the @ in each Message-ID
    hours: Hours = field(default_factory=Hours)
    digest_at: time = time(7, 30)  # of a working day, Vietnamese time
    digest_ahead: int = 2  # working days that a morning mail looks ahead
    one_by_one: frozenset[str] = frozenset()  # units that get each breach by itself; EVERY_UNIT: all
    question_centre: str = "tt-cskh"  # Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng
    content_centre: str = "tt-truyen-thong"  # Trung tâm Truyền thông
    leadership_unit: str = "van-phong"  # whose head's address is the leadership's
    chat: bool = False  # an operations chat is set up
    sms: bool = False  # an SMS gateway is set up
    suppression_key: bytes = field(default=b"", repr=False)  # of the hash that stands for an address

    def retry_after(self, attempt: int) -> timedelta:
        """2 s, 4 s, 8 s … up to the longest."""
        doubled: int = 2 ** min(attempt - 1, 30)
        return min(self.first_retry * doubled, self.longest_retry)

    def centre_of(self, duty: str) -> str:
        """The unit that answers for the duty as a whole."""
        return self.content_centre if duty in OF_CONTENT else self.question_centre

    def told_units(self, duty: str, unit: str) -> frozenset[str]:
        """Whose people are told of such a deadline, in the end, and may look at it."""
        return frozenset({unit, self.centre_of(duty), self.leadership_unit})

    def page_of(self, duty: str, unit: str) -> str:
        """The duty on whose page ``unit`` works on it: what was given back to the centre it sorts anew."""
        return "triage" if duty in UNIT_DUTIES and unit == self.question_centre else duty

    def by_itself(self, duty: str, unit: str) -> bool:
        """Whether a breach gets a mail of its own; otherwise the unit reads of it in its morning mail."""
        return duty in AT_ONCE or bool(self.one_by_one & {unit, EVERY_UNIT})


ON_TIME_TARGET: Final = 95.0  # per cent, over 30 days; a goal of the board, not of the text

DUTIES: Final[Mapping[str, str]] = {
    "same_day_notice": "Báo người hỏi ngay trong ngày",
    "triage": "Phân loại câu hỏi",
    "unit_reply": "Đơn vị trả lời hoặc thông báo quá trình xử lý",
    "complex_reply": "Trả lời câu hỏi phức tạp",
    "consultation": "Góp ý cho đơn vị chủ trì",
    "promised_reply": "Trả lời vào ngày đã hẹn",
    "send_answer": "Gửi câu trả lời tới người hỏi",
    "publish_answer": "Đăng công khai câu trả lời",
    "supply": "Cung cấp tin, bài",
    "linking": "Đồng bộ cổng liên kết",
}

# Duties that end when the asker has been told: «thông báo ngay trong ngày», «gửi câu trả lời».
TELLING: Final = frozenset({"same_day_notice", "send_answer"})

# Duties of whoever writes the answer, or is asked for an opinion on it.
UNIT_DUTIES: Final = ("unit_reply", "complex_reply", "consultation", "promised_reply")

OF_CONTENT: Final = frozenset({"supply", "linking"})

# How somebody is told whom no mail reaches.
WAYS_VI: Final[Mapping[str, str]] = {
    "phone": "Điện thoại", "post": "Bưu điện", "in_person": "Trực tiếp", "other": "Cách khác",
}  # fmt: skip

NOTICE_KINDS: Final[Mapping[str, str]] = {
    "acknowledgement": "Xác nhận đã nhận câu hỏi",
    "refusal": "Thông báo ngoài phạm vi hoặc chưa rõ",
    "progress": "Thông báo quá trình xử lý",
    "answer": "Câu trả lời",
    "correction": "Đính chính câu trả lời",
    "merged": "Báo câu hỏi được gộp",
    "warning": "Nhắc trước khi quá hạn",
    "breach": "Báo quá hạn",
    "escalation": "Báo cấp trên",
    "postponement": "Báo hẹn lại nhiều lần",
    "rescission": "Rút lại báo quá hạn",
    "digest": "Thư đầu ngày",
    "alarm": "Báo động",
}
BY_MAIL: Final = tuple(kind for kind in NOTICE_KINDS if kind != "alarm")
# Which duty a letter to an asker is about.
DUTY_TOLD: Final[Mapping[str, str]] = {
    "acknowledgement": "triage", "refusal": "same_day_notice", "progress": "unit_reply",
    "answer": "send_answer", "correction": "send_answer", "merged": "triage",
}  # fmt: skip
# Letters to an asker that no rule demands: of no use once the question is withdrawn or erased.
COURTESIES: Final = tuple(kind for kind in DUTY_TOLD if LANES[kind] is Lane.COURTESY)
