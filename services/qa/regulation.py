"""Luật của hỏi đáp: Điều 11 khoản 1 điểm a của Quy chế ban hành kèm theo Quyết định 1582/QĐ-BHXH năm 2021.
Statuses, roles, time limits with the sentence each comes from, what the text leaves open, the WORKFLOW."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from shared.calendar import WorkingCalendar
from shared.contracts import clocks
from shared.contracts.qa import Outcome
from shared.workflow import Step, Workflow

TRIAGE_BASIS: Final = "dieu-11#hoi-dap-1"
UNIT_BASIS: Final = "dieu-11#hoi-dap-2"
SENDING_BASIS: Final = "dieu-11#hoi-dap-3"
PRIVACY_BASIS: Final = "bao-ve-du-lieu#xoa"
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

# «Đối với những câu hỏi phức tạp, liên quan đến nhiều đơn vị, phải lấy ý kiến nhiều đơn vị, xử lý trong vòng
# 10 ngày làm việc kể từ khi nhận được câu hỏi.»
COMPLEX_REPLY_DAYS: Final = 10
COMPLEX_WARNING_DAYS: Final = 8

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
    RETURNED = "returned"  # đơn vị trả lại, chờ phân loại lại
    SET_ASIDE = "set_aside"  # nghi thư rác hoặc lạm dụng, chờ người thứ hai xem
    SPLIT = "split"  # đã tách; mỗi phần là một câu hỏi có hạn riêng
    REFUSED = "refused"  # ngoài phạm vi, hoặc không rõ nghĩa
    ANSWERED = "answered"  # đã có câu trả lời; trung tâm gửi và đăng
    CLOSED = "closed"  # không còn việc gì phải làm; kết quả nói vì sao

    @property
    def vi(self) -> str:
        return STATUS_VI[self]


STATUS_VI: Final = {
    Status.RECEIVED: "Chờ phân loại",
    Status.FORWARDED: "Đơn vị đang trả lời",
    Status.RETURNED: "Đơn vị trả lại",
    Status.SET_ASIDE: "Nghi thư rác, chờ xem lại",
    Status.SPLIT: "Đã tách thành nhiều phần",
    Status.REFUSED: "Không thuộc diện trả lời",
    Status.ANSWERED: "Đã có câu trả lời",
    Status.CLOSED: "Đã xong",
}


OUTCOME_VI: Final = {
    Outcome.ANSWERED: "Đã trả lời",
    Outcome.REFUSED: "Đã báo không thuộc diện trả lời",
    Outcome.MERGED: "Gộp vào câu hỏi trùng",
    Outcome.SET_ASIDE: "Thư rác, lạm dụng",
    Outcome.PARTS: "Mọi phần đã xong",
    Outcome.WITHDRAWN: "Người hỏi rút",
    Outcome.RESUBMITTED: "Đã gửi lại đầy đủ",
    Outcome.LAPSED: "Không ai gửi lại",
}


class Role(StrEnum):
    """Vai trò trong hỏi đáp, do danh bạ của dịch vụ gán."""

    TRIAGE = "triage"  # người tiếp nhận, phân loại của Trung tâm chăm sóc khách hàng
    ANSWERER = "answerer"  # người trả lời của đơn vị
    UNIT_HEAD = "unit_head"  # phụ trách đơn vị
    PUBLISHER = "publisher"  # người gửi, biên tập và đăng câu trả lời
    CENTRE_HEAD = "centre_head"  # phụ trách Trung tâm, người được mở lại câu hỏi đã xong
    AUDITOR = "auditor"  # kiểm toán, chỉ xem
    INTAKE = "intake"  # hệ thống, cán bộ của đơn vị gửi câu hỏi thay người hỏi
    PROTECTION = "data_protection_officer"  # phụ trách bảo vệ dữ liệu cá nhân
    ASKER = "asker"  # người hỏi, vào bằng mã tra cứu
    SYSTEM = "system"  # việc do hệ thống tự ghi nhận


class Duty(StrEnum):
    """Nghĩa vụ có thời hạn."""

    TRIAGE = "triage"
    SAME_DAY_NOTICE = "same_day_notice"
    UNIT_REPLY = "unit_reply"
    COMPLEX_REPLY = "complex_reply"
    CONSULTATION = "consultation"
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
    Duty.COMPLEX_REPLY: "Hạn trả lời (phức tạp)",
    Duty.CONSULTATION: "Hạn góp ý",
    Duty.PROMISED_REPLY: "Hạn đã hẹn",
    Duty.SEND_ANSWER: "Hạn gửi",
    Duty.PUBLISH_ANSWER: "Hạn đăng",
}
DUTY_VI: Final = {
    Duty.TRIAGE: "Phân loại câu hỏi",
    Duty.SAME_DAY_NOTICE: "Báo người hỏi ngay trong ngày",
    Duty.UNIT_REPLY: "Đơn vị trả lời hoặc thông báo quá trình xử lý",
    Duty.COMPLEX_REPLY: "Trả lời câu hỏi phức tạp",
    Duty.CONSULTATION: "Góp ý cho đơn vị chủ trì",
    Duty.PROMISED_REPLY: "Trả lời vào ngày đã hẹn",
    Duty.SEND_ANSWER: "Gửi câu trả lời tới người hỏi",
    Duty.PUBLISH_ANSWER: "Đăng công khai câu trả lời",
}
# Duties of whoever writes the answer: they end with it, and pass on when another is to write it.
WRITING: Final = (Duty.UNIT_REPLY, Duty.COMPLEX_REPLY, Duty.PROMISED_REPLY)
# An opinion is owed to whoever writes it, by the unit that was asked.
REPLYING: Final = (*WRITING, Duty.CONSULTATION)
ACT_VI: Final = {
    "forward": "chuyển đơn vị trả lời",
    "refuse": "báo câu hỏi không thuộc diện trả lời",
    "merge": "gộp vào câu hỏi trùng",
    "unmerge": "gỡ câu hỏi đã gộp",
    "set_aside": "gạt câu hỏi ra vì nghi thư rác",
    "confirm_set_aside": "xác nhận câu hỏi là thư rác",
    "restore": "đưa câu hỏi lại hàng chờ",
    "split": "tách câu hỏi thành nhiều phần",
    "give_back": "trả lại câu hỏi cho Trung tâm",
    "make_complex": "xác định câu hỏi là phức tạp",
    "advise": "góp ý cho đơn vị chủ trì",
    "progress": "thông báo quá trình xử lý",
    "answer": "trả lời câu hỏi",
    "send_back": "trả lại câu trả lời chưa đạt",
    "release": "gửi câu trả lời tới người hỏi",
    "publish": "đăng công khai câu trả lời",
    "withhold": "quyết định không đăng câu trả lời",
    "correct": "đính chính câu trả lời",
    "reopen": "mở lại câu hỏi",
    "add_information": "bổ sung thông tin",
    "withdraw": "rút câu hỏi",
    "follow_up": "hỏi tiếp",
    "resubmit": "gửi lại câu hỏi đầy đủ",
    "rate": "đánh giá câu trả lời",
    "assign": "giao câu hỏi cho cán bộ",
    "note": "ghi chú nội bộ",
    "disclose": "xem danh tính người hỏi",
    "erase": "xóa dữ liệu cá nhân của người hỏi",
    "close": "kết thúc câu hỏi",
}

_S, _R = Status, Role
_TRIAGED, _REPLIED, _SENT = TRIAGE_BASIS, UNIT_BASIS, SENDING_BASIS
WAITING: Final = (_S.RECEIVED, _S.FORWARDED, _S.RETURNED)  # nobody has answered yet
# A unit may hold the question, or has held it.
ONCE_A_UNITS: Final = (_S.FORWARDED, _S.RETURNED, _S.REFUSED, _S.ANSWERED, _S.CLOSED)
_CENTRE = (_R.TRIAGE, _R.PUBLISHER)
_UNIT = (_R.ANSWERER, _R.UNIT_HEAD)

WORKFLOW: Final = Workflow(
    #    đang ở       việc             ai            thành          căn cứ
    *(Step(at, "forward", _R.TRIAGE, _S.FORWARDED, _TRIAGED) for at in WAITING),
    *(Step(at, "refuse", _R.TRIAGE, _S.REFUSED, _TRIAGED) for at in WAITING),
    *(Step(at, "answer", _R.TRIAGE, _S.ANSWERED, _TRIAGED) for at in (_S.RECEIVED, _S.RETURNED)),
    *(Step(at, "merge", _R.TRIAGE, _S.CLOSED, _TRIAGED) for at in WAITING),
    Step(_S.RECEIVED, "split", _R.TRIAGE, _S.SPLIT, _TRIAGED),
    Step(_S.RECEIVED, "set_aside", _R.TRIAGE, _S.SET_ASIDE, _TRIAGED),
    *(Step(_S.SET_ASIDE, "confirm_set_aside", role, _S.CLOSED, _TRIAGED) for role in _CENTRE),
    *(Step(_S.SET_ASIDE, "restore", role, _S.RECEIVED, _TRIAGED) for role in _CENTRE),
    Step(_S.FORWARDED, "give_back", _R.ANSWERER, _S.RETURNED, _TRIAGED),
    *(Step(_S.FORWARDED, "make_complex", role, _S.FORWARDED, _REPLIED)
      for role in (_R.TRIAGE, _R.ANSWERER, _R.UNIT_HEAD)),
    *(Step(at, "advise", _R.ANSWERER, at, _REPLIED) for at in (_S.FORWARDED, _S.RETURNED)),
    Step(_S.FORWARDED, "progress", _R.ANSWERER, _S.FORWARDED, _REPLIED),
    Step(_S.FORWARDED, "answer", _R.ANSWERER, _S.ANSWERED, _REPLIED),
    # To the unit that wrote it, or to the centre's own desk.
    Step(_S.ANSWERED, "send_back", _R.PUBLISHER, _S.FORWARDED, _SENT),
    *(Step(_S.ANSWERED, "send_back", _R.PUBLISHER, back, _SENT) for back in (_S.RECEIVED, _S.RETURNED)),
    Step(_S.ANSWERED, "release", _R.PUBLISHER, _S.ANSWERED, _SENT),
    Step(_S.ANSWERED, "publish", _R.PUBLISHER, _S.ANSWERED, _SENT),
    Step(_S.ANSWERED, "withhold", _R.PUBLISHER, _S.ANSWERED, _SENT),
    *(Step(at, "correct", role, _S.ANSWERED, _SENT)
      for at in (_S.ANSWERED, _S.CLOSED) for role in (_R.ANSWERER, _R.TRIAGE)),
    *(Step(at, "reopen", _R.CENTRE_HEAD, _S.RECEIVED, _TRIAGED) for at in (_S.REFUSED, _S.CLOSED)),
    # The question that it was merged into had ended in the meantime.
    *(Step(_S.CLOSED, "unmerge", _R.SYSTEM, back, _TRIAGED) for back in WAITING),
    # Người hỏi
    *(Step(at, "add_information", _R.ASKER, at, _TRIAGED) for at in WAITING),
    *(Step(at, "withdraw", _R.ASKER, _S.CLOSED, _TRIAGED) for at in (*WAITING, _S.SET_ASIDE, _S.SPLIT)),
    Step(_S.REFUSED, "resubmit", _R.ASKER, _S.CLOSED, _TRIAGED),
    *(Step(at, act, _R.ASKER, at, _SENT)
      for at in (_S.ANSWERED, _S.CLOSED) for act in ("follow_up", "rate")),
    *(Step(at, "close", _R.SYSTEM, _S.CLOSED, basis)
      for at, basis in ((_S.ANSWERED, _SENT), (_S.REFUSED, _TRIAGED), (_S.SPLIT, _TRIAGED))),
    # Việc nội bộ; và xóa dữ liệu, ở mọi trạng thái
    *(Step(at, act, role, at, _TRIAGED)
      for at in _S for act in ("assign", "note", "disclose") for role in _CENTRE),
    *(Step(at, act, role, at, _REPLIED)
      for at in ONCE_A_UNITS for act in ("assign", "note", "disclose") for role in _UNIT),
    *(Step(at, "erase", role, _S.CLOSED, PRIVACY_BASIS)
      for at in _S for role in (_R.ASKER, _R.PROTECTION, _R.SYSTEM)),
    what_vi="câu hỏi",
    acts_vi=ACT_VI,
    states_vi=STATUS_VI,
)  # fmt: skip


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
    # Điều 11.1.a, hỏi đáp, gạch 1: «gửi lại nội dung đầy đủ» names no time; calendar days until an unclear
    # question that nobody sent again is closed.
    unclear_lapses_after: int = 30
    # Not of the text: calendar days after the answer within which its asker may ask further, once.
    follow_up_within: int = 30
    # Not of the text: calendar days after its end for which a question's personal data is kept.
    kept_for: int = 1825
    # Not of the text: whether attached files are looked through before anybody is given them.
    scans_files: bool = False
    # Điều 11.1.a, hỏi đáp: Trung tâm Dịch vụ hỗ trợ, chăm sóc khách hàng, by its id in the directory.
    centre_unit: str = "tt-cskh"


def counted_receipt(received_at: datetime, calendar: WorkingCalendar, policy: Policy) -> datetime:
    """The instant from which a receipt counts. By policy `receipt`, a question received on a day off counts
    as received on the next working day; by policy `finding`, on the day that it came."""
    return received_at if policy.same_day_from == "finding" else clocks.counted_receipt(received_at, calendar)
