"""Where pages lead to for an attached file: staff in reach of its question, and the asker with their own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.qa import views
from services.qa.asking import parts_of, remembered
from services.qa.files import store_of
from services.qa.files.attachments import attachments, attachments_of, content, one_of
from shared.web.edge import Staff, edge_of, see_other

router = APIRouter(include_in_schema=False)

View = Annotated[bool, Query(description="Xem tại chỗ.")]


@router.get("/desk/files/{question_id}/{file_id}")
async def for_staff(
    question_id: UUID, file_id: UUID, *, by: Staff, request: Request, view: View = False
) -> Response:
    edge = edge_of(request)
    file = await views.file_in_reach(edge, question_id, by)
    found = await attachments_of(edge, file)
    return await content(store_of(request), one_of(found, file_id), shown=view)


@router.get("/track/files/{file_id}")
async def for_asker(file_id: UUID, *, request: Request, view: View = False) -> Response:
    id = remembered(request)
    if id is None:
        return see_other("/track")
    edge = edge_of(request)
    file = await views.file_for(edge, id)
    of_all = (file, *await parts_of(edge, file))
    found = [each for one in of_all for each in attachments(one, edge.policy)]
    return await content(store_of(request), one_of(found, file_id), shown=view)
