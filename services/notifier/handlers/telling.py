"""One function for each event that a person must be told of."""

from dataclasses import dataclass
from uuid import UUID

from services.notifier import domain
from services.notifier.domain import Notice
from services.notifier.handlers.clocks import E, Register, keep_clocks
from shared.contracts.base import Recorded
from shared.contracts.qa import (
    AnswerReleased,
    NoticeKind,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
)
from shared.desk import once


async def acknowledge_question(recorded: Recorded[QuestionReceived], desk: Register) -> None:
    await keep_clocks(recorded, desk)
    await _request(recorded, NoticeKind.ACKNOWLEDGEMENT, desk)


async def notify_refusal(recorded: Recorded[QuestionRefused], desk: Register) -> None:
    await keep_clocks(recorded, desk)
    await _request(recorded, NoticeKind.REFUSAL, desk, about=recorded.event.explanation_ref)


async def notify_progress(recorded: Recorded[QuestionProgressReported], desk: Register) -> None:
    await keep_clocks(recorded, desk)
    event = recorded.event
    await _request(recorded, NoticeKind.PROGRESS, desk, round=event.round, about=event.words_ref)


async def send_answer(recorded: Recorded[AnswerReleased], desk: Register) -> None:
    await _request(recorded, NoticeKind.ANSWER, desk, about=recorded.event.answer_ref)


async def _request(
    recorded: Recorded[E], kind: NoticeKind, desk: Register, *, round: int = 1, about: str = ""
) -> None:
    subject, recipient = recorded.stream, "asker"
    known = await desk.find(Notice, domain.notice_id(kind.value, subject, recipient, round))
    asked = domain.request_notice(
        known, kind.value, subject, recipient, source=recorded.source, policy=desk.policy, round=round,
        about=about,
    )  # fmt: skip
    await once(desk.append(asked))


@dataclass(frozen=True, slots=True)
class WithholdNotice:
    notice_id: UUID
    reason: str


async def withhold_notice(cmd: WithholdNotice, desk: Register) -> Notice:
    """Not to be sent this way: the address is suppressed, or what it would say is no longer so."""
    notice = await desk.load(Notice, cmd.notice_id)
    withheld = domain.withhold(notice, reason=cmd.reason)
    return await desk.append(withheld, key=f"{notice.id}#withheld:{notice.attempt}")
