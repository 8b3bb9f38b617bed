"""The rows of a calendar (ngày nghỉ, ngày làm bù): what a keeper may write, and what two versions say
otherwise. Every fault is named at its row, in the field's words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from shared.calendar import SATURDAY, CalendarData, DayKind, DayRow
from shared.contracts.calendars import years_of
from shared.contracts.notifier import CalendarDay, CalendarYear
from shared.errors import InvalidInput, PortalError

UNDECIDED: Final = "du-thao"  # the key of a drafted year's rows that no notice has decided yet


class CalendarRowsWrong(InvalidInput):
    """``extra["errors"]`` names each row, with why it cannot stand."""

    code = "calendar_rows_wrong"
    title_vi, title_en = "Bản lịch có chỗ chưa đúng", "The calendar's rows are not right"


class CalendarUndecided(PortalError):
    """``extra["errors"]`` names each row that waits for its document."""

    status, code = 409, "calendar_undecided"
    title_vi, title_en = "Bản lịch còn ngày chưa có văn bản quyết định", "Days await their deciding document"


@dataclass(frozen=True, slots=True)
class Rows:
    """What a keeper writes: whole years in place of the base's, and the documents that they name."""

    years: tuple[CalendarYear, ...]
    documents: Mapping[str, str]

    def over(self, base: CalendarData) -> tuple[dict[str, str], tuple[CalendarYear, ...]]:
        """The base with these years in place of its own. Raises CalendarRowsWrong, naming every row."""
        documents = {**base.documents, **self.documents}
        if errors := list(self._errors(base, documents)):
            raise CalendarRowsWrong(str(errors[0]["message"]), errors=errors)
        years = {year.year: year for year in (*years_of(base), *self.years)}
        return documents, tuple(_in_order(years[number]) for number in sorted(years))

    def _errors(self, base: CalendarData, documents: Mapping[str, str]) -> Iterator[dict[str, str]]:
        given = [year.year for year in self.years]
        for i, year in enumerate(self.years):
            if given.index(year.year) < i:
                yield wrong(f"years.{i}.year", "year_twice", f"Năm {year.year} được gửi hai lần.",
                             f"The year {year.year} is given twice.")  # fmt: skip
            seen: set[date] = set()
            for j, row in enumerate(year.days):
                yield from _row_errors(f"years.{i}.days.{j}", year.year, row, seen, documents)
                seen.add(row.date)
        known = sorted({*given, *(year.year for year in base.years)})
        if gaps := [n for n in range(known[0], known[-1]) if n not in known]:
            yield wrong("years", "year_gap", f"Các năm phải liền nhau; còn thiếu năm {gaps[0]}.",
                         f"Years follow one another without a gap; {gaps[0]} is missing.")  # fmt: skip


def _in_order(year: CalendarYear) -> CalendarYear:
    return year.model_copy(update={"days": tuple(sorted(year.days, key=lambda row: row.date))})


def wrong(field: str, kind: str, vi: str, en: str) -> dict[str, str]:
    return {"field": field, "message": vi, "message_en": en, "type": kind}


def _row_errors(
    field: str, year: int, row: CalendarDay, seen: set[date], documents: Mapping[str, str]
) -> Iterator[dict[str, str]]:
    day, weekend = f"{row.date:%d/%m/%Y}", row.date.weekday() >= SATURDAY
    if row.date.year != year:
        yield wrong(f"{field}.date", "other_year", f"Ngày {day} không thuộc năm {year}.",
                     f"{row.date} does not lie in {year}.")  # fmt: skip
    if row.date in seen:
        yield wrong(f"{field}.date", "row_twice", f"Ngày {day} được ghi hai lần.",
                     f"{row.date} is given twice.")  # fmt: skip
    if row.kind not in list(DayKind):
        yield wrong(f"{field}.kind", "unknown_kind", f"Ngày {day}: không có loại ngày «{row.kind}».",
                     "A day is a holiday, swap_off or makeup.")  # fmt: skip
    if row.kind == DayKind.MAKEUP and not weekend:
        yield wrong(f"{field}.kind", "makeup_on_weekday",
                     f"Ngày {day} vốn là ngày làm việc; chỉ ghi làm bù vào thứ Bảy hoặc Chủ nhật.",
                     f"{row.date} is a weekday: a make-up day is a Saturday or a Sunday.")  # fmt: skip
    if row.kind == DayKind.SWAP_OFF and weekend:
        yield wrong(f"{field}.kind", "swap_on_weekend",
                     f"Ngày {day} vốn là ngày nghỉ cuối tuần; chỉ hoán đổi ngày từ thứ Hai đến thứ Sáu.",
                     f"{row.date} is a weekend day: only a weekday is exchanged.")  # fmt: skip
    if row.by not in documents:
        yield wrong(f"{field}.by", "unknown_document",
                     f"Ngày {day}: không có văn bản mang khóa «{row.by}» trong danh mục.",
                     f"{row.date}: no document has the key «{row.by}».")  # fmt: skip


