"""The notices with their proof, for those on call."""

from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response

from services.notifier import queries, views
from services.notifier.api import Cursor, Exact, Reader
from services.notifier.api.notices import notice_page
from services.notifier.domain import Notice
from services.notifier.history import told
from services.notifier.pages import around, overdue_count, side_bar
from services.notifier.regulation import NOTICE_KINDS
from shared.desk import utc_now
from shared.web.edge import edge_of, page

router = APIRouter(include_in_schema=False)


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
