"""Các ví dụ của cách tính ngày, word by word: the first day and the last, the weekend, the holiday bridge,
the Saturday that is worked, Tết, the end of the year.

«Khi thời hạn bắt đầu bằng một sự kiện thì ngày xảy ra sự kiện không được tính»; «khi ngày cuối cùng của
thời hạn là ngày nghỉ cuối tuần hoặc ngày nghỉ lễ thì thời hạn kết thúc tại thời điểm kết thúc ngày làm việc
tiếp theo ngày nghỉ đó» (Bộ luật Dân sự 2015, Điều 147, 148)."""

from datetime import date, datetime

import pytest

from shared.calendar import CALENDAR, VIETNAM

NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(text: str) -> date:
    """«Fri 25 April 2025», and the day of the week must be right."""
    name, number, month, year = text.split()
    found = date(int(year), MONTHS.index(month[:3]) + 1, int(number))
    assert NAMES[found.weekday()] == name[:3], f"{found} is no {name}"
    return found


def at(text: str, hour: int = 9, minute: int = 0) -> datetime:
    when = day(text)
    return datetime(when.year, when.month, when.day, hour, minute, tzinfo=VIETNAM)


@pytest.mark.parametrize(
    ("start", "working_days", "last_day"),
    [
        ("Fri 25 April 2025", 1, "Sat 26 April 2025"),
        ("Fri 25 April 2025", 2, "Mon 28 April 2025"),
        ("Mon 28 April 2025", 2, "Mon 5 May 2025"),
        ("Mon 28 April 2025", 7, "Mon 12 May 2025"),
        ("Mon 28 April 2025", 10, "Thu 15 May 2025"),
        ("Tue 29 April 2025", 1, "Mon 5 May 2025"),
    ],
)
def test_with_saturday_26_april_2025_worked_in_exchange_for_friday_2_may(
    start: str, working_days: int, last_day: str
) -> None:
    assert CALENDAR.due(at(start), working_days).last_day == day(last_day)


def test_tuesday_24_november_2026_is_a_holiday() -> None:
    assert not CALENDAR.is_working_day(day("Tue 24 November 2026"))
    assert CALENDAR.due(at("Mon 23 November 2026"), 1).last_day == day("Wed 25 November 2026")


def test_saturday_22_august_2026_was_worked_in_exchange_for_monday_31_august() -> None:
    assert CALENDAR.due(at("Fri 21 August 2026"), 1).last_day == day("Sat 22 August 2026")
    assert CALENDAR.due(at("Fri 28 August 2026"), 1).last_day == day("Thu 3 September 2026")


def test_friday_2_january_2026_was_off_in_exchange_for_saturday_10_january() -> None:
    assert CALENDAR.due(at("Wed 31 December 2025"), 1).last_day == day("Mon 5 January 2026")
    assert CALENDAR.due(at("Fri 9 January 2026"), 1).last_day == day("Sat 10 January 2026")


def test_the_first_day_is_not_counted_whatever_its_hour() -> None:
    first, last = at("Mon 23 March 2026", 0, 0), at("Mon 23 March 2026", 23, 59)
    assert CALENDAR.due(first, 1).last_day == CALENDAR.due(last, 1).last_day == day("Tue 24 March 2026")


def test_the_last_day_is_counted_to_its_end() -> None:
    term = CALENDAR.due(at("Mon 23 March 2026"), 1)
    assert at("Tue 24 March 2026", 23, 59) < term.due_at
    assert term.due_at == at("Wed 25 March 2026", 0, 0)


def test_a_weekend_is_not_counted() -> None:
    assert CALENDAR.due(at("Fri 20 March 2026"), 1).last_day == day("Mon 23 March 2026")
    assert CALENDAR.due(at("Thu 19 March 2026"), 2).last_day == day("Mon 23 March 2026")


def test_what_begins_on_a_weekend_has_its_first_day_on_monday() -> None:
    for start in ("Sat 21 March 2026", "Sun 22 March 2026"):
        assert CALENDAR.due(at(start), 1).last_day == day("Mon 23 March 2026")


def test_what_begins_on_a_worked_saturday_has_its_first_day_on_monday() -> None:
    assert CALENDAR.due(at("Sat 26 April 2025"), 1).last_day == day("Mon 28 April 2025")


def test_a_bridge_of_holidays_is_named_day_by_day() -> None:
    why = CALENDAR.explain(CALENDAR.due(at("Tue 29 April 2025"), 1))
    assert [line.reason_vi for line in why.days] == [
        "nghỉ Ngày Chiến thắng", "nghỉ Ngày Quốc tế Lao động", "nghỉ hoán đổi với thứ Bảy 26/04/2025",
        "nghỉ cuối tuần", "nghỉ cuối tuần", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("Wed 7 February 2024", "Thu 15 February 2024", id="Giáp Thìn"),
        pytest.param("Fri 24 January 2025", "Mon 3 February 2025", id="Ất Tỵ"),
        pytest.param("Fri 13 February 2026", "Mon 23 February 2026", id="Bính Ngọ"),
        pytest.param("Wed 3 February 2027", "Thu 11 February 2027", id="Đinh Mùi"),
    ],
)
def test_no_day_of_tet_is_counted(before: str, after: str) -> None:
    assert CALENDAR.due(at(before), 1).last_day == day(after)


@pytest.mark.parametrize(
    ("start", "last_day"),
    [
        ("Tue 31 December 2024", "Thu 2 January 2025"),
        ("Wed 31 December 2025", "Mon 5 January 2026"),
        ("Thu 31 December 2026", "Mon 4 January 2027"),
    ],
)
def test_from_31_december_the_next_working_day_is_after_the_new_year(start: str, last_day: str) -> None:
    assert CALENDAR.due(at(start), 1).last_day == day(last_day)


def test_a_same_day_duty_of_31_december_ends_with_the_year() -> None:
    assert CALENDAR.same_day(at("Thu 31 December 2026", 23, 59)).due_at == at("Fri 1 January 2027", 0, 0)
