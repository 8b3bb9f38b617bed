"""The life of a question (câu hỏi), as the qa service tells the others. Ids and dates, never a citizen's
name, address or words: those stay in the qa store and are fetched at the moment of sending."""

from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import ClockedEvent, ClockMoved, Event, Value

TOPIC: Final = "qa.question"


class RefusalGround(StrEnum):
    """Căn cứ từ chối, Điều 11.1.a, hỏi đáp, gạch 1."""

    OUT_OF_SCOPE = "out_of_scope"  # không thuộc phạm vi, chức năng, nhiệm vụ
    UNCLEAR = "unclear"  # không rõ nghĩa


class Referral(StrEnum):
    """How an out-of-scope question reaches the right agency (chuyển đến cơ quan có trách nhiệm)."""

    ADVISED_ASKER = "advised_asker"
    TRANSFERRED_BY_CENTRE = "transferred_by_centre"


class NoticeKind(StrEnum):
    """What the asker is written to about."""

    ACKNOWLEDGEMENT = "acknowledgement"
    REFUSAL = "refusal"
    PROGRESS = "progress"
    ANSWER = "answer"
    CORRECTION = "correction"  # câu trả lời được đính chính
    MERGED = "merged"  # câu hỏi trùng, trả lời ở câu hỏi kia


class Outcome(StrEnum):
    """How a question ended (kết quả)."""

    ANSWERED = "answered"  # đã trả lời
    REFUSED = "refused"  # không thuộc diện trả lời, đã báo người hỏi
    MERGED = "merged"  # gộp vào câu hỏi trùng
    SET_ASIDE = "set_aside"  # thư rác, lạm dụng, hai người xác nhận
    PARTS = "parts"  # mọi phần đã xong
    WITHDRAWN = "withdrawn"  # người hỏi rút
    RESUBMITTED = "resubmitted"  # chưa rõ, đã gửi lại đầy đủ
    LAPSED = "lapsed"  # chưa rõ, không ai gửi lại


class AttachedFile(Value):
    """Tệp đính kèm: its content lies beside the journal, and so does the name that its sender gave it."""

    file_id: UUID
    media_type: str  # by its content, e.g. "application/pdf"
    size: int  # bytes
    hash: str  # keyed by the question, so that it tells nothing once that key is gone


class Leading(Value):
    """Hạn đang tính của câu hỏi: the clock by which it is worked from then on; empty when nothing waits."""

    duty: str = ""
    due_at: AwareDatetime | None = None
    warn_at: AwareDatetime | None = None


class OfQuestion(ClockedEvent):
    """An event that starts, stops or cancels clocks of a question."""

    leading: Leading | None = None  # None: on record from before this was told


class QuestionReceived(OfQuestion, topic=TOPIC, name="qa.question.received"):
    """Đã tiếp nhận câu hỏi; the centre's time for classifying it runs."""

    question_id: UUID
    number: str  # số tiếp nhận, e.g. HD-2026-11-7K3QZ4M
    channel: str
    letter_ref: str
    letter_hash: str
    received_at: AwareDatetime
    counted_from: date  # the working day that counts as the day of receipt
    part_of: UUID | None = None  # the question that was split
    resubmits: UUID | None = None  # the unclear question that this one makes whole
    follows: UUID | None = None  # the answered question that this one asks further about
    files: tuple[AttachedFile, ...] = ()
    entered_by: str = ""  # the unit that sent it on behalf of its asker


class QuestionForwarded(OfQuestion, topic=TOPIC, name="qa.question.forwarded"):
    """Đã chuyển đến đơn vị trả lời; the unit's seven working days run. Forwarding again restarts nothing: the
    next unit takes over the clocks with the time that is left."""

    question_id: UUID
    unit: str
    field: str
    note_ref: str = ""  # words to the unit, which the asker does not see
    note_hash: str = ""
    asked_unit: str = ""  # the unit that was named, when it has been merged into ``unit``


class QuestionRefused(OfQuestion, topic=TOPIC, name="qa.question.refused"):
    """Câu hỏi bị từ chối; người hỏi phải được thông báo chậm nhất ngày ``notice_due``."""

    question_id: UUID
    ground: RefusalGround
    explanation_ref: str  # the words to the asker, kept beside the journal
    explanation_hash: str
    referral: Referral | None = None
    agency: str = ""
    reference: str = ""
    transferred_on: date | None = None
    notice_due: date
    late_triage: bool = False  # found only after it had been forwarded


class QuestionProgressReported(OfQuestion, topic=TOPIC, name="qa.question.progress_reported"):
    """Đơn vị thông báo quá trình xử lý và thời hạn trả lời."""

    question_id: UUID
    round: int
    words_ref: str
    words_hash: str
    promised_for: date
    escalated: bool = False  # more notices than the policy expects: the centre's leadership looks at it


class QuestionAnswered(OfQuestion, topic=TOPIC, name="qa.question.answered"):
    """Đã có câu trả lời của đơn vị; the centre's two working days run."""

    question_id: UUID
    unit: str
    answer_ref: str
    answer_hash: str
    answered_by: str = ""  # the staff member, who may not publish it


class AnswerReleased(Event, topic=TOPIC, name="qa.question.answer_released"):
    """Trung tâm cho gửi câu trả lời tới người hỏi."""

    question_id: UUID
    answer_ref: str
    correction: int = 0  # đính chính lần thứ mấy; 0: the first answer


class NoticeAccepted(OfQuestion, topic=TOPIC, name="qa.question.notice_accepted"):
    """Máy chủ thư đã nhận thư gửi người hỏi, hoặc họ đã được báo cách khác: the proof, and when."""

    question_id: UUID
    kind: NoticeKind
    notice_id: UUID
    message_id: str  # empty when they were told another way
    accepted_at: AwareDatetime
    way: str = "mail"  # or phone, post, in_person, other
    round: int = 1  # of several letters of this kind


class AnswerPublished(OfQuestion, topic=TOPIC, name="qa.question.answer_published"):
    """Đã đăng công khai câu hỏi và câu trả lời, không còn thông tin cá nhân."""

    question_id: UUID
    public_ref: str
    public_hash: str
    field: str = ""
    correction: int = 0  # the number of the correction that it shows; 0: the first answer


class AnswerWithheld(OfQuestion, topic=TOPIC, name="qa.question.answer_withheld"):
    """Không đăng công khai, có lý do."""

    question_id: UUID
    reason: str


class DisclosureReason(StrEnum):
    """Vì sao cán bộ cần xem danh tính người hỏi."""

    CONTACT = "contact"  # liên hệ với người hỏi
    DUPLICATE = "duplicate"  # đối chiếu câu hỏi trùng
    TRANSFER = "transfer"  # chuyển cơ quan có trách nhiệm
    OTHER = "other"


class AskerDisclosed(Event, topic=TOPIC, name="qa.question.asker_disclosed"):
    """Một cán bộ đã xem danh tính người hỏi: who and when is the commit's."""

    question_id: UUID
    reason: DisclosureReason
    words_ref: str = ""
    words_hash: str = ""


class QuestionClockMoved(ClockMoved, topic=TOPIC, name="qa.question.clock_moved", published=False):
    """Lịch làm việc thay đổi, một hạn đang chạy của câu hỏi được tính lại."""

    leads: bool = True  # the question's place in the queues goes by this clock
    leading: Leading | None = None


class QuestionClosed(Event, topic=TOPIC, name="qa.question.closed"):
    """Đã xong: nothing is owed any more, for the reason that ``outcome`` names."""

    question_id: UUID
    outcome: Outcome = Outcome.ANSWERED
    part_of: UUID | None = None
