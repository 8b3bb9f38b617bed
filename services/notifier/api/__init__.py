"""What the edges of the register share: who may read it, and how its lists go on."""

import re
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from services.notifier import queries, views
from services.notifier.queries import DeadlineFilter
from services.notifier.regulation import DUTIES, READERS, Role
from shared.desk import utc_now
from shared.errors import Forbidden, InvalidInput
from shared.mongo import Database
from shared.web.edge import Staff, edge_of
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
    """A reader, or one of a unit, who sees what that unit owes: its letters lead here."""
    if actor.roles & READERS or actor.unit:
        return actor
    raise Forbidden("Sổ thời hạn dành cho người trực vận hành, người giữ lịch và người của đơn vị.")


def heads(actor: Actor) -> bool:
    """A reader, or the head of a unit: who may have an address that opens without signing in."""
    return bool(actor.roles & READERS or (Role.UNIT_HEAD in actor.roles and actor.unit))


async def head_reader(actor: Staff) -> Actor:
    if heads(actor):
        return actor
    raise Forbidden("Địa chỉ lịch hạn dành cho người trực vận hành, người giữ lịch và phụ trách đơn vị.")


def unit_seen(actor: Actor, asked: str = "") -> str:
    """The unit to which this reader's lists are narrowed; empty: none. Raises Forbidden."""
    if actor.roles & READERS:
        return asked
    if asked not in ("", actor.unit):
        raise Forbidden("Bạn chỉ xem được hạn của đơn vị mình.")
    return actor.unit


Reader = Annotated[Actor, Depends(reader)]
UnitReader = Annotated[Actor, Depends(unit_reader)]
HeadReader = Annotated[Actor, Depends(head_reader)]
Limit = Annotated[int, Query(ge=1, le=200)]
Exact = Annotated[str, Query(max_length=100)]
Month = Annotated[
    str, Query(pattern=r"^(\d{4}-(0[1-9]|1[0-2]))?$", description="Tháng của ngày cuối, YYYY-MM")
]
Months = Annotated[int, Query(ge=1, le=24, description="Số tháng gần đây, kể cả tháng này")]
Day = Annotated[str, Query(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="Ngày cuối, YYYY-MM-DD")]
Cursor = Annotated[str, Query(max_length=400)]
State = Annotated[views.State | None, Query()]

NUMBER: Final = re.compile(r"HD-[0-9A-Z-]{1,30}", re.IGNORECASE)
STREAM: Final = re.compile(r"[a-z]+-[0-9A-Za-z.-]{1,90}")


class SubjectUnknown(InvalidInput):
    """No stream's name, and no number (số tiếp nhận) that the register knows."""

    code = "subject_unknown"
    title_vi, title_en = "Không có hồ sơ này", "No such subject"

    def __init__(self, vi: str, en: str) -> None:
        fault = {"field": "subject", "message": vi, "message_en": en, "type": self.code}
        super().__init__(vi, errors=[fault])


class DutyUnknown(InvalidInput):
    """No duty (nghĩa vụ) of the regulation, and none that a service has put on the register either."""

    code = "duty_unknown"
    title_vi, title_en = "Không có nghĩa vụ này", "No such duty"

    def __init__(self, duty: str) -> None:
        vi, en = f"Không có nghĩa vụ «{duty}».", f"There is no duty {duty!r}."
        fault = {"field": "duty", "message": vi, "message_en": en, "type": self.code}
        super().__init__(vi, errors=[fault])


async def known_duty(database: Database, asked: str) -> str:
    """Raises DutyUnknown."""
    if not asked or asked in DUTIES or await queries.has_duty(database, asked):
        return asked
    raise DutyUnknown(asked)


async def stream_of(database: Database, asked: str, unit: str = "") -> str:
    """The stream of a subject, asked for by that name or by the number that people know; with
    ``unit``, only of what that unit owes. Raises SubjectUnknown."""
    asked = asked.strip()
    if NUMBER.fullmatch(asked):
        if found := await queries.subject_called(database, asked.upper(), unit):
            return found
        raise SubjectUnknown(
            f"Không có hồ sơ nào mang số {asked.upper()}.", f"No subject has {asked.upper()}."
        )
    if asked and not STREAM.fullmatch(asked):
        raise SubjectUnknown(
            "Ghi số tiếp nhận, ví dụ HD-2026-11-7K3QZ4M, hoặc mã như question-….",
            "Give a number such as HD-2026-11-7K3QZ4M, or an id such as question-….",
        )
    return asked


async def _subject(
    request: Request,
    actor: Staff,
    subject: Annotated[str, Query(max_length=100, description="Số tiếp nhận, hoặc mã hồ sơ")] = "",
) -> str:
    return await stream_of(edge_of(request).database, subject, unit_seen(actor))


Subject = Annotated[str, Depends(_subject)]


async def _deadlines(
    request: Request, actor: UnitReader, subject: Subject, *, duty: Exact = "", unit: Exact = "",
    day: Day = "", month: Month = "", state: State = None,
) -> DeadlineFilter:  # fmt: skip
    await known_duty(edge_of(request).database, duty)
    return DeadlineFilter(subject, duty, state or "", unit_seen(actor, unit), day, month)


# What a list or a table of the register is narrowed to, by whoever asks for it.
Deadlines = Annotated[DeadlineFilter, Depends(_deadlines)]


def place(cursor: str) -> list[Any]:
    """(instant, id) behind which a list goes on."""
    where = place_of(cursor) if cursor else []
    try:
        if where:
            at, id = where
            _ = datetime.fromisoformat(str(at)) - utc_now()  # an hour without its zone compares with none
            UUID(str(id))
    except (TypeError, ValueError):
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}]) from None
    return where
