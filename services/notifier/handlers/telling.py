"""One function for each event of the register that our own people must be told of."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifier import domain
from services.notifier.domain import Deadline, Notice
from services.notifier.handlers.clocks import Register
from services.notifier.regulation import AT_ONCE, Policy
from services.notifier.regulation_stages import WARNED, Audience, stages_of
from shared.contracts.base import Recorded
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineOpened,
    DeadlineRescinded,
    DeadlineWarned,
    Level,
)
from shared.desk import once

ON_CALL = "chat:on-call"


async def remind_at_once(recorded: Recorded[DeadlineWarned], desk: Register) -> None:
    """A reminder that cannot wait for a morning mail, in the last hours of «ngay trong ngày»."""
    event = recorded.event
    stage = next((row for row in stages_of(event.duty) if row.name == event.stage), None)
    if stage is None or not stage.at_once or stage is WARNED:
        return
    centre = f"centre:{desk.policy.centre_of(event.duty)}"
    await _tell(recorded, "warning", centre if stage.audience is Audience.CENTRE else _owner(event), desk)


async def tell_of_breach(recorded: Recorded[DeadlineBreached], desk: Register) -> None:
    """The unit that owes the duty: at once what is late within its day, else by itself or in its morning
    mail as the unit has chosen."""
    event = with_unit(recorded.event, recorded.event.unit or await _unit_of(recorded, desk))
    for recipient in told_of_breach(event, desk.policy):
        await _tell(recorded, "breach", recipient, desk)


async def tell_of_escalation(recorded: Recorded[DeadlineEscalated], desk: Register) -> None:
    for recipient in told_of_escalation(recorded.event, desk.policy):
        await _tell(recorded, "escalation", recipient, desk)


async def tell_of_rescission(recorded: Recorded[DeadlineRescinded], desk: Register) -> None:
    """Everyone who was to be told of that breach; whether they were is looked up when it is sent."""
    for recipient in await _told_so_far(recorded, desk):
        await _tell(recorded, "rescission", recipient, desk)


async def tell_of_deed(recorded: Recorded[DeadlineMet], desk: Register) -> None:
    """Done in time, and told of as late because the news came late: those who were told hear of it."""
    if not recorded.event.late:
        for recipient in await _told_so_far(recorded, desk):
            await _tell(recorded, "rescission", recipient, desk)


async def _told_so_far(recorded: Recorded[Any], desk: Register) -> list[str]:
    """To whom the breach that stands was told, or was to be told, before this event."""
    told: dict[str, None] = {}
    owner = ""
    for commit in await desk.journal.read(recorded.stream, upto=recorded.version):
        for earlier in commit.recorded(desk.source):
            match earlier.event:
                case DeadlineOpened():
                    owner = earlier.event.clock.owner_unit
                case DeadlineBreached():
                    event = with_unit(earlier.event, owner)
                    # By itself, or in a morning mail.
                    told |= dict.fromkeys((_owner(event), *told_of_breach(event, desk.policy)))
                case DeadlineEscalated():
                    told |= dict.fromkeys(told_of_escalation(earlier.event, desk.policy))
                case DeadlineRescinded() | DeadlineMet(late=False) if earlier.sequence < recorded.sequence:
                    told = {}
    return list(told)


def with_unit(event: DeadlineBreached, unit: str) -> DeadlineBreached:
    """An event of an older build does not say who owes it."""
    return event if event.unit else event.model_copy(update={"unit": unit})


def _owner(event: Any) -> str:
    return f"unit:{event.unit}"


def told_of_breach(event: DeadlineBreached, policy: Policy) -> list[str]:
    recipients = [_owner(event)] if policy.by_itself(event.duty, event.unit) else []
    return [*recipients, ON_CALL] if policy.chat and event.duty in AT_ONCE else recipients


def told_of_escalation(event: DeadlineEscalated, policy: Policy) -> list[str]:
    match event.level:
        case Level.UNIT_HEAD:
            head = f"head:{event.unit}"
            return [head, f"sms:{head}"] if policy.sms else [head]
        case Level.CENTRE:
            return [f"centre:{policy.centre_of(event.duty)}"]
        case Level.LEADERSHIP:
            return ["leadership"]


async def _tell(recorded: Recorded[Any], kind: str, recipient: str, desk: Register) -> None:
    """To our own people, of what the event says; outside working hours only what the law wants at once."""
    event = recorded.event
    begins = (
        desk.now if event.duty in AT_ONCE else domain.in_hours(desk.now, desk.calendar, desk.policy.hours)
    )
    unit = getattr(event, "unit", "") or await _unit_of(recorded, desk)
    await request(
        desk, kind, event.subject, recipient, source=recorded.source, reason=recorded.id, about=recorded.id,
        duty=event.duty, unit=unit, deadline_id=event.deadline_id,
        not_before=begins if begins > desk.now else None,
    )  # fmt: skip


async def _unit_of(recorded: Recorded[Any], desk: Register) -> str:
    deadline = await desk.load(Deadline, recorded.event.deadline_id)
    return deadline.clock.owner_unit if deadline.clock else ""


async def request(
    desk: Register, kind: str, subject: str, recipient: str, *, reason: str = "", round: int = 1, **facts: Any
) -> None:
    known = await desk.find(Notice, domain.notice_id(kind, reason or subject, recipient, round))
    asked = domain.request_notice(
        known, kind, subject, recipient, policy=desk.policy, reason=reason, round=round, **facts
    )
    await once(desk.append(asked))


@dataclass(frozen=True, slots=True)
class SoundAlarm:
    name: str
    fingerprint: str
    started_at: datetime
    words: str


async def sound_alarm(cmd: SoundAlarm, desk: Register) -> bool:
    """Báo động: told to whoever is on call, once from its beginning on. False when it was told before."""
    subject = f"alarm-{re.sub('[^A-Za-z0-9]', '', cmd.name)[:60]}"
    reason = f"{cmd.fingerprint}#{cmd.started_at.isoformat()}"
    if await desk.find(Notice, domain.notice_id("alarm", reason, ON_CALL, 1)) is not None:
        return False
    await request(desk, "alarm", subject, ON_CALL, source=desk.source, reason=reason, about=cmd.words)
    return True


@dataclass(frozen=True, slots=True)
class WithholdNotice:
    notice_id: UUID
    reason: str
    moot: bool = False


async def withhold_notice(cmd: WithholdNotice, desk: Register) -> Notice:
    """Not to be sent this way: the address is suppressed, nobody is left, or it is no longer so."""
    notice = await desk.load(Notice, cmd.notice_id)
    withheld = domain.withhold(notice, reason=cmd.reason, moot=cmd.moot)
    return await desk.append(withheld, key=f"{notice.id}#withheld:{notice.attempt}")


@dataclass(frozen=True, slots=True)
class RequestDigest:
    unit: str
    day: str  # YYYY-MM-DD, Vietnamese
    listed: tuple[UUID, ...]


async def request_digest(cmd: RequestDigest, desk: Register) -> Notice:
    """Thư đầu ngày: one a unit and working day, whoever asks for it first. Raises AlreadyDone."""
    subject, recipient = f"unit-{cmd.unit}", f"unit:{cmd.unit}"
    reason = f"{subject}#{cmd.day}"
    known = await desk.find(Notice, domain.notice_id("digest", reason, recipient, 1))
    asked = domain.request_notice(
        known, "digest", subject, recipient, source=desk.source, policy=desk.policy, reason=reason,
        about=cmd.day, unit=cmd.unit, listed=cmd.listed,
    )  # fmt: skip
    return await desk.append(asked, key=f"digest#{reason}")
