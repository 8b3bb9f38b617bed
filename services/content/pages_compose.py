"""Soạn bài: a unit's author submits with the clock of the class in view; an editor edits, and an author
completes what came back. A look before sending changes nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import uuid4

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from services.content import handlers, texts
from services.content.api import EditedTextIn, SubmissionIn
from services.content.domain import decisions
from services.content.domain.clock import supply_clock
from services.content.domain.decisions import RewriteText, Submit
from services.content.domain.rules import NotYourRole
from services.content.pages_desk import local_moment, staff_page
from services.content.queries import submissions as queries
from services.content.regulation import ACT_NAMES, LIMITS, STATUS_NAMES, Role
from shared.calendar import VIETNAM
from shared.contracts.content import ContentClass
from shared.errors import IllegalTransition, PortalError, PreconditionFailed, Unauthenticated, Unavailable
from shared.web.edge import Staff, edge_of, form_desk, see_other
from shared.web.problems import from_validation
from shared.workflow import Actor

router: Final = APIRouter(include_in_schema=False)

WORDS: Final = ("title", "summary", "html", "author_name", "source_name", "quoted", "note")
BLANK: Final = dict.fromkeys(
    ("content_class", "event_at", "permitted_at", "title", "summary", "html", "author_name", "source_name",
     "quoted", "note"), "",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a form was not taken: by field, and the status to answer with."""

    errors: dict[str, str]
    status: int

    @classmethod
    def of(cls, error: PortalError | ValidationError) -> "Refused":
        told = from_validation(error.errors()) if isinstance(error, ValidationError) else error
        named = {e["field"]: e["message"] for e in told.extra.get("errors", ()) if e.get("message")}
        return cls(named or {"": told.detail or told.title_vi}, told.status)


def _due(request: Request, kind: ContentClass, event_at: datetime, permitted_at: datetime | None) -> Any:
    edge = edge_of(request)
    return supply_clock(kind, "", event_at, permitted_at, calendar=edge.calendar, policy=edge.policy)


def _classes(request: Request) -> list[dict[str, Any]]:
    """Each class with its limit, and when it would be due had its event come now."""
    now = datetime.now(VIETNAM)
    return [
        {"key": kind.value, "limit": limit, "clock": _due(request, kind, now, now)}
        for kind, limit in LIMITS.items()
    ]


def _author(actor: Actor) -> None:
    if Role.AUTHOR not in actor.roles:
        raise NotYourRole("Chỉ người soạn của đơn vị được gửi bài.")


async def _compose(
    request: Request,
    actor: Actor,
    fields: dict[str, Any],
    refused: Refused | None = None,
    preview: Any = None,
) -> Response:
    edge = edge_of(request)
    sources = await queries.source_names(edge.database)
    return await staff_page(
        request, actor, "compose.html", status=refused.status if refused else 200, nav_current="compose",
        typed=BLANK | fields, errors=refused.errors if refused else {}, preview=preview,
        unit_name=await edge.directory.unit_name(actor.unit), sources=list(sources.values()),
        classes=_classes(request), due=_due_box(request, BLANK | fields),
    )  # fmt: skip


def _due_box(request: Request, fields: dict[str, Any]) -> dict[str, Any] | None:
    """The due date of what is typed so far; None until there is enough."""
    if fields["content_class"] not in LIMITS:
        return None
    kind = ContentClass(fields["content_class"])
    limit = LIMITS[kind]
    try:
        event_at = datetime.fromisoformat(local_moment(fields["event_at"]) or "")
        permitted = local_moment(fields["permitted_at"])
        permitted_at = datetime.fromisoformat(permitted) if permitted else None
        clock = _due(request, kind, event_at, permitted_at)
    except (ValueError, PortalError):
        return {"limit": limit, "clock": None, "waits": False, "late": False}
    waits = limit.needs_permission and permitted_at is None
    late = clock is not None and datetime.now(VIETNAM) >= clock.due_at
    return {"limit": limit, "clock": clock, "waits": waits, "late": late}


@router.get("/desk/compose")
async def compose(request: Request, actor: Staff) -> Response:
    _author(actor)
    return await _compose(request, actor, {"author_name": actor.name})


