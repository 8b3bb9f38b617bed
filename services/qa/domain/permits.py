"""Ai được làm gì: what the WORKFLOW table alone does not say of an act, and who may read a question."""

from collections.abc import Callable, Mapping
from typing import Final

from services.qa.domain.question import Question
from services.qa.regulation import WORKFLOW, Role, Status
from shared.contracts.qa import Outcome, RefusalGround
from shared.errors import Forbidden, IllegalTransition, RuleBroken
from shared.workflow import Actor


class FieldRule(RuleBroken):
    """A rule that one field of the command breaks; a form shows it beside that field."""

    def __init__(self, field: str, detail: str = "") -> None:
        super().__init__(detail, errors=[{"field": field, "message": detail or self.title_vi}])


class NotYourUnit(Forbidden):
    """The question was forwarded to another unit (câu hỏi của đơn vị khác)."""

    code = "not_your_unit"
    title_vi, title_en = "Câu hỏi được chuyển cho đơn vị khác", "The question belongs to another unit"


class OwnAnswer(Forbidden):
    """Who answered may not decide what is published (bốn mắt)."""

    code = "own_answer"
    title_vi, title_en = (
        "Người trả lời không tự quyết định việc đăng câu trả lời của mình",
        "Nobody decides on the publication of their own answer",
    )


class AlreadyReleased(IllegalTransition):
    code = "already_released"
    title_vi, title_en = "Câu trả lời đã được cho gửi", "The answer has been released already"


class AlreadyDecided(IllegalTransition):
    """What happens once has happened (việc chỉ làm một lần)."""

    code = "already_decided"
    title_vi, title_en = "Việc này đã được làm", "This has been done already"


class PartOfAnother(IllegalTransition):
    code = "part_of_another"
    title_vi, title_en = "Câu hỏi là một phần của câu hỏi khác", "The question is a part of another"


class NothingToCorrect(IllegalTransition):
    code = "nothing_to_correct"
    title_vi, title_en = "Chưa có gì để đính chính", "There is nothing to correct"


class NothingToContinue(IllegalTransition):
    code = "nothing_to_continue"
    title_vi, title_en = "Chưa làm được việc này với câu hỏi", "The question does not allow this"


class AskerGone(IllegalTransition):
    """The asker's data was erased: nobody is left to answer (đã xóa dữ liệu của người hỏi)."""

    code = "asker_erased"
    title_vi, title_en = "Dữ liệu của người hỏi đã được xóa", "The asker's data has been erased"


class OwnSuspicion(Forbidden):
    """Who set a letter aside does not confirm it (bốn mắt)."""

    code = "own_suspicion"
    title_vi, title_en = "Cần người thứ hai xác nhận", "A second person has to confirm it"


class PublicationDecided(IllegalTransition):
    code = "publication_decided"
    title_vi, title_en = "Việc đăng công khai đã được quyết định", "Publication has been decided already"


CENTRE: Final = frozenset(
    {Role.TRIAGE, Role.PUBLISHER, Role.CENTRE_HEAD, Role.AUDITOR, Role.PROTECTION}
)  # fmt: skip


def concerns(question: Question, by: Actor) -> bool:
    """Whether this person may read the question at all: the centre all of them, a unit what it answers or is
    asked about, and what it sent on behalf of an asker."""
    if by.roles & CENTRE:
        return True
    if by.roles & {Role.ANSWERER, Role.UNIT_HEAD} and by.unit in {question.unit, *question.consulted} - {""}:
        return True
    return Role.INTAKE in by.roles and bool(by.unit) and by.unit == question.entered_by


def acts(question: Question, by: Actor) -> list[str]:
    """What this person may do now: the buttons on a page."""
    return [act for act in WORKFLOW.acts(question.status, by.roles) if _refusal(question, act, by) is None]


def permit(question: Question, act: str, by: Actor) -> None:
    """Raises when the role, the state, the unit or the four eyes forbid ``act``."""
    WORKFLOW.after(question.status, act, by)
    refusal = _refusal(question, act, by)
    if refusal is not None:
        raise refusal


def _refusal(question: Question, act: str, by: Actor) -> Exception | None:
    if question.erased and act != "erase":
        return AskerGone("Không còn ai để trả lời, cũng không còn gì để xử lý.")
    rule = RULES.get(act)
    return rule(question, by) if rule else None


def _holder(question: Question, by: Actor) -> Exception | None:
    if question.status is Status.FORWARDED and by.unit != question.unit:
        return NotYourUnit("Chỉ đơn vị được chuyển câu hỏi mới làm được việc này.")
    return None


