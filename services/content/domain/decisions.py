"""The commands on a submission, and what each decides: checked against the workflow and the regulation, then
told as events."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.content.domain.body import Body, SourceRegister, require_sources
from services.content.domain.clock import require_moments, supply_clock
from services.content.domain.rules import (
    AlreadyPermitted,
    AttestationMissing,
    NotYourRole,
    OtherUnit,
    OwnWork,
    PermissionMissing,
    PermissionNotNeeded,
    TextVersionChanged,
)
from services.content.domain.submission import Submission
from services.content.regulation import (
    ATTESTATIONS,
    LIMITS,
    WORKFLOW,
    Attestation,
    Policy,
    ReturnReason,
    Role,
)
from shared.calendar import WorkingCalendar
from shared.contracts.base import Clock, Decision, Event
from shared.contracts.content import (
    ContentClass,
    SubmissionApproved,
    SubmissionEdited,
    SubmissionPermitted,
    SubmissionPublished,
    SubmissionResubmitted,
    SubmissionReturned,
    SubmissionSubmitted,
    SubmissionWithdrawn,
)
from shared.errors import Forbidden
from shared.workflow import Actor


@dataclass(frozen=True, slots=True)
class Submit:
    submission_id: UUID
    content_class: ContentClass
    body: Body
    event_at: datetime
    permitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class RewriteText:
    """The editor's edit, or, of a returned item, the author's completed text."""

    submission_id: UUID
    body: Body
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReturnToUnit:
    submission_id: UUID
    reason: ReturnReason
    words: str = ""


@dataclass(frozen=True, slots=True)
class Approve:
    """``register`` holds the official sources as they stand when the decision is made."""

    submission_id: UUID
    text_version: int
    attestations: frozenset[Attestation]
    register: SourceRegister
    publish: bool = True


@dataclass(frozen=True, slots=True)
class RecordPermission:
    submission_id: UUID
    permitted_at: datetime


@dataclass(frozen=True, slots=True)
class Publish:
    submission_id: UUID


@dataclass(frozen=True, slots=True)
class Withdraw:
    submission_id: UUID
    reason: str


def submit(
    cmd: Submit, body_ref: str, *, by: Actor, at: datetime, calendar: WorkingCalendar, policy: Policy
) -> Decision[Submission]:
    """Gửi bài. The unit's clock, if one runs, opens and stops here: the supply has been made."""
    if Role.AUTHOR not in by.roles or not by.unit:
        raise NotYourRole("Chỉ người soạn của đơn vị được gửi bài.")
    require_moments(cmd.content_class, cmd.event_at, cmd.permitted_at, at=at, policy=policy)
    clock = supply_clock(
        cmd.content_class, by.unit, cmd.event_at, cmd.permitted_at, calendar=calendar, policy=policy
    )
    return Submission.starts_with(
        SubmissionSubmitted(
            submission_id=cmd.submission_id, content_class=cmd.content_class, unit=by.unit, author=by.subject,
            title=cmd.body.title, body_ref=body_ref, body_hash=cmd.body.hash, quoted=cmd.body.quoted,
            permitted_at=_utc(cmd.permitted_at), event_at=_utc(cmd.event_at),
            opens=(clock,) if clock else (), closes=(clock.name,) if clock else (), closed_at=at,
        )
    )  # fmt: skip


def rewrite(
    submission: Submission, cmd: RewriteText, body_ref: str, *, by: Actor, at: datetime
) -> Decision[Submission]:
    """Biên tập, or hoàn thiện and gửi lại. The same words again are no new version."""
    changed = cmd.body.hash != submission.body_hash
    words = {
        "submission_id": submission.id, "text_version": submission.text_version + 1, "title": cmd.body.title,
        "body_ref": body_ref, "body_hash": cmd.body.hash, "quoted": cmd.body.quoted, "note": cmd.note,
    }  # fmt: skip
    if "resubmit" in WORKFLOW.acts(submission.status, by.roles):
        _own_unit(submission, by)
        open_clock = submission.clock if submission.supplied_at is None else None
        closes = (open_clock.name,) if open_clock else ()
        again = SubmissionResubmitted(**words, author=by.subject, closes=closes, closed_at=at)
        return submission.then(again)
    _step(submission, "edit", by)
    return submission.then(SubmissionEdited(**words, editor=by.subject)) if changed else (submission, ())


def give_back(
    submission: Submission, cmd: ReturnToUnit, *, by: Actor, policy: Policy
) -> Decision[Submission]:
    """Trả lại. A formal defect neither stops nor restarts the unit's clock: when the supply was not complete
    («cung cấp đầy đủ»), the clock runs on, from the same start to the same due date."""
    _step(submission, "return", by)
    incomplete = cmd.reason in policy.incomplete_reasons
    opens: tuple[Clock, ...] = ()
    if incomplete and submission.clock and submission.supplied_at:
        round = submission.rounds + 1
        opens = (submission.clock.model_copy(update={"name": f"{submission.clock.duty}:{round}"}),)
    return submission.then(
        SubmissionReturned(
            submission_id=submission.id, text_version=submission.text_version, reason=cmd.reason,
            words=cmd.words, incomplete=incomplete, opens=opens,
        )
    )  # fmt: skip


