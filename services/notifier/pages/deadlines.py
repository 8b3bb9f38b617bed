"""The register of deadlines, for those on call."""

from dataclasses import replace
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.notifier import queries, views
from services.notifier.api import Cursor, Day, Exact, Month, UnitReader, unit_seen
from services.notifier.api.deadlines import DeadlinePage, deadline_page, readable
from services.notifier.domain import Deadline
from services.notifier.history import told
from services.notifier.pages import around, narrowed, overdue_count, side_bar, views_of_deadlines
from services.notifier.pages.deadline_board import units_offered
from services.notifier.queries import DeadlineFilter
from services.notifier.regulation import DUTIES, READERS
from shared.desk import utc_now
from shared.web.edge import edge_of, page

router = APIRouter(include_in_schema=False)


VIEWS: Final = (
    # trạng thái   tên
    ("owed", "Còn phải làm"),
    ("breached", "Quá hạn"),
    ("late_met", "Trễ hạn"),
    ("met", "Đúng hạn"),
    ("void", "Không còn"),
    ("rescinded", "Đã rút báo"),
    ("", "Tất cả"),
)


@router.get("/desk/deadlines")
async def deadlines(
    request: Request, actor: UnitReader, *, unit: Exact = "", duty: Exact = "", state: Exact | None = None,
    day: Day = "", month: Month = "", subject: Exact = "", cursor: Cursor = "",
) -> Response:  # fmt: skip
    """``subject``: a number, or the name of a stream; a wrong one is told at its field."""
    edge, now, seen = edge_of(request), utc_now(), unit_seen(actor, unit)
    if state is None:
        state = "" if subject else "owed"
    chosen = {
        "unit": seen, "duty": duty, "state": state, "day": day, "month": month, "subject": subject,
    }  # fmt: skip
    which, errors = await narrowed(edge, DeadlineFilter(**chosen))
    found = (
        DeadlinePage(items=[], next=None)
        if errors
        else await deadline_page(edge, which, actor.unit, cursor, 30)
    )
    kept = {name: value for name, value in chosen.items() if value}
    tabs = []
    for key, text in VIEWS:
        counted = key in ("breached", "owed")
        counting = replace(which, state=key)
        tabs.append({
            "text": text, "url": "/desk/deadlines?" + urlencode(kept | {"state": key}),
            "current": key == state, "state": "bad" if key == "breached" else "",
            "count": await queries.count_deadlines(edge.database, counting, now) if counted else None,
        })  # fmt: skip
    return await page(
        request, "deadlines.html", status=422 if errors else 200, errors=errors, nav_current="deadlines",
        found=found, chosen=chosen, tabs=tabs,
        pages=views_of_deadlines("list", seen), units=await units_offered(edge, actor),
        duties=list(DUTIES.items()), files="?" + urlencode(kept) if kept else "",
        **around(chosen, cursor, found.next),
        **side_bar(edge, await overdue_count(edge, now, unit_seen(actor))),
    )  # fmt: skip


@router.get("/desk/deadlines/{id}")
async def one_deadline(request: Request, actor: UnitReader, id: UUID) -> Response:
    edge, now, seen = edge_of(request), utc_now(), unit_seen(actor)
    document = await readable(edge, actor, id)
    units = await edge.directory.units()
    urls = views.urls_of(edge.look)
    siblings = await queries.deadlines(edge.database, DeadlineFilter(document["subject"], unit=seen), now)
    view, *others = await views.deadline_views(
        edge.database, [document, *(d for d in siblings if d["_id"] != document["_id"])], now,
        units=units, urls=urls, calendars=edge.calendars, home=actor.unit, policy=edge.policy,
    )  # fmt: skip
    notices = await queries.notices(edge.database, subject=view.subject)
    return await page(
        request, "deadline.html", nav_current="deadlines", d=view,
        history=told(await edge.journal.read(Deadline.stream_of(id)), edge.source),
        notices=await views.notice_views(edge.database, notices, urls=urls), others=others,
        opens_notices=bool(actor.roles & READERS),
        **side_bar(edge, await overdue_count(edge, now, seen)),
    )  # fmt: skip
