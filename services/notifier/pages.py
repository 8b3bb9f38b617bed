"""Pages for those on call: the live board of operations, the register of deadlines, the notices with their
proof; and for everyone, the clauses that the register cites."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.notifier import queries, views
from services.notifier.api import Cursor, Exact, Reader, deadline_page, notice_page
from services.notifier.board import Board, Boards
from services.notifier.domain import Deadline, Notice
from services.notifier.history import told
from services.notifier.queries import DeadlineFilter
from services.notifier.regulation import DUTIES, NOTICE_KINDS
from services.notifier.regulation_clauses import CLAUSES
from shared.calendar import CALENDAR
from shared.desk import utc_now
from shared.web.edge import Edge, edge_of, page, see_other
from shared.web.look import staff_nav

router = APIRouter(include_in_schema=False)
boards: Final = Boards()

BLOCKS: Final = (
    "stamp", "incidents", "tiles", "days", "overdue", "chart", "consumers", "services", "dead", "notices",
    "portals",
)  # fmt: skip
TICK: Final = 2.0


def side_bar(edge: Edge[Any], overdue: int) -> dict[str, Any]:
    """The places of the side bar, with what is overdue painted as wrong."""
    return {"nav": staff_nav(views.urls_of(edge.look), {"deadlines": overdue}, hot=("deadlines",))}


async def overdue_count(edge: Edge[Any], now: datetime) -> int:
    return await queries.count_deadlines(edge.database, DeadlineFilter(state="breached"), now)


def around(chosen: Mapping[str, str], cursor: str, further: str | None) -> dict[str, Any]:
    """Addresses of the first page and of the next."""
    kept = {name: value for name, value in chosen.items() if value or name == "state"}
    return {
        "first": "?" + urlencode(kept) if cursor else None,
        "more": "?" + urlencode(kept | {"cursor": further}) if further else None,
    }


@router.get("/")
async def home() -> RedirectResponse:
    return see_other("/desk/operations")


@router.get("/desk/operations")
async def operations(request: Request, _: Reader) -> Response:
    edge = edge_of(request)
    board = await boards.current(edge)
    return await page(
        request,
        "operations.html",
        nav_current="operations",
        board=board,
        **side_bar(edge, board.overdue_count),
    )


@router.get("/desk/operations/live", response_class=EventSourceResponse)
async def live(request: Request, _: Reader) -> AsyncIterator[ServerSentEvent]:
    """Those parts of the board that have changed, each as a swap of its own."""
    edge, shown = edge_of(request), dict[str, str]()
    while True:
        board = await boards.current(edge)
        changed = _changes(edge, board, shown)
        if changed:
            yield ServerSentEvent(raw_data=changed)
        await asyncio.sleep(TICK)


def _changes(edge: Edge[Any], board: Board, shown: dict[str, str]) -> str:
    """``shown`` is what this reader has on the screen; it is brought up to date."""
    parts = []
    for block in BLOCKS:
        html = edge.look.render_block("operations.html", block, board=board)
        if shown.get(block) != html:
            shown[block] = html
            parts.append(f'<hx-partial hx-target="#b-{block}" hx-swap="innerHTML">{html}</hx-partial>')
    return "".join(parts)


VIEWS: Final = (
    # trạng thái   tên
    ("owed", "Còn phải làm"),
    ("breached", "Quá hạn"),
    ("late", "Trễ hạn"),
    ("met", "Đúng hạn"),
    ("void", "Không còn"),
    ("", "Tất cả"),
)


@router.get("/desk/deadlines")
async def deadlines(
    request: Request, _: Reader, *, unit: Exact = "", duty: Exact = "", state: Exact | None = None,
    day: Exact = "", subject: Exact = "", cursor: Cursor = "",
) -> Response:  # fmt: skip
    edge, now = edge_of(request), utc_now()
    if state is None:
        state = "" if subject else "owed"
    chosen = {"unit": unit, "duty": duty, "state": state, "day": day, "subject": subject}
    which = DeadlineFilter(subject=subject, duty=duty, state=state, unit=unit, day=day)
    found = await deadline_page(edge, which, cursor, 30)
    tabs = []
    for key, text in VIEWS:
        kept = {name: value for name, value in chosen.items() if value} | {"state": key}
        counted = key in ("breached", "owed")
        narrowed = DeadlineFilter(subject=subject, duty=duty, state=key, unit=unit, day=day)
        tabs.append({
            "text": text, "url": "/desk/deadlines?" + urlencode(kept), "current": key == state,
            "count": await queries.count_deadlines(edge.database, narrowed, now) if counted else None,
            "state": "bad" if key == "breached" else "",
        })  # fmt: skip
    units = [(id, row["name"]) for id, row in sorted((await edge.directory.units()).items())]
    return await page(
        request, "deadlines.html", nav_current="deadlines", found=found, chosen=chosen, tabs=tabs,
        units=units, duties=list(DUTIES.items()), **around(chosen, cursor, found.next),
        **side_bar(edge, await overdue_count(edge, now)),
    )  # fmt: skip


@router.get("/desk/deadlines/{id}")
async def one_deadline(request: Request, _: Reader, id: UUID) -> Response:
    edge, now = edge_of(request), utc_now()
    document = await queries.deadline(edge.database, id)
    units = await edge.directory.units()
    urls = views.urls_of(edge.look)
    view = (await views.deadline_views(edge.database, [document], now, units=units, urls=urls))[0]
    notices = await queries.notices(edge.database, subject=view.subject)
    siblings = await queries.deadlines(edge.database, DeadlineFilter(subject=view.subject), now)
    others = await views.deadline_views(edge.database, siblings, now, units=units, urls=urls)
    return await page(
        request, "deadline.html", nav_current="deadlines", d=view,
        history=told(await edge.journal.read(Deadline.stream_of(id)), edge.source),
        notices=await views.notice_views(edge.database, notices, urls=urls),
        others=[other for other in others if other.id != view.id],
        **side_bar(edge, await overdue_count(edge, now)),
    )  # fmt: skip


@router.get("/desk/notices")
async def notices(
    request: Request, _: Reader, *, kind: Exact = "", state: Exact = "", subject: Exact = "",
    cursor: Cursor = "",
) -> Response:  # fmt: skip
    edge = edge_of(request)
    chosen = {"kind": kind, "state": state, "subject": subject}
    found = await notice_page(edge, subject=subject, state=state, kind=kind, cursor=cursor, limit=30)
    return await page(
        request, "notices.html", nav_current="notices", found=found, chosen=chosen,
        kinds=list(NOTICE_KINDS.items()), states=list(views.NOTICE_STATES_VI.items()),
        **around(chosen, cursor, found.next), **side_bar(edge, await overdue_count(edge, utc_now())),
    )  # fmt: skip


@router.get("/desk/notices/{id}")
async def one_notice(request: Request, _: Reader, id: UUID) -> Response:
    edge = edge_of(request)
    document = await queries.notice(edge.database, id)
    view = (await views.notice_views(edge.database, [document], urls=views.urls_of(edge.look)))[0]
    return await page(
        request, "notice.html", nav_current="notices", n=view,
        history=told(await edge.journal.read(Notice.stream_of(id)), edge.source),
        **side_bar(edge, await overdue_count(edge, utc_now())),
    )  # fmt: skip


@router.get("/can-cu")
async def clauses(request: Request) -> Response:
    """The regulation's own words, an anchor each."""
    return await page(request, "clauses.html", clauses=CLAUSES)


@router.get("/lich")
async def calendar(request: Request, year: Annotated[int, Query(ge=2000, le=2100)] = 0) -> Response:
    """Days off and make-up days of a year, with the document that decided each."""
    years = CALENDAR.years
    shown = year if year in years else CALENDAR.day_of(utc_now()).year
    data = CALENDAR.data
    rows = [row for entry in data.years if entry.year == shown for row in entry.days]
    tabs = [{"text": str(each), "url": f"/lich?year={each}", "current": each == shown} for each in years]
    return await page(
        request, "calendar.html", rows=rows, year=shown, tabs=tabs, documents=data.documents,
        version=CALENDAR.version, provisional=CALENDAR.is_provisional(shown),
    )  # fmt: skip
