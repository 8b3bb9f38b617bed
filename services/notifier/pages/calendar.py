"""For everyone: the year at a glance, a calculator of due dates, and the clauses that the register cites."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.notifier.api.calendar import all_versions
from services.notifier.regulation_clauses import CLAUSES
from services.notifier.views.calendars import counted, months_of
from shared.calendar import VIETNAM, CalendarYearMissing, DayLine, Due, WorkingCalendar
from shared.desk import utc_now
from shared.web.edge import edge_of, page

router = APIRouter(include_in_schema=False)
LONGEST: Final = 250


@router.get("/can-cu")
async def clauses(request: Request) -> Response:
    """The regulation's own words, an anchor each."""
    return await page(request, "clauses.html", clauses=CLAUSES)


@dataclass(frozen=True)
class Counted:
    """What the calculator answers, or what must be changed in its fields."""

    day: str
    working_days: str
    errors: dict[str, str] = field(default_factory=dict)
    due: Due | None = None
    sentence_vi: str = ""
    sentence_en: str = ""
    strip: list[dict[str, Any]] = field(default_factory=list)


@router.get("/lich")
async def calendar(
    request: Request, *, year: Annotated[int, Query(ge=2000, le=2100)] = 0,
    day: Annotated[str, Query(alias="from", max_length=40)] = "",
    working_days: Annotated[str, Query(max_length=10)] = "",
) -> Response:  # fmt: skip
    """Each day off and make-up day of a year, with the document that decided it."""
    edge = edge_of(request)
    current, today = edge.calendar, edge.calendar.day_of(utc_now())
    shown = next((n for n in (year, today.year) if n in current.years), current.years[-1])
    rows = [row for entry in current.data.years for row in entry.days if entry.year == shown]
    tabs = [{"text": str(n), "url": f"/lich?year={n}", "current": n == shown} for n in current.years]
    asked = count(current, day, working_days) if day or working_days else Counted(today.isoformat(), "")
    return await page(
        request, "calendar.html", status=422 if asked.errors else 200, rows=rows, year=shown, tabs=tabs,
        documents=current.data.documents, version=current.version, asked=asked,
        provisional=current.is_provisional(shown), months=months_of(current, shown, today),
        figures=counted(current, shown), versions=(await all_versions(edge)).items,
    )  # fmt: skip


def count(calendar: WorkingCalendar, day: str, working_days: str) -> Counted:
    """The form's answer, errors in the field's words."""
    errors = {}
    try:
        start = datetime.combine(date.fromisoformat(day), time.min, VIETNAM)
    except ValueError:
        start, errors["from"] = None, "Hãy chọn ngày xảy ra sự kiện."
    number = int(working_days) if working_days.isascii() and working_days.isdigit() else -1
    if not 0 <= number <= LONGEST:
        errors["working_days"] = f"Số ngày làm việc là một số từ 0 (ngay trong ngày) đến {LONGEST}."
    if start is None or errors:
        return Counted(day, working_days, errors)
    try:
        due = calendar.due(start, number) if number else calendar.same_day(start)
        told = calendar.explain(due)
    except (CalendarYearMissing, OverflowError) as error:
        words = error.detail if isinstance(error, CalendarYearMissing) else "Chưa có lịch của năm này."
        return Counted(day, working_days, {"from": words})
    return Counted(day, working_days, {}, due, told.sentence_vi, told.sentence_en, strip_of(due, told.days))


def strip_of(due: Due, lines: tuple[DayLine, ...]) -> list[dict[str, Any]]:
    """For the macro ``days``: day zero, then each day counted or skipped."""
    strip: list[dict[str, Any]] = [
        {"date": due.start.astimezone(VIETNAM).date(), "start": True, "due": not due.working_days}
    ]
    for line in lines:
        reason = "" if line.number else line.reason_vi
        strip.append(
            {"date": line.date, "number": line.number, "reason": reason, "due": line.date == due.last_day}
        )
    return strip
