"""Câu hỏi: one function per command: load, decide, append. Words go beside the journal first."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from services.qa import domain
from services.qa.domain import Question
from services.qa.domain.codes import NAMESPACE, question_going_on, question_id_of
from services.qa.domain.personal_data import mask
from services.qa.regulation import SAME_LETTER_HOURS, Policy
from shared.contracts.base import Decision
from shared.contracts.qa import Part
from shared.desk import Desk
from shared.errors import InvalidInput, NotFound

QaDesk = Desk[Policy]


def ref_for(desk: QaDesk, what: str) -> str:
    """Where words will lie: the same request repeated writes to the same place, another never does."""
    return uuid5(NAMESPACE, f"{desk.once}\0{desk.fingerprint}\0{what}").hex if desk.once else uuid4().hex


async def keep(
    desk: QaDesk, owner: UUID, what: str, content: dict[str, Any], *, by: UUID | None = None,
    public: bool = False,
) -> tuple[str, str]:  # fmt: skip
    """Beside the journal, under the key of the question that owns it; what is public has none. ``by``: the
    question whose commit will name it, if another."""
    ref, stream = ref_for(desk, what), Question.stream_of(by or owner)
    return ref, await desk.vault.put(ref, content, owner="" if public else str(owner), stream=stream)


async def keep_words(desk: QaDesk, owner: UUID, what: str, words: str) -> tuple[str, str]:
    return await keep(desk, owner, what, {"words": words}) if words else ("", "")


async def question_id_for(cmd: domain.ReceiveQuestion, desk: QaDesk) -> UUID:
    """The question that this receipt begins, unless the same was received before."""
    id, _ = await _place_of(cmd, desk)
    return id


async def _place_of(cmd: domain.ReceiveQuestion, desk: QaDesk) -> tuple[UUID, Question | None]:
    """Its id, and what is there. What its asker took back keeps its place and is not in the way."""
    going_on, today = cmd.resubmits or cmd.follows, desk.calendar.day_of(desk.now)
    if going_on is not None:
        id = question_going_on(going_on, resubmitted=cmd.resubmits is not None)
        return id, await desk.find(Question, id)
    again = 0
    while True:
        id = question_id_of(cmd.same_letter, today, again)
        known = await desk.find(Question, id)
        if known is None or not domain.taken_back(known):
            return id, known
        again += 1


async def receive_question(cmd: domain.ReceiveQuestion, desk: QaDesk) -> Question:
    """The same letter within a day, sent twice under whatever key, is the first question, unless its asker
    took that back. What goes on from another question does so once."""
    going_on = cmd.resubmits or cmd.follows
    if going_on is not None:
        id, known = await _place_of(cmd, desk)
        if known is not None:
            return known
        earlier = await desk.load(Question, going_on)
        act = "resubmit" if cmd.resubmits else "follow_up"
        domain.check_continuation(earlier, act, by=domain.ASKER, at=desk.now, policy=desk.policy)
    else:
        yesterday = desk.calendar.day_of(desk.now) - timedelta(days=1)
        before = desk.find(Question, question_id_of(cmd.same_letter, yesterday))
        (id, now), then = await asyncio.gather(_place_of(cmd, desk), before)
        for known in (now, then):
            if known is None or domain.taken_back(known):
                continue
            if desk.now - known.received_at < timedelta(hours=SAME_LETTER_HOURS):
                return known
    ref, digest = await keep(desk, id, "letter", letter_of(cmd.letter))
    return await desk.append(
        domain.receive(id, cmd, ref, digest, at=desk.now, calendar=desk.calendar, policy=desk.policy)
    )


def letter_of(letter: domain.Letter) -> dict[str, Any]:
    return asdict(letter) | {"files": [list(each) for each in letter.files]}


async def _decide(
    cmd: Any, act: str, decide: Callable[..., Decision[Question]], words: str, desk: QaDesk
) -> Question:
    """What most acts have in common: may it be done at all, the words beside the journal, the decision."""
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, act, desk.by)
    ref, digest = await keep_words(desk, question.id, act, words)
    return await desk.append(
        decide(
            question, cmd, ref, digest, by=desk.by, at=desk.now, calendar=desk.calendar, policy=desk.policy
        )
    )


async def _note_down(
    cmd: Any, act: str, decide: Callable[..., Decision[Question]], words: str, desk: QaDesk
) -> Question:
    """The same of an act that counts no days."""
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, act, desk.by)
    ref, digest = await keep_words(desk, question.id, act, words)
    return await desk.append(decide(question, cmd, ref, digest, by=desk.by))


async def forward_question(cmd: domain.ForwardQuestion, desk: QaDesk) -> Question:
    return await _decide(cmd, "forward", domain.forward, cmd.note, desk)


async def refuse_question(cmd: domain.RefuseQuestion, desk: QaDesk) -> Question:
    return await _decide(cmd, "refuse", domain.refuse, cmd.explanation, desk)


async def report_progress(cmd: domain.ReportProgress, desk: QaDesk) -> Question:
    return await _decide(cmd, "progress", domain.progress, cmd.words, desk)


async def answer_question(cmd: domain.AnswerQuestion, desk: QaDesk) -> Question:
    return await _decide(cmd, "answer", domain.answer, cmd.text, desk)


async def release_answer(cmd: domain.ReleaseAnswer, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    return await desk.append(domain.release(question, cmd, by=desk.by))


async def publish_answer(cmd: domain.PublishAnswer, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, "publish", desk.by)
    texts = {"subject": cmd.subject, "question": cmd.question, "answer": cmd.answer}
    left = await _personal(question, texts, desk)
    domain.check_clean(left)
    ref, digest = await keep(desk, question.id, "public", texts, public=True)
    return await desk.append(domain.publish(question, cmd, ref, digest, by=desk.by, left=left))


async def withhold_answer(cmd: domain.WithholdAnswer, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    left = await _personal(question, {"reason": cmd.reason}, desk)
    return await desk.append(domain.withhold(question, cmd, by=desk.by, left=left))


async def _personal(
    question: Question, texts: Mapping[str, str], desk: QaDesk
) -> Mapping[str, Sequence[str]]:
    """The kinds of personal data that stand in each text; of an asker who was erased, no name is known."""
    try:
        name = str((await desk.vault.get(question.letter_ref))["name"])
    except NotFound:
        name = ""
    return {field: mask(text, name).kinds for field, text in texts.items()}


async def disclose_asker(cmd: domain.DiscloseAsker, desk: QaDesk) -> Question:
    return await _note_down(cmd, "disclose", domain.disclose, cmd.words, desk)


async def give_back_question(cmd: domain.GiveBackQuestion, desk: QaDesk) -> Question:
    return await _decide(cmd, "give_back", domain.give_back, cmd.words, desk)


async def make_complex(cmd: domain.MakeComplex, desk: QaDesk) -> Question:
    return await _decide(cmd, "make_complex", domain.make_complex, cmd.reason, desk)


async def give_advice(cmd: domain.GiveAdvice, desk: QaDesk) -> Question:
    return await _decide(cmd, "advise", domain.advise, cmd.words, desk)


async def send_back_answer(cmd: domain.SendBackAnswer, desk: QaDesk) -> Question:
    return await _decide(cmd, "send_back", domain.send_back, cmd.reason, desk)


async def reopen_question(cmd: domain.ReopenQuestion, desk: QaDesk) -> Question:
    return await _decide(cmd, "reopen", domain.reopen, cmd.reason, desk)


async def correct_answer(cmd: domain.CorrectAnswer, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, "correct", desk.by)
    reason_ref, reason_hash = await keep_words(desk, question.id, "correction-reason", cmd.reason)
    ref, digest = await keep_words(desk, question.id, "correct", cmd.text)
    return await desk.append(
        domain.correct(
            question, cmd, ref, digest, reason_ref=reason_ref, reason_hash=reason_hash, by=desk.by,
            at=desk.now, calendar=desk.calendar, policy=desk.policy,
        )
    )  # fmt: skip


async def merge_question(cmd: domain.MergeQuestion, desk: QaDesk) -> Question:
    into = await desk.find(Question, cmd.into)
    if into is None:
        raise InvalidInput("Không có câu hỏi mang mã này.", errors=[{"field": "into"}])
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, "merge", desk.by)
    same_asker = await _address(question, desk) == await _address(into, desk)
    return await desk.append(domain.merge(question, into, same_asker=same_asker, by=desk.by))


async def _address(question: Question, desk: QaDesk) -> str:
    """Of an asker who was erased none is known, and so none is the same."""
    try:
        return str((await desk.vault.get(question.letter_ref))["email"]).casefold()
    except NotFound:
        return str(question.id)


async def set_aside(cmd: domain.SetAsideQuestion, desk: QaDesk) -> Question:
    return await _note_down(cmd, "set_aside", domain.set_aside, cmd.words, desk)


async def confirm_set_aside(cmd: domain.ConfirmSetAside, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    return await desk.append(domain.confirm_set_aside(question, cmd, by=desk.by))


async def restore_question(cmd: domain.RestoreQuestion, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    return await desk.append(domain.restore(question, by=desk.by))


async def split_question(cmd: domain.SplitQuestion, desk: QaDesk) -> Question:
    """Each part has a letter of its own beside the journal: the asker's, with that part's words."""
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, "split", desk.by)
    letter = await desk.vault.get(question.letter_ref)
    version = desk.version(question)
    parts = []
    for place, words in enumerate(cmd.parts, 1):
        id = uuid5(NAMESPACE, f"{question.id}:part:{version}:{place}")
        own = letter | {"subject": words.subject, "text": words.text, "files": []}
        ref, digest = await keep(desk, id, f"part:{place}", own, by=question.id)
        parts.append(Part(question_id=id, letter_ref=ref, letter_hash=digest))
    return await desk.append(domain.split(question, tuple(parts), by=desk.by))


async def assign_question(cmd: domain.AssignQuestion, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    return await desk.append(domain.assign(question, cmd, by=desk.by))


async def take_note(cmd: domain.TakeNote, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, "note", desk.by)
    ref, digest = await keep_words(desk, question.id, "note", cmd.words)
    return await desk.append(domain.take_note(question, ref, digest, by=desk.by))


async def add_information(cmd: domain.AddInformation, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, "add_information", desk.by)
    content = {"words": cmd.words, "files": [list(each) for each in cmd.names]}
    ref, digest = await keep(desk, question.id, "add_information", content)
    return await desk.append(domain.add_information(question, cmd, ref, digest, by=desk.by))


async def record_check(cmd: domain.RecordCheck, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    return await desk.append(domain.record_check(question, cmd))


async def withdraw_question(cmd: domain.WithdrawQuestion, desk: QaDesk) -> Question:
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, "withdraw", desk.by)
    ref, digest = await keep_words(desk, question.id, "withdraw", cmd.words)
    return await desk.append(domain.withdraw(question, ref, digest, by=desk.by))


async def rate_answer(cmd: domain.RateAnswer, desk: QaDesk) -> Question:
    return await _note_down(cmd, "rate", domain.rate, cmd.words, desk)


async def erase_asker(cmd: domain.EraseAsker, desk: QaDesk) -> Question:
    """On record first: whatever holds something of the asker's, the keys too, follows the record."""
    question = await desk.load(Question, cmd.question_id)
    return await desk.append(domain.erase(question, cmd, by=desk.by))
