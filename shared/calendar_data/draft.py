"""Bản thảo lịch một năm: what the law lets one expect of a year before its official notices, for a person to
confirm. Lunar dates come from the library ``holidays``; exchanges of days are never guessed.

Bộ luật Lao động 2019, Điều 112 khoản 1: Tết Âm lịch 05 ngày; Quốc khánh 02 ngày «(ngày 02 tháng 9 dương
lịch và 01 ngày liền kề trước hoặc sau)»; khoản 3: the Prime Minister decides each year which days those are.
Điều 111 khoản 3: «Nếu ngày nghỉ hằng tuần trùng với ngày nghỉ lễ, tết quy định tại khoản 1 Điều 112 của
Bộ luật này thì người lao động được nghỉ bù ngày nghỉ hằng tuần vào ngày làm việc kế tiếp.»
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from shared.calendar_data import SATURDAY, DayKind, DayRow, YearRows
from shared.errors import InvalidInput

FIRST, LAST = (
    2021,
    2099,
)  # the Code is in force since 01/01/2021; the library's lunar dates end with the century
CULTURE_DAY_SINCE: Final = 2026
ONE_DAY: Final = timedelta(days=1)

FIXED, LIEU, CULTURE, UNDECIDED = "blld-112", "blld-111", "qh-28", "du-thao"
DOCUMENTS: Final = {
    FIXED: "Bộ luật Lao động 2019 (45/2019/QH14), Điều 112 khoản 1",
    LIEU: "Bộ luật Lao động 2019 (45/2019/QH14), Điều 111 khoản 3",
    CULTURE: "Nghị quyết 28/2026/QH16 về phát triển văn hóa Việt Nam, hiệu lực 01/07/2026",
    UNDECIDED: "Bản thảo, chờ thông báo chính thức (Bộ luật Lao động 2019, Điều 112 khoản 3)",
}
STEMS: Final = ("Giáp", "Ất", "Bính", "Đinh", "Mậu", "Kỷ", "Canh", "Tân", "Nhâm", "Quý")
BRANCHES: Final = (
    "Tý", "Sửu", "Dần", "Mão", "Thìn", "Tỵ", "Ngọ", "Mùi", "Thân", "Dậu", "Tuất", "Hợi",
)  # fmt: skip


class CalendarYearNotDrafted(InvalidInput):
    """The law of that year, or its lunar dates, are not known here."""

    code = "calendar_year_not_drafted"
    title_vi, title_en = (
        "Không lập được bản thảo lịch của năm này",
        "No calendar can be drafted for this year",
    )


@dataclass(frozen=True, slots=True)
class DraftYear:
    """``rows`` is provisional; ``documents`` holds just those that its rows name."""

    rows: YearRows
    documents: dict[str, str]


def draft_year(year: int) -> DraftYear:
    """The days off of a Gregorian year as the law has them. Raises :class:`CalendarYearNotDrafted`."""
    if not FIRST <= year <= LAST:
        raise CalendarYearNotDrafted(
            f"Chỉ lập được bản thảo của các năm {FIRST} đến {LAST}.", errors=[{"field": "year"}]
        )
    named = sorted(_holidays(year), key=lambda row: row.date)
    rows = sorted([*named, *_in_lieu(named)], key=lambda row: row.date)
    used = {row.by for row in rows}
    return DraftYear(
        YearRows(year=year, provisional=True, days=tuple(rows)),
        {key: words for key, words in DOCUMENTS.items() if key in used},
    )


def _holidays(year: int) -> Iterator[DayRow]:
    # Half a second to load, and only who drafts needs it.
    from holidays.countries.vietnam import Vietnam  # noqa: PLC0415

    library = Vietnam(years=year, observed=False, language="vi")  # type: ignore[no-untyped-call]

    def dates(name: str) -> list[date]:
        return list(library.get_named(name, lookup="exact"))

    def row(day: date, vi: str, en: str, by: str) -> DayRow:
        return DayRow(date=day, kind=DayKind.HOLIDAY, vi=vi, en=en, by=by)

    yield row(date(year, 1, 1), "Tết Dương lịch", "New Year's Day", FIXED)
    (first_of_tet,) = dates("Tết Nguyên Đán")
    tet = f"Tết Nguyên đán {STEMS[(year - 4) % 10]} {BRANCHES[(year - 4) % 12]}"
    # Two days of the old year and three of the new: with the days in lieu, the very days off that were
    # decided for each year that the calendar has.
    for offset in range(-2, 3):
        yield row(first_of_tet + offset * ONE_DAY, tet, "Lunar New Year", UNDECIDED)
    (kings,) = dates("Ngày Giỗ Tổ Hùng Vương")
    yield row(kings, "Giỗ Tổ Hùng Vương", "Hùng Kings' Commemoration Day", FIXED)
    yield row(date(year, 4, 30), "Ngày Chiến thắng", "Reunification Day", FIXED)
    yield row(date(year, 5, 1), "Ngày Quốc tế Lao động", "International Labour Day", FIXED)
    for day in dates("Quốc khánh"):
        by = FIXED if (day.month, day.day) == (9, 2) else UNDECIDED
        yield row(day, "Quốc khánh", "National Day", by)
    if year >= CULTURE_DAY_SINCE:
        yield row(date(year, 11, 24), "Ngày Văn hóa Việt Nam", "Vietnam Culture Day", CULTURE)


def _in_lieu(named: list[DayRow]) -> Iterator[DayRow]:
    """«…nghỉ bù ngày nghỉ hằng tuần vào ngày làm việc kế tiếp»: the next day that is not off already."""
    off = {row.date for row in named}
    for row in named:
        if row.date.weekday() < SATURDAY:
            continue
        day = row.date
        while day in off or day.weekday() >= SATURDAY:
            day += ONE_DAY
        off.add(day)
        vi = "Tết Nguyên đán" if row.vi.startswith("Tết Nguyên đán") else row.vi
        # The Code grants it for the days of its own Article 112; for those of other acts a notice must.
        by = {FIXED: LIEU}.get(row.by, UNDECIDED)
        yield DayRow(date=day, kind=DayKind.HOLIDAY, vi=f"nghỉ bù {vi}", en=f"day in lieu of {row.en}", by=by)


def as_toml(draft: DraftYear) -> str:
    """The draft in the format of the files beside this one, headed by what it is."""
    rows = draft.rows
    lines = [
        f"# BẢN THẢO lịch năm {rows.year}, do máy lập theo luật và âm lịch. Chưa ai quyết định các ngày này:",
        "# người giữ lịch đối chiếu từng dòng với thông báo chính thức, thay khoá «du-thao» bằng văn bản",
        "# quyết định, thêm ngày hoán đổi nếu có, rồi mới bỏ «provisional».",
        f"# A draft of {rows.year} for a person to confirm; nobody has decided these days yet.",
        "",
        "[documents]",
        *(f"{key} = {_text(words)}" for key, words in draft.documents.items()),
        "",
        "[[years]]",
        f"year = {rows.year}",
        "provisional = true",
        "days = [",
        *(
            f"  {{ date = {row.date}, kind = {_text(row.kind.value)}, vi = {_text(row.vi)}, "
            f"en = {_text(row.en)}, by = {_text(row.by)} }},"
            for row in rows.days
        ),
        "]",
        "",
    ]
    return "\n".join(lines)


def _text(words: str) -> str:
    escaped = words.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
