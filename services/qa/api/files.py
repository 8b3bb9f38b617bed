"""REST of attached files: upload before asking, and get what was attached."""

from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel

from services.qa import views
from services.qa.asking import Asking
from services.qa.files import store_of, take_one
from services.qa.files.attachments import attachments_of, content, one_of
from services.qa.files.types import TAKEN_VI
from shared.desk import fingerprint
from shared.web.edge import Staff, edge_of, once_key, visitor

router = APIRouter()

FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}
BYTES: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


class UploadOut(BaseModel):
    """``token`` is named among ``files`` when the question is sent, within 12 hours."""

    token: str
    name: str
    media_type: str
    size: int


@router.post(
    "/v1/files", status_code=201, tags=["người hỏi"], summary="Tải lên một tệp đính kèm", openapi_extra=FORM,
    description=f"Trước khi gửi câu hỏi hoặc bổ sung thông tin. Chỉ nhận {TAKEN_VI}, xét theo nội dung.",
)  # fmt: skip
async def upload(request: Request, asking: Asking) -> UploadOut:
    once = fingerprint("file", once_key(request, await visitor(request)))
    staged = await take_one(request, asking, store_of(request), once)
    file = staged.file
    return UploadOut(
        token=staged.token(asking.codes), name=staged.name, media_type=file.media_type, size=file.size
    )


@router.get(
    "/v1/questions/{question_id}/files/{file_id}", tags=["cán bộ"], summary="Nội dung một tệp đính kèm",
    response_class=Response, responses=BYTES,
)  # fmt: skip
async def download(
    question_id: UUID, file_id: UUID, by: Staff, request: Request
) -> Response:  # fmt: skip
    """Chỉ giao tệp đã quét, không thấy mã độc; không có máy quét thì giao kèm cảnh báo trên trang."""
    edge = edge_of(request)
    file = await views.file_in_reach(edge, question_id, by)
    found = await attachments_of(edge, file)
    return await content(store_of(request), one_of(found, file_id))
