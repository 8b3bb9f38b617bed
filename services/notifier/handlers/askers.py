"""Letters to askers: one function for each event of a question that its asker must be told of."""

from collections.abc import AsyncIterator, Iterable, Set
from itertools import count
from typing import Final

from services.notifier import domain
from services.notifier.domain import Notice
from services.notifier.handlers.clocks import E, Register, keep_clocks
from services.notifier.handlers.telling import request
from services.notifier.regulation import COURTESIES, DUTY_TOLD, NoticeStatus
from shared.contracts.base import Clock, Recorded
from shared.contracts.qa import (
    AnswerReleased,
    AskerErased,
    NoticeKind,
    QuestionMerged,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
    QuestionWithdrawn,
)
from shared.desk import once

WAITING: Final = frozenset({NoticeStatus.REQUESTED, NoticeStatus.RETRYING})
UNTOLD: Final = domain.UNREACHED | {NoticeStatus.UNCERTAIN}


async def acknowledge_question(recorded: Recorded[QuestionReceived], desk: Register) -> None:
    """A part of a question that was split is none that its asker has sent."""
    await keep_clocks(recorded, desk)
    if recorded.event.part_of is None:
        await _write(recorded, NoticeKind.ACKNOWLEDGEMENT, desk, round=1, opened=recorded.event.opens)


async def notify_refusal(recorded: Recorded[QuestionRefused], desk: Register) -> None:
    await keep_clocks(recorded, desk)
    event = recorded.event
    await _write(recorded, NoticeKind.REFUSAL, desk, about=event.explanation_ref, opened=event.opens)


async def notify_progress(recorded: Recorded[QuestionProgressReported], desk: Register) -> None:
    await keep_clocks(recorded, desk)
    event = recorded.event
    await _write(
        recorded, NoticeKind.PROGRESS, desk, round=event.round, about=event.words_ref, opened=event.opens
    )
    if event.escalated:
        await _tell_of_postponement(recorded, desk)


async def send_answer(recorded: Recorded[AnswerReleased], desk: Register) -> None:
    """A correction is a letter of its own, by its number."""
    event = recorded.event
    kind = NoticeKind.CORRECTION if event.correction else NoticeKind.ANSWER
    await _write(recorded, kind, desk, round=event.correction, about=event.answer_ref)


async def tell_of_merge(recorded: Recorded[QuestionMerged], desk: Register) -> None:
    await keep_clocks(recorded, desk)
    await _write(recorded, NoticeKind.MERGED, desk, about=recorded.id)


async def drop_courtesies(recorded: Recorded[QuestionWithdrawn], desk: Register) -> None:
    """Nobody waits any longer for the letters that no rule demands; what it demands goes out. What a mail
    server is being given just now is let go."""
    await keep_clocks(recorded, desk)
    await _drop(recorded, COURTESIES, WAITING, "người hỏi đã rút câu hỏi", desk)


async def drop_letters(recorded: Recorded[AskerErased], desk: Register) -> None:
    """There is no address any more, and nobody whom a person could tell another way."""
    await keep_clocks(recorded, desk)
    why = "dữ liệu của người hỏi đã được xóa"
    await _drop(recorded, DUTY_TOLD, WAITING | UNTOLD, why, desk, moot=True)


async def _drop(
    recorded: Recorded[E], kinds: Iterable[str], statuses: Set[NoticeStatus], why: str, desk: Register, *,
    moot: bool = False,
) -> None:  # fmt: skip
    for kind in kinds:
        async for notice in _letters(kind, recorded.stream, desk):
            if notice.status in statuses:
                await once(desk.append(domain.withhold(notice, reason=f"Không gửi: {why}.", moot=moot)))


async def _letters(kind: str, subject: str, desk: Register) -> AsyncIterator[Notice]:
    """Those of this kind that the asker was to get so far, in order."""
    for round in count(1):
        notice = await desk.find(Notice, domain.notice_id(kind, subject, "asker", round))
        if notice is None:
            return
        yield notice


async def _write(
    recorded: Recorded[E], kind: NoticeKind, desk: Register, *, round: int = 0, about: str = "",
    opened: Iterable[Clock] = (),
) -> None:  # fmt: skip
    """To the asker. Without a ``round`` of its own it is the next letter of its kind, one for each
    ``about``: a question that was opened again is answered, or refused, again."""
    if not round:
        earlier = [notice.about async for notice in _letters(kind, recorded.stream, desk)]
        round = 1 + (earlier.index(about) if about in earlier else len(earlier))
    duty = DUTY_TOLD[kind]
    unit = next((clock.owner_unit for clock in opened), desk.policy.centre_of(duty))
    await request(desk, kind.value, recorded.stream, "asker", source=recorded.source, round=round,
                   about=about, duty=duty, unit=unit)  # fmt: skip


async def _tell_of_postponement(recorded: Recorded[QuestionProgressReported], desk: Register) -> None:
    """Hẹn lại quá số lần dự kiến: the head of the centre and the leadership are told, once a question."""
    subject, duty = recorded.stream, "promised_reply"
    promise = next((clock for clock in recorded.event.opens if clock.duty == duty), None)
    if promise is None:
        return
    begins = domain.in_hours(desk.now, desk.calendar, desk.policy.hours)
    for recipient in (f"head:{desk.policy.centre_of(duty)}", "leadership"):
        await request(
            desk, "postponement", subject, recipient, source=recorded.source, about=recorded.id, duty=duty,
            unit=promise.owner_unit, deadline_id=domain.deadline_id(subject, promise.name),
            not_before=begins if begins > desk.now else None,
        )  # fmt: skip
