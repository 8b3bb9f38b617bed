"""The live board of operations, for those on call."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.notifier.api import Reader
from services.notifier.board import Board, Boards
from services.notifier.pages import side_bar
from shared.web.edge import Edge, edge_of, page, see_other

router = APIRouter(include_in_schema=False)


boards: Final = Boards()
BLOCKS: Final = (
    "stamp", "incidents", "tiles", "days", "overdue", "signs", "chart", "consumers", "services", "dead",
    "notices", "portals",
)  # fmt: skip
TICK: Final = 2.0


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
