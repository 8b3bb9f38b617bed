"""The steps of sending a notice, each on record before the next."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier import domain
from services.notifier.domain import Notice
from services.notifier.handlers.clocks import Register
from services.notifier.regulation import NoticeStatus
from shared.contracts.notifier import Delivery


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
    signed_by: str = ""
    relay: str = ""


async def record_acceptance(cmd: Accepted, desk: Register, known: Notice | None = None) -> Notice:
    """``known``: as this desk left it; VersionConflict when somebody has written since."""
    notice = known or await desk.load(Notice, cmd.notice_id)
    accepted = domain.accept(
        notice, attempt=cmd.attempt, reply=cmd.reply, at=cmd.at, signed_by=cmd.signed_by, relay=cmd.relay
    )
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
        notice,
        attempt=cmd.attempt,
        outcome=cmd.outcome,
        reason=cmd.reason,
        at=desk.now,
        policy=desk.policy,
        calendar=desk.calendar,
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
