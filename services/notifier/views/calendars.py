"""A calendar as a reader is told of it: its days, the document that decided each, what a version changed."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from icalendar import Calendar as Feed
from icalendar import Event as FeedEvent
from pydantic import BaseModel, Field

from services.notifier.domain.calendar_rows import Change, changes
from services.notifier.domain.calendars import Calendar
from services.notifier.queries import Document
from shared.calendar import CalendarData, DayKind, WorkingCalendar

KIND_VI: Final = {"holiday": "Nghỉ", "swap_off": "Nghỉ hoán đổi", "makeup": "Làm bù"}
STATUS_VI: Final = {"drafted": "Bản thảo", "applied": "Đã áp dụng", "discarded": "Đã bỏ"}


class DayOut(BaseModel):
    """Một ngày khác với «thứ Hai đến thứ Sáu»."""

    date: date
    kind: str = Field(description="holiday: nghỉ; swap_off: nghỉ hoán đổi; makeup: làm bù")
    vi: str
    en: str
    by: str = Field(description="Khóa của văn bản trong `documents`")
    document: str = Field(description="Văn bản quyết định")


class YearOut(BaseModel):
    year: int
    provisional: bool = Field(description="Tạm tính: lịch nghỉ chính thức của năm chưa đủ")
    days: list[DayOut]


class ChangeOut(BaseModel):
    """Một ngày, hoặc cả năm (`date` null), khác với phiên bản trước."""

    year: int
    date: date | None
    vi: str
    en: str

    @classmethod
    def of(cls, change: Change) -> "ChangeOut":
        return cls(year=change.year, date=change.day, vi=change.vi, en=change.en)


class CalendarOut(BaseModel):
    """Một phiên bản lịch ngày làm việc."""

    version: str
    in_force: bool
    base: str | None = Field(description="Phiên bản mà nó thay; null: có sẵn trong bản phát hành")
    document: str = Field(description="Số, ngày của văn bản khi áp dụng")
    applied_at: datetime | None
    documents: dict[str, str]
    years: list[YearOut]


class VersionOut(BaseModel):
    version: str
    in_force: bool
    base: str | None
    document: str
    applied_at: datetime | None
    moved: int | None = Field(description="Số hạn đã chuyển sang thời điểm khác; null: chưa xong")
    rescinded: int | None
    changes: list[ChangeOut]


class VersionsOut(BaseModel):
    items: list[VersionOut]


class DraftOut(BaseModel):
    """Một bản thảo lịch, và điều nó đổi so với lịch nó thay."""

    version: str
    base: str
    status: str
    document: str = Field(description="Số, ngày của văn bản khi áp dụng")
    reason: str = Field(description="Vì sao bỏ")
    documents: dict[str, str]
    years: list[YearOut]
    changes: list[ChangeOut]


def draft_out(draft: Calendar, base: WorkingCalendar | None) -> DraftOut:
    data = draft.data()
    return DraftOut(
        version=draft.id, base=draft.base, status=draft.status.value, document=draft.document,
        reason=draft.reason, documents=data.documents, years=years_out(data),
        changes=[ChangeOut.of(change) for change in changes(base.data, data)] if base else [],
    )  # fmt: skip


def version_out(
    calendar: WorkingCalendar, row: Document | None, before: WorkingCalendar | None, *, in_force: bool
) -> VersionOut:
    row = row or {}
    return VersionOut(
        version=calendar.version, in_force=in_force, base=before.version if before else None,
        document=row.get("document", ""), applied_at=row.get("applied_at"), moved=row.get("moved"),
        rescinded=row.get("rescinded"),
        changes=[ChangeOut.of(each) for each in changes(before.data, calendar.data)] if before else [],
    )  # fmt: skip


def years_out(data: CalendarData, only: int | None = None) -> list[YearOut]:
    return [
        YearOut(year=year.year, provisional=year.provisional, days=[
            DayOut(date=row.date, kind=row.kind.value, vi=row.vi, en=row.en, by=row.by,
                   document=data.documents[row.by]) for row in year.days
        ]) for year in data.years if only is None or year.year == only
    ]  # fmt: skip


def calendar_out(
    calendar: WorkingCalendar, row: Document | None, *, in_force: bool, year: int | None = None
) -> CalendarOut:
    row = row or {}
    return CalendarOut(
        version=calendar.version, in_force=in_force, base=row.get("base"), document=row.get("document", ""),
        applied_at=row.get("applied_at"), documents=calendar.data.documents,
        years=years_out(calendar.data, year),
    )  # fmt: skip


def feed_of(calendar: WorkingCalendar, years: Iterable[int], changed: datetime | None) -> bytes:
    """Days off and make-up days as all-day events (RFC 5545). A day keeps its UID over all versions, so that
    a reader's own calendar replaces it instead of showing it twice."""
    feed = Feed()
    feed.add("prodid", "-//BHXH Việt Nam//Lịch ngày làm việc//VI")
    feed.add("version", "2.0")
    feed.add("method", "PUBLISH")
    feed.add("name", "Ngày nghỉ, ngày làm bù")
    feed.add("x-wr-calname", "Ngày nghỉ, ngày làm bù")
    wanted, stamp = set(years), changed or _day_of(calendar.version)
    for year in calendar.data.years:
        for row in year.days if year.year in wanted else ():
            off = row.kind is not DayKind.MAKEUP
            event = FeedEvent()
            event.add("uid", f"{row.date:%Y%m%d}@lich.bhxh.example.vn")
            event.add("dtstamp", stamp)
            event.add("dtstart", row.date)
            event.add("dtend", row.date + timedelta(days=1))
            provisional = " (tạm tính)" if year.provisional else ""
            event.add("summary", f"{KIND_VI[row.kind.value]}: {row.vi}{provisional}")
            event.add("description", f"{calendar.data.documents[row.by]}. Lịch {calendar.version}. {row.en}.")
            event.add("categories", ["Ngày nghỉ" if off else "Ngày làm bù"])
            event.add("transp", "TRANSPARENT")
            feed.add_component(event)
    return bytes(feed.to_ical())


