"""What the content service tells the others: the life of a submission (tin, bài) and where it is shown."""

from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import ClockedEvent, ClockMoved, Event

SUBMISSION: Final = "content.submission"
PLACEMENT: Final = "content.placement"


class ContentClass(StrEnum):
    """Loại thông tin, Điều 11.1.a."""

    CONTACT = "contact"
    NEWS_EVENT = "news_event"
    ACTIVITY = "activity"
    DOCUMENT = "document"
    DRAFT_CONSULTATION = "draft_consultation"
    GUIDANCE = "guidance"


class SubmissionSubmitted(ClockedEvent, topic=SUBMISSION, name="content.submission.submitted"):
    """Đơn vị đã gửi tin, bài đầy đủ; the unit's clock of its class stops here."""

    submission_id: UUID
    content_class: ContentClass
    unit: str
    author: str  # staff id
    title: str
    body_ref: str
    body_hash: str
    text_version: int = 1
    quoted: bool = False
    permitted_at: AwareDatetime | None = None  # được phép công bố
    event_at: AwareDatetime | None = None  # what the class's clock counts from; for news, the event itself


class SubmissionEdited(Event, topic=SUBMISSION, name="content.submission.edited"):
    """Đã biên tập: a new version of the text, which voids what was attested of the former one."""

    submission_id: UUID
    text_version: int
    title: str
    body_ref: str
    body_hash: str
    quoted: bool = False
    note: str = ""
    editor: str = ""  # staff id; who has a hand in the text cannot approve it


class SubmissionReturned(ClockedEvent, topic=SUBMISSION, name="content.submission.returned"):
    """Trả lại đơn vị để hoàn thiện. When the supply was not complete, the unit's clock runs on under a new
    name: the same start, the same due date."""

    submission_id: UUID
    text_version: int
    reason: str
    words: str = ""
    incomplete: bool = False  # the supply was not complete: it is still owed


class SubmissionResubmitted(ClockedEvent, topic=SUBMISSION, name="content.submission.resubmitted"):
    """Đơn vị đã hoàn thiện và gửi lại; a new version of the text."""

    submission_id: UUID
    text_version: int
    author: str
    title: str
    body_ref: str
    body_hash: str
    quoted: bool = False
    note: str = ""


class SubmissionApproved(Event, topic=SUBMISSION, name="content.submission.approved"):
    """Đã duyệt: the attestations of Article 8 for exactly this version of the text."""

    submission_id: UUID
    text_version: int
    attestations: tuple[str, ...]


class SubmissionPermitted(ClockedEvent, topic=SUBMISSION, name="content.submission.permitted"):
    """Được phép công bố; for contact details and documents the unit's clock starts here at the earliest."""

    submission_id: UUID
    permitted_at: AwareDatetime


class SubmissionPublished(Event, topic=SUBMISSION, name="content.submission.published"):
    """Đã đăng; every linked portal must now show this version."""

    submission_id: UUID
    content_class: ContentClass
    unit: str
    text_version: int
    title: str
    body_ref: str
    body_hash: str
    published_at: AwareDatetime


class SubmissionWithdrawn(Event, topic=SUBMISSION, name="content.submission.withdrawn"):
    """Đã gỡ; every linked portal must take it down."""

    submission_id: UUID
    text_version: int
    reason: str


class SubmissionClockMoved(
    ClockMoved, topic=SUBMISSION, name="content.submission.clock_moved", published=False
):
    """Lịch làm việc thay đổi, thời hạn cung cấp được tính lại."""


class PlacementConfirmed(Event, topic=PLACEMENT, name="content.placement.confirmed"):
    """Một cổng liên kết đã xác nhận đang hiển thị phiên bản này (đã đồng bộ)."""

    placement_id: UUID
    submission_id: UUID
    partner: str
    text_version: int
    action: str
    acknowledged_at: AwareDatetime
    item_version: int = (
        0  # version of the submission's stream: a later acknowledgement of an older one is no news
    )
