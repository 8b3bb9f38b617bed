"""For everyone: the working calendar, and the clauses that the register cites."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.notifier.regulation_clauses import CLAUSES
from shared.calendar import CALENDAR
from shared.desk import utc_now
from shared.web.edge import page

router = APIRouter(include_in_schema=False)


@router.get("/can-cu")
async def clauses(request: Request) -> Response:
    """The regulation's own words, an anchor each."""
    return await page(request, "clauses.html", clauses=CLAUSES)


@router.get("/lich")
async def calendar(request: Request, year: Annotated[int, Query(ge=2000, le=2100)] = 0) -> Response:
    """Days off and make-up days of a year, with the document that decided each."""
    years = CALENDAR.years
    shown = year if year in years else CALENDAR.day_of(utc_now()).year
    data = CALENDAR.data
    rows = [row for entry in data.years if entry.year == shown for row in entry.days]
    tabs = [{"text": str(each), "url": f"/lich?year={each}", "current": each == shown} for each in years]
    return await page(
        request, "calendar.html", rows=rows, year=shown, tabs=tabs, documents=data.documents,
        version=CALENDAR.version, provisional=CALENDAR.is_provisional(shown),
    )  # fmt: skip
