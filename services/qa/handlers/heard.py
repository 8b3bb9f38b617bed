"""What qa hears and what follows for a question: load, decide, append. Of others, and of its own topic: what
happened to one question and concerns another."""

from datetime import datetime
from typing import Final
from uuid import UUID

from services.qa import domain
from services.qa.domain import Question
from services.qa.handlers import QaDesk
from shared.contracts.base import Recorded
from shared.contracts.notifier import DeadlineMoved, NoticeReachedOtherwise, NoticeSent
from shared.contracts.qa import (
    AskerErased,
    NoticeKind,
    QuestionClosed,
    QuestionMerged,
    QuestionReceived,
    QuestionSplit,
    QuestionWithdrawn,
)

ASKER: Final = "asker"


async def on_received(recorded: Recorded[QuestionReceived], desk: QaDesk) -> None:
    """Một câu hỏi đi tiếp từ câu hỏi trước: the earlier one is told, and ends if it was unclear."""
    event = recorded.event
    earlier_id = event.resubmits or event.follows
    earlier = await desk.find(Question, earlier_id) if earlier_id else None
    if earlier is not None:
        resubmitted = event.resubmits is not None
        await desk.append(domain.continued(earlier, event.question_id, event.number, resubmitted=resubmitted))


async def on_split(recorded: Recorded[QuestionSplit], desk: QaDesk) -> None:
    """Mỗi phần là một câu hỏi có hạn riêng."""
    event = recorded.event
    whole = await desk.load(Question, event.question_id)
    for place, part in enumerate(event.parts, 1):
        if await desk.find(Question, part.question_id) is None:
            await desk.append(
                domain.receive_part(
                    whole, part, place, "split", calendar=desk.calendar, policy=desk.policy
                )
            )  # fmt: skip


async def on_closed(recorded: Recorded[QuestionClosed], desk: QaDesk) -> None:
    """Một phần đã xong: the whole closes with the last."""
    event = recorded.event
    whole = await desk.find(Question, event.part_of) if event.part_of else None
    if whole is not None:
        await desk.append(domain.part_over(whole, event.question_id))


async def on_withdrawn(recorded: Recorded[QuestionWithdrawn], desk: QaDesk) -> None:
    """Cả câu hỏi được rút: so are those of its parts that nobody has answered yet."""
    whole = await desk.load(Question, recorded.event.question_id)
    for id in whole.parts:
        part = await desk.find(Question, id)
        if part is not None:
            await desk.append(domain.withdraw_part(part))


async def on_erased(recorded: Recorded[AskerErased], desk: QaDesk) -> None:
    """Dữ liệu của người hỏi được xóa: in each part of the question too."""
    whole = await desk.load(Question, recorded.event.question_id)
    for id in whole.parts:
        part = await desk.find(Question, id)
        if part is not None and not part.erased:
            cmd = domain.EraseAsker(id, recorded.event.cause)
            await desk.append(domain.erase(part, cmd, by=desk.by))


async def on_merged(recorded: Recorded[QuestionMerged], desk: QaDesk) -> None:
    """Câu nhận gộp ghi nhận. If it ended while the other was being merged into it, nobody would be answered:
    the other goes on by itself."""
    event = recorded.event
    into = await desk.load(Question, event.into)
    duplicate = await desk.load(Question, event.question_id)
    if duplicate.id in into.duplicates or domain.takes_duplicates(into):
        await desk.append(domain.take_duplicate(into, duplicate.id, duplicate.number))
    else:
        await desk.append(domain.unmerge(duplicate, into.id))


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
    told = domain.RecordNotice(
        question.id, NoticeKind(event.kind), event.notice_id, message_id, at, way, event.round
    )
    await desk.append(domain.record_notice(question, told))
