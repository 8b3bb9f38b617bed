"""Drafts of the calendar over HTTP: read by those on call, written and applied by a calendar keeper."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BeforeValidator, Field, StringConstraints

from services.notifier.api import Cursor, Limit, Reader, place
from services.notifier.domain.calendar_rows import Rows, undecided
from services.notifier.domain.calendars import Calendar
from services.notifier.domain.deadline_moves import Foresight
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
from services.notifier.views.calendar_preview import PreviewOut, WaitingRow, preview
from services.notifier.views.calendars import DraftOut, draft_out
from shared.calendar import WorkingCalendar
from shared.contracts.notifier import CalendarDay, CalendarYear
from shared.desk import Desk, utc_now
from shared.web.edge import Edge, EditingDesk, StaffDesk, edge_of, tagged
from shared.web.forms import Body, Line, cursor_of

router = APIRouter()
DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def _day(written: object) -> object:
    """A day as people write it to machines: a number would be taken for seconds since 1970."""
    if not isinstance(written, str) or not DAY.fullmatch(written):
        raise ValueError("Ngày viết theo dạng YYYY-MM-DD (a day is written YYYY-MM-DD).")
    return written


Day = Annotated[date, BeforeValidator(_day)]
Key = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
Version = Annotated[str, Path(max_length=20, examples=["2026-12-01"])]


class DayBody(Body):
    """Một ngày khác với «thứ Hai đến thứ Sáu»."""

    date: Day = Field(examples=["2028-01-03"])
    kind: Literal["holiday", "swap_off", "makeup"]
    vi: Line = Field(examples=["nghỉ bù Tết Dương lịch"])
    en: Line = Field(examples=["day in lieu of New Year's Day"])
    by: Key = Field(description="Khóa của văn bản quyết định", examples=["vpcp-12729"])


class YearBody(Body):
    """Mọi ngày đặc biệt của một năm, thay cho cả năm ấy trong lịch đang dùng."""

    year: int = Field(ge=1900, le=2200, strict=True)
    provisional: bool = Field(False, strict=True, description="Lịch nghỉ chính thức của năm chưa đủ")
    days: list[DayBody] = Field(max_length=150)


class RowsBody(Body):
    documents: dict[Key, Line] = Field({}, max_length=100, description="Khóa → số, ngày của văn bản")
    years: list[YearBody] = Field(min_length=1, max_length=50)

    def rows(self) -> Rows:
        # Not sorted here: an error names the row by its place in what was sent.
        years = tuple(
            CalendarYear(year=each.year, provisional=each.provisional,
                         days=tuple(CalendarDay(**day.model_dump()) for day in each.days))
            for each in self.years
        )  # fmt: skip
        return Rows(years, self.documents)


class DraftBody(RowsBody):
    base: str = Field(max_length=20, description="Lịch đang dùng mà bản thảo sửa", examples=["2026-10-02"])
    version: str = Field("", max_length=20, description="Ngày, có thể thêm .n; bỏ trống: theo ngày hôm nay")


class ApplyBody(Body):
    document: Line = Field(
        description="Số, ngày của văn bản quyết định",
        examples=["Công văn 12729/VPCP-KGVX ngày 25/12/2025"],
    )


class DiscardBody(Body):
    reason: Line


def _told(desk: Desk[Any], edge: Edge[Any], response: Response, calendar: Calendar) -> DraftOut:
    tagged(response, desk.version(calendar))
    return draft_out(calendar, edge.calendars.of(calendar.base))


async def found_draft(edge: Edge[Any], version: str) -> tuple[Calendar, int]:
    """From the journal: what a keeper is about to apply must not be a moment old. Raises NotFound."""
    desk = edge.desk()
    calendar = await desk.load(Calendar, version)
    return calendar, desk.version(calendar)


@router.post("/v1/calendar/drafts", status_code=201, tags=["calendar"], summary="Soạn bản thảo lịch")
async def draft(body: DraftBody, request: Request, response: Response, desk: StaffDesk) -> DraftOut:
    """Gửi cả năm nào thì năm ấy thay cho năm ấy của lịch đang dùng. Bản thảo chưa có hiệu lực với ai."""
    edge = edge_of(request)
    command = DraftCalendar(body.base, body.rows(), edge.calendars.of, body.version)
    calendar = await desk.run(draft_calendar, command)
    response.headers["Location"] = f"/v1/calendar/drafts/{calendar.id}"
    return _told(desk, edge, response, calendar)


@router.get("/v1/calendar/drafts/{version}", tags=["calendar"], summary="Một bản thảo lịch")
async def one_draft(version: Version, request: Request, response: Response, _: Reader) -> DraftOut:
    edge = edge_of(request)
    calendar, at = await found_draft(edge, version)
    tagged(response, at)
    return draft_out(calendar, edge.calendars.of(calendar.base))


@router.put("/v1/calendar/drafts/{version}", tags=["calendar"], summary="Sửa bản thảo lịch")
async def revise(
    version: Version, body: RowsBody, request: Request, response: Response, desk: EditingDesk
) -> DraftOut:
    """Năm được gửi thay cho năm ấy của bản thảo; năm khác giữ nguyên."""
    edge = edge_of(request)
    calendar = await desk.run(revise_calendar, ReviseCalendar(version, body.rows(), edge.calendars.of))
    return _told(desk, edge, response, calendar)


@router.get("/v1/calendar/drafts/{version}/preview", tags=["calendar"], summary="Xem trước: hạn nào sẽ đổi")
async def foresee(
    version: Version, request: Request, response: Response, _: Reader, cursor: Cursor = "", limit: Limit = 50
) -> PreviewOut:
    """Chỉ đọc. Đếm theo đơn vị ở trang đầu; từng hạn theo trang, hạn gần nhất trước."""
    edge = edge_of(request)
    calendar, at = await found_draft(edge, version)
    tagged(response, at)
    return await preview_of(edge, calendar, cursor, limit)


async def preview_of(edge: Edge[Any], calendar: Calendar, cursor: str, limit: int) -> PreviewOut:
    """Against the open deadlines as they are now."""
    now = utc_now()
    foresight = Foresight(WorkingCalendar(calendar.data()), edge.calendars.of)
    where = place(cursor)
    after = (datetime.fromisoformat(str(where[0])), str(where[1])) if where else ()
    units = await edge.directory.units()
    seen = await preview(edge.database, foresight, now, units=units, after=after, limit=limit)
    further = cursor_of([seen.last["due_at"].isoformat(), seen.last["_id"]]) if seen.last else None
    waiting = [WaitingRow.model_validate(row) for row in undecided(calendar.years)]
    return PreviewOut(
        version=calendar.id, as_of=now, undecided=waiting, totals=seen.totals, items=seen.items, next=further
    )


@router.post("/v1/calendar/drafts/{version}/apply", tags=["calendar"], summary="Áp dụng lịch")
async def apply(
    version: Version, body: ApplyBody, request: Request, response: Response, desk: EditingDesk
) -> DraftOut:
    """Có hiệu lực với mọi dịch vụ từ đây. Hạn đang chạy được tính lại; việc đã kết thúc giữ nguyên. Còn
    dòng mang khóa `du-thao` thì chưa áp dụng được (409 `calendar_undecided`)."""
    edge = edge_of(request)
    command = ApplyCalendar(version, body.document, edge.calendars.of)
    return _told(desk, edge, response, await desk.run(apply_calendar, command))


@router.post("/v1/calendar/drafts/{version}/discard", tags=["calendar"], summary="Bỏ bản thảo lịch")
async def discard(
    version: Version, body: DiscardBody, request: Request, response: Response, desk: EditingDesk
) -> DraftOut:
    calendar = await desk.run(discard_calendar, DiscardCalendar(version, body.reason))
    return _told(desk, edge_of(request), response, calendar)
