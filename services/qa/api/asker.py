"""REST for an asker: code and second proof in the body of each act, never in an address."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field, create_model

from services.qa import bodies, views
from services.qa.api import EdgeOf, now
from services.qa.asking import Asking, look_up, of_the_question
from services.qa.asking.acts import ASKER_ACTS, AskerAct
from services.qa.domain import ASKER
from services.qa.files import owning, store_of
from services.qa.views import asker as views_asker
from shared.web.edge import command_desk, tagged

router = APIRouter()


class TrackPart(bodies.Track):
    """What opens a question, and which part of it is meant."""

    part: UUID | None = Field(None, description="Một phần của câu hỏi đã tách; để trống: cả câu hỏi.")


def _offer(act: AskerAct) -> None:
    bases = (act.body, TrackPart if act.of_parts else bodies.Track)
    own: Any = create_model(f"Own{act.body.__name__}", __base__=bases, __doc__=act.body.__doc__)

    async def do(body: Any, door: Asking, edge: EdgeOf, request: Request, response: Response) -> Any:
        whole = await look_up(door, body.code, body.email)
        file = await of_the_question(edge, whole, getattr(body, "part", None))
        desk = await command_desk(request, ASKER, file.question.id)
        question = await desk.run(owning(store_of(request), act.handler), body.command(file, door.codes))
        tagged(response, desk.version(question))
        if act.begins:
            response.headers["Location"] = "/track"
            return views_asker.receipt(question, desk.version(question), edge, door.codes)
        return await views_asker.tracking_out(edge, await views.file_for(edge, whole.question.id), now())

    do.__name__ = f"asker_{act.act}"
    do.__doc__ = act.body.__doc__
    do.__annotations__["body"] = own
    do.__annotations__["return"] = views_asker.ReceiptOut if act.begins else views_asker.TrackingOut
    status = 201 if act.begins else 200
    router.post(f"/v1/tracking/{act.path}", status_code=status, tags=["người hỏi"], summary=act.title)(do)


for _act in ASKER_ACTS.values():
    _offer(_act)
