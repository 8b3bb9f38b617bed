"""What the register does with what it hears: one function for every event that carries clocks, one for each
event that a person must be told of, and the steps of sending. Each bears being run again."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from services.notifier import domain
from services.notifier.domain import Deadline, Ending, Notice
from services.notifier.regulation import NoticeStatus, Policy
from shared.contracts.base import Clock, ClockedEvent, Event, Recorded
from shared.contracts.content import SubmissionSubmitted
from shared.contracts.notifier import Delivery
from shared.contracts.qa import (
    AnswerReleased,
    NoticeKind,
    QuestionProgressReported,
    QuestionReceived,
    QuestionRefused,
)
from shared.contracts.sync import DeliveryPlanned
from shared.desk import Desk, once

Register = Desk[Policy]
E = TypeVar("E", bound=Event)
C = TypeVar("C", bound=ClockedEvent)


def label_of(event: Event) -> str:
    """How people call what the event is about; ids and numbers, never words of a person."""
    match event:
        case QuestionReceived():
            return event.number
        case SubmissionSubmitted():
            return event.content_class.value
        case DeliveryPlanned():
            return event.partner
        case _:
            return ""


async def keep_clocks(recorded: Recorded[C], desk: Register) -> None:
    """Open, discharge and void the deadlines that the event names, each on a stream of its own and once."""
    event = recorded.event
    clocks = {clock.name: clock for clock in event.opens}
    for name in dict.fromkeys((*clocks, *event.closes, *event.voids)):
        ending = None
        if name in event.closes:
            ending = Ending(event.closed_at or recorded.at, False, recorded.id)
        elif name in event.voids:
            ending = Ending(recorded.at, True, recorded.id)
        await once(_keep(recorded, name, clocks.get(name), ending, desk))


async def _keep(
    recorded: Recorded[C], name: str, clock: Clock | None, ending: Ending | None, desk: Register
) -> None:
    subject = recorded.stream
    known = await desk.find(Deadline, domain.deadline_id(subject, name))
    events: tuple[Event, ...] = ()
    if clock is not None:
        known, events = domain.open_deadline(
            known, subject, clock, source=recorded.source, label=label_of(recorded.event)
        )
    if ending is not None:
        known, ended = domain.end_deadline(known, subject, name, ending)
        events = (*events, *ended)
    if known is not None:
        await desk.append((known, events))


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


async def fire_deadline(id: UUID, desk: Register) -> int:
    """Every stage of this deadline whose time has come; how many fired. The once key is (deadline, stage)."""
    fired = 0
    while True:
        deadline = await desk.load(Deadline, id)
        after, events = domain.fire(deadline, at=desk.now)
        if not events:
            return fired
        stage = "breached" if after.breached else "warned"
        await desk.append((after, events), key=f"{id}#{stage}")
        fired += 1


@dataclass(frozen=True, slots=True)
class ClaimNotice:
    notice_id: UUID


async def claim_notice(cmd: ClaimNotice, desk: Register) -> Notice:
    """Whoever gets this record in sends. VersionConflict and AlreadyDone: somebody else has."""
    notice = await desk.load(Notice, cmd.notice_id)
    claimed = domain.claim(notice)
    return await desk.append(claimed, key=f"{notice.id}#sending:{notice.attempt + 1}")


@dataclass(frozen=True, slots=True)
class Accepted:
    notice_id: UUID
    attempt: int
    reply: str
    at: datetime


async def record_acceptance(cmd: Accepted, desk: Register) -> Notice:
    notice = await desk.load(Notice, cmd.notice_id)
    accepted = domain.accept(notice, attempt=cmd.attempt, reply=cmd.reply, at=cmd.at)
    return await desk.append(accepted)


@dataclass(frozen=True, slots=True)
class Failed:
    notice_id: UUID
    attempt: int
    outcome: Delivery
    reason: str


async def record_failure(cmd: Failed, desk: Register) -> Notice:
    notice = await desk.load(Notice, cmd.notice_id)
    failed = domain.fail(
        notice, attempt=cmd.attempt, outcome=cmd.outcome, reason=cmd.reason, at=desk.now, policy=desk.policy
    )
    return await desk.append(failed, key=f"{notice.id}#failed:{cmd.attempt}")


async def presume_lost(cmd: ClaimNotice, desk: Register) -> Notice:
    """A sender that said nothing for too long may be dead, with the mail out or not: uncertain."""
    notice = await desk.load(Notice, cmd.notice_id)
    commits = await desk.journal.read(Notice.stream_of(notice.id))
    claimed_at = commits[-1].at
    if notice.status is not NoticeStatus.SENDING or not domain.is_lost(
        notice, claimed_at, at=desk.now, timeout=desk.policy.claim_timeout
    ):
        return notice
    words = "tiến trình gửi ngừng giữa chừng, không rõ máy chủ thư đã nhận hay chưa"
    return await record_failure(Failed(notice.id, notice.attempt, Delivery.UNCERTAIN, words), desk)
