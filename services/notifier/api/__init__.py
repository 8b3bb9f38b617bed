"""What the edges of the register share: who may read it, and how its lists go on."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from services.notifier.regulation import READERS
from shared.errors import Forbidden, InvalidInput
from shared.web.edge import Staff
from shared.web.forms import place_of
from shared.workflow import Actor


class Page(BaseModel):
    next: str | None


async def reader(actor: Staff) -> Actor:
    """Somebody with a role in this service."""
    if not actor.roles & READERS:
        raise Forbidden("Sổ thời hạn và thư báo dành cho người trực vận hành và người giữ lịch.")
    return actor


Reader = Annotated[Actor, Depends(reader)]
Limit = Annotated[int, Query(ge=1, le=200)]
Exact = Annotated[str, Query(max_length=100)]
Cursor = Annotated[str, Query(max_length=400)]


def place(cursor: str) -> list[Any]:
    """(instant, id) behind which a list goes on."""
    where = place_of(cursor) if cursor else []
    try:
        if where:
            at, id = where
            datetime.fromisoformat(str(at))
            UUID(str(id))
    except ValueError:
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}]) from None
    return where
