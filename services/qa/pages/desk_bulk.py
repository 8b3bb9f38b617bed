"""Several questions at once: tick them, see what will become of each, do it, see line by line what did."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import ValidationError

from services.qa.desk import bulk as desk_bulk
from services.qa.desk.acts import FormAct
from services.qa.desk.asked import Visit, VisitOf
from services.qa.desk.bulk import MOST, Batch, Line
from services.qa.desk.forms import Form, Tried
from services.qa.domain.fields import OPTIONS, OTHER
from services.qa.pages.errors import errors_of
from services.qa.queries.history import SUSPICION_VI
from services.qa.queries.read_models import QUESTIONS
from services.qa.regulation import CITED, SAME_DAY_SENTENCE, TRIAGE_BASIS
from shared.errors import Forbidden, InvalidInput, NotFound
from shared.web.edge import form_desk, page

router = APIRouter(include_in_schema=False)
CONTROLS = ("act", "id", "version", "do")


@router.post("/desk/{key}/bulk")
async def bulk(visit: VisitOf) -> Response:
    """Shown first; done when the form says so."""
    if not visit.bulk:
        raise Forbidden("Việc này dành cho người phân loại.")
    fields, desk = await form_desk(visit.request, visit.by)
    act = desk_bulk.known(str(fields.get("act", "")))
    if act is None:
        raise NotFound("Không có việc này.")
    ids = _ids(fields.get("id"))
    if not ids:
        return await _shown(visit, act, [], Tried(act.path, {"": "Chưa chọn câu hỏi nào trong danh sách."}))
    if "do" not in fields:
        return await _previewed(visit, act, ids, Tried())
    given = {name: value for name, value in fields.items() if name not in CONTROLS}
    own_fields = act.path == "forwarding" and not given.get("field")
    try:
        body = await act.given(visit, given | ({"field": OTHER} if own_fields else {}))
    except (ValidationError, InvalidInput) as error:
        return await _previewed(visit, act, ids, Tried(act.path, errors_of(error), given))
    seen = [int(each) for each in _listed(fields.get("version")) if each.isdigit()]
    if len(seen) != len(ids):
        raise InvalidInput("Mỗi câu hỏi đi cùng phiên bản đã xem.", errors=[{"field": "version"}])
    batch = Batch(act, body, list(zip(ids, seen, strict=True)), own_fields)
    lines = await desk_bulk.do(visit, batch, desk)
    wrong = {each["field"]: each["message"] for line in lines for each in line.errors if "message" in each}
    if wrong and not any(line.done for line in lines):
        return await _previewed(visit, act, ids, Tried(act.path, wrong, given))
    for line in lines:
        if line.done:
            await visit.edge.caught_up(QUESTIONS, line.id, line.version)
    visit.moments.forget()
    return await page(
        visit.request, "desk_bulk_done.html", nav_current=visit.place.key, place=visit.place,
        asked=visit.asked, act=act, lines=lines,
    )  # fmt: skip


def _listed(given: Any) -> list[str]:
    return [str(each) for each in given] if isinstance(given, list) else [str(given)] if given else []


def _ids(given: Any) -> list[str]:
    """Those that were ticked, each once; what is no id was typed by nobody."""
    try:
        ids = list(dict.fromkeys(str(UUID(each)) for each in _listed(given)))
    except ValueError:
        raise NotFound("Không có câu hỏi mang mã này.") from None
    if len(ids) > MOST:
        raise InvalidInput(f"Mỗi lần tối đa {MOST} câu hỏi.", errors=[{"field": "id"}])
    return ids


async def _previewed(visit: Visit, act: FormAct, ids: Sequence[str], tried: Tried) -> Response:
    return await _shown(visit, act, await desk_bulk.preview(visit, act, ids, datetime.now(UTC)), tried)


async def _shown(visit: Visit, act: FormAct, lines: Sequence[Line], tried: Tried) -> Response:
    units = await visit.edge.directory.units()
    centre = visit.edge.policy.centre_unit
    form = Form(act, "a", "", tried.typed, tried.errors)
    return await page(
        visit.request, "desk_bulk.html", status=tried.status, nav_current=visit.place.key, place=visit.place,
        asked=visit.asked, form=form, tried=tried, lines=lines,
        field_options=[("", "Theo gợi ý của từng câu"), *OPTIONS],
        unit_options=[
            (id, str(unit["name"]))
            for id, unit in units.items()
            if id != centre and not unit.get("merged_into")
        ],
        suspicions=[(suspicion.value, text) for suspicion, text in SUSPICION_VI.items()],
        same_day_law=(SAME_DAY_SENTENCE, CITED[TRIAGE_BASIS]),
    )  # fmt: skip
