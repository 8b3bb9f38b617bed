"""What the working pages do by themselves: the stream that keeps list, counts and colleagues up to date, and
the drafts that are kept as one types."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from services.qa.desk.acts import ACTS
from services.qa.desk.asked import VisitOf
from services.qa.desk.listener import Listener
from services.qa.queries.pulse import Pulse
from shared.errors import NotFound
from shared.web.edge import form_desk, see_other
from shared.web.vietnamese import vn_datetime

router = APIRouter(include_in_schema=False)
LISTENS_FOR: Final = 1800.0  # seconds
GUARDS: Final = ("discard", "more")


def pulse_of(request: Request) -> Pulse:
    """One for all listeners of this process."""
    state = request.app.state
    if not hasattr(state, "pulse"):
        state.pulse = Pulse(state.edge.database)
    pulse: Pulse = state.pulse
    return pulse


async def listening(
    visit: VisitOf, question: UUID | None = None, version: Annotated[int, Query(ge=0)] = 0
) -> Listener:
    """Before the stream begins: raises Forbidden for a question that is not for this person."""
    if question is not None:
        await visit.file(question)
    return Listener(visit, pulse_of(visit.request), question, version)


@router.get("/desk/{key}/live", response_class=EventSourceResponse)
async def live(listener: Annotated[Listener, Depends(listening)]) -> AsyncIterator[ServerSentEvent]:
    """Those parts of the page that have changed, each as a swap of its own. It ends after a while, and the
    page that opens it anew is asked again who it is."""
    until = time.monotonic() + LISTENS_FOR
    while time.monotonic() < until:
        changed = await listener.parts()
        if changed:
            yield ServerSentEvent(raw_data=changed)
        await asyncio.sleep(1.0)


@router.post("/desk/{key}/{question_id}/{act}/draft")
async def draft(question_id: UUID, act: str, visit: VisitOf) -> Response:
    """Saved as one types; thrown away when that is asked for."""
    if act not in ACTS:
        raise NotFound("Không có việc này.")
    fields, _ = await form_desk(visit.request, visit.by)
    id, person, now = str(question_id), visit.by.subject, datetime.now(UTC)
    if "discard" in fields:
        await visit.drafts.drop(id, person, act)
        return see_other(visit.asked.url(visit.place, id))
    await visit.file(question_id)
    typed = {name: value for name, value in fields.items() if name not in GUARDS}
    await visit.drafts.keep(id, person, act, typed, now)
    return JSONResponse({"saved": vn_datetime(now)}, headers={"Cache-Control": "no-store"})
