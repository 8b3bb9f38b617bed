"""What else happens to a question on its way (câu hỏi): sorted otherwise, asked of several units, mended, or
ended by its asker. On the same topic as the rest of its life; ids and dates, never a citizen's words."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from shared.contracts.base import Event, Value
from shared.contracts.qa.life import TOPIC, AttachedFile, OfQuestion


class Finding(StrEnum):
    """Why a unit gives a question back to the centre (đơn vị trả lại)."""

    OTHER_UNIT = "other_unit"  # thuộc đơn vị khác của ngành
    OUT_OF_SCOPE = "out_of_scope"  # ngoài phạm vi của ngành
    UNCLEAR = "unclear"  # không rõ nghĩa


class Suspicion(StrEnum):
    """Why a letter is set aside (gạt sang một bên)."""

    SPAM = "spam"  # thư rác
    ABUSE = "abuse"  # lạm dụng, xúc phạm


class QuestionReturned(OfQuestion, topic=TOPIC, name="qa.question.returned"):
    """Đơn vị trả lại câu hỏi. What it finds out of scope or unclear is told the asker on that very day; the
    time that the unit had goes on."""

    question_id: UUID
    unit: str
    finding: Finding
    words_ref: str
    words_hash: str
    late_triage: bool = False  # the sorting found too late what its asker had to be told at once


class Consultation(Value):
    """A unit that is asked for its opinion, and by when (ngày góp ý)."""

    unit: str
    due_on: date


class QuestionMadeComplex(OfQuestion, topic=TOPIC, name="qa.question.made_complex"):
    """Câu hỏi phức tạp, liên quan đến nhiều đơn vị: ten working days in all, from the receipt."""

    question_id: UUID
    lead: str  # đơn vị chủ trì
    consulted: tuple[Consultation, ...]
    reason_ref: str
    reason_hash: str


class AdviceGiven(OfQuestion, topic=TOPIC, name="qa.question.advice_given"):
    """Đơn vị được lấy ý kiến đã góp ý."""

    question_id: UUID
    unit: str
    words_ref: str
    words_hash: str


class AnswerSentBack(OfQuestion, topic=TOPIC, name="qa.question.answer_sent_back"):
    """Câu trả lời chưa đạt, trả lại. The clocks that it had ended are given back as they were: a defective
    answer ends none."""

    question_id: UUID
    unit: str
    reason_ref: str
    reason_hash: str
    to_centre: bool = False  # which had written it itself


class AnswerCorrected(OfQuestion, topic=TOPIC, name="qa.question.answer_corrected"):
    """Đính chính câu trả lời: it is sent again and published again, marked."""

    question_id: UUID
    correction: int  # đính chính lần thứ mấy
    unit: str
    answer_ref: str
    answer_hash: str
    answered_by: str
    reason_ref: str
    reason_hash: str


class QuestionMerged(OfQuestion, topic=TOPIC, name="qa.question.merged"):
    """Gộp vào câu hỏi trùng của cùng người hỏi."""

    question_id: UUID
    into: UUID
    into_number: str


class DuplicateTaken(Event, topic=TOPIC, name="qa.question.duplicate_taken"):
    """Một câu hỏi trùng đã được gộp vào câu này."""

    question_id: UUID
    duplicate: UUID
    duplicate_number: str


class QuestionSetAside(Event, topic=TOPIC, name="qa.question.set_aside"):
    """Nghi là thư rác hoặc lạm dụng; a second person looks at it, and until then its clock runs on."""

    question_id: UUID
    suspicion: Suspicion
    set_aside_by: str = ""  # the staff member, who may not be the one to confirm it
    words_ref: str = ""
    words_hash: str = ""


class QuestionRestored(OfQuestion, topic=TOPIC, name="qa.question.restored"):
    """Không phải thư rác: đưa lại vào hàng chờ phân loại. Or it was merged into a question that had ended in
    the meantime: it goes on from where it stood, with the clocks it had."""

    question_id: UUID
    back_to: str = "received"  # its state
    merged_into: UUID | None = None  # the question that was no longer there for it


class SetAsideConfirmed(OfQuestion, topic=TOPIC, name="qa.question.set_aside_confirmed"):
    """Người thứ hai xác nhận là thư rác hoặc lạm dụng; nothing is owed to it."""

    question_id: UUID
    suspicion: Suspicion


class Part(Value):
    """One matter of a question that was split; its words lie beside the journal."""

    question_id: UUID  # of the part, a question of its own
    letter_ref: str
    letter_hash: str


class QuestionSplit(OfQuestion, topic=TOPIC, name="qa.question.split"):
    """Tách thành nhiều phần, each a question with its own clocks from the same receipt."""

    question_id: UUID
    parts: tuple[Part, ...]


class PartOver(Event, topic=TOPIC, name="qa.question.part_over"):
    """Một phần đã xong."""

    question_id: UUID
    part: UUID


class QuestionWithdrawn(OfQuestion, topic=TOPIC, name="qa.question.withdrawn"):
    """Người hỏi rút câu hỏi."""

    question_id: UUID
    words_ref: str = ""
    words_hash: str = ""


class InformationAdded(Event, topic=TOPIC, name="qa.question.information_added"):
    """Người hỏi bổ sung thông tin; no clock changes."""

    question_id: UUID
    words_ref: str
    words_hash: str
    files: tuple[AttachedFile, ...] = ()


class AnswerRated(Event, topic=TOPIC, name="qa.question.answer_rated"):
    """Người hỏi đánh giá câu trả lời, 1 (rất không hài lòng) đến 5 (rất hài lòng)."""

    question_id: UUID
    score: int
    words_ref: str = ""
    words_hash: str = ""


class QuestionContinued(Event, topic=TOPIC, name="qa.question.continued"):
    """Người hỏi đã gửi lại đầy đủ, hoặc hỏi tiếp, bằng một câu hỏi mới."""

    question_id: UUID
    by: UUID
    by_number: str
    resubmitted: bool  # False: a follow-up


class QuestionReopened(OfQuestion, topic=TOPIC, name="qa.question.reopened"):
    """Mở lại theo văn bản chỉ đạo; the sorting begins anew on that day."""

    question_id: UUID
    order: str  # số, ký hiệu văn bản
    ordered_on: date
    reason_ref: str
    reason_hash: str


class QuestionAssigned(Event, topic=TOPIC, name="qa.question.assigned", published=False):
    """Giao cho một cán bộ; empty: giao lại cho cả đơn vị."""

    question_id: UUID
    to: str


class NoteTaken(Event, topic=TOPIC, name="qa.question.note_taken", published=False):
    """Ghi chú nội bộ; the asker never sees it."""

    question_id: UUID
    words_ref: str
    words_hash: str


class FileVerdict(StrEnum):
    """What the scanner says of a file (kết quả quét)."""

    CLEAN = "clean"
    INFECTED = "infected"  # có mã độc; nobody is given it
    UNREADABLE = "unreadable"  # máy quét không đọc được


class FileChecked(Event, topic=TOPIC, name="qa.question.file_checked", published=False):
    """Máy quét đã xem một tệp đính kèm."""

    question_id: UUID
    file_id: UUID
    verdict: FileVerdict
    finding: str = ""  # what the scanner calls it


class ErasureCause(StrEnum):
    """Vì sao dữ liệu cá nhân được xóa."""

    REQUEST = "request"  # người hỏi yêu cầu
    RETENTION = "retention"  # hết thời hạn lưu giữ


class AskerErased(OfQuestion, topic=TOPIC, name="qa.question.asker_erased"):
    """Dữ liệu cá nhân và lời của người hỏi đã được xóa; the key that opened them is gone."""

    question_id: UUID
    cause: ErasureCause
