"""Tin, bài gửi đăng: from the unit's supply through review to the portal, folded from its events."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self
from uuid import UUID

from services.content.regulation import LIMITS, Status
from shared.contracts.base import Aggregate, Clock, Decision, Event, only
from shared.contracts.clocks import moved_as
from shared.contracts.content import (
    ContentClass,
    SubmissionApproved,
    SubmissionClockMoved,
    SubmissionEdited,
    SubmissionPermitted,
    SubmissionPublished,
    SubmissionResubmitted,
    SubmissionReturned,
    SubmissionSubmitted,
    SubmissionWithdrawn,
)
from shared.contracts.notifier import DeadlineMoved


@dataclass(frozen=True)
class Submission(Aggregate):
    KIND: ClassVar[str] = "submission"

    id: UUID
    status: Status
    content_class: ContentClass
    unit: str
    author: str
    title: str
    body_ref: str
    body_hash: str
    text_version: int
    quoted: bool
    event_at: datetime | None
    permitted_at: datetime | None
    hands: frozenset[str]  # everyone who has written in the text
    editor: str = ""  # who wrote the newest version after the first
    submitted_at: datetime | None = None
    attestations: tuple[str, ...] = ()  # of the newest version alone
    supplied_at: datetime | None = None  # None again while returned as incomplete
    clock: Clock | None = None  # the unit's clock, as it was last opened
    rounds: int = 1
    published_at: datetime | None = None

    @property
    def may_be_shown(self) -> bool:
        """Được phép công bố, where the class asks for it."""
        return not LIMITS[self.content_class].needs_permission or self.permitted_at is not None

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, SubmissionSubmitted)
        return cls(
            id=first.submission_id, status=Status.SUBMITTED, content_class=first.content_class,
            unit=first.unit, author=first.author, title=first.title,
            body_ref=first.body_ref, body_hash=first.body_hash, text_version=first.text_version,
            quoted=first.quoted, event_at=first.event_at, permitted_at=first.permitted_at,
            hands=frozenset({first.author}), submitted_at=first.closed_at, supplied_at=first.closed_at,
            clock=first.opens[0] if first.opens else None,
        )  # fmt: skip

    def apply(self, event: Event) -> Self:  # noqa: PLR0911 (one return an event)
        match event:
            case SubmissionEdited():
                return self._rewritten(event, event.editor)
            case SubmissionResubmitted():
                written = self._rewritten(event, event.author)
                return replace(written, supplied_at=self.supplied_at or event.closed_at)
            case SubmissionReturned():
                back = replace(self, status=Status.RETURNED, attestations=())
                if not event.incomplete:
                    return back
                clock = event.opens[0] if event.opens else self.clock
                return replace(back, supplied_at=None, clock=clock, rounds=self.rounds + bool(event.opens))
            case SubmissionPermitted():
                clock = event.opens[0] if event.opens else self.clock
                return replace(self, permitted_at=event.permitted_at, clock=clock)
            case SubmissionClockMoved():
                return replace(self, clock=event.clock)
            case SubmissionApproved():
                return replace(self, status=Status.APPROVED, attestations=event.attestations)
            case SubmissionPublished():
                return replace(self, status=Status.PUBLISHED, published_at=event.published_at)
            case SubmissionWithdrawn():
                return replace(self, status=Status.WITHDRAWN)
            case _:
                return self

    def _rewritten(self, event: SubmissionEdited | SubmissionResubmitted, by: str) -> Self:
        """A new version voids what was attested of the former one."""
        return replace(
            self, status=Status.SUBMITTED, title=event.title, body_ref=event.body_ref,
            body_hash=event.body_hash, text_version=event.text_version, quoted=event.quoted,
            editor=by, hands=self.hands | {by}, attestations=(),
        )  # fmt: skip


def move_clock(submission: Submission, told: DeadlineMoved) -> Decision[Submission]:
    """Thời hạn cung cấp được tính lại vì lịch làm việc thay đổi; also of what has been supplied meanwhile,
    for the register judges it by the new date."""
    return submission.then(*moved_as(SubmissionClockMoved, submission.clock, told))
