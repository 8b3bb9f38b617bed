"""The working calendar over HTTP, for everyone: as data, as a feed to subscribe to, and as due dates."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime

from services.notifier.queries import calendars as lists
from services.notifier.regulation import CalendarStatus
from services.notifier.views import DueView
from services.notifier.views.calendars import (
    CalendarOut,
    VersionsOut,
    calendar_out,
    feed_of,
    version_out,
)
from shared.calendar import CalendarYearMissing, WorkingCalendar
from shared.errors import NotFound
from shared.web.edge import Edge, edge_of

router = APIRouter()
Version = Annotated[str, Query(max_length=20, description="Một phiên bản cũ; bỏ trống: lịch đang dùng")]
Year = Annotated[int | None, Query(ge=1900, le=2200, description="Chỉ một năm")]
A_MINUTE, A_DAY = 60, 86_400


def calendar_for(edge: Edge[Any], version: str) -> WorkingCalendar:
    """Raises NotFound."""
    found = edge.calendars.of(version) if version else edge.calendar
    if found is None:
        raise NotFound(f"Không có lịch phiên bản {version}.")
    return found


def kept(request: Request, response: Response, tag: str, *, seconds: int = A_MINUTE) -> Response | None:
    """Anyone may keep the answer for a while. The answer to who has this one already, or None; the tag is
    weak: compressed or not, it says the same."""
    headers = {"ETag": f'W/"{tag}"', "Cache-Control": f"public, max-age={seconds}"}
    response.headers.update(headers)
    has = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    return Response(status_code=304, headers=headers) if has & {f'"{tag}"', "*"} else None


def of_year(calendar: WorkingCalendar, year: int | None) -> None:
    if year is not None and year not in calendar.years:
        raise CalendarYearMissing(year)


async def row_of(edge: Edge[Any], version: str) -> dict[str, Any] | None:
    """How a version was applied; None for one that this build packs."""
    try:
        return await lists.calendar_version(edge.database, version)
    except NotFound:
        return None


@router.get(
    "/v1/calendar/due", tags=["calendar"], summary="Tính hạn theo ngày làm việc, giải thích từng ngày",
    response_model=DueView,
)  # fmt: skip
async def calendar_due(
    request: Request, response: Response, *,
    start: Annotated[AwareDatetime, Query(alias="from", examples=["2026-11-23T09:00:00+07:00"])],
    working_days: Annotated[int, Query(ge=0, le=250, description="0: ngay trong ngày")],
    version: Version = "",
) -> DueView | Response:  # fmt: skip
    """Ngày xảy ra sự kiện không tính; hạn kết thúc lúc 24 giờ của ngày cuối (BLDS Điều 147–148)."""
    calendar = calendar_for(edge_of(request), version)
    try:
        due = calendar.due(start, working_days) if working_days else calendar.same_day(start)
    except (OverflowError, CalendarYearMissing) as error:
        raise error if isinstance(error, CalendarYearMissing) else CalendarYearMissing(start.year) from error
    unchanged = kept(request, response, calendar.version, seconds=A_DAY if version else A_MINUTE)
    return unchanged or DueView.of(due, calendar.explain(due))


@router.get("/v1/calendar", tags=["calendar"], summary="Lịch ngày làm việc", response_model=CalendarOut)
async def one_calendar(
    request: Request, response: Response, version: Version = "", year: Year = None
) -> CalendarOut | Response:
    """Mọi ngày khác với «thứ Hai đến thứ Sáu», mỗi ngày có văn bản quyết định."""
    edge = edge_of(request)
    calendar = calendar_for(edge, version)
    of_year(calendar, year)
    in_force = calendar.version == edge.calendar.version
    tag = f"{calendar.version}{'' if in_force else '-old'}"
    if unchanged := kept(request, response, tag):
        return unchanged
    return calendar_out(calendar, await row_of(edge, calendar.version), in_force=in_force, year=year)


@router.get("/v1/calendar.ics", tags=["calendar"], summary="Ngày nghỉ, ngày làm bù (iCalendar)",
            response_class=Response, responses={200: {"content": {"text/calendar": {}}}})  # fmt: skip
async def feed(request: Request, response: Response, version: Version = "", year: Year = None) -> Response:
    """Mỗi ngày nghỉ, ngày làm bù là một sự kiện cả ngày; mã của một ngày không đổi qua các phiên bản."""
    edge = edge_of(request)
    calendar = calendar_for(edge, version)
    of_year(calendar, year)
    if unchanged := kept(request, response, calendar.version):
        return unchanged
    row = await row_of(edge, calendar.version) or {}
    years = calendar.years if year is None else (year,)
    headers = dict(response.headers) | {"Content-Disposition": 'inline; filename="lich-lam-viec.ics"'}
    headers.pop("content-length", None)
    return Response(feed_of(calendar, years, row.get("applied_at")), headers=headers,
                    media_type="text/calendar; charset=utf-8")  # fmt: skip


@router.get("/v1/calendar/versions", tags=["calendar"], summary="Các phiên bản lịch và điều mỗi bản đã đổi",
            response_model=VersionsOut)  # fmt: skip
async def versions(request: Request, response: Response) -> VersionsOut | Response:
    """Mới nhất trước. Phiên bản cũ được giữ mãi mãi, để hạn tính theo bản nào thì giải thích bằng bản ấy."""
    found = await all_versions(edge_of(request))
    newest = found.items[0]
    unchanged = kept(request, response, f"{newest.version}-{len(found.items)}-{newest.moved}")
    return unchanged or found


async def all_versions(edge: Edge[Any]) -> VersionsOut:
    rows = {row["_id"]: row for row in await lists.calendar_versions(edge.database, CalendarStatus.APPLIED)}
    known = [calendar for version in edge.calendars.versions if (calendar := edge.calendars.of(version))]
    items, before = [], None
    for calendar in known:
        in_force = calendar.version == edge.calendar.version
        row = rows.get(calendar.version)
        # A packed version follows the one before it; an applied one says itself what it replaces.
        older = edge.calendars.of(row["base"]) if row else before
        items.append(version_out(calendar, row, older, in_force=in_force))
        before = calendar
    return VersionsOut(items=items[::-1])
