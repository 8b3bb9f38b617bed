"""Luật của hỏi đáp: Điều 11 khoản 1 điểm a của Quy chế ban hành kèm theo Quyết định 1582/QĐ-BHXH năm 2021.
Statuses, roles, time limits with the sentence each comes from, what the text leaves open, the WORKFLOW."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from shared.calendar import WorkingCalendar
from shared.contracts import clocks
from shared.workflow import Step, Workflow

TRIAGE_BASIS: Final = "dieu-11#hoi-dap-1"
UNIT_BASIS: Final = "dieu-11#hoi-dap-2"
SENDING_BASIS: Final = "dieu-11#hoi-dap-3"
# How each clause is cited to a reader.
CITED: Final = {
    TRIAGE_BASIS: "Điều 11 khoản 1 điểm a, Hỏi đáp, gạch thứ nhất",
    UNIT_BASIS: "Điều 11 khoản 1 điểm a, Hỏi đáp, gạch thứ hai",
    SENDING_BASIS: "Điều 11 khoản 1 điểm a, Hỏi đáp, gạch thứ ba",
}

SAME_DAY_SENTENCE: Final = (
    "Trường hợp câu hỏi không liên quan đến phạm vi, chức năng nhiệm vụ của Bảo hiểm xã hội Việt Nam; "
    "câu hỏi không rõ nghĩa thì phải thông báo ngay trong ngày cho tổ chức, cá nhân đặt câu hỏi biết để "
    "chuyển đến cơ quan có trách nhiệm hoặc gửi lại nội dung đầy đủ."
)

# «…tiếp nhận câu hỏi, phân loại câu hỏi để trả lời hoặc chuyển đến các đơn vị liên quan để trả lời trong vòng
# 02 đến 05 ngày làm việc.»
TRIAGE_TARGET_DAYS: Final = 2
TRIAGE_LIMIT_DAYS: Final = 5

# «Trong vòng 07 ngày làm việc kể từ khi tiếp nhận câu hỏi, các đơn vị có trách nhiệm trả lời hoặc thông báo
# quá trình xử lý, trong đó nói rõ thời hạn trả lời đối với tổ chức, cá nhân đặt câu hỏi.»
UNIT_REPLY_DAYS: Final = 7
UNIT_REPLY_WARNING_DAYS: Final = 5  # two working days are left to write

# «Sau khi tiếp nhận câu trả lời, không quá 02 ngày làm việc, Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng có
# trách nhiệm gửi câu trả lời tới các tổ chức, cá nhân đồng thời biên tập, đăng công khai trên Cổng…»
SEND_ANSWER_DAYS: Final = 2
PUBLISH_ANSWER_DAYS: Final = 2
CENTRE_WARNING_DAYS: Final = 1

# Not of the regulation: the same letter from the same person within this time is the same question.
SAME_LETTER_HOURS: Final = 24


class Status(StrEnum):
    """Trạng thái của một câu hỏi."""

    RECEIVED = "received"  # đã tiếp nhận, chờ phân loại
    FORWARDED = "forwarded"  # đã chuyển đơn vị trả lời
    REFUSED = "refused"  # ngoài phạm vi, hoặc không rõ nghĩa
    ANSWERED = "answered"  # đã có câu trả lời; trung tâm gửi và đăng
    CLOSED = "closed"  # đã gửi người hỏi, và đã đăng hoặc quyết định không đăng

    @property
    def vi(self) -> str:
        return STATUS_VI[self]


STATUS_VI: Final = {
    Status.RECEIVED: "Chờ phân loại",
    Status.FORWARDED: "Đơn vị đang trả lời",
    Status.REFUSED: "Không thuộc diện trả lời",
    Status.ANSWERED: "Đã có câu trả lời",
    Status.CLOSED: "Đã xong",
}


class Role(StrEnum):
    """Vai trò trong hỏi đáp, do danh bạ của dịch vụ gán."""

    TRIAGE = "triage"  # người tiếp nhận, phân loại của Trung tâm chăm sóc khách hàng
    ANSWERER = "answerer"  # người trả lời của đơn vị
    UNIT_HEAD = "unit_head"  # phụ trách đơn vị
    PUBLISHER = "publisher"  # người gửi, biên tập và đăng câu trả lời
    AUDITOR = "auditor"  # kiểm toán, chỉ xem
    SYSTEM = "system"  # việc do hệ thống tự ghi nhận


class Duty(StrEnum):
    """Nghĩa vụ có thời hạn."""

    TRIAGE = "triage"
    SAME_DAY_NOTICE = "same_day_notice"
    UNIT_REPLY = "unit_reply"
    PROMISED_REPLY = "promised_reply"
    SEND_ANSWER = "send_answer"
    PUBLISH_ANSWER = "publish_answer"

    @property
    def vi(self) -> str:
        return DUTY_VI[self]

    @property
    def short_vi(self) -> str:
        return DUTY_SHORT_VI[self]


DUTY_SHORT_VI: Final = {
    Duty.TRIAGE: "Hạn phân loại",
    Duty.SAME_DAY_NOTICE: "Hạn báo người hỏi",
    Duty.UNIT_REPLY: "Hạn trả lời",
    Duty.PROMISED_REPLY: "Hạn đã hẹn",
    Duty.SEND_ANSWER: "Hạn gửi",
    Duty.PUBLISH_ANSWER: "Hạn đăng",
}
DUTY_VI: Final = {
    Duty.TRIAGE: "Phân loại câu hỏi",
    Duty.SAME_DAY_NOTICE: "Báo người hỏi ngay trong ngày",
    Duty.UNIT_REPLY: "Đơn vị trả lời hoặc thông báo quá trình xử lý",
    Duty.PROMISED_REPLY: "Trả lời vào ngày đã hẹn",
    Duty.SEND_ANSWER: "Gửi câu trả lời tới người hỏi",
    Duty.PUBLISH_ANSWER: "Đăng công khai câu trả lời",
}
ACT_VI: Final = {
    "forward": "chuyển đơn vị trả lời",
    "refuse": "báo câu hỏi không thuộc diện trả lời",
    "progress": "thông báo quá trình xử lý",
    "answer": "trả lời câu hỏi",
    "release": "gửi câu trả lời tới người hỏi",
    "publish": "đăng công khai câu trả lời",
    "withhold": "quyết định không đăng câu trả lời",
    "close": "kết thúc câu hỏi",
}

WORKFLOW: Final = Workflow(
    #    đang ở            việc             ai              thành             căn cứ
    Step(Status.RECEIVED, "forward", Role.TRIAGE, Status.FORWARDED, TRIAGE_BASIS),
    Step(Status.RECEIVED, "refuse", Role.TRIAGE, Status.REFUSED, TRIAGE_BASIS),
    Step(Status.RECEIVED, "answer", Role.TRIAGE, Status.ANSWERED, TRIAGE_BASIS),
    Step(Status.FORWARDED, "progress", Role.ANSWERER, Status.FORWARDED, UNIT_BASIS),
    Step(Status.FORWARDED, "answer", Role.ANSWERER, Status.ANSWERED, UNIT_BASIS),
    Step(Status.ANSWERED, "release", Role.PUBLISHER, Status.ANSWERED, SENDING_BASIS),
    Step(Status.ANSWERED, "publish", Role.PUBLISHER, Status.ANSWERED, SENDING_BASIS),
    Step(Status.ANSWERED, "withhold", Role.PUBLISHER, Status.ANSWERED, SENDING_BASIS),
    Step(Status.ANSWERED, "close", Role.SYSTEM, Status.CLOSED, SENDING_BASIS),
    what_vi="câu hỏi",
    acts_vi=ACT_VI,
    states_vi=STATUS_VI,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the text leaves open, each with its clause and default."""

    # Điều 11.1.a, hỏi đáp, gạch 1: «ngay trong ngày» of the receipt, or of the finding.
    same_day_from: Literal["receipt", "finding"] = "receipt"
    # Điều 11.1.a, hỏi đáp, gạch 2: «kể từ khi tiếp nhận câu hỏi» by the unit, or by the centre.
    unit_reply_from: Literal["delivery", "receipt"] = "delivery"
    # Điều 11.1.a, hỏi đáp, gạch 1: «02 đến 05 ngày làm việc»: warn after the first, breach after the second.
    triage_target_days: int = TRIAGE_TARGET_DAYS
    triage_limit_days: int = TRIAGE_LIMIT_DAYS
    # Điều 11.1.a, hỏi đáp, gạch 2 sets no number of progress notices; beyond this one they are escalated.
    max_progress_notices: int = 2
    # Điều 11.1.a, hỏi đáp: Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng, by its id in the directory.
    centre_unit: str = "tt-cskh"


def counted_receipt(received_at: datetime, calendar: WorkingCalendar, policy: Policy) -> datetime:
    """The instant from which a receipt counts. By policy `receipt`, a question received on a day off counts
    as received on the next working day; by policy `finding`, on the day that it came."""
    return received_at if policy.same_day_from == "finding" else clocks.counted_receipt(received_at, calendar)