def _day_of(version: str) -> datetime:
    """A packaged version has no other moment than the date in its name."""
    return datetime.fromisoformat(version.partition(".")[0]).replace(tzinfo=UTC)


class Cell(BaseModel):
    """A day of a month on the page; ``day`` None: the square stands empty."""

    day: date | None = None
    cls: str = ""
    name: str = ""
    today: bool = False


class Named(BaseModel):
    """Days of one reason that follow one another."""

    first: date
    last: date
    text: str
    makeup: bool


class Month(BaseModel):
    number: int
    weeks: list[list[Cell]]
    named: list[Named]


def months_of(calendar: WorkingCalendar, year: int, today: date) -> list[Month]:
    """Twelve small months, Monday first."""
    return [
        Month(number=n, weeks=list(weeks), named=_named(cell for week in weeks for cell in week))
        for n in range(1, 13)
        if (weeks := list(_weeks(calendar, year, n, today)))
    ]


def _named(cells: Iterable[Cell]) -> list[Named]:
    found: list[Named] = []
    for cell in cells:
        if cell.day is None or not cell.name:
            continue
        before, makeup = (found[-1] if found else None), cell.cls == "mk"
        if before and before.text == cell.name and before.last + timedelta(days=1) == cell.day:
            before.last = cell.day
        else:
            found.append(Named(first=cell.day, last=cell.day, text=cell.name, makeup=makeup))
    return found


def _weeks(calendar: WorkingCalendar, year: int, month: int, today: date) -> Iterator[list[Cell]]:
    first = date(year, month, 1)
    after = date(year + month // 12, month % 12 + 1, 1)
    week = [Cell()] * first.weekday()
    for offset in range((after - first).days):
        week.append(_cell(calendar, first + timedelta(days=offset), today))
        if len(week) == 7:
            yield week
            week = []
    if week:
        yield week + [Cell()] * (7 - len(week))


def _cell(calendar: WorkingCalendar, day: date, today: date) -> Cell:
    row = calendar.row(day)
    if row is None:
        cls, name = ("we", "") if not calendar.is_working_day(day) else ("", "")
    else:
        cls = "mk" if row.kind is DayKind.MAKEUP else "off"
        name = row.vi if row.kind is DayKind.MAKEUP or row.vi.startswith("nghỉ") else f"nghỉ {row.vi}"
    return Cell(day=day, cls=cls, name=name, today=day == today)


def counted(calendar: WorkingCalendar, year: int) -> Mapping[str, int]:
    """Working days, days off on weekdays and make-up days of a year."""
    days = [
        date(year, 1, 1) + timedelta(days=n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)
    ]
    rows: list[Any] = [row for day in days if (row := calendar.row(day))]
    return {
        "working": sum(calendar.is_working_day(day) for day in days),
        "off": sum(row.kind is not DayKind.MAKEUP and row.date.weekday() < 5 for row in rows),
        "makeup": sum(row.kind is DayKind.MAKEUP for row in rows),
    }
