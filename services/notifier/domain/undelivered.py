"""What follows when a notice did not reach its person: acceptance and delivery are two facts, and «phải thông
báo» asks for the second. Whom a mail does not reach is written to again, or told another way."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from services.notifier.domain.notices import Notice
from services.notifier.regulation import NOTICES, NoticeStatus
from shared.contracts.base import Decision
from shared.contracts.notifier import NoticeBounced, NoticeReachedOtherwise, NoticeRetryAsked
from shared.errors import Forbidden, InvalidInput, Unavailable
from shared.workflow import SYSTEM, Actor

# A person must see to these when the law demands the notice.
UNREACHED: Final = frozenset({NoticeStatus.FAILED, NoticeStatus.BOUNCED, NoticeStatus.WITHHELD})


class Way(StrEnum):
    """How somebody was told without a mail."""

    PHONE = "phone"  # điện thoại
    POST = "post"  # bưu điện
    IN_PERSON = "in_person"  # trực tiếp
    OTHER = "other"


class ForgedReturn(Forbidden):
    """A returned mail whose address was not made by us, or for no attempt of ours."""

    code = "forged_return"
    title_vi, title_en = "Thư trả lại giả mạo", "Not a return of our mail"


class StillSending(Unavailable):
    """The mail server's answer is not on record yet; the returned mail is to be handed over again."""

    code = "still_sending"
    title_vi, title_en = "Thư này đang được gửi", "This mail is still being sent"


def needs_person(notice: Notice) -> bool:
    """Cần báo bằng cách khác: the law demands it, no mail has reached, and somebody is there to be told."""
    return notice.statutory and notice.status in UNREACHED and not notice.moot


def bounce(
    notice: Notice, *, attempt: int, permanent: bool, status: str, reason: str, at: datetime,
    by: Actor = SYSTEM,
) -> Decision[Notice]:  # fmt: skip
    """Bị trả lại. Once an attempt; the return of one after which another began says nothing new, for the
    later one has a fate of its own. Raises StillSending while the attempt has no end on record, ForgedReturn
    for an attempt that never was."""
    if not 0 < attempt <= notice.attempt:
        raise ForgedReturn("Thư báo này chưa được gửi lần ấy.")
    if attempt < notice.attempt or notice.status in (NoticeStatus.BOUNCED, NoticeStatus.REACHED):
        return notice.then()
    if notice.status is NoticeStatus.SENDING:
        raise StillSending("Thư báo này đang được gửi; hãy chuyển lại sau ít phút.", retry_after=60)
    NOTICES.after(notice.status, "bounce", by)
    return notice.then(NoticeBounced(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, recipient=notice.recipient,
        round=notice.round, attempt=attempt, permanent=permanent, status=status, reason=reason, bounced_at=at,
    ))  # fmt: skip


def ask_again(notice: Notice, *, reason: str, by: Actor) -> Decision[Notice]:
    """Gửi lại, by a person's wish and with their reason: the same Message-ID and number."""
    NOTICES.after(notice.status, "ask_again", by)
    return notice.then(NoticeRetryAsked(notice_id=notice.id, reason=reason))


def reach(
    notice: Notice, *, way: Way, reached_at: datetime, proof: str, requested_at: datetime, at: datetime,
    by: Actor,
) -> Decision[Notice]:  # fmt: skip
    """Đã báo bằng cách khác: closes the task. It happened between the minute in which the notice began and
    now; raises InvalidInput otherwise."""
    NOTICES.after(notice.status, "reach", by)
    if not requested_at.replace(second=0, microsecond=0) <= reached_at <= at:
        words = "Thời điểm báo phải sau lúc có yêu cầu và không ở tương lai."
        english = "It must lie after the notice was asked for, and not in the future."
        raise InvalidInput(words, errors=[{"field": "reached_at", "message": words, "message_en": english}])
    return notice.then(NoticeReachedOtherwise(
        notice_id=notice.id, kind=notice.kind, subject=notice.subject, recipient=notice.recipient,
        round=notice.round, way=way.value, reached_at=reached_at, proof=proof,
    ))  # fmt: skip
