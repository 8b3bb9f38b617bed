"""Câu hỏi: one function per command or event: load, decide, append. Words go beside the journal first."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4, uuid5

from services.qa import domain
from services.qa.domain import Question
from services.qa.domain.codes import NAMESPACE, question_id_of
from services.qa.domain.personal_data import mask
from services.qa.regulation import SAME_LETTER_HOURS, Policy
from shared.contracts.base import Decision, Recorded
from shared.contracts.notifier import DeadlineMoved, NoticeReachedOtherwise, NoticeSent
from shared.contracts.qa import NoticeKind
from shared.desk import Desk
from shared.errors import NotFound

QaDesk = Desk[Policy]
ASKER: Final = "asker"


def ref_for(desk: QaDesk, what: str) -> str:
    """Where words will lie: the same request repeated writes to the same place, another never does."""
    return uuid5(NAMESPACE, f"{desk.once}\0{desk.fingerprint}\0{what}").hex if desk.once else uuid4().hex


async def keep(desk: QaDesk, what: str, content: dict[str, Any]) -> tuple[str, str]:
    ref = ref_for(desk, what)
    return ref, await desk.vault.put(ref, content)


async def keep_words(desk: QaDesk, what: str, words: str) -> tuple[str, str]:
    return await keep(desk, what, {"words": words}) if words else ("", "")


async def receive_question(cmd: domain.ReceiveQuestion, desk: QaDesk) -> Question:
    """The same letter within a day, sent twice under whatever key, is the first question."""
    today = desk.calendar.day_of(desk.now)
    ids = [question_id_of(cmd.same_letter, day) for day in (today, today - timedelta(days=1))]
    for known in await asyncio.gather(*(desk.find(Question, id) for id in ids)):
        if known and desk.now - known.received_at < timedelta(hours=SAME_LETTER_HOURS):
            return known
    letter = cmd.letter
    ref, digest = await keep(
        desk, "letter",
        {"name": letter.name, "email": letter.email, "phone": letter.phone, "province": letter.province,
         "subject": letter.subject, "text": letter.text, "language": letter.language},
    )  # fmt: skip
    return await desk.append(
        domain.receive(ids[0], cmd, ref, digest, at=desk.now, calendar=desk.calendar, policy=desk.policy)
    )


async def _decide(
    cmd: Any, act: str, decide: Callable[..., Decision[Question]], words: str, desk: QaDesk
) -> Question:
    """What four acts have in common: may it be done at all, the words beside the journal, the decision."""
    question = await desk.load(Question, cmd.question_id)
    domain.permit(question, act, desk.by)
    ref, digest = await keep_words(desk, act, words)
    return await desk.append(
        decide(
            question, cmd, ref, digest, by=desk.by, at=desk.now, calendar=desk.calendar, policy=desk.policy
        )
    )


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
    ref, digest = await keep(desk, "public", texts)
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
    question = await desk.load(Question, cmd.question_id)
    ref, digest = await keep_words(desk, "disclosure", cmd.words)
    return await desk.append(domain.disclose(question, cmd, ref, digest, by=desk.by))


async def on_notice_sent(recorded: Recorded[NoticeSent], desk: QaDesk) -> None:
    """Một lá thư gửi người hỏi đã được máy chủ thư nhận."""
    sent = recorded.event
    await _asker_told(sent, sent.message_id, sent.accepted_at, "mail", desk)


async def on_reached_otherwise(recorded: Recorded[NoticeReachedOtherwise], desk: QaDesk) -> None:
    """Người hỏi đã được báo bằng cách khác, vì thư không tới: that too ends the duty to tell them."""
    reached = recorded.event
    await _asker_told(reached, "", reached.reached_at, reached.way, desk)


async def on_deadline_moved(recorded: Recorded[DeadlineMoved], desk: QaDesk) -> None:
    """Lịch làm việc thay đổi: the question shows the term as the register counts it now."""
    moved = recorded.event
    if moved.source != desk.source:
        return
    question = await desk.find(Question, UUID(moved.subject.partition("-")[2]))
    if question is not None:
        await desk.append(domain.move_clock(question, moved))


async def _asker_told(
    event: NoticeSent | NoticeReachedOtherwise, message_id: str, at: datetime, way: str, desk: QaDesk
) -> None:
    """What was told to others, or about something else, is not ours."""
    kind, _, id = event.subject.partition("-")
    if kind != Question.KIND or event.recipient != ASKER or event.kind not in set(NoticeKind):
        return
    question = await desk.load(Question, UUID(id))
    told = domain.RecordNotice(question.id, NoticeKind(event.kind), event.notice_id, message_id, at, way)
    await desk.append(domain.record_notice(question, told))