@router.get("/desk/compose/due")
async def due(
    request: Request,
    actor: Staff,
    content_class: Annotated[str, Query(max_length=40)] = "",
    event_at: Annotated[str, Query(max_length=40)] = "",
    permitted_at: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """The box alone, as the author chooses class and moments."""
    _author(actor)
    typed = {"content_class": content_class, "event_at": event_at, "permitted_at": permitted_at}
    look = edge_of(request).look
    return HTMLResponse(look.render("_due.html", due=_due_box(request, BLANK | typed)))


def _preview(fields: dict[str, Any]) -> dict[str, Any]:
    """The words as they would be kept; raises what would refuse them."""
    html = texts.clean(texts.markup_of(str(fields.get("html", ""))))
    return {"title": fields.get("title", ""), "summary": fields.get("summary", ""), "html": texts.shown(html)}


@router.post("/desk/compose")
async def send(request: Request, actor: Staff) -> Response:
    _author(actor)
    fields, desk = await form_desk(request, actor)
    act = fields.pop("act", "send")
    try:
        if act == "preview":
            return await _compose(request, actor, fields, preview=_preview(fields))
        moments = {name: local_moment(fields.get(name)) for name in ("event_at", "permitted_at")}
        body = SubmissionIn.model_validate(fields | moments)
        command = Submit(uuid4(), body.content_class, body.words(), body.event_at, body.permitted_at)
        done = await desk.run(handlers.submit_text, command)
    except (Unavailable, Unauthenticated):
        raise
    except (PortalError, ValidationError) as error:
        return await _compose(request, actor, fields, Refused.of(error))
    await edge_of(request).caught_up("submissions", done.id, desk.version(done))
    return see_other(f"/desk/review/{done.id}?tab=submitted")


async def _edit(
    request: Request,
    actor: Actor,
    id: str,
    *,
    typed: dict[str, Any] | None = None,
    refused: Refused | None = None,
    preview: Any = None,
    seen: int | None = None,
) -> Response:
    """``seen`` is the version that the form was made from, kept until it is saved or found outdated: then the
    form moves on to the current version, with the difference in view."""
    edge = edge_of(request)
    desk = edge.desk(actor)
    s = await queries.read(desk, id)
    body = await handlers.body_of(desk, s.body_ref)
    may = [act for act in decisions.acts(s, actor) if act in ("edit", "resubmit")]
    if not may and typed is None:
        raise IllegalTransition(
            f"Bạn không thể {ACT_NAMES['edit']} khi bài ở trạng thái «{STATUS_NAMES[s.status]}»."
        )
    sources = await queries.source_names(edge.database)
    changed = typed is not None and refused is not None and refused.status == PreconditionFailed.status
    difference = None
    if changed:
        difference = texts.difference(texts.cleaned_or_blank(str((typed or {}).get("html", ""))), body.html)
    return await staff_page(
        request, actor, "edit.html", status=refused.status if refused else 200, nav_current="review", item=s,
        act=(may or ["edit"])[0], typed=BLANK | body.content | (typed or {}), preview=preview,
        version=desk.version(s) if changed or seen is None else seen, difference=difference,
        errors=refused.errors if refused else {}, sources=list(sources.values()),
    )  # fmt: skip


@router.get("/desk/review/{id}/edit")
async def edit(request: Request, id: str, actor: Staff) -> Response:
    return await _edit(request, actor, id)


@router.post("/desk/review/{id}/text")
async def save(request: Request, id: str, actor: Staff) -> Response:
    fields, desk = await form_desk(request, actor)
    act = fields.pop("act", "send")
    typed = {name: fields.get(name, "") for name in WORDS}
    known = await queries.read(edge_of(request).desk(actor), id)
    try:
        if act == "preview":
            return await _edit(request, actor, id, typed=typed, preview=_preview(typed), seen=desk.expected)
        body = EditedTextIn.model_validate(fields)
        done = await desk.run(handlers.rewrite_text, RewriteText(known.id, body.words(), body.note))
    except (Unavailable, Unauthenticated):
        raise
    except (PortalError, ValidationError) as error:
        return await _edit(request, actor, id, typed=typed, refused=Refused.of(error), seen=desk.expected)
    await edge_of(request).caught_up("submissions", done.id, desk.version(done))
    return see_other(f"/desk/review/{done.id}?view=diff")
