"""The ledger (sổ báo): for each duty who was told what, when and with which proof; on screen, on one printed
page, and as a table."""

import io
from collections.abc import AsyncIterator
from typing import Annotated, Any

from defusedcsv import csv  # type: ignore[import-untyped]
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from services.notifier import queries, views
from services.notifier.api import Cursor, Exact, Reader, Subject, known_duty, place
from services.notifier.pages import around, narrowed, overdue_count, side_bar
from services.notifier.queries import DeadlineFilter, LedgerFilter
from services.notifier.regulation import DUTIES
from services.notifier.views.ledger import COLUMNS, LedgerRow, ledger_rows
from shared.desk import utc_now
from shared.web.edge import Edge, edge_of, page
from shared.web.forms import cursor_of

router = APIRouter(include_in_schema=False)

PAGE = 50
WHOLE = 1000  # rows of one subject on its printed page
Month = Annotated[str, Query(pattern=r"^$|^20\d{2}-(0[1-9]|1[0-2])$")]


@router.get("/desk/ledger")
async def ledger(
    request: Request, _: Reader, *, duty: Exact = "", unit: Exact = "", month: Month = "",
    subject: Exact = "", cursor: Cursor = "",
) -> Response:  # fmt: skip
    edge = edge_of(request)
    chosen = {"duty": duty, "unit": unit, "month": month, "subject": subject}
    limit = WHOLE if subject else PAGE
    which, errors = await narrowed(edge, LedgerFilter(duty, unit, month, subject))
    found = [] if errors else await queries.proofs(
        edge.database, which, after=place(cursor), limit=limit + 1
    )  # fmt: skip
    rows = await _rows(edge, found[:limit])
    last = found[limit - 1] if len(found) > limit else None
    further = cursor_of([last["requested_at"].isoformat(), last["_id"]]) if last else None
    units = await edge.directory.units()
    turns = around(chosen, cursor, further)
    return await page(
        request, "ledger.html", nav_current="notices", tabs=views.notice_tabs("ledger"), chosen=chosen,
        groups=await _by_duty(edge, which.subject, rows) if subject and not errors else [], rows=rows,
        errors=errors, status=422 if errors else 200,
        units=[(id, row["name"]) for id, row in sorted(units.items())], duties=list(DUTIES.items()),
        table_url=_table_url(chosen), printed_at=utc_now(), **turns,
        **side_bar(edge, await overdue_count(edge, utc_now())),
    )  # fmt: skip


@router.get("/desk/ledger.csv")
async def table(
    request: Request, _: Reader, subject: Subject, *, duty: Exact = "", unit: Exact = "", month: Month = ""
) -> Response:
    """All rows, as a spreadsheet reads them; what begins like a formula is no formula."""
    edge = edge_of(request)
    await known_duty(edge.database, duty)
    lines = _lines(edge, LedgerFilter(duty, unit, month, subject))
    return StreamingResponse(
        lines, media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="so-bao.csv"', "Cache-Control": "no-store"},
    )  # fmt: skip


async def _lines(edge: Edge[Any], which: LedgerFilter) -> AsyncIterator[str]:
    yield "\ufeff" + _line(COLUMNS)  # the mark by which spreadsheets know UTF-8
    async for found in queries.every_proof(edge.database, which):
        yield "".join(_line(row.cells()) for row in await _rows(edge, found))


def _line(cells: Any) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([str(cell).lstrip() for cell in cells])
    return out.getvalue()


async def _rows(edge: Edge[Any], found: list[queries.Document]) -> list[LedgerRow]:
    units = await edge.directory.units()
    return await ledger_rows(edge.database, found, units=units, urls=views.urls_of(edge.look))


async def _by_duty(edge: Edge[Any], subject: str, rows: list[LedgerRow]) -> list[dict[str, Any]]:
    """Each deadline of the subject with what was told of it, the first due first; then what is of none."""
    now = utc_now()
    documents = await queries.deadlines(edge.database, DeadlineFilter(subject=subject), now, limit=100)
    units = await edge.directory.units()
    deadlines = await views.deadline_views(
        edge.database, documents, now, units=units, urls=views.urls_of(edge.look)
    )
    left, groups = list(reversed(rows)), []
    for deadline in sorted(deadlines, key=lambda each: each.due_at):
        own = [row for row in left if row.deadline_id == deadline.id or _of(row, deadline)]
        left = [row for row in left if row not in own]
        groups.append({"deadline": deadline, "rows": own})
    return [*groups, *([{"deadline": None, "rows": left}] if left else [])]


def _of(row: LedgerRow, deadline: views.DeadlineView) -> bool:
    """A letter to the asker is about a duty, not about one deadline."""
    return not row.deadline_id and bool(row.duty) and row.duty == deadline.duty


def _table_url(chosen: dict[str, str]) -> str:
    kept = around(chosen, "x", None)["first"] or ""
    return f"/desk/ledger.csv{kept}"
