"""What qa's edges accept: one strict body a command, the same for JSON and for a page's form."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from services.qa import domain
from services.qa.domain import Letter
from services.qa.domain.codes import Codes
from shared.contracts.qa import DisclosureReason, ErasureCause, Finding, Referral, RefusalGround, Suspicion
from shared.web.forms import Body, Email, Line, OptionalLine, OptionalText, Text

TEXT_LIMIT = 5_000


class CommandBody(Body):
    """What asks for an act on one question."""

    def command(self, id: UUID) -> Any:
        raise NotImplementedError


def _phone(written: str) -> str:
    digits = "".join(letter for letter in written if letter.isdigit())
    if written and not (8 <= len(digits) <= 15 and set(written) <= set("0123456789 +.-()")):
        raise ValueError("Số điện thoại gồm 8 đến 15 chữ số.")
    return written


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _agreed(consent: bool) -> bool:
    if not consent:
        raise ValueError("Cần bạn đồng ý để chúng tôi được dùng thông tin này khi trả lời.")
    return consent


def _language(written: object) -> object:
    if written not in ("vi", "en"):
        raise ValueError("Chỉ nhận vi (tiếng Việt) hoặc en (English).")
    return written


def _asked(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise ValueError(f"Nội dung dài quá {TEXT_LIMIT} ký tự.")
    return text


Phone = Annotated[OptionalLine, AfterValidator(_phone)]
Language = Annotated[Literal["vi", "en"], BeforeValidator(_language)]
Asked = Annotated[Text, AfterValidator(_asked)]
Slug = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9-]{2,40}$")]
OptionalSlug = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^([a-z0-9-]{2,40})?$")]
OptionalDate = Annotated[date | None, BeforeValidator(_none_if_blank)]
OptionalReferral = Annotated[Referral | None, BeforeValidator(_none_if_blank)]


class Ask(Body):
    """Gửi câu hỏi."""

    name: Line = Field(description="Họ và tên người hỏi.", examples=["Nguyễn Thị Hoa"])
    email: Email = Field(description="Nơi nhận thư trả lời.", examples=["hoa@hopthu.example.vn"])
    phone: Phone = Field(
        "", description="Không bắt buộc; 4 số cuối dùng để tra cứu.", examples=["0900 000 101"]
    )
    province: OptionalLine = Field("", description="Tỉnh, thành phố nơi cư trú.", examples=["Hà Nội"])
    subject: Line = Field(
        description="Việc muốn hỏi, trong một câu.", examples=["Điều kiện rút BHXH một lần"]
    )
    text: Asked = Field(
        description=f"Nội dung đầy đủ, tối đa {TEXT_LIMIT} ký tự.",
        examples=["Tôi nghỉ việc đã 14 tháng, có được rút bảo hiểm một lần không, nộp ở đâu?"],
    )
    consent: Annotated[bool, AfterValidator(_agreed)] = Field(
        description="Đồng ý để xử lý dữ liệu cá nhân nhằm trả lời câu hỏi."
    )
    language: Language = Field(
        "vi", description="Ngôn ngữ của các thư gửi người hỏi: vi (tiếng Việt) hoặc en (tiếng Anh)."
    )

    def command(self, codes: Codes, **facts: Any) -> domain.ReceiveQuestion:
        """``facts``: how it came, what it goes on from, its files."""
        letter = Letter(
            self.name, self.email, self.phone, self.province, self.subject, self.text, self.language
        )
        return domain.ReceiveQuestion(codes.same_letter(self.email, self.subject, self.text), letter, **facts)


class Track(Body):
    """Tra cứu câu hỏi của mình."""

    code: Line = Field(description="Mã tra cứu.", examples=["7K3QZ-4M8TX-0ABCD-9XW2T-AB3DEF"])
    email: Line = Field(
        description="Địa chỉ thư đã dùng khi gửi, hoặc 4 số cuối của số điện thoại đã cho.",
        examples=["hoa@hopthu.example.vn"],
    )


class Forward(CommandBody):
    """Chuyển đơn vị trả lời."""

    unit: Line = Field(description="Mã đơn vị trong danh bạ.", examples=["bhxh-ha-noi"])
    field: Slug = Field(description="Lĩnh vực.", examples=["bhxh-mot-lan"])
    note: OptionalText = Field("", description="Ghi chú cho đơn vị; người hỏi không thấy.")

    def command(self, id: UUID) -> domain.ForwardQuestion:
        return domain.ForwardQuestion(id, self.unit, self.field, self.note)


class Refuse(CommandBody):
    """Không thuộc diện trả lời: ngoài phạm vi, hoặc không rõ nghĩa."""

    ground: RefusalGround = Field(description="Căn cứ.", examples=["out_of_scope"])
    explanation: Text = Field(description="Lời giải thích gửi người hỏi.")
    referral: OptionalReferral = Field(None, description="Ngoài phạm vi: chỉ nơi hỏi, hay trung tâm chuyển.")
    agency: OptionalLine = Field(
        "", description="Cơ quan có trách nhiệm.", examples=["Ủy ban nhân dân cấp xã"]
    )
    reference: OptionalLine = Field("", description="Số văn bản chuyển, khi trung tâm chuyển.")
    transferred_on: OptionalDate = Field(None, description="Ngày chuyển, khi trung tâm chuyển.")

    def command(self, id: UUID) -> domain.RefuseQuestion:
        return domain.RefuseQuestion(
            id, self.ground, self.explanation, self.referral, self.agency, self.reference, self.transferred_on
        )


class Answer(CommandBody):
    """Trả lời câu hỏi."""

    text: Text = Field(description="Câu trả lời gửi người hỏi.")

    def command(self, id: UUID) -> domain.AnswerQuestion:
        return domain.AnswerQuestion(id, self.text)


class Progress(CommandBody):
    """Thông báo quá trình xử lý."""

    words: Text = Field(description="Đang xử lý đến đâu, gửi người hỏi.")
    promised_for: OptionalDate = Field(
        None, description="Ngày hẹn trả lời: bắt buộc, là ngày làm việc, chưa qua.", examples=["2026-12-01"]
    )

    def command(self, id: UUID) -> domain.ReportProgress:
        return domain.ReportProgress(id, self.words, self.promised_for)


class Release(CommandBody):
    """Gửi câu trả lời tới người hỏi."""

    def command(self, id: UUID) -> domain.ReleaseAnswer:
        return domain.ReleaseAnswer(id)


class Publish(CommandBody):
    """Đăng công khai, đã bỏ dữ liệu cá nhân."""

    subject: Line = Field(description="Tiêu đề.")
    question: Text = Field(description="Câu hỏi, đã bỏ dữ liệu cá nhân.")
    answer: Text = Field(description="Câu trả lời, đã bỏ dữ liệu cá nhân.")
    field: OptionalSlug = Field("", description="Lĩnh vực; để trống thì giữ lĩnh vực khi phân loại.")

    def command(self, id: UUID) -> domain.PublishAnswer:
        return domain.PublishAnswer(id, self.subject, self.question, self.answer, self.field)


class Withhold(CommandBody):
    """Không đăng công khai."""

    reason: Line = Field(description="Lý do.", examples=["Trùng với một câu hỏi đã trả lời và đăng."])

    def command(self, id: UUID) -> domain.WithholdAnswer:
        return domain.WithholdAnswer(id, self.reason)


class Disclose(CommandBody):
    """Xem danh tính người hỏi; việc xem được ghi lại."""

    reason: DisclosureReason = Field(description="Vì sao cần xem.")
    words: OptionalLine = Field("", description="Nói rõ thêm; bắt buộc khi lý do là khác.")

    @model_validator(mode="after")
    def _said(self) -> "Disclose":
        if self.reason is DisclosureReason.OTHER and not self.words:
            raise ValueError("Hãy nói rõ lý do.")
        return self

    def command(self, id: UUID) -> domain.DiscloseAsker:
        return domain.DiscloseAsker(id, self.reason, self.words)


class GiveBack(CommandBody):
    """Đơn vị trả lại câu hỏi cho Trung tâm."""

    finding: Finding = Field(description="Vì sao trả lại.", examples=["other_unit"])
    words: Text = Field(description="Giải thích cho Trung tâm; nêu đơn vị hoặc cơ quan đúng nếu biết.")

    def command(self, id: UUID) -> domain.GiveBackQuestion:
        return domain.GiveBackQuestion(id, self.finding, self.words)


class Consulted(Body):
    """Một đơn vị được lấy ý kiến."""

    unit: Line = Field(description="Mã đơn vị trong danh bạ.", examples=["ban-thuc-hien-chinh-sach"])
    due_on: date = Field(description="Ngày góp ý: ngày làm việc.", examples=["2026-12-04"])


class Complex(CommandBody):
    """Xác định câu hỏi phức tạp, liên quan đến nhiều đơn vị: 10 ngày làm việc kể từ khi nhận câu hỏi."""

    consulted: tuple[Consulted, ...] = Field(
        min_length=1, max_length=20, description="Các đơn vị được lấy ý kiến, ngoài đơn vị chủ trì."
    )
    reason: Text = Field(description="Vì sao câu hỏi liên quan đến nhiều đơn vị.")

    def command(self, id: UUID) -> domain.MakeComplex:
        return domain.MakeComplex(id, tuple((c.unit, c.due_on) for c in self.consulted), self.reason)


class Advise(CommandBody):
    """Góp ý cho đơn vị chủ trì."""

    words: Text = Field(description="Ý kiến của đơn vị; người hỏi không thấy.")

    def command(self, id: UUID) -> domain.GiveAdvice:
        return domain.GiveAdvice(id, self.words)


class SendBack(CommandBody):
    """Trả lại câu trả lời chưa đạt; hạn của đơn vị vẫn chạy như cũ."""

    reason: Text = Field(description="Chưa đạt ở đâu.")

    def command(self, id: UUID) -> domain.SendBackAnswer:
        return domain.SendBackAnswer(id, self.reason)


class Correct(CommandBody):
    """Đính chính câu trả lời đã gửi hoặc đã đăng: gửi lại và đăng lại, có ghi là đính chính."""

    text: Text = Field(description="Câu trả lời đã sửa, gửi người hỏi.")
    reason: Text = Field(description="Sửa gì, vì sao; gửi cùng câu trả lời.")

    def command(self, id: UUID) -> domain.CorrectAnswer:
        return domain.CorrectAnswer(id, self.text, self.reason)


class Merge(CommandBody):
    """Gộp vào câu hỏi trùng của cùng người hỏi."""

    into: UUID = Field(description="Câu hỏi nhận gộp.")

    def command(self, id: UUID) -> domain.MergeQuestion:
        return domain.MergeQuestion(id, self.into)


class SetAside(CommandBody):
    """Gạt ra vì nghi thư rác hoặc lạm dụng; người thứ hai xem lại."""

    suspicion: Suspicion = Field(description="Nghi gì.", examples=["spam"])
    words: OptionalText = Field("", description="Nói rõ thêm.")

    def command(self, id: UUID) -> domain.SetAsideQuestion:
        return domain.SetAsideQuestion(id, self.suspicion, self.words)


class ConfirmSetAside(CommandBody):
    """Người thứ hai xác nhận."""

    suspicion: Suspicion = Field(description="Là gì.", examples=["spam"])

    def command(self, id: UUID) -> domain.ConfirmSetAside:
        return domain.ConfirmSetAside(id, self.suspicion)


class Restore(CommandBody):
    """Không phải thư rác: đưa lại hàng chờ phân loại."""

    def command(self, id: UUID) -> domain.RestoreQuestion:
        return domain.RestoreQuestion(id)


class PartBody(Body):
    """Một phần của câu hỏi."""

    subject: Line = Field(description="Việc hỏi, trong một câu.")
    text: Asked = Field(description="Lời của người hỏi về việc này.")


class Split(CommandBody):
    """Tách câu hỏi thành nhiều phần, mỗi phần có hạn riêng."""

    parts: tuple[PartBody, ...] = Field(min_length=2, max_length=10, description="Các phần.")

    def command(self, id: UUID) -> domain.SplitQuestion:
        return domain.SplitQuestion(id, tuple(domain.PartWords(p.subject, p.text) for p in self.parts))


class Assign(CommandBody):
    """Giao cho một cán bộ, hoặc giao lại cho cả bộ phận."""

    to: OptionalLine = Field("", description="Mã cán bộ trong danh bạ; để trống: giao lại cho bộ phận.")

    def command(self, id: UUID) -> domain.AssignQuestion:
        return domain.AssignQuestion(id, self.to)


class Note(CommandBody):
    """Ghi chú nội bộ."""

    words: Text = Field(description="Người hỏi không thấy.")

    def command(self, id: UUID) -> domain.TakeNote:
        return domain.TakeNote(id, self.words)


class Reopen(CommandBody):
    """Mở lại câu hỏi theo văn bản chỉ đạo."""

    order: Line = Field(description="Số, ký hiệu văn bản.", examples=["1234/BHXH-TT"])
    ordered_on: date = Field(description="Ngày văn bản.", examples=["2026-12-01"])
    reason: Text = Field(description="Vì sao mở lại.")

    def command(self, id: UUID) -> domain.ReopenQuestion:
        return domain.ReopenQuestion(id, self.order, self.ordered_on, self.reason)


class Erase(CommandBody):
    """Xóa dữ liệu cá nhân của người hỏi; không lấy lại được."""

    def command(self, id: UUID) -> domain.EraseAsker:
        return domain.EraseAsker(id, ErasureCause.REQUEST)
