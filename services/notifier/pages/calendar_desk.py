"""The calendar keeper's desk: drafts row by row, what one would move, applying it by a document, and how far
the moves are. Whoever is on call sees it all without the acts."""

from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from services.notifier.api import Cursor, Reader
from services.notifier.api.calendar import all_versions
from services.notifier.api.calendar_drafts import ApplyBody, DiscardBody, found_draft, preview_of
from services.notifier.domain.calendars import Calendar
from services.notifier.handlers.calendars import (
    ApplyCalendar,
    DiscardCalendar,
    DraftCalendar,
    ReviseCalendar,
    apply_calendar,
    discard_calendar,
    draft_calendar,
    revise_calendar,
)
from services.notifier.pages import overdue_count, side_bar
from services.notifier.pages.calendar_form import KINDS, Sheet, sheet_of, summary_of
from services.notifier.queries import calendars as lists
from services.notifier.regulation import CALENDARS, CalendarStatus
from services.notifier.views.calendars import STATUS_VI, draft_out
from shared.desk import utc_now
from shared.errors import Forbidden, IllegalTransition, InvalidInput, PortalError, VersionConflict
from shared.web.edge import Edge, Staff, edge_of, form_desk, page, see_other
from shared.workflow import Actor

router = APIRouter(include_in_schema=False)
Year = Annotated[int, Query(ge=1900, le=2200)]
ROWS: Final = 15
REFUSED: Final = (ValidationError, InvalidInput, IllegalTransition, VersionConflict)
DONE: Final = {
    "drafted": "Đã ghi bản thảo.", "revised": "Đã ghi thay đổi vào bản thảo.",
    "applied": "Lịch đã có hiệu lực. Các hạn đang chạy được tính lại ngay bây giờ.",
    "discarded": "Đã bỏ bản thảo.",
}  # fmt: skip


