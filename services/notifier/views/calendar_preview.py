"""What a draft would do to the open deadlines: read only, and exactly what applying it does now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from pydantic import BaseModel, Field

from services.notifier.domain.deadline_moves import Foreseen, Foresight, OpenTerm
from services.notifier.queries import Document, calendars
from services.notifier.regulation import DUTIES
from services.notifier.views.deadlines import label_of
from shared.calendar import last_day
from shared.mongo import Database


class UnitMoves(BaseModel):
    unit: str
    unit_name: str
    moved: int = Field(description="Số hạn đổi ngày")
    later: int
    earlier: int
    rescinded: int = Field(description="Số lần quá hạn sẽ được rút lại")


class MoveOut(BaseModel):
    """Một hạn sẽ đổi ngày."""

    id: str
    label: str
    duty_vi: str
    unit: str
    unit_name: str
    from_due_at: datetime
    to_due_at: datetime
    from_day: date
    to_day: date
    rescinded: bool = Field(description="Đã báo quá hạn, theo lịch mới thì chưa")
    overdue: bool = Field(description="Thời điểm mới đã qua: sẽ quá hạn ngay")


class WaitingRow(BaseModel):
    """Một ngày chưa có văn bản quyết định."""

    field: str = Field(description="Chỗ của dòng trong `years` của bản thảo")
    type: str
    message: str
    message_en: str


class Totals(BaseModel):
    examined: int = Field(description="Số hạn đang chạy mà thay đổi có thể chạm tới")
    moved: int
    later: int
    earlier: int
    same_day: int = Field(description="Số hạn vẫn ngày ấy nhưng được tính lại từng ngày")
    rescinded: int
    units: list[UnitMoves]


class PreviewOut(BaseModel):
    """Xem trước: hạn nào đang chạy sẽ đổi, từ ngày nào sang ngày nào."""

    version: str
    as_of: datetime
    undecided: list[WaitingRow] = Field(description="Còn dòng nào ở đây thì chưa áp dụng được")
    totals: Totals | None = Field(description="Chỉ có ở trang đầu")
    items: list[MoveOut]
    next: str | None


@dataclass
class Tally:
    examined: int = 0
    same_day: int = 0
    units: dict[str, list[int]] = field(default_factory=dict)  # unit → moved, later, rescinded

    def take(self, term: OpenTerm, foreseen: Foreseen | None, *, rescinds: bool) -> None:
        self.examined += 1
        if foreseen is None:
            return
        if foreseen.due_at == term.due_at:
            self.same_day += 1
            return
        row = self.units.setdefault(term.unit, [0, 0, 0])
        row[0] += 1
        row[1] += foreseen.due_at > term.due_at
        row[2] += rescinds

    def totals(self, units: Mapping[str, Any]) -> Totals:
        rows = [
            UnitMoves(unit=unit, unit_name=name_of(unit, units), moved=moved, later=later,
                      earlier=moved - later, rescinded=rescinded)
            for unit, (moved, later, rescinded) in self.units.items()
        ]  # fmt: skip
        rows.sort(key=lambda row: (-row.moved, row.unit_name))
        return Totals(
            examined=self.examined, same_day=self.same_day, units=rows, moved=sum(r.moved for r in rows),
            later=sum(r.later for r in rows), earlier=sum(r.earlier for r in rows),
            rescinded=sum(r.rescinded for r in rows),
        )  # fmt: skip


def name_of(unit: str, units: Mapping[str, Any]) -> str:
    return str(units.get(unit, {}).get("name", unit))


@dataclass(frozen=True)
class Preview:
    """``totals`` None on the pages behind the first."""

    totals: Totals | None
    items: list[MoveOut]
    last: Document | None  # behind it the list goes on


async def preview(
    database: Database, foresight: Foresight, now: datetime, *, units: Mapping[str, Any],
    after: calendars.Place = (), limit: int = 50,
) -> Preview:  # fmt: skip
    """Everything that is open is looked at for the first page; the later ones read until they are full."""
    version = foresight.calendar.version
    others = await calendars.open_in_other_calendars(database, version)
    reach = {each: foresight.change(each).earliest() for each in others if foresight.change(each)}
    tally, items, last = Tally(), list[MoveOut](), None
    whole = not after
    async for page in calendars.open_terms(database, reach, after=after):
        for d in page:
            term = calendars.term_of(d)
            foreseen = foresight.of(term)
            rescinds = foreseen is not None and foresight.rescinds(term, foreseen, now)
            if whole:
                tally.take(term, foreseen, rescinds=rescinds)
            if foreseen is None or foreseen.due_at == term.due_at:
                continue
            if len(items) < limit:
                items.append(_item(d, term, foreseen, units, rescinded=rescinds, now=now))
                shown = d
            else:
                last = shown
                if not whole:
                    return Preview(None, items, last)
    return Preview(tally.totals(units) if whole else None, items, last)


def _item(
    d: Document, term: OpenTerm, foreseen: Foreseen, units: Mapping[str, Any], *, rescinded: bool,
    now: datetime,
) -> MoveOut:  # fmt: skip
    return MoveOut(
        id=term.id, label=label_of(d["subject"], d["label"]), duty_vi=DUTIES.get(d["duty"], d["duty"]),
        unit=term.unit, unit_name=name_of(term.unit, units), from_due_at=term.due_at.astimezone(UTC),
        to_due_at=foreseen.due_at, from_day=last_day(term.due_at), to_day=last_day(foreseen.due_at),
        rescinded=rescinded, overdue=term.due_at > now >= foreseen.due_at,
    )  # fmt: skip
