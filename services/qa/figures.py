"""Số liệu hỏi đáp: as data, as a page and as a file, down to the questions behind each number."""

import asyncio
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from services.qa import views
from services.qa.domain.permits import CENTRE
from services.qa.queries import figures as counted
from services.qa.queries.figures import KINDS_VI, Figures
from services.qa.regulation import STATUS_VI, Policy
from services.qa.tables import Book
from shared.calendar import VIETNAM
from shared.errors import InvalidInput
from shared.web.edge import Edge, Staff, edge_of, page
from shared.web.forms import OptionalLine
from shared.workflow import Actor

log = structlog.get_logger(__name__)
router, pages = APIRouter(), APIRouter(include_in_schema=False)

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Heads of a table's columns; the words in full head the list behind each number.
SHORT_VI: Final = {
    "received": "Nhận", "on_time": "Đúng hạn", "late": "Trễ", "open": "Còn hạn", "overdue": "Quá hạn",
    "out_of_scope": "Ngoài phạm vi", "unclear": "Không rõ", "withdrawn": "Rút", "merged": "Gộp",
    "set_aside": "Thư rác",
}  # fmt: skip
SHOWN: Final = 6  # months, unless asked otherwise
MOST: Final = 36
BATCH: Final = 1000
Month = Annotated[
    str, Query(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$", description="Tháng, YYYY-MM.", examples=["2026-11"])
]
Unit = Annotated[OptionalLine, Query(description="Mã đơn vị; để trống: mọi đơn vị.")]


class FiguresOut(BaseModel):
    """Câu hỏi tiếp nhận trong một tháng mà một đơn vị trả lời."""

    month: str
    unit: str = Field(description="Trống: chưa chuyển đơn vị nào.")
    unit_name: str
    counts: dict[str, int] = Field(
        description="Mỗi con số theo tên; các câu hỏi phía sau: GET /v1/figures/questions?counted=<tên>."
    )
    on_time_rate: float | None = Field(description="Phần trăm, của những câu đã đến hạn trả lời.")
    median_days: float | None = Field(description="Trung vị số ngày làm việc từ khi chuyển đến khi trả lời.")


class FiguresPage(BaseModel):
    items: list[FiguresOut]
    kinds: dict[str, str]


class Behind(BaseModel):
    items: list[views.RowOut]
    next: str | None


def span(since: str, until: str, now: datetime) -> tuple[str, str]:
    """The months asked for, oldest and newest. Raises InvalidInput."""
    today = now.astimezone(VIETNAM).date()
    until = until or f"{today:%Y-%m}"
    since = since or _months_before(until, SHOWN - 1)
    if since > until or since < _months_before(until, MOST - 1):
        raise InvalidInput(f"Chọn từ 1 đến {MOST} tháng.", errors=[{"field": "since"}])
    return since, until


def _months_before(month: str, count: int) -> str:
    day = date.fromisoformat(f"{month}-01")
    number = day.year * 12 + day.month - 1 - count
    return f"{number // 12:04}-{number % 12 + 1:02}"


def out(row: Figures, names: dict[str, str]) -> FiguresOut:
    return FiguresOut(
        month=row.month, unit=row.unit, unit_name=names.get(row.unit, row.unit), counts=row.counts,
        on_time_rate=None if row.rate is None else round(row.rate, 1), median_days=row.median_days,
    )  # fmt: skip


async def found(edge: Edge[Policy], by: Actor, since: str, until: str, unit: str) -> list[Figures]:
    now = datetime.now(UTC)
    since, until = span(since, until, now)
    return await counted.by_month(
        edge.database, edge.calendar, now, by, since=since, until=until, unit=unit
    )  # fmt: skip


@router.get("/v1/figures", tags=["số liệu"], summary="Số liệu hỏi đáp theo đơn vị và tháng")
async def figures(
    request: Request, by: Staff, *, since: Month = "", until: Month = "", unit: Unit = ""
) -> FiguresPage:
    """Trung tâm thấy mọi đơn vị; đơn vị thấy số liệu của mình."""
    edge = edge_of(request)
    names = await views.unit_names(edge.directory)
    rows = await found(edge, by, since, until, unit)
    return FiguresPage(items=[out(row, names) for row in rows], kinds=KINDS_VI)


@router.get("/v1/figures/questions", tags=["số liệu"], summary="Các câu hỏi phía sau một con số")
async def behind(
    request: Request, by: Staff, *, month: Month, counted_as: Annotated[str, Query(alias="counted")],
    unit: Annotated[OptionalLine | None, Query(description="Không gửi: mọi đơn vị.")] = None,
    cursor: Annotated[str, Query(max_length=500)] = "", limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> Behind:  # fmt: skip
    at = datetime.now(UTC)
    shown = await counted.behind(
        edge_of(request).database, at, by, month=month, unit=unit, kind=counted_as, cursor=cursor, limit=limit
    )
    return Behind(items=[views.row_out(row) for row in shown.rows], next=shown.next)


@router.get("/v1/figures.xlsx", tags=["số liệu"], summary="Số liệu hỏi đáp, tệp XLSX",
            response_class=Response, responses={200: {"content": {XLSX: {}}}})  # fmt: skip
async def xlsx(
    request: Request, by: Staff, *, since: Month = "", until: Month = "", unit: Unit = ""
) -> Response:
    """Hai trang tính: số liệu, và từng câu hỏi phía sau; không có tên và lời của người hỏi."""
    edge, now = edge_of(request), datetime.now(UTC)
    since, until = span(since, until, now)
    rows = await found(edge, by, since, until, unit)
    names = await views.unit_names(edge.directory)
    book = await asyncio.to_thread(Book)
    try:
        await asyncio.to_thread(book.figures, rows, names)
        place, batch = 0, list[dict[str, Any]]()
        async for row in counted.every(edge.database, by, since=since, until=until, unit=unit):
            batch.append(row)
            if len(batch) == BATCH:
                place, batch = await asyncio.to_thread(book.questions, batch, names, place), []
        place = await asyncio.to_thread(book.questions, batch, names, place)
        await asyncio.to_thread(book.close)
    except BaseException:
        book.discard()
        raise
    log.info("figures.exported", form="xlsx", count=max(place - 1, 0), actor=by.subject)
    named = {
        "Content-Disposition": f'attachment; filename="hoi-dap-{since}-{until}.xlsx"',
        "Cache-Control": "no-store",
    }
    return FileResponse(book.path, media_type=XLSX, headers=named, background=BackgroundTask(book.discard))


@pages.get("/desk/figures")
async def figures_page(
    request: Request, by: Staff, *, since: Month = "", until: Month = "", unit: Unit = ""
) -> Response:
    edge, now = edge_of(request), datetime.now(UTC)
    since, until = span(since, until, now)
    rows = await found(edge, by, since, until, unit)
    units = await views.unit_names(edge.directory)
    return await page(
        request, "figures.html", nav_current="figures", rows=rows, months=counted.together(rows),
        kinds=KINDS_VI, short=SHORT_VI, units=units, chosen={"since": since, "until": until, "unit": unit},
        options=sorted(units.items(), key=lambda each: each[1]) if by.roles & CENTRE else [],
    )  # fmt: skip


@pages.get("/desk/figures/questions")
async def behind_page(
    request: Request, by: Staff, *, month: Month, counted_as: Annotated[str, Query(alias="counted")],
    unit: Annotated[OptionalLine | None, Query()] = None, cursor: Annotated[str, Query(max_length=500)] = "",
) -> Response:  # fmt: skip
    edge = edge_of(request)
    now = datetime.now(UTC)
    shown = await counted.behind(
        edge.database, now, by, month=month, unit=unit, kind=counted_as, cursor=cursor
    )
    return await page(
        request, "figures_behind.html", nav_current="figures", rows=shown.rows, next=shown.next, month=month,
        kind=counted_as, title=KINDS_VI[counted_as], unit=unit, status_vi=STATUS_VI,
        units=await views.unit_names(edge.directory), place="triage" if by.roles & CENTRE else "unit",
    )  # fmt: skip
