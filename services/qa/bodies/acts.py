"""What qa's edges accept of a question that is sorted otherwise, asked of several units, mended or opened
again."""

from datetime import date
from uuid import UUID

from pydantic import Field

from services.qa import domain
from services.qa.bodies import Asked, CommandBody
from shared.contracts.qa import ErasureCause, Finding, Suspicion
from shared.web.forms import Body, Line, OptionalLine, OptionalText, Text


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
