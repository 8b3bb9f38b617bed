"""The working calendar over HTTP, for everyone."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from services.notifier.views import DueView
from shared.calendar import CALENDAR, CalendarYearMissing

router = APIRouter()


@router.get(
    "/v1/calendar/due", tags=["calendar"], summary="Tính hạn theo ngày làm việc, giải thích từng ngày"
)
async def calendar_due(
    start: Annotated[AwareDatetime, Query(alias="from", examples=["2026-11-23T09:00:00+07:00"])],
    working_days: Annotated[int, Query(ge=0, le=250, description="0: ngay trong ngày")],
) -> DueView:
    try:
        due = CALENDAR.due(start, working_days) if working_days else CALENDAR.same_day(start)
    except (OverflowError, CalendarYearMissing) as error:
        raise error if isinstance(error, CalendarYearMissing) else CalendarYearMissing(start.year) from error
    return DueView.of(due, CALENDAR.explain(due))
