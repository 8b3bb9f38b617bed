"""The deadline board: what is overdue and who was reminded, the working days ahead, each unit's load, and how
punctual it was, down to the deadlines behind each figure."""

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.notifier import handlers, queries, views
from services.notifier.api import Exact, Months, UnitReader, head_reader, heads, unit_seen
from services.notifier.api.feeds import RevokeIn, feed_out, known_unit
from services.notifier.api.figures import days_ahead, rates, workloads
from services.notifier.handlers import RevokeFeed
from services.notifier.pages import overdue_count, side_bar, views_of_deadlines
from services.notifier.queries import DeadlineFilter
from services.notifier.regulation import DUTIES, READERS
from shared.desk import utc_now
from shared.web.edge import Edge, Staff, edge_of, form_desk, page, see_other
from shared.workflow import Actor

router = APIRouter(include_in_schema=False)
OVERDUE_SHOWN = 10


async def units_offered(edge: Edge[Any], actor: Actor) -> list[tuple[str, str]]:
    """The units that this reader may choose among."""
    units = sorted((await edge.directory.units()).items())
    return [(id, row["name"]) for id, row in units if actor.roles & READERS or id == actor.unit]


@router.get("/desk/deadlines/board")
async def board(request: Request, actor: UnitReader, unit: Exact = "") -> Response:
    edge, now, seen = edge_of(request), utc_now(), unit_seen(actor, unit)
    which = DeadlineFilter(state="breached", unit=seen)
    rows = await queries.deadlines(edge.database, which, now, limit=OVERDUE_SHOWN)
    overdue = await views.deadline_views(
        edge.database, rows, now, units=await edge.directory.units(), urls=views.urls_of(edge.look),
        home=actor.unit, policy=edge.policy,
    )  # fmt: skip
    ahead = await days_ahead(edge, now, seen)
    known = heads(actor) and seen in await edge.directory.units()
    return await page(
        request, "deadline_board.html", nav_current="deadlines", tabs=views_of_deadlines("board", seen),
        chosen={"unit": seen}, units=await units_offered(edge, actor), overdue=overdue, ahead=ahead,
        widest=max([day.total for day in ahead.days], default=0), today=edge.calendar.day_of(now),
        loads=await workloads(edge, now, seen), feed=await feed_out(request, seen) if known else None,
        **side_bar(edge, await overdue_count(edge, now, unit_seen(actor))),
    )  # fmt: skip


@router.get("/desk/deadlines/on-time")
async def on_time(
    request: Request, actor: UnitReader, *, unit: Exact = "", duty: Exact = "", months: Months = 6
) -> Response:
    edge, now, seen = edge_of(request), utc_now(), unit_seen(actor, unit)
    found = await rates(edge, now, months=months, unit=seen, duty=duty)
    return await page(
        request, "deadline_rates.html", nav_current="deadlines", tabs=views_of_deadlines("on-time", seen),
        chosen={"unit": seen, "duty": duty, "months": str(months)}, rates=found,
        units=await units_offered(edge, actor), duties=list(DUTIES.items()),
        **side_bar(edge, await overdue_count(edge, now, unit_seen(actor))),
    )  # fmt: skip


@router.post("/desk/deadlines/feed/{unit}/revoke")
async def revoke(request: Request, who: Staff, unit: str) -> Response:
    """Thu hồi địa chỉ lịch hạn; the next one is shown on the board."""
    edge, actor = edge_of(request), await head_reader(who)
    mine = await known_unit(edge, unit_seen(actor, unit))
    fields, desk = await form_desk(request, actor)
    body = RevokeIn.model_validate(fields)
    await desk.run(handlers.revoke_feed, RevokeFeed(mine, body.reason))
    return see_other("/desk/deadlines/board?" + urlencode({"unit": mine}))
