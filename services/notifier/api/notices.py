"""The notices and their proof over HTTP."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.notifier import queries, views
from services.notifier.api import Cursor, Exact, Limit, Page, Reader, place
from services.notifier.views import NoticeView
from shared.web.edge import Edge, edge_of, tagged
from shared.web.forms import cursor_of

router = APIRouter()


class NoticePage(Page):
    items: list[NoticeView]


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