async def _shown(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    edge = edge_of(request)
    bar = side_bar(edge, await overdue_count(edge, utc_now()))
    return await page(request, template, status=status, nav_current="calendar", **context, **bar)


def _may(status: CalendarStatus, by: Actor) -> list[str]:
    return CALENDARS.acts(status, by.roles)


@router.get("/desk/calendar")
async def desk(request: Request, by: Reader, done: Annotated[str, Query(max_length=20)] = "") -> Response:
    """Drafts, how far the moves of the newest version are, and every version."""
    edge = edge_of(request)
    rows = await lists.calendar_versions(edge.database, *CalendarStatus)
    years = (*edge.calendar.years, edge.calendar.years[-1] + 1)
    return await _shown(
        request, "calendar_desk.html", in_force=edge.calendar, moving=await moving(edge),
        drafts=[row for row in rows if row["status"] == CalendarStatus.DRAFTED],
        discarded=[row for row in rows if row["status"] == CalendarStatus.DISCARDED],
        versions=(await all_versions(edge)).items, may=_may(CalendarStatus.NONE, by),
        done=DONE.get(done, ""), years=[(n, str(n)) for n in years],
    )  # fmt: skip


async def moving(edge: Edge[Any]) -> list[dict[str, Any]]:
    """Versions whose moves go on, and how far each is."""
    found = []
    for row in await lists.unfinished_calendars(edge.database):
        recorded, moved, rescinded = await lists.count_moved(edge.database, row["_id"])
        so_far = await lists.progress(edge.database, row["_id"])
        examined = max(recorded, so_far.get("examined", 0))
        found.append({"version": row["_id"], "examined": examined, "moved": moved, "rescinded": rescinded,
                      "total": max(examined, so_far.get("total", 0))})  # fmt: skip
    return found


@router.get("/desk/calendar/moving")
async def moves(request: Request, _: Reader) -> Response:
    """The progress alone, asked for again until it is over."""
    edge = edge_of(request)
    html = edge.look.render_block("calendar_desk.html", "progress", moving=await moving(edge))
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


@router.get("/desk/calendar/new")
async def new(request: Request, by: Reader, year: Year = 0) -> Response:
    _keeper(by, CalendarStatus.NONE, "draft")
    edge = edge_of(request)
    wanted = year or edge.calendar.years[-1]
    return await _sheet(request, None, Sheet.of_year(edge.calendar.data, wanted, edge.calendar.version))


@router.post("/desk/calendar/new")
async def create(request: Request, by: Staff) -> Response:
    edge = edge_of(request)
    fields, desk = await form_desk(request, by)
    sheet = sheet_of(fields)
    if fields.get("act") == "more":
        return await _sheet(request, None, sheet.longer())
    try:
        command = DraftCalendar(sheet.base, sheet.body().rows(), edge.calendars.of)
        calendar = await desk.run(draft_calendar, command)
    except (*REFUSED, PortalError) as error:
        return await _sheet(request, None, sheet, errors=summary_of(error, sheet))
    await edge.caught_up("calendars", calendar.id, desk.version(calendar))
    return see_other(f"/desk/calendar/{calendar.id}?done=drafted")


@router.get("/desk/calendar/{version}")
async def one(
    version: str, request: Request, by: Reader, cursor: Cursor = "",
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:  # fmt: skip
    draft, at = await found_draft(edge_of(request), version)
    return await _draft(request, by, draft, at, cursor=cursor, done=DONE.get(done, ""))


async def _draft(
    request: Request, by: Actor, draft: Calendar, at: int, *, cursor: str = "", done: str = "", act: str = "",
    errors: dict[str, str] | None = None, typed: dict[str, Any] | None = None,
) -> HTMLResponse:  # fmt: skip
    edge = edge_of(request)
    drafted = draft.status is CalendarStatus.DRAFTED
    preview = await preview_of(edge, draft, cursor, ROWS) if drafted else None
    return await _shown(
        request, "calendar_draft.html", status=422 if errors else 200, preview=preview, cursor=cursor,
        draft=draft_out(draft, edge.calendars.of(draft.base)), version=at, may=_may(draft.status, by),
        state=STATUS_VI[draft.status.value], done=done, errors=errors or {}, typed=typed or {}, act=act,
        overtaken=drafted and draft.base != edge.calendar.version, in_force=edge.calendar.version,
    )  # fmt: skip


@router.get("/desk/calendar/{version}/edit")
async def edit(version: str, request: Request, by: Reader, year: Year = 0) -> Response:
    draft, at = await found_draft(edge_of(request), version)
    _keeper(by, draft.status, "revise")
    data = draft.data()
    return await _sheet(request, (draft.id, at), Sheet.of_year(data, year or data.years[-1].year, draft.base))


@router.post("/desk/calendar/{version}/edit")
async def revise(version: str, request: Request, by: Staff) -> Response:
    edge = edge_of(request)
    fields, desk = await form_desk(request, by)
    sheet = sheet_of(fields)
    seen = (version, desk.expected or 0)
    if fields.get("act") == "more":
        return await _sheet(request, seen, sheet.longer())
    try:
        command = ReviseCalendar(version, sheet.body().rows(), edge.calendars.of)
        calendar = await desk.run(revise_calendar, command)
    except (*REFUSED, PortalError) as error:
        return await _sheet(request, seen, sheet, errors=summary_of(error, sheet))
    await edge.caught_up("calendars", calendar.id, desk.version(calendar))
    return see_other(f"/desk/calendar/{version}?done=revised")


@router.post("/desk/calendar/{version}/apply")
async def apply(version: str, request: Request, by: Staff) -> Response:
    edge = edge_of(request)
    fields, desk = await form_desk(request, by)
    try:
        body = ApplyBody.model_validate(fields)
        calendar = await desk.run(apply_calendar, ApplyCalendar(version, body.document, edge.calendars.of))
    except (*REFUSED, PortalError) as error:
        return await _again(request, by, version, "apply", error=error, fields=fields)
    await edge.caught_up("calendars", calendar.id, desk.version(calendar))
    await edge.calendars.refresh()  # who applied it sees it in force
    return see_other("/desk/calendar?done=applied")


@router.post("/desk/calendar/{version}/discard")
async def discard(version: str, request: Request, by: Staff) -> Response:
    edge = edge_of(request)
    fields, desk = await form_desk(request, by)
    try:
        body = DiscardBody.model_validate(fields)
        calendar = await desk.run(discard_calendar, DiscardCalendar(version, body.reason))
    except (*REFUSED, PortalError) as error:
        return await _again(request, by, version, "discard", error=error, fields=fields)
    await edge.caught_up("calendars", calendar.id, desk.version(calendar))
    return see_other("/desk/calendar?done=discarded")


async def _again(
    request: Request, by: Actor, version: str, act: str, *, error: Exception, fields: dict[str, Any]
) -> Response:
    """The draft with what was typed, and why it could not be done."""
    if isinstance(error, Forbidden):
        raise error
    draft, at = await found_draft(edge_of(request), version)
    return await _draft(request, by, draft, at, errors=summary_of(error), typed=fields, act=act)


async def _sheet(
    request: Request, draft: tuple[str, int] | None, sheet: Sheet, *, errors: dict[str, str] | None = None
) -> HTMLResponse:
    edge = edge_of(request)
    data = (await found_draft(edge, draft[0]))[0].data() if draft else edge.calendar.data
    return await _shown(
        request, "calendar_rows.html", status=422 if errors else 200, draft=draft, errors=errors or {},
        sheet=replace(sheet, known=tuple(data.documents.items())), kinds=KINDS,
    )  # fmt: skip


def _keeper(by: Actor, status: CalendarStatus, act: str) -> None:
    """Raises Forbidden for those who only read, IllegalTransition for what is no draft any more."""
    CALENDARS.after(status, act, by)