def undecided(years: Sequence[CalendarYear]) -> list[dict[str, str]]:
    """Rows that are a draft still, each at its place: Bộ luật Lao động 2019, Điều 112 khoản 3 leaves them to
    the Prime Minister's notice of the year."""
    return [
        wrong(f"years.{i}.days.{j}.by", "undecided_row",
              f"Ngày {row.date:%d/%m/%Y} ({row.vi}) còn ghi khóa «{UNDECIDED}»: cần văn bản quyết định.",
              f"{row.date} ({row.en}) is a draft still: name the document that decided it.")
        for i, year in enumerate(years) for j, row in enumerate(year.days) if row.by == UNDECIDED
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """One day, or one year as a whole (``day`` None), that differs between two versions."""

    year: int
    day: date | None
    before: DayRow | None
    after: DayRow | None
    vi: str
    en: str


KIND_VI: Final = {DayKind.HOLIDAY: "nghỉ", DayKind.SWAP_OFF: "nghỉ hoán đổi", DayKind.MAKEUP: "làm bù"}
KIND_EN: Final = {DayKind.HOLIDAY: "off", DayKind.SWAP_OFF: "off in exchange", DayKind.MAKEUP: "worked"}


def changes(before: CalendarData, after: CalendarData) -> list[Change]:
    """What one version says otherwise than another, in the order of the days."""
    found: list[Change] = []
    old_years = {year.year: year for year in before.years}
    for year in after.years:
        old = old_years.get(year.year)
        if old is None:
            vi = f"Thêm năm {year.year} ({len(year.days)} ngày{', tạm tính' if year.provisional else ''})."
            found.append(Change(year.year, None, None, None, vi, f"The year {year.year} is added."))
            continue
        if old.provisional != year.provisional:
            state = "là tạm tính" if year.provisional else "đã có quyết định chính thức"
            en = f"The year {year.year} is {'provisional' if year.provisional else 'decided'}."
            found.append(Change(year.year, None, None, None, f"Năm {year.year} {state}.", en))
        was, now = ({row.date: row for row in each.days} for each in (old, year))
        for day in sorted({*was, *now}):
            a, b = was.get(day), now.get(day)
            if a != b or (a and b and before.documents[a.by] != after.documents[b.by]):
                found.append(Change(year.year, day, a, b, *_words(a, b)))
    return found


def _words(a: DayRow | None, b: DayRow | None) -> tuple[str, str]:
    def vi(row: DayRow) -> str:
        return f"{KIND_VI[row.kind]} ({row.vi})"

    def en(row: DayRow) -> str:
        return f"{KIND_EN[row.kind]} ({row.en})"

    if a is None and b is not None:
        return f"thành {vi(b)}", f"becomes {en(b)}"
    if b is None and a is not None:
        return f"không còn {vi(a)}", f"no longer {en(a)}"
    if a is not None and b is not None and (a.kind, a.vi) != (b.kind, b.vi):
        return f"{vi(a)} thành {vi(b)}", f"{en(a)} becomes {en(b)}"
    if a is not None and b is not None and a.en != b.en:
        return f"đổi tên tiếng Anh ({b.en})", f"{a.en} is called {b.en}"
    return "đổi văn bản quyết định", "decided by another document"
