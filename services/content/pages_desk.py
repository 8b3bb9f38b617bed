"""Bàn duyệt bài: what waits for whom, one item whole, and each act on it. Works without JavaScript."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from pydantic import ValidationError

from services.content import handlers, texts
from services.content.api import ApprovalIn, PermissionIn, ReturnIn, WithdrawalIn
from services.content.domain.decisions import (
    Approve,
    Publish,
    RecordPermission,
    ReturnToUnit,
    Withdraw,
)
from services.content.domain.submission import Submission
from services.content.dossier import CLAUSES, dossier
from services.content.queries import submissions as queries
from services.content.queries.paging import Listed
from services.content.regulation import (
    ATTESTATIONS,
    LIMITS,
    RETURN_REASONS,
    STATUS_NAMES,
    Status,
)
from shared.errors import PortalError, Unauthenticated, Unavailable
from shared.web.edge import Staff, edge_of, form_desk, page, see_other
from shared.web.look import staff_nav
from shared.web.problems import from_validation
from shared.workflow import Actor

router: Final = APIRouter(prefix="/desk/review", include_in_schema=False)

STATES: Final = {
    Status.SUBMITTED: ("info", "inbox"),
    Status.RETURNED: ("warn", "undo-2"),
    Status.APPROVED: ("ok", "check-check"),
    Status.PUBLISHED: ("ok", "globe"),
    Status.WITHDRAWN: ("", "archive"),
}
TABS: Final = {"mine": "Chờ tôi", **{status.value: STATUS_NAMES[status] for status in Status}}
PER_PAGE: Final = 12

Tab = Annotated[str, Query(max_length=20)]
Cursor = Annotated[str, Query(max_length=300)]


async def staff_page(request: Request, actor: Actor, template: str, **context: Any) -> Response:
    """A page in the staff's shell, with how much waits for this person."""
    counts = await queries.counts(edge_of(request).database, actor)
    settings = request.app.state.service.settings
    nav = staff_nav(settings.urls, {"review": counts["mine"]})
    return await page(request, template, nav=nav, counts=counts, **context)


async def _list(request: Request, actor: Actor, tab: str, cursor: str) -> dict[str, Any]:
    edge = edge_of(request)
    tab = tab if tab in TABS else "mine"
    which = queries.waiting_for(actor) if tab == "mine" else {"status": tab}
    waiting = tab in ("mine", Status.SUBMITTED, Status.APPROVED, Status.RETURNED)
    found: Listed = await queries.submissions(
        edge.database, {"$and": [queries.visible_to(actor), which]}, cursor=cursor, limit=PER_PAGE,
        oldest=waiting,
    )  # fmt: skip
    rows = [
        {
            **row,
            "unit_name": await edge.directory.unit_name(row["unit"]),
            "author_name": await edge.directory.person_name(row["author"]),
            "class_name": LIMITS[row["content_class"]].name,
            "unpermitted": LIMITS[row["content_class"]].needs_permission and row["permitted_at"] is None,
        }
        for row in found.items
    ]
    return {"tab": tab, "tabs": TABS, "rows": rows, "next": found.next, "cursor": cursor}


@router.get("")
async def review(request: Request, actor: Staff, tab: Tab = "mine", cursor: Cursor = "") -> Response:
    listed = await _list(request, actor, tab, cursor)
    return await _page(request, actor, listed, None)


async def _page(
    request: Request,
    actor: Actor,
    listed: dict[str, Any],
    item: Any,
    *,
    view: str = "",
    error: PortalError | None = None,
    typed: dict[str, Any] | None = None,
) -> Response:
    errors = {}
    if error is not None:
        errors = {e["field"]: e["message"] for e in error.extra.get("errors", ()) if e.get("message")}
        errors = errors or {"": error.detail}
    return await staff_page(
        request, actor, "review.html", status=error.status if error else 200, nav_current="review", **listed,
        item=item, html=texts.shown(item.body.html) if item else "",
        view="diff" if item and item.difference and view == "diff" else "text", errors=errors, error=error,
        typed=typed or {}, states=STATES, status_names=STATUS_NAMES, attestations=ATTESTATIONS,
        clauses=CLAUSES, reasons=RETURN_REASONS,
    )  # fmt: skip


