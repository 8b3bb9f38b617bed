"""What the edges of the register share: who may read it, and how its lists go on."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel

from services.notifier.regulation import READERS, Role
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


async def unit_reader(actor: Staff) -> Actor:
    """A reader, or the head of a unit, who sees what that unit owes."""
    if actor.roles & READERS or (Role.UNIT_HEAD in actor.roles and actor.unit):
        return actor
    raise Forbidden("Sổ thời hạn dành cho người trực vận hành, người giữ lịch và phụ trách đơn vị.")


def unit_seen(actor: Actor, asked: str = "") -> str:
    """The unit to which this reader's lists are narrowed; empty: none. Raises Forbidden."""
    if actor.roles & READERS:
        return asked
    if asked not in ("", actor.unit):
        raise Forbidden("Phụ trách đơn vị chỉ xem được hạn của đơn vị mình.")
    return actor.unit


Reader = Annotated[Actor, Depends(reader)]
UnitReader = Annotated[Actor, Depends(unit_reader)]
Limit = Annotated[int, Query(ge=1, le=200)]
Exact = Annotated[str, Query(max_length=100)]
Month = Annotated[
    str, Query(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$", description="Tháng của ngày cuối, YYYY-MM")
]
Months = Annotated[int, Query(ge=1, le=24, description="Số tháng gần đây, kể cả tháng này")]
Day = Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="Ngày cuối, YYYY-MM-DD")]
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
