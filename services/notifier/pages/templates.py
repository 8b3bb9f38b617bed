"""The templates of every letter (mẫu thư), as they read with a real notice's facts."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.notifier import queries, views
from services.notifier.api import Exact, Reader
from services.notifier.jobs import NoPreview, Previews
from services.notifier.letters import Language
from services.notifier.pages import overdue_count, side_bar
from services.notifier.regulation import BY_MAIL, NOTICE_KINDS
from shared.desk import utc_now
from shared.errors import InvalidInput, NotFound
from shared.web.edge import edge_of, page
from shared.web.vietnamese import vn_datetime

LANGUAGES_VI: Final = (("vi", "Tiếng Việt"), ("en", "Tiếng Anh"))


def router_for(previews: Previews) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/desk/templates")
    async def templates(
        request: Request, _: Reader, *, kind: Exact = "refusal", language: Language = "vi",
        notice: Annotated[str, Query(max_length=36)] = "",
    ) -> Response:  # fmt: skip
        if kind not in BY_MAIL:
            raise InvalidInput("Không có loại thư này.", errors=[{"field": "kind"}])
        edge, at, why = edge_of(request), utc_now(), ""
        found = await queries.notices(edge.database, kind=kind, limit=30)
        shown = await views.notice_views(edge.database, found, urls=views.urls_of(edge.look))
        options = [(each.id, f"{each.label}, {vn_datetime(each.requested_at)}") for each in shown]
        mail = None
        if notice and notice in {id for id, _ in options}:
            try:
                mail = await previews.real(edge, UUID(notice), language, at)
            except (NoPreview, NotFound) as error:
                why = error.detail
        else:
            notice = ""
            mail = await previews.sample(edge, kind, language, at)
        return await page(
            request, "templates.html", nav_current="notices", tabs=views.notice_tabs("templates"), mail=mail,
            why=why, kinds=[(each, NOTICE_KINDS[each]) for each in BY_MAIL], languages=LANGUAGES_VI,
            options=options,
            chosen={"kind": kind, "language": language, "notice": notice},
            **side_bar(edge, await overdue_count(edge, at)),
        )  # fmt: skip

    return router
