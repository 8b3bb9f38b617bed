"""Thư gửi đến: a question of its own, or a step of the question whose letter it answers."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, TypeVar

from services.qa import handlers
from services.qa.domain import AddInformation, Question, ReceiveQuestion
from services.qa.domain.codes import question_going_on
from services.qa.domain.mailed import TakeMail, reply_act
from services.qa.handlers import QaDesk
from shared.errors import NotFound

C = TypeVar("C")
Handler = Callable[[C, QaDesk], Awaitable[Question]]
LONGEST_WAY: Final = 10  # from question to question: merged, sent again, asked further


async def take_mail(
    cmd: TakeMail, desk: QaDesk, *, receive: Handler[ReceiveQuestion] = handlers.receive_question,
    add: Handler[AddInformation] = handlers.add_information,
) -> Question:  # fmt: skip
    """Who writes from another address than the asker's, token or not, asks a question of their own."""
    about = await _now(cmd, desk)
    act = reply_act(about, at=desk.now, policy=desk.policy) if about else ""
    if about is None or not act:
        return await receive(cmd.question, desk)
    if act == "add_information":
        letter = cmd.question.letter
        return await add(AddInformation(about.id, letter.text, cmd.question.files, letter.files), desk)
    # What a reply is called is what we called our letter.
    subject = str((await desk.vault.get(about.letter_ref))["subject"])
    question = replace(cmd.question, letter=replace(cmd.question.letter, subject=subject))
    if act == "resubmit":
        return await receive(replace(question, resubmits=about.id), desk)
    return await receive(replace(question, follows=about.id), desk)


async def _now(cmd: TakeMail, desk: QaDesk) -> Question | None:
    """The question that this thread has come to, if it is this sender's."""
    question = await desk.find(Question, cmd.about) if cmd.about else None
    if question is None or not await _asked_by(question, cmd.question.letter.email, desk):
        return None
    for _ in range(LONGEST_WAY):
        later = None
        ways = [question_going_on(question.id, resubmitted=each) for each in (True, False)]
        for id in ([question.merged_into] if question.merged_into else []) + ways:
            later = later or await desk.find(Question, id)
        if later is None:
            break
        question = later
    return question


async def _asked_by(question: Question, address: str, desk: QaDesk) -> bool:
    try:
        letter = await desk.vault.get(question.letter_ref)
    except NotFound:
        return False
    return str(letter["email"]).casefold() == address.casefold()
