"""Working pages of staff: the list beside the question beside the decision. One set of routes for the three
places; what differs between them is in places.py and in their templates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.qa import views
from services.qa.asking import codes_of
from services.qa.desk_context import context_of, due_words
from services.qa.domain.terms import searched
from services.qa.form_errors import errors_of
from services.qa.places import ACTS, PLACES, Place, View
from services.qa.queries import lists
from services.qa.queries.file import File
from services.qa.queries.read_models import QUESTIONS
from services.qa.regulation import Policy
from shared.errors import Forbidden, IllegalTransition, InvalidInput, NotFound, RuleBroken
from shared.web.edge import Edge, Staff, edge_of, form_desk, page, see_other
from shared.workflow import Actor

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address says beside the question: the tab, the words searched for, the page of the list."""

    view: Annotated[str, Query(max_length=20)] = ""
    q: Annotated[str, Query(max_length=200)] = ""
    cursor: Annotated[str, Query(max_length=500)] = ""
    done: Annotated[str, Query(max_length=20)] = ""
    use: Annotated[str, Query(max_length=40)] = ""


AskedOf = Annotated[Asked, Depends()]


@dataclass(frozen=True, slots=True)
class Tried:
    """A form that could not be done: its errors and what was typed, shown again."""

    act: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> dict[str, str]:
        """The errors by the id of their field on the page."""
        ids = ACTS[self.act].ids if self.act else {}
        return {ids.get(name, name): sentence for name, sentence in self.errors.items()}


def place_of(key: str, by: Actor) -> Place:
    place = PLACES.get(key)
    if place is None:
        raise NotFound("Không có trang này.")
    if not by.roles & place.roles:
        raise Forbidden(f"Trang «{place.name}» dành cho người được giao việc này.")
    return place


@router.get("/desk/{key}")
async def queue(key: str, request: Request, by: Staff, asked: AskedOf) -> Response:
    return await _show(request, place_of(key, by), by, asked, None)


@router.get("/desk/{key}/{question_id}")
async def one(key: str, question_id: UUID, request: Request, by: Staff, asked: AskedOf) -> Response:
    place = place_of(key, by)
    return await _show(request, place, by, asked, await _file(edge_of(request), place, question_id, by))


@router.post("/desk/{key}/{question_id}/{act}")
async def act(
    key: str, question_id: UUID, act: str, *, request: Request, by: Staff, asked: AskedOf
) -> Response:
    """The same handlers as the API's. What cannot be done comes back beside its form with what was typed."""
    place, edge = place_of(key, by), edge_of(request)
    if act not in place.acts:
        raise NotFound("Không có việc này.")
    fields, desk = await form_desk(request, by)
    form = ACTS[act]
    try:
        body = form.body.model_validate(fields)
        if act == "forwarding":
            await views.check_unit(edge, str(fields.get("unit", "")))
        question = await desk.run(form.handler, body.command(question_id))
    except (ValidationError, RuleBroken, IllegalTransition, InvalidInput) as error:
        tried = Tried(act, errors_of(error), fields)
        file = await _file(edge, place, question_id, by)
        return await _show(request, place, by, asked, file, tried=tried)
    await edge.caught_up(QUESTIONS, question_id, desk.version(question))
    return see_other(f"/desk/{key}/{question_id}?view={place.view(asked.view).key}&done={act}")


async def _file(edge: Edge[Policy], place: Place, id: UUID, by: Actor) -> File:
    file = await views.file_in_reach(edge, id, by)
    if place.own_unit and by.unit not in (file.question.unit, file.question.answered_unit):
        raise Forbidden("Câu hỏi này được giao cho đơn vị khác.")
    return file


async def _show(
    request: Request, place: Place, by: Actor, asked: Asked, file: File | None, *, tried: Tried | None = None
) -> Response:
    edge, now = edge_of(request), datetime.now(UTC)
    unit = by.unit if place.own_unit else ""
    view = place.view(asked.view)
    wanted = view.at(now, unit)
    if asked.q:
        wanted = lists.Wanted(unit=unit, words=tuple(codes_of(request).words(searched(asked.q))))
    found = await lists.questions(edge.database, wanted, by, cursor=asked.cursor, limit=25)
    shown = {} if file is None else await context_of(edge, file, by, now, asked.use)
    tried = tried or Tried()
    said = ACTS[asked.done].done if asked.done in ACTS and file is not None else ""
    return await page(
        request, place.template, status=422 if tried.errors else 200, nav_current=place.key, place=place,
        view=view, tabs=await _tabs(edge, place, view, by, now, searching=bool(asked.q)),
        rows=[_row(row, now) for row in found.rows], next=found.next, asked=asked, file=file, done=said,
        tried=tried, unit_names=await views.unit_names(edge.directory), **shown,
    )  # fmt: skip


async def _tabs(
    edge: Edge[Policy], place: Place, current: View, by: Actor, now: datetime, *, searching: bool
) -> list[dict[str, Any]]:
    tabs = []
    for view in place.views:
        count = await lists.count(edge.database, view.at(now, by.unit if place.own_unit else ""), by)
        state = view.state if count else ""
        tabs.append({"text": view.text, "url": f"/desk/{place.key}?view={view.key}", "count": count,
                     "state": state, "current": view.key == current.key and not searching})  # fmt: skip
    return tabs


def sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _row(row: lists.Row, now: datetime) -> lists.Row:
    """A row with its due pill: what it says, and how it is painted."""
    due: datetime | None = row.get("due_at")
    if due is None:
        return {**row, "pill": "", "pill_state": ""}
    warned = row.get("warn_at")
    state = (
        "bad" if due <= now else "warn" if (warned and warned <= now) or due - now < timedelta(days=1) else ""
    )
    return {**row, "pill": sentence(due_words(due, now)), "pill_state": state}
