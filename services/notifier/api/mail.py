"""What the mail server hands over: mail of ours that came back."""

import contextlib
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from services.notifier import handlers, returned
from services.notifier.domain import ForgedReturn, Notice
from services.notifier.handlers import Returned
from services.notifier.return_address import ReturnAddresses
from services.notifier.returned import Outcome, Report
from shared.errors import NotFound, PortalError
from shared.journal import AlreadyDone
from shared.web.edge import OurService, edge_of
from shared.web.problems import correlation_of
from shared.workflow import Actor

router = APIRouter()
MAIL: Final = "message/rfc822"
A_MAIL: Final = {
    "requestBody": {"required": True, "content": {MAIL: {"schema": {"type": "string", "format": "binary"}}}}
}


class NotAMail(PortalError):
    """The body is no ``message/rfc822``."""

    status, code = 415, "not_a_mail"
    title_vi, title_en = "Nội dung phải là một thư (message/rfc822)", "The body must be a message/rfc822"


class ReturnedView(BaseModel):
    """Thư trả lại được hiểu thế nào."""

    outcome: Outcome = Field(
        description="bounced: trả lại; delayed: máy chủ còn gửi tiếp; delivered; automatic: máy trả lời"
    )
    notice_id: UUID
    attempt: int
    status: str = Field(description="RFC 3463, ví dụ 5.1.1; trống nếu không có")
    reason: str = Field(description="Lời của máy chủ thư, đã bỏ mọi địa chỉ")
    state: str = Field(description="Trạng thái thư báo sau khi nhận")


@router.post(
    "/v1/mail/returned",
    tags=["mail"],
    summary="Máy chủ thư chuyển lại một thư không phát được",
    openapi_extra=A_MAIL,
)
async def take_returned(
    request: Request, by: OurService, recipient: Annotated[str, Query(max_length=254)] = ""
) -> ReturnedView:
    """For the mail server's pipe: the whole returned mail as it came. ``recipient`` is the address that it
    came to; without it, the mail's own headers tell. Handing it over again is harmless. Only a mail that will
    not be delivered leaves a record; nothing else of any mail is kept."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MAIL:
        raise NotAMail("Gửi nguyên văn thư với Content-Type: message/rfc822.")
    returns = ReturnAddresses.of(request.app.state.service.settings)
    report, addressed = returned.read(await request.body())
    notice_id, attempt = _whose(returns, [recipient] if recipient else addressed)
    notice = await _put_down(request, by, Returned(
        notice_id, attempt, report.permanent, report.status, report.reason
    ), report)  # fmt: skip
    return ReturnedView(
        outcome=report.outcome, notice_id=notice_id, attempt=attempt, status=report.status,
        reason=report.reason, state=notice.status.value,
    )  # fmt: skip


def _whose(returns: ReturnAddresses, addresses: list[str]) -> tuple[UUID, int]:
    """Exactly one of them is ours. Raises ForgedReturn."""
    found = {returns.read(address) for address in addresses if returns.is_ours(address)}
    if len(found) != 1:
        raise ForgedReturn("Thư trả lại không mang địa chỉ nhận trả lại của hệ thống.")
    return found.pop()


async def _put_down(request: Request, by: Actor, cmd: Returned, report: Report) -> Notice:
    edge: Any = edge_of(request)
    desk = edge.desk(by, correlation=correlation_of(request))
    try:
        if report.outcome is Outcome.BOUNCED:
            with contextlib.suppress(AlreadyDone):
                bounced: Notice = await desk.run(handlers.record_bounce, cmd)
                return bounced
        known: Notice = await edge.desk(by).load(Notice, cmd.notice_id)
    except NotFound:
        raise ForgedReturn("Không có thư báo này.") from None
    return known