def approve(
    submission: Submission, cmd: Approve, body: Body, *, by: Actor, at: datetime
) -> Decision[Submission]:
    """Duyệt: all six statements of Article 8 for exactly this version of the text, by somebody without a
    hand in it; published at once when that is wanted and permitted."""
    if by.subject in submission.hands:
        whose = "gửi" if by.subject == submission.author else "biên tập"
        raise OwnWork(f"Người {whose} bài không được tự duyệt bài của mình; phải do người khác duyệt.")
    _step(submission, "approve", by)
    if cmd.text_version != submission.text_version:
        raise TextVersionChanged(
            f"Bạn đã đọc phiên bản {cmd.text_version}; bài nay là phiên bản {submission.text_version}."
            " Hãy đọc lại rồi cam kết.",
            current=submission.text_version,
        )
    if missing := [a for a in ATTESTATIONS if a not in cmd.attestations]:
        raise AttestationMissing(
            "Còn thiếu cam kết: " + "; ".join(ATTESTATIONS[a][0] for a in missing) + ".",
            missing=missing,
            errors=[{"field": "attestations", "message": "Cần đủ sáu cam kết theo Điều 8."}],
        )
    require_sources(body, cmd.register)
    approved = SubmissionApproved(
        submission_id=submission.id, text_version=submission.text_version, attestations=tuple(ATTESTATIONS)
    )
    if cmd.publish and submission.may_be_shown:
        return submission.then(approved, _published(submission, at))
    return submission.then(approved)


def permit(
    submission: Submission,
    cmd: RecordPermission,
    *,
    by: Actor,
    at: datetime,
    calendar: WorkingCalendar,
    policy: Policy,
) -> Decision[Submission]:
    """Ghi nhận được phép công bố. The clock that waited for it starts; a supply made before is in time."""
    _step(submission, "permit", by)
    _own_unit(submission, by)
    if not LIMITS[submission.content_class].needs_permission:
        raise PermissionNotNeeded("Chỉ thông tin liên hệ và văn bản chờ được phép công bố.")
    if submission.permitted_at is not None:
        raise AlreadyPermitted("Bài này đã được ghi nhận được phép công bố.")
    require_moments(
        submission.content_class, submission.event_at or at, cmd.permitted_at, at=at, policy=policy
    )
    clock = supply_clock(
        submission.content_class, submission.unit, submission.event_at, cmd.permitted_at,
        calendar=calendar, policy=policy, round=submission.rounds,
    )  # fmt: skip
    supplied = submission.supplied_at
    met = clock is not None and supplied is not None
    return submission.then(
        SubmissionPermitted(
            submission_id=submission.id, permitted_at=cmd.permitted_at.astimezone(UTC),
            opens=(clock,) if clock else (), closes=(clock.name,) if clock and met else (),
            closed_at=max(supplied, clock.started_at) if clock and supplied else None,
        )
    )  # fmt: skip


def publish(submission: Submission, cmd: Publish, *, by: Actor, at: datetime) -> Decision[Submission]:
    """Đăng what is approved and may be shown."""
    _step(submission, "publish", by)
    if not submission.may_be_shown:
        raise PermissionMissing("Bài này chưa được ghi nhận được phép công bố, nên chưa đăng được.")
    return submission.then(_published(submission, at))


def withdraw(submission: Submission, cmd: Withdraw, *, by: Actor) -> Decision[Submission]:
    """Gỡ bài: every linked portal takes it down too."""
    _step(submission, "withdraw", by)
    return submission.then(
        SubmissionWithdrawn(
            submission_id=submission.id, text_version=submission.text_version, reason=cmd.reason
        )
    )


def acts(submission: Submission, by: Actor) -> list[str]:
    """What this person may do now: the buttons on a page."""
    own_unit = by.unit == submission.unit
    needs = LIMITS[submission.content_class].needs_permission
    also: dict[str, Callable[[], bool]] = {
        "resubmit": lambda: own_unit,
        "permit": lambda: own_unit and needs and submission.permitted_at is None,
        "approve": lambda: by.subject not in submission.hands,
        "publish": lambda: submission.may_be_shown,
    }
    found = WORKFLOW.acts(submission.status, by.roles)
    return [act for act in found if also.get(act, lambda: True)()]


def _published(submission: Submission, at: datetime) -> Event:
    return SubmissionPublished(
        submission_id=submission.id, content_class=submission.content_class, unit=submission.unit,
        text_version=submission.text_version, title=submission.title, body_ref=submission.body_ref,
        body_hash=submission.body_hash, published_at=at,
    )  # fmt: skip


def _step(submission: Submission, act: str, by: Actor) -> None:
    try:
        WORKFLOW.after(submission.status, act, by)
    except Forbidden as error:
        raise NotYourRole(error.detail, act=act) from error


def _own_unit(submission: Submission, by: Actor) -> None:
    if by.unit != submission.unit:
        raise OtherUnit("Chỉ người soạn của chính đơn vị gửi bài được làm việc này.")


def _utc(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC) if moment else None
