"""What comes back, and what a person does about it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.notifier import domain
from services.notifier.domain import Notice, Way
from services.notifier.handlers.clocks import Register


@dataclass(frozen=True, slots=True)
class Returned:
    """``status``: RFC 3463; ``reason``: the server's words without any address."""

    notice_id: UUID
    attempt: int
    permanent: bool
    status: str
    reason: str


async def record_bounce(cmd: Returned, desk: Register) -> Notice:
    """Once an attempt, whoever hands it over and however often."""
    notice = await desk.load(Notice, cmd.notice_id)
    bounced = domain.bounce(
        notice, attempt=cmd.attempt, permanent=cmd.permanent, status=cmd.status, reason=cmd.reason,
        at=desk.now,
    )  # fmt: skip
    return await desk.append(bounced, key=f"{notice.id}#bounced:{cmd.attempt}")


@dataclass(frozen=True, slots=True)
class AskAgain:
    notice_id: UUID
    reason: str


async def ask_again(cmd: AskAgain, desk: Register) -> Notice:
    notice = await desk.load(Notice, cmd.notice_id)
    return await desk.append(domain.ask_again(notice, reason=cmd.reason, by=desk.by))


@dataclass(frozen=True, slots=True)
class ReachOtherwise:
    """``proof``: số công văn, mã bưu gửi …; ``reached_at``: UTC."""

    notice_id: UUID
    way: Way
    reached_at: datetime
    proof: str


async def reach_otherwise(cmd: ReachOtherwise, desk: Register) -> Notice:
    notice = await desk.load(Notice, cmd.notice_id)
    commits = await desk.journal.read(Notice.stream_of(notice.id), upto=1)
    reached = domain.reach(
        notice, way=cmd.way, reached_at=cmd.reached_at, proof=cmd.proof, requested_at=commits[0].at,
        at=desk.now, by=desk.by,
    )  # fmt: skip
    return await desk.append(reached)
