"""What an asker may do with a question of theirs: one strict body an act, the same for JSON and for a form,
and the handler that does it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import Field

from services.qa import domain, handlers
from services.qa.bodies import Asked
from services.qa.domain import Letter, ReceiveQuestion
from services.qa.domain.codes import Codes
from services.qa.files.tokens import Tokens, sent_files, staged
from services.qa.queries.file import File
from shared.web.forms import Body, Line, OptionalText
from shared.web.spoken import N_


class AskerBody(Body):
    """What an asker asks for with one question."""

    def command(self, file: File, codes: Codes) -> Any:
        raise NotImplementedError


class WithFiles(AskerBody):
    """Kèm tệp."""

    files: Tokens = ()


class AddInformation(WithFiles):
    """Bổ sung thông tin; ai đang giữ câu hỏi sẽ đọc, không hạn nào thay đổi."""

    words: Asked = Field(description="Thông tin bổ sung.", examples=["Tôi đã chốt sổ ngày 01/10/2026."])

    def command(self, file: File, codes: Codes) -> domain.AddInformation:
        files, names = sent_files(staged(codes, self.files))
        return domain.AddInformation(file.question.id, self.words, files, names)


class Withdraw(AskerBody):
    """Rút câu hỏi; không còn ai phải trả lời."""

    words: OptionalText = Field("", description="Vì sao rút, nếu muốn nói.")

    def command(self, file: File, codes: Codes) -> domain.WithdrawQuestion:
        return domain.WithdrawQuestion(file.question.id, self.words)


class FollowUp(WithFiles):
    """Hỏi tiếp về câu trả lời, một lần, trong thời hạn của nó; là một câu hỏi mới với hạn mới."""

    text: Asked = Field(description="Điều muốn hỏi thêm.", examples=["Nộp hồ sơ qua mạng thì nộp ở đâu?"])

    def command(self, file: File, codes: Codes) -> ReceiveQuestion:
        return _going_on(self, file, codes, file.letter.subject, follows=file.question.id)


class Resubmit(WithFiles):
    """Gửi lại đầy đủ một câu hỏi chưa rõ; là một câu hỏi mới với hạn mới."""

    subject: Line = Field(
        description="Việc muốn hỏi, trong một câu.", examples=["Điều kiện rút BHXH một lần"]
    )
    text: Asked = Field(
        description="Nội dung đầy đủ.", examples=["Tôi nghỉ việc đã 14 tháng, muốn rút một lần."]
    )

    def command(self, file: File, codes: Codes) -> ReceiveQuestion:
        return _going_on(self, file, codes, self.subject, resubmits=file.question.id)


class Rate(AskerBody):
    """Đánh giá câu trả lời, một lần."""

    score: int = Field(ge=1, le=5, description="1 (rất không hài lòng) đến 5 (rất hài lòng).", examples=[4])
    words: OptionalText = Field("", description="Nói rõ thêm, nếu muốn.")

    def command(self, file: File, codes: Codes) -> domain.RateAnswer:
        return domain.RateAnswer(file.question.id, self.score, self.words)


class EraseOwn(AskerBody):
    """Xóa dữ liệu cá nhân và lời của mình; không lấy lại được, câu hỏi chưa trả lời cũng kết thúc."""

    def command(self, file: File, codes: Codes) -> domain.EraseAsker:
        return domain.EraseAsker(file.question.id)


def _going_on(
    body: FollowUp | Resubmit, file: File, codes: Codes, subject: str, **earlier: Any
) -> ReceiveQuestion:
    """Another question of the same person, who is reached as before."""
    files, names = sent_files(staged(codes, body.files))
    letter: Letter = replace(file.letter, subject=subject, text=body.text, files=names, message_id="")
    same = codes.same_letter(letter.email, subject, body.text)
    return ReceiveQuestion(same, letter, files=files, **earlier)


@dataclass(frozen=True, slots=True)
class AskerAct:
    """``POST …/{path}``. ``of_parts``: it may be done with one part of a question that was split; ``begins``:
    what comes of it is another question."""

    path: str
    act: str
    body: type[AskerBody]
    handler: Callable[..., Awaitable[Any]]
    title: str
    done: str = ""
    of_parts: bool = False
    begins: bool = False

    @property
    def files(self) -> bool:
        return issubclass(self.body, WithFiles)


ASKER_ACTS: Final = {
    each.path: each
    for each in (
        AskerAct(
            "information", "add_information", AddInformation, handlers.add_information,
            N_("Bổ sung thông tin"), N_("Đã nhận thông tin bạn bổ sung; người đang giữ câu hỏi sẽ đọc."),
            of_parts=True,
        ),
        AskerAct(
            "withdrawal", "withdraw", Withdraw, handlers.withdraw_question, N_("Rút câu hỏi"),
            N_("Đã rút câu hỏi."),
        ),
        AskerAct(
            "follow-up", "follow_up", FollowUp, handlers.receive_question, N_("Hỏi tiếp"), begins=True
        ),
        AskerAct(
            "resubmission", "resubmit", Resubmit, handlers.receive_question,
            N_("Gửi lại câu hỏi đầy đủ"), begins=True,
        ),
        AskerAct(
            "rating", "rate", Rate, handlers.rate_answer, N_("Đánh giá câu trả lời"),
            N_("Cảm ơn bạn đã đánh giá."), of_parts=True,
        ),
        AskerAct("erasure", "erase", EraseOwn, handlers.erase_asker, N_("Xóa dữ liệu của tôi")),
    )
}  # fmt: skip
