"""Working pages of staff: the list beside the question beside the decision. One set of routes for the three
places; what differs between them is in places.py."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import ValidationError

from services.qa import views
from services.qa.desk.acts import ACTS, BY_STEP, FormAct
from services.qa.desk.asked import Visit, VisitOf
from services.qa.desk.context import context_of
from services.qa.desk.forms import Draft, Tried, forms, keys
from services.qa.desk.rows import lines
from services.qa.desk.stale import changed_since, forgiving
from services.qa.desk.tabs import tabs_of
from services.qa.pages.errors import errors_of
from services.qa.queries import lists, presence, rows
from services.qa.queries.file import File
from services.qa.queries.read_models import QUESTIONS
from services.qa.regulation import WORKFLOW
from shared.errors import (
    Forbidden,
    IllegalTransition,
    InvalidInput,
    NotFound,
    PortalError,
    PreconditionFailed,
    RuleBroken,
    VersionConflict,
)
from shared.web.edge import form_desk, page, see_other

router = APIRouter(include_in_schema=False)


@router.get("/desk/{key}")
async def queue(visit: VisitOf) -> Response:
    return await show(visit, None)


@router.get("/desk/{key}/{question_id}")
async def one(question_id: UUID, visit: VisitOf) -> Response:
    return await show(visit, await visit.file(question_id))


@router.post("/desk/{key}/{question_id}/{act}")
async def act(question_id: UUID, act: str, visit: VisitOf) -> Response:
    """The same handlers as the API's. What cannot be done comes back beside its form with what was typed; who
    is second on a question is told what changed."""
    request, edge, by = visit.request, visit.edge, visit.by
    form = ACTS.get(act)
    if form is None:
        raise NotFound("Không có việc này.")
    fields, desk = await form_desk(request, by)
    typed, seen = dict(fields), desk.expected
    if "more" in fields:
        return await show(visit, await visit.file(question_id), Tried(act, typed=typed))
    next = await _after(visit, question_id) if form.moves else str(question_id)
    try:
        body = await form.given(visit, fields)
        desk = request.state.desk = await forgiving(desk, question_id, free=form.free)
        command = await views.to_colleague(edge, body.command(question_id), by)
        await desk.run(form.handler, command)
    except (ValidationError, RuleBroken, InvalidInput) as error:
        return await _again(visit, question_id, Tried(act, errors_of(error), typed), None)
    except (PreconditionFailed, VersionConflict, IllegalTransition) as error:
        return await _again(visit, question_id, Tried(act, typed=typed, conflict=_told(form, error)), seen)
    await visit.drafts.drop(str(question_id), by.subject, act)
    if form.moves:
        await presence.gone(edge.database, str(question_id), by.subject)
    await edge.caught_up(QUESTIONS, question_id, max(desk.written.values()))
    was = str(question_id) if next != str(question_id) else ""
    return see_other(visit.asked.url(visit.place, next, done=act, was=was))


def _told(form: FormAct, error: PortalError) -> str:
    if isinstance(error, IllegalTransition):
        return error.detail or error.title_vi
    return f"Chưa thực hiện «{form.title}»: người khác vừa thay đổi câu hỏi này."


async def _again(visit: Visit, id: UUID, tried: Tried, seen: int | None) -> Response:
    """The page once more, with what was typed; without the question, when it is no longer for this person."""
    try:
        file = await visit.file(id)
    except Forbidden as error:
        lost = Tried(tried.act, typed=tried.typed, conflict=error.detail or error.title_vi)
        return await show(visit, None, lost)
    if tried.conflict and seen is not None:
        tried = replace(tried, changed=await changed_since(visit.edge, file, seen, visit.by.subject))
    return await show(visit, file, tried)


async def _after(visit: Visit, id: UUID) -> str:
    """The question that comes after this one in the list; before it, when it is the last; none when it was
    alone."""
    now = datetime.now(UTC)
    page = await lists.questions(
        visit.edge.database, visit.wanted(now), visit.by, cursor=visit.asked.cursor, limit=lists.ROWS
    )
    ids = [row["_id"] for row in page.rows]
    if str(id) not in ids:
        return ids[0] if ids else ""
    at = ids.index(str(id))
    return next(iter([*ids[at + 1 : at + 2], *ids[max(at - 1, 0) : at]]), "")


async def show(visit: Visit, file: File | None, tried: Tried | None = None) -> Response:
    edge, by, place, asked = visit.edge, visit.by, visit.place, visit.asked
    now, tried = datetime.now(UTC), tried or Tried()
    found = await lists.questions(
        edge.database, visit.wanted(now), by, cursor=asked.cursor, limit=lists.ROWS
    )  # fmt: skip
    tabs = await tabs_of(visit, now, lambda wanted: _count(visit, wanted))
    shown = {"forms": [], "acts": []} if file is None else await _beside(visit, file, tried, now)
    units = await views.unit_names(edge.directory)
    ever = list(dict.fromkeys(step.act for step in WORKFLOW.steps if step.role in by.roles))
    return await page(
        visit.request, "desk.html", status=tried.status, nav_current=place.key, place=place, view=visit.view,
        tabs=tabs, file=file, asked=asked, next=found.next, tried=tried, bulk=visit.bulk,
        lines=await lines(visit, found.rows, now, str(file.question.id) if file else "", units),
        key_list=keys(ever, place.primary),
        said_done=await _said(visit), unit_names=units, **shown,
    )  # fmt: skip


async def _count(visit: Visit, wanted: lists.Wanted) -> int:
    """A second old at most; of now for who has just done something."""
    by, database = visit.by, visit.edge.database
    key = ("count", wanted, by.roles, by.unit)
    return await visit.moments.shared(
        key, lambda: lists.count(database, wanted, by), anew=bool(visit.asked.done)
    )


async def _beside(visit: Visit, file: File, tried: Tried, now: datetime) -> dict[str, Any]:
    """The open question with its forms, the drafts of this person, and who else has it open."""
    edge, by, asked = visit.edge, visit.by, visit.asked
    id = str(file.question.id)
    context = await context_of(edge, file, by, now, asked.use)
    await presence.here(edge.database, id, by.subject, by.name, now)
    people = presence.others(await presence.at(edge.database, id, now), by.subject)
    offered = [BY_STEP[step].path for step in context["acts"] if step in BY_STEP]
    kept = await visit.drafts.of(id, by.subject, offered)
    shown = forms(
        context["acts"], {path: Draft(*draft) for path, draft in kept.items()}, tried,
        path=f"/desk/{visit.place.key}/{id}", query=asked.query(visit.place), primary=visit.place.primary,
    )  # fmt: skip
    bar = [(form.key.upper(), form.act.short) for form in shown][:6]
    return {**context, "forms": shown, "bar_keys": bar, "people": people}


async def _said(visit: Visit) -> dict[str, str]:
    """What was done just now, and to which question, when another is open already."""
    done, was = visit.asked.done, visit.asked.was
    if done not in ACTS:
        return {}
    row = (await rows.some(visit.edge.database, [was], visit.by)).get(was, {}) if was else {}
    return {"text": ACTS[done].done, "id": was if row else "", "number": str(row.get("number", ""))}
