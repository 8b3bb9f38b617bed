"""Things that tests of the calendar keeper talk about: a decided day, drafts, and calendars that have it."""

from datetime import date
from typing import Any

from services.notifier.domain.calendar_rows import Rows
from shared.calendar import CALENDAR, CalendarData, WorkingCalendar
from shared.contracts.calendars import data_of
from shared.contracts.notifier import CalendarDay, CalendarYear
from shared.workflow import Actor

KEEPER = Actor("u-thao", "Ngô Phương Thảo", "ban-bien-tap", frozenset({"calendar_keeper"}))
OPERATOR = Actor("u-oanh", "Dương Kim Oanh", "tt-truyen-thong", frozenset({"operator"}))
DECISION = "Công văn 1234/VPCP-KGVX ngày 25/11/2026"
DOCUMENTS = {"vpcp-1234": DECISION}


def day(text: str, kind: str = "holiday", by: str = "vpcp-1234", vi: str = "Nghỉ đột xuất") -> CalendarDay:
    return CalendarDay(date=date.fromisoformat(text), kind=kind, vi=vi, en="Extra day", by=by)


def year_with(
    *rows: CalendarDay, year: int = 2026, without: tuple[str, ...] = (), base: CalendarData = CALENDAR.data,
    provisional: bool | None = None,
) -> CalendarYear:  # fmt: skip
    """The base's year with these rows, and without those days."""
    old = next((y for y in base.years if y.year == year), None)
    were = old.days if old else ()
    kept = [CalendarDay(**row.model_dump()) for row in were if row.date.isoformat() not in without]
    was = old.provisional if old else True
    return CalendarYear(year=year, provisional=was if provisional is None else provisional,
                        days=tuple(sorted([*kept, *rows], key=lambda r: r.date)))  # fmt: skip


def calendar_with(
    *rows: CalendarDay, version: str = "2026-11-25", base: CalendarData = CALENDAR.data, **facts: Any
) -> WorkingCalendar:
    documents, years = Rows((year_with(*rows, base=base, **facts),), DOCUMENTS).over(base)
    return WorkingCalendar(data_of(version, documents, years))
