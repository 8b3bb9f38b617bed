"""Figures of the register over HTTP: what falls due when, who has how much, who was punctual."""

from datetime import date, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from services.notifier.api import Exact, Months, UnitReader, known_duty, unit_seen
from services.notifier.queries import figures
from services.notifier.queries.figures import DayLoad
from services.notifier.regulation import DUTIES
from shared.calendar import ONE_DAY, VIETNAM, CalendarYearMissing, WorkingCalendar, end_of
from shared.desk import utc_now
from shared.web.edge import Edge, edge_of

router = APIRouter()

AHEAD: Final = 20  # working days
SOON: Final = 5


class AheadDay(BaseModel):
    """Một ngày và số hạn còn phải làm kết thúc vào ngày ấy."""

    day: date
    working: bool
    provisional: bool = Field(description="Tạm tính: lịch nghỉ chính thức của năm chưa đủ")
    off: str = Field("", description="Vì sao là ngày nghỉ: «nghỉ …, không tính hạn»")
    calm: int = Field(description="Chưa nhắc lần nào")
    reminded: int = Field(description="Đã nhắc")
    total: int


class AheadOut(BaseModel):
    overdue: int
    days: list[AheadDay]


class WorkloadOut(BaseModel):
    """Việc của một đơn vị lúc này."""

    unit: str
    unit_name: str
    open: int
    today: int = Field(description="Đến hạn hôm nay")
    soon: int = Field(description="Đến hạn trong 5 ngày làm việc, kể cả hôm nay")
    overdue: int
    escalated: int = Field(description="Đã báo lên cấp trên")


class RateOut(BaseModel):
    """Tỷ lệ đúng hạn của một đơn vị trong một việc, với các hạn kết thúc trong tháng."""

    month: str
    unit: str
    unit_name: str
    duty: str
    duty_vi: str
    on_time: int
    late: int
    breached: int = Field(description="Đã quá hạn, vẫn chưa làm")
    rate: float = Field(description="Phần trăm")


class Workloads(BaseModel):
    items: list[WorkloadOut]


class Rates(BaseModel):
    items: list[RateOut]


def horizon(calendar: WorkingCalendar, today: date, count: int) -> date:
    """The last of so many working days from today on; nearer where the calendar ends."""
    for days in range(count, 0, -1):
        try:
            return calendar.add(calendar.working_day_from(today), days - 1)
        except CalendarYearMissing:
            continue
    return today


async def days_ahead(edge: Edge[Any], now: datetime, unit: str) -> AheadOut:
    """Each of the next twenty working days, the days off between them named where they have a name or where
    something ends on them."""
    calendar = edge.calendar
    today = calendar.day_of(now)
    last = horizon(calendar, today, AHEAD)
    until = end_of(last)
    loads = await figures.due_by_day(edge.database, now, until, unit=unit)
    overdue = sum(row.overdue for row in await figures.workload(
        edge.database, now, today=today.isoformat(), soon=last.isoformat(), unit=unit,
    ))  # fmt: skip
    days = []
    for offset in range((last - today).days + 1):
        day = today + offset * ONE_DAY
        load, row = loads.get(day.isoformat(), DayLoad()), calendar.row(day)
        works = calendar.is_working_day(day)
        if not works and row is None and not load.total and day != today:
            continue
        off = "" if works else f"nghỉ {row.vi.removeprefix('nghỉ ') if row else 'cuối tuần'}, không tính hạn"
        days.append(AheadDay(
            day=day, working=works, provisional=calendar.is_provisional(day.year), off=off, calm=load.calm,
            reminded=load.reminded, total=load.total,
        ))  # fmt: skip
    return AheadOut(overdue=overdue, days=days)


async def workloads(edge: Edge[Any], now: datetime, unit: str) -> list[WorkloadOut]:
    calendar = edge.calendar
    today = calendar.day_of(now)
    soon = horizon(calendar, today, SOON)
    rows = await figures.workload(
        edge.database, now, today=today.isoformat(), soon=soon.isoformat(), unit=unit
    )
    units = await edge.directory.units()
    return [
        WorkloadOut(unit=r.unit, unit_name=str(units.get(r.unit, {}).get("name", r.unit)), open=r.open,
                    today=r.today, soon=r.soon, overdue=r.overdue, escalated=r.escalated)
        for r in rows
    ]  # fmt: skip


def months_back(now: datetime, count: int) -> str:
    """The month so many months ago, the running one counted, as YYYY-MM in Vietnam."""
    local = now.astimezone(VIETNAM)
    number = local.year * 12 + local.month - count
    return f"{number // 12:04}-{number % 12 + 1:02}"


async def rates(edge: Edge[Any], now: datetime, *, months: int, unit: str, duty: str) -> list[RateOut]:
    """Raises DutyUnknown."""
    await known_duty(edge.database, duty)
    since = months_back(now, months)
    rows = await figures.on_time(edge.database, now, since=since, unit=unit, duty=duty)
    units = await edge.directory.units()
    return [
        RateOut(month=r.month, unit=r.unit, unit_name=str(units.get(r.unit, {}).get("name", r.unit)),
                duty=r.duty, duty_vi=DUTIES.get(r.duty, r.duty), on_time=r.on_time, late=r.late,
                breached=r.breached, rate=round(r.rate, 1))
        for r in rows
    ]  # fmt: skip


@router.get("/v1/deadlines/ahead", tags=["deadlines"], summary="Hạn của 20 ngày làm việc tới, từng ngày")
async def ahead(request: Request, actor: UnitReader, unit: Exact = "") -> AheadOut:
    return await days_ahead(edge_of(request), utc_now(), unit_seen(actor, unit))


@router.get("/v1/deadlines/workload", tags=["deadlines"], summary="Việc của từng đơn vị lúc này")
async def load(request: Request, actor: UnitReader, unit: Exact = "") -> Workloads:
    return Workloads(items=await workloads(edge_of(request), utc_now(), unit_seen(actor, unit)))


@router.get("/v1/deadlines/on-time", tags=["deadlines"], summary="Tỷ lệ đúng hạn theo tháng, đơn vị, việc")
async def punctual(
    request: Request, actor: UnitReader, *, unit: Exact = "", duty: Exact = "", months: Months = 6
) -> Rates:
    """Các hạn đứng sau mỗi con số: ``GET /v1/deadlines`` với ``unit``, ``duty``, ``month`` và ``state``."""
    seen = unit_seen(actor, unit)
    return Rates(items=await rates(edge_of(request), utc_now(), months=months, unit=seen, duty=duty))
