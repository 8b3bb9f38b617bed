"""The notices with their proof, for those on call, and the forms of what to do when a mail does not reach."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.notifier import handlers, queries, views
from services.notifier.api import Cursor, Exact, Reader
from services.notifier.api.notices import ReachedOtherwise, RetryNotice, notice_page
from services.notifier.domain import Notice
from services.notifier.handlers import AskAgain, ReachOtherwise
from services.notifier.history import told
from services.notifier.pages import around, overdue_count, side_bar
from services.notifier.proof import proof_of
from services.notifier.regulation import NOTICE_KINDS, NOTICES, WAYS_VI, NoticeStatus
from shared.calendar import VIETNAM
from shared.desk import utc_now
from shared.errors import Forbidden, NotFound, PortalError
from shared.web.edge import Staff, edge_of, form_desk, page, see_other
from shared.web.problems import field_errors

router = APIRouter(include_in_schema=False)
ATTEMPT: Final[Mapping[str, tuple[str, str]]] = {
    # kết cục    màu    lời
    "": ("info", "đang gửi"),
    "accepted": ("ok", "máy chủ thư đã nhận"),
    "temporary": ("warn", "chưa nhận, gửi lại sau"),
    "definite": ("bad", "bị từ chối hẳn"),
    "uncertain": ("warn", "không rõ kết quả"),
}
EMPTY: Final[Mapping[str, str]] = {
    "reason": "Hãy cho biết vì sao gửi lại.",
    "way": "Hãy chọn đã báo bằng cách nào.",
    "reached_at": "Hãy cho biết đã báo lúc nào, ví dụ 2026-11-24T09:30.",
    "proof": "Hãy ghi bằng chứng: số công văn, mã bưu gửi, số cuộc gọi trong sổ trực.",
}


def to_the_second(instant: datetime) -> str:
    """What is proof is told to the second, Vietnamese time."""
    return f"{instant.astimezone(VIETNAM):%H:%M:%S, %d/%m/%Y}"


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
        tabs=views.notice_tabs("notices"), kinds=list(NOTICE_KINDS.items()),
        states=list(views.NOTICE_STATES_VI.items()),
        **around(chosen, cursor, found.next), **side_bar(edge, await overdue_count(edge, utc_now())),
    )  # fmt: skip


@router.get("/desk/notices/{id}")
async def one_notice(request: Request, by: Reader, id: UUID) -> Response:
    return await _shown(request, by.roles, id)


async def _shown(
    request: Request, roles: frozenset[str], id: UUID, *, act: str = "",
    errors: Mapping[str, str] | None = None, typed: Mapping[str, Any] | None = None,
) -> Response:  # fmt: skip
    edge = edge_of(request)
    document = await queries.notice(edge.database, id)
    view = (await views.notice_views(edge.database, [document], urls=views.urls_of(edge.look)))[0]
    commits = await edge.journal.read(Notice.stream_of(id))
    proof = proof_of(commits, edge.source)
    people = {deed.who: await edge.directory.person_name(deed.who) for deed in proof.deeds}
    return await page(
        request, "notice.html", status=422 if errors else 200, nav_current="notices", n=view,
        history=told(commits, edge.source), proof=proof, to_the_second=to_the_second, attempt_words=ATTEMPT,
        people=people, ways=WAYS_VI,
        acts=NOTICES.acts(NoticeStatus(view.state), roles), act=act, errors=errors or {}, typed=typed or {},
        taken=next((a for a in reversed(proof.attempts) if a.outcome == "accepted"), None),
        **side_bar(edge, await overdue_count(edge, utc_now())),
    )  # fmt: skip


@router.post("/desk/notices/{id}/retry")
async def retry(id: UUID, request: Request, by: Staff) -> Response:
    def asked(fields: Mapping[str, Any]) -> tuple[Callable[..., Awaitable[Notice]], Any]:
        return handlers.ask_again, AskAgain(id, RetryNotice(**fields).reason)

    return await _act(request, by, id, "ask_again", asked)


@router.post("/desk/notices/{id}/reached")
async def reached(id: UUID, request: Request, by: Staff) -> Response:
    def asked(fields: Mapping[str, Any]) -> tuple[Callable[..., Awaitable[Notice]], Any]:
        body = ReachedOtherwise(**{**fields, "reached_at": _local(fields.get("reached_at", ""))})
        return handlers.reach_otherwise, ReachOtherwise(id, body.way, body.reached_at, body.proof)

    return await _act(request, by, id, "reach", asked)


def _local(typed: Any) -> Any:
    """What a browser sends of a day and time: Vietnamese time."""
    try:
        moment = datetime.fromisoformat(str(typed))
    except ValueError:
        return typed
    return moment if moment.tzinfo else moment.replace(tzinfo=VIETNAM)


async def _act(
    request: Request, by: Staff, id: UUID, act: str,
    asked: Callable[[Mapping[str, Any]], tuple[Callable[..., Awaitable[Notice]], Any]],
) -> Response:  # fmt: skip
    """A form's deed; what must be changed is shown on the form, with what was typed."""
    fields, desk = await form_desk(request, by)
    try:
        handler, cmd = asked(fields)
        notice = await desk.run(handler, cmd)
    except ValidationError as error:
        said = {e["field"]: _sentence(e) for e in field_errors(error.errors())}
        return await _shown(request, by.roles, id, act=act, errors=said, typed=fields)
    except (Forbidden, NotFound):
        raise
    except PortalError as error:
        listed = error.extra.get("errors", ())
        said = {e["field"]: e["message"] for e in listed} or {"": error.detail or error.title_vi}
        return await _shown(request, by.roles, id, act=act, errors=said, typed=fields)
    await edge_of(request).caught_up("notices", id, desk.version(notice))
    return see_other(f"/desk/notices/{id}")


def _sentence(error: Mapping[str, str]) -> str:
    empty = error["type"] in {
        "missing",
        "string_too_short",
        "enum",
        "datetime_from_date_parsing",
        "timezone_aware",
    }
    unread = error["field"] == "reached_at"
    return EMPTY[error["field"]] if (empty or unread) and error["field"] in EMPTY else error["message"]
