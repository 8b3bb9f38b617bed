"""The register over HTTP: the working calendar for everyone, deadlines and notices for those on call."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime, BaseModel

from services.notifier import queries, views
from services.notifier.queries import DeadlineFilter
from services.notifier.regulation import READERS
from services.notifier.views import DeadlineView, DueView, NoticeView
from shared.calendar import CALENDAR, CalendarYearMissing
from shared.desk import utc_now
from shared.errors import Forbidden, InvalidInput
from shared.web.edge import Edge, Staff, edge_of, tagged
from shared.web.forms import cursor_of, place_of
from shared.workflow import Actor

router = APIRouter()


class Page(BaseModel):
    next: str | None


class DeadlinePage(Page):
    items: list[DeadlineView]


class NoticePage(Page):
    items: list[NoticeView]


async def reader(actor: Staff) -> Actor:
    """Somebody with a role in this service."""
    if not actor.roles & READERS:
        raise Forbidden("Sổ thời hạn và thư báo dành cho người trực vận hành và người giữ lịch.")
    return actor


Reader = Annotated[Actor, Depends(reader)]
Limit = Annotated[int, Query(ge=1, le=200)]
Exact = Annotated[str, Query(max_length=100)]
Cursor = Annotated[str, Query(max_length=400)]


def place(cursor: str) -> list[Any]:
    """(instant, id) behind which a list goes on."""
    where = place_of(cursor) if cursor else []
    try:
        if where:
            at, id = where
            datetime.fromisoformat(str(at))
            UUID(str(id))
    except ValueError:
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}]) from None
    return where


async def deadline_page(edge: Edge[Any], which: DeadlineFilter, cursor: str, limit: int) -> DeadlinePage:
    now = utc_now()
    found = await queries.deadlines(edge.database, which, now, after=place(cursor), limit=limit + 1)
    rows = found[:limit]
    items = await views.deadline_views(
        edge.database, rows, now, units=await edge.directory.units(), urls=views.urls_of(edge.look)
    )
    further = cursor_of([rows[-1]["due_at"].isoformat(), rows[-1]["_id"]]) if len(found) > limit else None
    return DeadlinePage(items=items, next=further)


async def notice_page(
    edge: Edge[Any], *, subject: str, state: str, kind: str, cursor: str, limit: int
) -> NoticePage:
    found = await queries.notices(
        edge.database, subject=subject, state=state, kind=kind, after=place(cursor), limit=limit + 1
    )
    rows = found[:limit]
    items = await views.notice_views(edge.database, rows, urls=views.urls_of(edge.look))
    further = (
        cursor_of([rows[-1]["requested_at"].isoformat(), rows[-1]["_id"]]) if len(found) > limit else None
    )
    return NoticePage(items=items, next=further)


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


@router.get("/v1/deadlines", tags=["deadlines"], summary="Sổ thời hạn, hạn gần nhất trước")
async def list_deadlines(
    request: Request, _: Reader, *, subject: Exact = "", duty: Exact = "", unit: Exact = "", day: Exact = "",
    state: Annotated[views.State | None, Query()] = None, cursor: Cursor = "", limit: Limit = 50,
) -> DeadlinePage:  # fmt: skip
    which = DeadlineFilter(subject, duty, state or "", unit, day)
    return await deadline_page(edge_of(request), which, cursor, limit)


@router.get("/v1/deadlines/{id}", tags=["deadlines"], summary="Một thời hạn")
async def one_deadline(request: Request, response: Response, _: Reader, id: UUID) -> DeadlineView:
    edge = edge_of(request)
    found = await queries.deadline(edge.database, id)
    tagged(response, found["version"])
    units = await edge.directory.units()
    return (
        await views.deadline_views(
            edge.database, [found], utc_now(), units=units, urls=views.urls_of(edge.look)
        )
    )[0]


@router.get("/v1/notices", tags=["notices"], summary="Thư báo, mới nhất trước")
async def list_notices(
    request: Request, _: Reader, *, subject: Exact = "", kind: Exact = "", state: Exact = "",
    cursor: Cursor = "", limit: Limit = 50,
) -> NoticePage:  # fmt: skip
    return await notice_page(
        edge_of(request), subject=subject, state=state, kind=kind, cursor=cursor, limit=limit
    )


@router.get("/v1/notices/{id}", tags=["notices"], summary="Một thư báo, với bằng chứng đã gửi")
async def one_notice(request: Request, response: Response, _: Reader, id: UUID) -> NoticeView:
    edge = edge_of(request)
    found = await queries.notice(edge.database, id)
    tagged(response, found["version"])
    return (await views.notice_views(edge.database, [found], urls=views.urls_of(edge.look)))[0]