@router.get("/{id}")
async def one(  # noqa: PLR0917 (FastAPI passes them by name)
    request: Request, id: str, actor: Staff, tab: Tab = "mine", cursor: Cursor = "", view: Tab = ""
) -> Response:
    return await _one(request, actor, id, tab=tab, cursor=cursor, view=view)


async def _one(
    request: Request, actor: Actor, id: str, *, tab: str = "mine", cursor: str = "", **more: Any
) -> Response:
    edge = edge_of(request)
    desk = edge.desk(actor)
    item = await dossier(edge, desk, await queries.read(desk, id))
    return await _page(request, actor, await _list(request, actor, tab, cursor), item, **more)


Handler = Callable[[Any, Any], Awaitable[Submission]]
Command = Callable[[Submission, dict[str, Any]], Awaitable[Any]]


async def _act(request: Request, actor: Actor, id: str, handler: Handler, command: Command) -> Response:
    """Do it and show the item as it is then; refused, show why, with what was typed."""
    fields, desk = await form_desk(request, actor)
    tab = str(fields.pop("tab", "mine"))
    edge = edge_of(request)
    known = await queries.read(edge.desk(actor), id)
    try:
        done = await desk.run(handler, await command(known, fields))
    except (Unavailable, Unauthenticated):
        raise
    except (PortalError, ValidationError) as refused:
        error = from_validation(refused.errors()) if isinstance(refused, ValidationError) else refused
        return await _one(request, actor, id, tab=tab, error=error, typed=fields)
    version = desk.version(done)
    await edge.caught_up("submissions", done.id, version)
    await edge.caught_up("articles", done.id, version)
    return see_other(f"/desk/review/{done.id}?tab={tab if tab in TABS else 'mine'}")


@router.post("/{id}/approval")
async def approval(request: Request, id: str, actor: Staff) -> Response:
    register = await queries.source_register(edge_of(request).database)

    async def command(known: Submission, fields: dict[str, Any]) -> Approve:
        given = fields.get("attestations", [])
        attested = given if isinstance(given, list) else [given]
        fields["attestations"] = attested
        body = ApprovalIn.model_validate({**fields, "publish": fields.get("publish", "") == "1"})
        return Approve(known.id, body.text_version, frozenset(body.attestations), register, body.publish)

    return await _act(request, actor, id, handlers.approve_submission, command)


@router.post("/{id}/return")
async def give_back(request: Request, id: str, actor: Staff) -> Response:
    async def command(known: Submission, fields: dict[str, Any]) -> ReturnToUnit:
        body = ReturnIn.model_validate(fields)
        return ReturnToUnit(known.id, body.reason, body.words)

    return await _act(request, actor, id, handlers.return_to_unit, command)


@router.post("/{id}/permission")
async def permission(request: Request, id: str, actor: Staff) -> Response:
    async def command(known: Submission, fields: dict[str, Any]) -> RecordPermission:
        body = PermissionIn.model_validate({"permitted_at": local_moment(fields.get("permitted_at"))})
        return RecordPermission(known.id, body.permitted_at)

    return await _act(request, actor, id, handlers.record_permission, command)


@router.post("/{id}/publication")
async def publication(request: Request, id: str, actor: Staff) -> Response:
    async def command(known: Submission, _: dict[str, Any]) -> Publish:
        return Publish(known.id)

    return await _act(request, actor, id, handlers.publish_submission, command)


@router.post("/{id}/withdrawal")
async def withdrawal(request: Request, id: str, actor: Staff) -> Response:
    async def command(known: Submission, fields: dict[str, Any]) -> Withdraw:
        return Withdraw(known.id, WithdrawalIn.model_validate(fields).reason)

    return await _act(request, actor, id, handlers.withdraw_submission, command)


def local_moment(value: Any) -> str | None:
    """A browser's ``datetime-local`` knows no zone: on our pages it is Vietnamese time."""
    text = str(value or "").strip()
    if not text:
        return None
    return text if text[-6:-5] in "+-" and ":" in text[-3:] and "T" in text[:-6] else f"{text}+07:00"