def _reader(question: Question, by: Actor) -> Exception | None:
    return None if concerns(question, by) else NotYourUnit("Câu hỏi này được giao cho đơn vị khác.")


def _whole(question: Question, _: Actor) -> Exception | None:
    if question.part_of is not None:
        return PartOfAnother("Đây là một phần của câu hỏi đã tách.")
    return None


def _make_complex(question: Question, by: Actor) -> Exception | None:
    if question.complex is not None:
        return AlreadyDecided(f"{question.number} đã được xác định là câu hỏi phức tạp.")
    return None if Role.TRIAGE in by.roles else _holder(question, by)


def _advise(question: Question, by: Actor) -> Exception | None:
    if by.unit not in question.consulted:
        return NotYourUnit("Chỉ đơn vị được lấy ý kiến mới góp ý.")
    if by.unit in question.advised:
        return AlreadyDecided("Đơn vị của bạn đã góp ý câu hỏi này.")
    return None


def _send_back(question: Question, _: Actor) -> Exception | None:
    if question.released or question.publication_decided or question.correcting:
        return AlreadyReleased("Câu trả lời đã được cho gửi hoặc đăng; hãy đính chính.")
    return None


def _release(question: Question, _: Actor) -> Exception | None:
    if question.released:
        return AlreadyReleased(f"Câu trả lời của {question.number} đã được cho gửi.")
    return None


def _decide_publication(question: Question, by: Actor) -> Exception | None:
    if question.publication_decided:
        return PublicationDecided(f"Việc đăng câu trả lời của {question.number} đã được quyết định.")
    if by.subject == question.answered_by:
        return OwnAnswer("Câu trả lời phải do người khác biên tập và quyết định đăng.")
    return None


def _correct(question: Question, by: Actor) -> Exception | None:
    told = question.released or question.publication_decided or question.corrected
    if not told or question.outcome not in (None, Outcome.ANSWERED):
        return NothingToCorrect("Chỉ đính chính câu trả lời đã gửi hoặc đã đăng.")
    if question.answered_by_unit and by.unit != question.unit:
        return NotYourUnit("Chỉ đơn vị đã trả lời mới đính chính câu trả lời.")
    if not question.answered_by_unit and Role.TRIAGE not in by.roles:
        return NotYourUnit("Câu trả lời này là của Trung tâm.")
    return None


def _confirm(question: Question, by: Actor) -> Exception | None:
    if by.subject == question.set_aside_by:
        return OwnSuspicion("Người gạt câu hỏi ra không tự xác nhận; cần người thứ hai.")
    return None


def _resubmit(question: Question, _: Actor) -> Exception | None:
    if question.refusal is None or question.refusal.ground is not RefusalGround.UNCLEAR:
        return NothingToContinue("Chỉ câu hỏi chưa rõ nghĩa mới gửi lại cho đầy đủ.")
    return None


def _follow_up(question: Question, _: Actor) -> Exception | None:
    if question.told_answer_at is None:
        return NothingToContinue("Chỉ hỏi tiếp sau khi câu trả lời đã gửi tới bạn.")
    if question.continued is not None and not question.continued.resubmitted:
        return AlreadyDecided("Bạn đã hỏi tiếp một lần về câu trả lời này.")
    return None


def _rate(question: Question, _: Actor) -> Exception | None:
    if question.told_answer_at is None:
        return NothingToContinue("Chỉ đánh giá sau khi câu trả lời đã gửi tới bạn.")
    return AlreadyDecided("Bạn đã đánh giá câu trả lời này.") if question.rating else None


def _erase(question: Question, _: Actor) -> Exception | None:
    return AlreadyDecided("Dữ liệu của người hỏi đã được xóa.") if question.erased else None


# What the table alone does not say: whose question it is, who judges no work of their own, what is done once.
RULES: Final[Mapping[str, Callable[[Question, Actor], Exception | None]]] = {
    "answer": _holder, "progress": _holder, "give_back": _holder, "make_complex": _make_complex,
    "advise": _advise, "send_back": _send_back, "release": _release, "publish": _decide_publication,
    "withhold": _decide_publication, "correct": _correct, "confirm_set_aside": _confirm,
    "split": _whole, "merge": _whole, "resubmit": _resubmit, "follow_up": _follow_up, "rate": _rate,
    "withdraw": _whole, "assign": _reader, "note": _reader, "disclose": _reader, "erase": _erase,
}  # fmt: skip
