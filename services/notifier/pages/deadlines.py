"""The register of deadlines, for those on call."""

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.notifier import queries, views
from services.notifier.api import Cursor, Exact, Reader
from services.notifier.api.deadlines import deadline_page
from services.notifier.domain import Deadline
from services.notifier.history import told
from services.notifier.pages import around, overdue_count, side_bar
from services.notifier.queries import DeadlineFilter
from services.notifier.regulation import DUTIES
from shared.desk import utc_now
from shared.web.edge import edge_of, page

router = APIRouter(include_in_schema=False)


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
