"""The register to take away: CSV and XLSX of what a list shows, whole, in memory that does not grow."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response, StreamingResponse
from starlette.background import BackgroundTask

from services.notifier import queries, views
from services.notifier.api import Deadlines, UnitReader
from services.notifier.queries import DeadlineFilter
from services.notifier.tables import BATCH, Workbook, as_csv
from services.notifier.views import DeadlineView
from shared.desk import utc_now
from shared.errors import TooLarge
from shared.web.edge import Edge, edge_of

log = structlog.get_logger(__name__)
router = APIRouter()

MOST_ROWS: Final = 200_000
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


async def _batches(edge: Edge[Any], which: DeadlineFilter, home: str) -> AsyncIterator[list[DeadlineView]]:
    now, units, urls = utc_now(), await edge.directory.units(), views.urls_of(edge.look)
    async for rows in queries.deadline_batches(edge.database, which, now, size=BATCH, limit=MOST_ROWS):
        yield await views.deadline_views(
            edge.database, rows, now, units=units, urls=urls, home=home, policy=edge.policy
        )


async def _counted(edge: Edge[Any], which: DeadlineFilter, form: str, by: str) -> None:
    """Who took how much away is logged. Raises TooLarge."""
    count = await queries.count_deadlines(edge.database, which, utc_now())
    if count > MOST_ROWS:
        raise TooLarge(f"{count} hạn là quá nhiều cho một bảng; hãy thu hẹp điều kiện (tối đa {MOST_ROWS}).")
    log.info("deadlines.exported", form=form, count=count, actor=by)


@router.get("/v1/deadlines.csv", tags=["deadlines"], summary="Sổ thời hạn, tệp CSV", response_class=Response,
            responses={200: {"content": {"text/csv": {}}}})  # fmt: skip
async def csv_file(request: Request, actor: UnitReader, which: Deadlines) -> Response:
    """UTF-8; ô bắt đầu bằng = + - @ được vô hiệu hóa."""
    edge = edge_of(request)
    await _counted(edge, which, "csv", actor.subject)
    return StreamingResponse(
        as_csv(_batches(edge, which, actor.unit)), media_type="text/csv; charset=utf-8", headers=_named("csv")
    )


@router.get("/v1/deadlines.xlsx", tags=["deadlines"], summary="Sổ thời hạn, tệp XLSX",
            response_class=Response, responses={200: {"content": {XLSX: {}}}})  # fmt: skip
async def xlsx_file(request: Request, actor: UnitReader, which: Deadlines) -> Response:
    edge = edge_of(request)
    await _counted(edge, which, "xlsx", actor.subject)
    book = await asyncio.to_thread(Workbook)
    try:
        async for batch in _batches(edge, which, actor.unit):
            await asyncio.to_thread(book.write, batch)
        await asyncio.to_thread(book.close)
    except BaseException:
        book.discard()
        raise
    return FileResponse(
        book.path, media_type=XLSX, headers=_named("xlsx"), background=BackgroundTask(book.discard)
    )


def _named(form: str) -> dict[str, str]:
    name = f"han-{utc_now():%Y%m%d-%H%M}.{form}"
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
