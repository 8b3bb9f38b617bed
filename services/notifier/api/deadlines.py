"""The register of deadlines over HTTP."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from services.notifier import queries, views
from services.notifier.api import Cursor, Deadlines, Limit, Page, UnitReader, place
from services.notifier.queries import DeadlineFilter, Document
from services.notifier.regulation import READERS
from services.notifier.views import DeadlineView
from shared.desk import utc_now
from shared.errors import Forbidden
from shared.web.edge import Edge, edge_of, tagged
from shared.web.forms import cursor_of
from shared.workflow import Actor

router = APIRouter()


class DeadlinePage(Page):
    items: list[DeadlineView]


async def deadline_page(
    edge: Edge[Any], which: DeadlineFilter, home: str, cursor: str, limit: int
) -> DeadlinePage:
    now = utc_now()
    found = await queries.deadlines(edge.database, which, now, after=place(cursor), limit=limit + 1)
    rows = found[:limit]
    items = await views.deadline_views(
        edge.database, rows, now, units=await edge.directory.units(), urls=views.urls_of(edge.look),
        calendars=edge.calendars, home=home, policy=edge.policy,
    )  # fmt: skip
    further = cursor_of([rows[-1]["due_at"].isoformat(), rows[-1]["_id"]]) if len(found) > limit else None
    return DeadlinePage(items=items, next=further)


@router.get("/v1/deadlines", tags=["deadlines"], summary="Sổ thời hạn, hạn gần nhất trước")
async def list_deadlines(
    request: Request, actor: UnitReader, which: Deadlines, cursor: Cursor = "", limit: Limit = 50
) -> DeadlinePage:
    """Người của đơn vị chỉ thấy hạn của đơn vị mình. ``open`` gồm cả hạn đã rút báo quá hạn và đang chạy."""
    return await deadline_page(edge_of(request), which, actor.unit, cursor, limit)


async def readable(edge: Edge[Any], actor: Actor, id: UUID) -> Document:
    """Raises NotFound, and Forbidden for those who are not told of it either."""
    found = await queries.deadline(edge.database, id)
    if actor.roles & READERS or actor.unit in edge.policy.told_units(found["duty"], found["unit"]):
        return found
    raise Forbidden("Hạn này của đơn vị khác.")


@router.get("/v1/deadlines/{id}", tags=["deadlines"], summary="Một thời hạn")
async def one_deadline(request: Request, response: Response, actor: UnitReader, id: UUID) -> DeadlineView:
    edge = edge_of(request)
    found = await readable(edge, actor, id)
    tagged(response, found["version"])
    units = await edge.directory.units()
    shown = await views.deadline_views(
        edge.database, [found], utc_now(), units=units, urls=views.urls_of(edge.look),
        calendars=edge.calendars, home=actor.unit, policy=edge.policy,
    )  # fmt: skip
    return shown[0]
