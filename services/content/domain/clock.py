"""Thời hạn cung cấp: the clock of a class, which binds the unit's supply (Điều 11 khoản 1 điểm a)."""

from datetime import datetime, timedelta
from typing import Final

from services.content.domain.rules import EventInFuture, PermissionInFuture, PermissionNotNeeded
from services.content.regulation import LIMITS, Policy
from shared.calendar import VIETNAM, WorkingCalendar
from shared.contracts.base import Clock
from shared.contracts.clocks import clock_for
from shared.contracts.content import ContentClass

DUTY: Final = "supply"


def supply_clock(
    content_class: ContentClass,
    unit: str,
    event_at: datetime | None,
    permitted_at: datetime | None,
    *,
    calendar: WorkingCalendar,
    policy: Policy,
    round: int = 1,
) -> Clock | None:
    """None where no clock runs: news has none, and contact details and documents wait for their permission.

    It counts from the later of the event and the permission. A later ``round`` is the same clock running on.
    What lies before the calendar's first year has a due date that nobody can name: it is counted from the
    calendar's first day, which is later than the truth, and says so. Thus an old text can still be explained.
    """
    limit = LIMITS[content_class]
    if limit.working_days is None or event_at is None:
        return None
    if limit.needs_permission and permitted_at is None:
        return None
    starts = [event_at, permitted_at] if limit.needs_permission else [event_at]
    start = max(moment for moment in starts if moment is not None)
    draft = content_class is ContentClass.DRAFT_CONSULTATION
    days = policy.draft_working_days if draft else limit.working_days
    counted = max(start, datetime(calendar.years[0], 1, 1, tzinfo=VIETNAM))
    due = calendar.due(counted, days) if days else calendar.same_day(counted)
    clock = clock_for(
        due, calendar, duty=DUTY, name=DUTY if round == 1 else f"{DUTY}:{round}", basis=limit.basis,
        owner_unit=unit, reason=limit.starts,
    )  # fmt: skip
    if counted == start:
        return clock
    vi = f"Mốc là ngày {calendar.day_of(start):%d/%m/%Y}, trước năm đầu của lịch; hạn thật còn sớm hơn. "
    en = (
        f"It began on {calendar.day_of(start):%d/%m/%Y}, before the calendar's first year: due even earlier. "
    )
    told = {"explanation_vi": vi + clock.explanation_vi, "explanation_en": en + clock.explanation_en}
    return clock.model_copy(update=told)


def require_moments(
    content_class: ContentClass,
    event_at: datetime,
    permitted_at: datetime | None,
    *,
    at: datetime,
    policy: Policy,
) -> None:
    """A clock starts with something that has happened. News alone may come before its event."""
    now = at + timedelta(seconds=policy.clock_tolerance)
    if event_at > now and content_class is not ContentClass.NEWS_EVENT:
        raise EventInFuture(
            f"«{LIMITS[content_class].starts}» phải là thời điểm đã qua; chỉ tin sự kiện được gửi trước.",
            errors=[{"field": "event_at", "message": "Thời điểm này chưa đến."}],
        )
    if permitted_at is None:
        return
    if not LIMITS[content_class].needs_permission:
        raise PermissionNotNeeded(
            "Chỉ thông tin liên hệ và văn bản chờ được phép công bố.",
            errors=[{"field": "permitted_at", "message": "Bỏ trống với loại thông tin này."}],
        )
    if permitted_at > now:
        raise PermissionInFuture(
            "Chỉ ghi thời điểm đã được phép công bố; nếu chưa, hãy bỏ trống và ghi nhận sau.",
            errors=[{"field": "permitted_at", "message": "Thời điểm này chưa đến."}],
        )
