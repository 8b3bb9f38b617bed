"""One function per command and per event: load, decide, append. The words go beside the journal first, so
that a commit never names a text that is not there."""

from dataclasses import replace
from typing import Any, Final
from uuid import UUID, uuid5

from services.content import texts
from services.content.domain import decisions, placement
from services.content.domain.body import Body
from services.content.domain.decisions import (
    Approve,
    Publish,
    RecordPermission,
    ReturnToUnit,
    RewriteText,
    Submit,
    Withdraw,
)
from services.content.domain.placement import Placement
from services.content.domain.submission import Submission, move_clock
from services.content.regulation import Policy
from shared.contracts.base import Recorded
from shared.contracts.notifier import DeadlineMoved
from shared.contracts.sync import DeliverySucceeded
from shared.desk import Desk

ContentDesk = Desk[Policy]
BODIES: Final = UUID("4f9d8a51-0a86-4c6f-9a0a-7a3c1b1d8c55")


def _ref(desk: ContentDesk, body: Body) -> str:
    """The same request names the same place again; other words never do."""
    return uuid5(BODIES, f"{desk.once}>{body.hash}").hex


async def body_of(desk: Desk[Any], ref: str) -> Body:
    return Body.of(await desk.vault.get(ref))


async def submit_text(cmd: Submit, desk: ContentDesk) -> Submission:
    cmd = replace(cmd, body=texts.cleaned(cmd.body))
    ref = _ref(desk, cmd.body)
    decision = decisions.submit(cmd, ref, by=desk.by, at=desk.now, calendar=desk.calendar, policy=desk.policy)
    await desk.vault.put(ref, cmd.body.content)
    return await desk.append(decision)


async def rewrite_text(cmd: RewriteText, desk: ContentDesk) -> Submission:
    submission = await desk.load(Submission, cmd.submission_id)
    cmd = replace(cmd, body=texts.cleaned(cmd.body))
    ref = _ref(desk, cmd.body)
    decision = decisions.rewrite(submission, cmd, ref, by=desk.by, at=desk.now)
    await desk.vault.put(ref, cmd.body.content)
    return await desk.append(decision)


async def return_to_unit(cmd: ReturnToUnit, desk: ContentDesk) -> Submission:
    submission = await desk.load(Submission, cmd.submission_id)
    return await desk.append(decisions.give_back(submission, cmd, by=desk.by, policy=desk.policy))


async def approve_submission(cmd: Approve, desk: ContentDesk) -> Submission:
    submission = await desk.load(Submission, cmd.submission_id)
    body = await body_of(desk, submission.body_ref)
    return await desk.append(decisions.approve(submission, cmd, body, by=desk.by, at=desk.now))


async def record_permission(cmd: RecordPermission, desk: ContentDesk) -> Submission:
    submission = await desk.load(Submission, cmd.submission_id)
    return await desk.append(
        decisions.permit(submission, cmd, by=desk.by, at=desk.now, calendar=desk.calendar, policy=desk.policy)
    )


async def publish_submission(cmd: Publish, desk: ContentDesk) -> Submission:
    submission = await desk.load(Submission, cmd.submission_id)
    return await desk.append(decisions.publish(submission, cmd, by=desk.by, at=desk.now))


async def withdraw_submission(cmd: Withdraw, desk: ContentDesk) -> Submission:
    submission = await desk.load(Submission, cmd.submission_id)
    return await desk.append(decisions.withdraw(submission, cmd, by=desk.by))


async def on_delivery_succeeded(recorded: Recorded[DeliverySucceeded], desk: ContentDesk) -> None:
    """Cổng liên kết đã xác nhận: this portal now shows, or no longer shows, that version."""
    delivered = recorded.event
    held = await desk.find(Placement, placement.placement_id(delivered.item_id, delivered.partner))
    await desk.append(placement.confirm(held, delivered))


async def on_deadline_moved(recorded: Recorded[DeadlineMoved], desk: ContentDesk) -> None:
    """Lịch làm việc thay đổi: the submission shows the term as the register counts it now."""
    moved = recorded.event
    if moved.source != desk.source:
        return
    submission = await desk.find(Submission, UUID(moved.subject.partition("-")[2]))
    if submission is not None:
        await desk.append(move_clock(submission, moved))
