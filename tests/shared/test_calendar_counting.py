"""Cách tính ngày, as a stranger would count it: one day after the other with the calendar's rows in hand, and
the laws that any count of days must keep."""

import random
import tomllib
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import calendar_data
from shared.calendar import CALENDAR, VIETNAM, CalendarYearMissing

FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)
ENOUGH = date(2027, 6, 30)  # a term of sixty working days from here ends within the calendar
DAYS = st.dates(FIRST, ENOUGH)
TERMS = st.integers(0, 60)
ZONES = st.sampled_from([UTC, VIETNAM, timezone(timedelta(hours=-9, minutes=-30)), timezone.max])
INSTANTS = st.builds(
    lambda moment, zone: moment.replace(tzinfo=UTC).astimezone(zone),
    st.datetimes(datetime(2024, 1, 1), datetime(2027, 6, 1)),  # noqa: DTZ001 - it gets its zone above
    ZONES,
)
ONE_DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture(scope="module")
def worked() -> dict[date, bool]:
    """Every day of the calendar and whether it is worked, read from the file alone."""
    path = Path(calendar_data.__file__).parent / f"{CALENDAR.version}.toml"
    rows = {}
    for year in tomllib.loads(path.read_text("utf-8"))["years"]:
        for row in year["days"]:
            rows[row["date"]] = row["kind"]
    days, day = {}, FIRST
    while day <= LAST:
        if day in rows:
            days[day] = rows[day] == "makeup"
        else:
            days[day] = day.isoweekday() not in (6, 7)
        day += ONE_DAY
    return days


def test_a_hundred_thousand_terms_agree_with_a_count_day_by_day(worked: dict[date, bool]) -> None:
    pick = random.Random(1582)
    by_term: dict[int, list[tuple[datetime, datetime]]] = {}
    for _ in range(100_000):
        n = pick.randrange(1, 41)
        start = datetime(2024, 1, 1, tzinfo=VIETNAM) + timedelta(seconds=pick.randrange(1270 * 86_400))
        day, left = start.date(), n
        while left:
            day += ONE_DAY
            if worked[day]:
                left -= 1
        after = day + ONE_DAY
        end = datetime(after.year, after.month, after.day, tzinfo=VIETNAM)
        by_term.setdefault(n, []).append((start, end))
        term = CALENDAR.due(start, n)
        assert (term.last_day, term.due_at) == (day, end), (start, n)
        assert CALENDAR.working_days_between(start.date(), day) == n
    for n, pairs in by_term.items():
        assert CALENDAR.due_dates([start for start, _ in pairs], n) == [end for _, end in pairs]


def test_every_day_of_the_calendar_is_worked_or_off_as_the_file_says(worked: dict[date, bool]) -> None:
    assert {day: CALENDAR.is_working_day(day) for day in worked} == worked


# The laws of counting.


@given(DAYS, TERMS)
def test_a_longer_term_ends_later(day: date, n: int) -> None:
    assert CALENDAR.add(day, n) < CALENDAR.add(day, n + 1)


@given(INSTANTS, INSTANTS, st.integers(1, 60))
def test_what_begins_later_is_never_due_earlier(a: datetime, b: datetime, n: int) -> None:
    a, b = sorted((a, b))
    assert CALENDAR.due(a, n).due_at <= CALENDAR.due(b, n).due_at


@given(DAYS, TERMS)
def test_between_a_day_and_the_end_of_its_term_lie_as_many_working_days_as_were_added(
    day: date, n: int
) -> None:
    assert CALENDAR.working_days_between(day, CALENDAR.add(day, n)) == n


@given(DAYS, DAYS)
def test_the_end_of_the_term_between_two_days_is_the_later_day_where_that_is_worked(a: date, b: date) -> None:
    a, b = sorted((a, b))
    reached = CALENDAR.add(a, CALENDAR.working_days_between(a, b))
    assert reached <= b
    if CALENDAR.is_working_day(b) and a < b:
        assert reached == b


@given(st.lists(INSTANTS, max_size=20), st.integers(1, 60))
def test_many_terms_at_once_end_as_each_does_by_itself(starts: list[datetime], n: int) -> None:
    assert CALENDAR.due_dates(starts, n) == [CALENDAR.due(start, n).due_at for start in starts]


@given(INSTANTS, st.integers(1, 60))
def test_a_term_ends_at_a_vietnamese_midnight_and_its_last_moment_is_a_working_day(
    start: datetime, n: int
) -> None:
    term = CALENDAR.due(start, n)
    assert term.due_at.astimezone(VIETNAM).time() == datetime.min.time()
    assert CALENDAR.day_of(term.due_at - MOMENT) == term.last_day
    assert CALENDAR.is_working_day(term.last_day)
    assert term.last_day > CALENDAR.day_of(start)


@given(DAYS, st.integers(1, 60))
def test_the_hour_of_the_event_does_not_matter_down_to_the_microsecond(day: date, n: int) -> None:
    midnight = datetime(day.year, day.month, day.day, tzinfo=VIETNAM)
    assert CALENDAR.due(midnight, n).due_at == CALENDAR.due(midnight + ONE_DAY - MOMENT, n).due_at
    (of_batch,) = CALENDAR.due_dates([midnight + ONE_DAY - MOMENT], n)
    assert of_batch == CALENDAR.due(midnight, n).due_at


def test_vietnam_keeps_one_offset_all_through_the_calendar() -> None:
    offsets = {
        datetime.fromordinal(n).replace(tzinfo=VIETNAM).utcoffset()
        for n in range(FIRST.toordinal(), LAST.toordinal() + 2)
    }
    assert offsets == {timedelta(hours=7)}


# What cannot be counted.


@pytest.mark.parametrize("start", ["2023-12-31T23:59:59.999999+07:00", "2028-01-01T00:00+07:00"])
def test_a_start_in_a_year_that_is_missing_refuses_the_whole_batch(start: str) -> None:
    good, bad = datetime(2025, 4, 28, 2, tzinfo=UTC), datetime.fromisoformat(start)
    with pytest.raises(CalendarYearMissing, match=str(bad.year)):
        CALENDAR.due_dates([good, bad, good], 2)


def test_a_term_that_runs_into_a_missing_year_is_an_error_by_itself_and_in_a_batch() -> None:
    start = datetime(2027, 12, 31, 9, tzinfo=VIETNAM)  # a Friday; the next working day is in 2028
    for ask in (lambda: CALENDAR.due(start, 1), lambda: CALENDAR.due_dates([start], 1)):
        with pytest.raises(CalendarYearMissing, match="2028"):
            ask()
    assert CALENDAR.due_dates([start - ONE_DAY], 1) == [datetime(2028, 1, 1, tzinfo=VIETNAM)]


def test_a_term_longer_than_the_whole_calendar_is_an_error() -> None:
    with pytest.raises(CalendarYearMissing, match="2028"):
        CALENDAR.due_dates([datetime(2024, 1, 1, tzinfo=VIETNAM)], 100_000)


def test_a_naive_start_names_no_instant_in_a_batch_either() -> None:
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR.due_dates([datetime(2025, 4, 28, 9)], 2)  # noqa: DTZ001 - the very thing refused


@pytest.mark.parametrize("working_days", [0, -1])
def test_a_batch_without_a_working_day_is_refused(working_days: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        CALENDAR.due_dates([], working_days)


def test_no_starts_have_no_due_dates() -> None:
    assert CALENDAR.due_dates(iter(()), 7) == []
