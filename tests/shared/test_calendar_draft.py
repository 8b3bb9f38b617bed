"""Bản thảo lịch một năm: what the law lets one expect, said to be a draft, and right wherever it is known."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from shared.calendar import CALENDAR, CalendarData, DayKind, WorkingCalendar
from shared.calendar_data import YearRows
from shared.calendar_data.draft import FIRST, LAST, CalendarYearNotDrafted, as_toml, draft_year
from shared.cli.__main__ import app


def drafted(year: int) -> dict[date, str]:
    return {row.date: row.vi for row in draft_year(year).rows.days}


@pytest.mark.parametrize("year", CALENDAR.years)
def test_a_draft_of_a_known_year_lacks_only_the_exchanges_that_were_decided(year: int) -> None:
    draft = draft_year(year)
    data = CalendarData(version="draft", documents=draft.documents, years=(draft.rows,))
    counted = WorkingCalendar(data)
    exchanged = {
        row.date
        for of_year in CALENDAR.data.years
        for row in of_year.days
        if row.kind is not DayKind.HOLIDAY and of_year.year == year
    }
    for ordinal in range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1):
        day = date.fromordinal(ordinal)
        same = counted.is_working_day(day) == CALENDAR.is_working_day(day)
        assert same or day in exchanged, day


def test_a_holiday_on_a_weekly_day_off_gives_the_next_working_day() -> None:
    days = drafted(2028)
    assert days[date(2028, 1, 1)] == "Tết Dương lịch"  # a Saturday
    assert days[date(2028, 1, 3)] == "nghỉ bù Tết Dương lịch"
    assert days[date(2028, 9, 4)] == "nghỉ bù Quốc khánh"


def test_a_day_in_lieu_passes_over_a_holiday() -> None:
    days = drafted(2028)  # Sunday 30 April, and Monday 1 May is a holiday itself
    assert days[date(2028, 5, 1)] == "Ngày Quốc tế Lao động"
    assert days[date(2028, 5, 2)] == "nghỉ bù Ngày Chiến thắng"


def test_tet_has_five_days_and_bears_the_name_of_its_year() -> None:
    named = [day for day, name in drafted(2028).items() if name == "Tết Nguyên đán Mậu Thân"]
    assert named == [date(2028, 1, day) for day in range(24, 29)]


def test_what_nobody_has_decided_names_no_document() -> None:
    draft = draft_year(2028)
    assert draft.rows.provisional
    waiting = {row.date for row in draft.rows.days if row.by == "du-thao"}
    assert waiting == {*(date(2028, 1, day) for day in range(24, 29)), date(2028, 9, 1)}
    assert draft.documents["du-thao"].startswith("Bản thảo, chờ thông báo chính thức")
    assert set(draft.documents) == {row.by for row in draft.rows.days}


@pytest.mark.parametrize("year", range(FIRST, LAST + 1))
def test_every_year_can_be_drafted_and_read_back(year: int) -> None:
    draft = draft_year(year)
    read = tomllib.loads(as_toml(draft))
    assert read["documents"] == draft.documents
    assert YearRows.model_validate(read["years"][0]) == draft.rows
    CalendarData(version="draft", documents=draft.documents, years=(draft.rows,))
    holidays = [row for row in draft.rows.days if not row.vi.startswith("nghỉ bù")]
    assert len(holidays) == (11 if year < 2026 else 12)
    on_days_off = [row for row in holidays if row.date.weekday() >= 5]
    assert len(draft.rows.days) == len(holidays) + len(on_days_off)


@pytest.mark.parametrize("year", [1986, 2020, 2100])
def test_a_year_whose_law_or_moon_is_not_known_is_refused(year: int) -> None:
    with pytest.raises(CalendarYearNotDrafted):
        draft_year(year)


def test_the_command_prints_a_draft_that_says_so() -> None:
    told = CliRunner().invoke(app, ["calendar", "draft", "2028"])
    assert told.exit_code == 0
    assert told.output.startswith("# BẢN THẢO lịch năm 2028")
    assert tomllib.loads(told.output)["years"][0]["provisional"] is True


def test_the_command_writes_a_file_and_never_over_one(tmp_path: Path) -> None:
    path = tmp_path / "2028.toml"
    assert CliRunner().invoke(app, ["calendar", "draft", "2028", "--out", str(path)]).exit_code == 0
    written = path.read_text("utf-8")
    again = CliRunner().invoke(app, ["calendar", "draft", "2029", "--out", str(path)])
    assert again.exit_code == 1
    assert path.read_text("utf-8") == written


def test_the_command_names_its_reason_for_a_year_that_it_cannot_draft() -> None:
    told = CliRunner().invoke(app, ["calendar", "draft", "1986"])
    assert told.exit_code == 1
    assert "calendar_year_not_drafted" in told.output


def test_every_other_command_asks_which_service() -> None:
    told = CliRunner().invoke(app, ["dead-letters", "groups"])
    assert told.exit_code == 2
    assert "--service" in told.output
