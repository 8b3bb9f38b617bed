"""What qa's edges accept: one strict body a command, the same for JSON and for a page's form."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, StringConstraints, model_validator

from services.qa import domain
from services.qa.domain import Letter
from services.qa.domain.codes import Codes
from services.qa.files.tokens import Tokens, sent_files, staged
from shared.contracts.qa import DisclosureReason, Referral, RefusalGround
from shared.web.forms import Body, Email, Line, OptionalLine, OptionalText, Text
from shared.web.spoken import N_

TEXT_LIMIT = 5_000
TOO_LONG = N_("Nội dung dài quá 5000 ký tự.")


class CommandBody(Body):
    """What asks for an act on one question."""

    def command(self, id: UUID) -> Any:
        raise NotImplementedError


def _phone(written: str) -> str:
    digits = "".join(letter for letter in written if letter.isdigit())
    if written and not (8 <= len(digits) <= 15 and set(written) <= set("0123456789 +.-()")):
        raise ValueError(N_("Số điện thoại gồm 8 đến 15 chữ số."))
    return written


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _agreed(consent: bool) -> bool:
    if not consent:
        raise ValueError(N_("Cần bạn đồng ý để chúng tôi được dùng thông tin này khi trả lời."))
    return consent


def _language(written: object) -> object:
    if written not in ("vi", "en"):
        raise ValueError(N_("Chỉ nhận vi (tiếng Việt) hoặc en (English)."))
    return written


def _asked(text: str) -> str:
    if len(text) > TEXT_LIMIT:
        raise ValueError(TOO_LONG)
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
    files: Tokens = ()

    def command(self, codes: Codes, **facts: Any) -> domain.ReceiveQuestion:
        """``facts``: how it came, what it goes on from. Raises FileExpired."""
        given = staged(codes, self.files)
        files, names = sent_files(given)
        letter = Letter(
            self.name, self.email, self.phone, self.province, self.subject, self.text, self.language,
            files=names,
        )  # fmt: skip
        same = codes.same_letter(self.email, self.subject, self.text, *(each.mark for each in given))
        return domain.ReceiveQuestion(same, letter, files=files, **facts)


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

    _asked: str = PrivateAttr("")  # the unit that was named, where its successor stands in its place

    def followed(self, unit: str) -> "Forward":
        if unit == self.unit:
            return self
        body = self.model_copy(update={"unit": unit})
        body._asked = self.unit
        return body

    def command(self, id: UUID) -> domain.ForwardQuestion:
        return domain.ForwardQuestion(id, self.unit, self.field, self.note, self._asked)


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
