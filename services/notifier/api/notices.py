"""The notices and their proof over HTTP, and what a person does when a mail does not reach."""

from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from services.notifier import handlers, queries, views
from services.notifier.api import Cursor, Exact, Limit, Page, Reader, Subject, place
from services.notifier.domain import Notice, Way
from services.notifier.handlers import AskAgain, ReachOtherwise
from services.notifier.views import NoticeView
from shared.desk import Desk
from shared.messaging.masking import mask_text
from shared.web.edge import Edge, StaffDesk, edge_of, tagged
from shared.web.forms import Body, Line, cursor_of

router = APIRouter()


def _impersonal(text: str) -> str:
    """What is put down here is published: no address and no number of a person."""
    if mask_text(text) != text:
        raise ValueError(
            "Không ghi địa chỉ thư, số điện thoại hay số định danh của ai"
            " (no e-mail address, telephone or identity number)."
        )
    return text


Impersonal = Annotated[Line, StringConstraints(min_length=3), AfterValidator(_impersonal)]


class RetryNotice(Body):
    """Vì sao gửi lại."""

    reason: Impersonal = Field(examples=["Người hỏi đã mở lại hộp thư"])


class ReachedOtherwise(Body):
    """Đã báo bằng cách khác."""

    way: Way
    reached_at: AwareDatetime = Field(description="Lúc đã báo")
    proof: Impersonal = Field(
        description="Số công văn, mã bưu gửi, số cuộc gọi trong sổ trực; không ghi tên, địa chỉ",
        examples=["Công văn 1234/TTCSKH"],
    )


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
    request: Request, _: Reader, subject: Subject, *, kind: Exact = "", state: Exact = "",
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


async def _done(
    request: Request, response: Response, desk: Desk[Any], handler: Callable[..., Awaitable[Notice]], cmd: Any
) -> NoticeView:
    edge = edge_of(request)
    notice = await desk.run(handler, cmd)
    tagged(response, desk.version(notice))
    await edge.caught_up("notices", notice.id, desk.version(notice))
    found = await queries.notice(edge.database, notice.id)
    return (await views.notice_views(edge.database, [found], urls=views.urls_of(edge.look)))[0]


@router.post(
    "/v1/notices/{id}/retry",
    tags=["notices"],
    summary="Gửi lại thư đã bị từ chối, bị trả lại hoặc không rõ kết quả",
)
async def retry_notice(
    id: UUID, body: RetryNotice, request: Request, response: Response, desk: StaffDesk
) -> NoticeView:
    """For operators. The same Message-ID and number, so that a repetition can be recognised."""
    return await _done(request, response, desk, handlers.ask_again, AskAgain(id, body.reason))


@router.post(
    "/v1/notices/{id}/reached", tags=["notices"], summary="Ghi nhận đã báo người nhận bằng cách khác"
)
async def reached_otherwise(
    id: UUID, body: ReachedOtherwise, request: Request, response: Response, desk: StaffDesk
) -> NoticeView:
    """For operators; closes the task. ``reached_at`` lies between the notice's beginning and now."""
    cmd = ReachOtherwise(id, body.way, body.reached_at.astimezone(UTC), body.proof)
    return await _done(request, response, desk, handlers.reach_otherwise, cmd)
