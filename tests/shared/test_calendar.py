"""Cách tính ngày: every day of the regulation's clocks lands where the law and the notices put it."""

from datetime import UTC, date, datetime, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.calendar import (
    CALENDAR,
    VIETNAM,
    CalendarData,
    CalendarYearMissing,
    DayKind,
    WorkingCalendar,
    load,
)
from shared.errors import PortalError

FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)
DAYS = st.dates(FIRST, date(2027, 6, 30))
TERMS = st.integers(0, 60)
ONE_DAY = timedelta(days=1)


def due(start: str, working_days: int) -> str:
    return CALENDAR.due(datetime.fromisoformat(start), working_days).last_day.isoformat()


@pytest.mark.parametrize(
    ("start", "working_days", "last_day"),
    [
        pytest.param("2025-04-25T09:00+07:00", 1, "2025-04-26", id="a worked Saturday is day one"),
        pytest.param("2025-04-25T09:00+07:00", 2, "2025-04-28", id="after the worked Saturday, Monday"),
        pytest.param("2025-04-28T09:00+07:00", 2, "2025-05-05", id="a holiday bridge is not counted"),
        pytest.param("2025-04-28T09:00+07:00", 7, "2025-05-12", id="seven days over the bridge"),
        pytest.param("2025-04-28T09:00+07:00", 10, "2025-05-15", id="ten days over the bridge"),
        pytest.param("2025-04-29T09:00+07:00", 1, "2025-05-05", id="the eve of the bridge"),
        pytest.param("2026-11-23T09:00+07:00", 1, "2026-11-25", id="Vietnam Culture Day is a holiday"),
        pytest.param("2026-08-21T09:00+07:00", 1, "2026-08-22", id="Saturday 22 August 2026 is worked"),
        pytest.param("2026-08-28T09:00+07:00", 1, "2026-09-03", id="for Monday 31 August, which is off"),
        pytest.param("2025-12-31T09:00+07:00", 1, "2026-01-05", id="Friday 2 January 2026 is off"),
        pytest.param("2026-01-09T09:00+07:00", 1, "2026-01-10", id="for Saturday 10 January"),
        pytest.param("2026-02-13T09:00+07:00", 1, "2026-02-23", id="over Tết Bính Ngọ"),
        pytest.param("2024-02-07T09:00+07:00", 1, "2024-02-15", id="over Tết Giáp Thìn"),
        pytest.param("2025-01-24T09:00+07:00", 1, "2025-02-03", id="over Tết Ất Tỵ"),
        pytest.param("2024-04-26T09:00+07:00", 2, "2024-05-03", id="29 April 2024 is off"),
        pytest.param("2024-05-03T09:00+07:00", 1, "2024-05-04", id="for Saturday 4 May 2024"),
        pytest.param("2026-04-24T09:00+07:00", 1, "2026-04-28", id="Giỗ Tổ on a Sunday gives Monday"),
        pytest.param("2025-04-26T00:30+07:00", 1, "2025-04-28", id="an event on a worked Saturday"),
        pytest.param("2025-05-03T09:00+07:00", 1, "2025-05-05", id="an event on a day off"),
    ],
)
def test_a_term_ends_on_the_day_that_the_law_names(start: str, working_days: int, last_day: str) -> None:
    assert due(start, working_days) == last_day


def test_a_term_ends_at_midnight_in_vietnam_after_its_last_day() -> None:
    term = CALENDAR.due(datetime(2025, 4, 28, 9, tzinfo=VIETNAM), 2)
    assert term.due_at == datetime(2025, 5, 6, 0, tzinfo=VIETNAM)
    assert term.due_at.tzinfo is UTC
    assert term.due_at.isoformat() == "2025-05-05T17:00:00+00:00"


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2025-04-28T23:59:59.999999+07:00", "2025-04-28"),
        ("2025-04-29T00:00:00+07:00", "2025-04-29"),
        ("2025-04-28T16:59:59.999999+00:00", "2025-04-28"),
        ("2025-04-28T17:00:00+00:00", "2025-04-29"),
        ("2025-04-28T12:00:00-05:00", "2025-04-29"),
    ],
)
def test_an_instant_belongs_to_its_day_in_vietnam_to_the_microsecond(instant: str, day: str) -> None:
    assert CALENDAR.day_of(datetime.fromisoformat(instant)).isoformat() == day


def test_a_microsecond_before_midnight_is_a_whole_day_earlier_than_midnight() -> None:
    midnight = datetime(2025, 5, 6, tzinfo=VIETNAM)
    before = CALENDAR.due(midnight - timedelta(microseconds=1), 1)
    assert (before.last_day, CALENDAR.due(midnight, 1).last_day) == (date(2025, 5, 6), date(2025, 5, 7))


def test_a_naive_datetime_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR.day_of(datetime(2025, 4, 28, 9))  # noqa: DTZ001 - the very thing refused


def test_a_duty_of_the_same_day_ends_that_day_even_on_a_holiday() -> None:
    term = CALENDAR.same_day(datetime(2026, 11, 24, 23, 50, tzinfo=VIETNAM))
    assert (term.last_day, term.working_days) == (date(2026, 11, 24), 0)
    assert term.due_at == datetime(2026, 11, 25, tzinfo=VIETNAM)
    assert CALENDAR.explain(term).sentence_vi == "Hạn: hết thứ Ba, 24/11/2026 (ngay trong ngày)."


@pytest.mark.parametrize("working_days", [0, -1])
def test_a_term_without_a_working_day_is_refused(working_days: int) -> None:
    with pytest.raises(ValueError, match="at least one"):
        CALENDAR.due(datetime(2025, 4, 28, tzinfo=UTC), working_days)


def test_every_day_of_a_term_is_counted_or_skipped_with_its_reason() -> None:
    why = CALENDAR.explain(CALENDAR.due(datetime(2025, 4, 25, 9, tzinfo=VIETNAM), 5))
    assert [(f"{d.date:%d/%m}", d.number, d.reason_vi) for d in why.days] == [
        ("26/04", 1, "làm bù ngày 02/05/2025"),
        ("27/04", None, "nghỉ cuối tuần"),
        ("28/04", 2, ""),
        ("29/04", 3, ""),
        ("30/04", None, "nghỉ Ngày Chiến thắng"),
        ("01/05", None, "nghỉ Ngày Quốc tế Lao động"),
        ("02/05", None, "nghỉ hoán đổi với thứ Bảy 26/04/2025"),
        ("03/05", None, "nghỉ cuối tuần"),
        ("04/05", None, "nghỉ cuối tuần"),
        ("05/05", 4, ""),
        ("06/05", 5, ""),
    ]
    assert "8726/VPCP-KGVX" in why.days[6].document
    assert why.sentence_vi == (
        "Hạn: hết thứ Ba, 06/05/2025 (5 ngày làm việc kể từ thứ Sáu, 25/04/2025; ngày ấy không tính). "
        "Không tính hạn: 27/04 nghỉ cuối tuần; 30/04 nghỉ Ngày Chiến thắng; "
        "01/05 nghỉ Ngày Quốc tế Lao động; 02/05 nghỉ hoán đổi với thứ Bảy 26/04/2025; "
        "03/05–04/05 nghỉ cuối tuần. "
        "Có tính: 26/04 làm bù ngày 02/05/2025."
    )
    assert why.sentence_en.startswith("Due by the end of Tuesday, 06/05/2025 (5 working days after Friday,")


def test_a_day_in_lieu_is_named_once() -> None:
    why = CALENDAR.explain(CALENDAR.due(datetime(2026, 4, 24, 9, tzinfo=VIETNAM), 1))
    assert "26/04 nghỉ Giỗ Tổ Hùng Vương; 27/04 nghỉ bù Giỗ Tổ Hùng Vương." in why.sentence_vi


def test_a_term_that_enters_an_undecided_year_is_provisional_and_says_so() -> None:
    decided = CALENDAR.due(datetime(2026, 12, 24, 9, tzinfo=VIETNAM), 2)
    entering = CALENDAR.due(datetime(2026, 12, 31, 9, tzinfo=VIETNAM), 2)
    assert (decided.provisional, entering.provisional) == (False, True)
    assert "Tạm tính" in CALENDAR.explain(entering).sentence_vi
    assert "Tạm tính" not in CALENDAR.explain(decided).sentence_vi
    assert [year for year in CALENDAR.years if CALENDAR.is_provisional(year)] == [2027]


def test_a_term_is_explained_only_by_the_calendar_that_counted_it() -> None:
    other = WorkingCalendar(CALENDAR.data.model_copy(update={"version": "2099-01-01"}))
    with pytest.raises(ValueError, match="2099-01-01"):
        CALENDAR.explain(other.due(datetime(2025, 4, 28, tzinfo=UTC), 2))


@pytest.mark.parametrize("day", [date(2023, 12, 31), date(2028, 1, 1)])
def test_a_year_outside_the_data_is_an_error_never_a_guess(day: date) -> None:
    for ask in (
        lambda: CALENDAR.is_working_day(day),
        lambda: CALENDAR.add(day, 0),
        lambda: CALENDAR.add(day, 3),
        lambda: CALENDAR.next_working_day(day),
        lambda: CALENDAR.working_days_between(day, date(2025, 1, 1)),
        lambda: CALENDAR.same_day(datetime(day.year, day.month, day.day, 9, tzinfo=VIETNAM)),
    ):
        with pytest.raises(CalendarYearMissing) as raised:
            ask()
        assert isinstance(raised.value, PortalError)
        assert (raised.value.code, raised.value.status) == ("calendar_year_missing", 422)
        assert str(day.year) in raised.value.detail


def test_the_last_working_day_of_the_data_is_reached_and_the_next_is_not() -> None:
    assert CALENDAR.add(date(2027, 12, 30), 1) == date(2027, 12, 31)
    with pytest.raises(CalendarYearMissing, match="2028"):
        CALENDAR.add(date(2027, 12, 31), 1)
    assert CALENDAR.add(date(2024, 12, 31), 1) == date(2025, 1, 2)


@given(DAYS, TERMS)
def test_a_term_never_ends_on_a_day_off(day: date, n: int) -> None:
    assert CALENDAR.is_working_day(CALENDAR.add(day, n + 1))


@given(DAYS, TERMS, TERMS)
def test_a_term_after_a_term_is_their_sum(day: date, a: int, b: int) -> None:
    assert CALENDAR.add(CALENDAR.add(day, a), b) == CALENDAR.add(day, a + b)


@given(DAYS, DAYS, TERMS)
def test_a_later_event_is_never_due_earlier(a: date, b: date, n: int) -> None:
    a, b = sorted((a, b))
    assert CALENDAR.add(a, n) <= CALENDAR.add(b, n)


@given(DAYS, DAYS)
def test_counting_back_is_counting_forward_with_a_minus(a: date, b: date) -> None:
    assert CALENDAR.working_days_between(a, b) == -CALENDAR.working_days_between(b, a)


@given(DAYS)
def test_a_working_day_stands_and_a_day_off_gives_way_to_the_next(day: date) -> None:
    assert CALENDAR.working_day_from(day) == (
        day if CALENDAR.is_working_day(day) else CALENDAR.next_working_day(day)
    )
    assert CALENDAR.next_working_day(day) > day


@given(st.datetimes(datetime(2024, 1, 2), datetime(2027, 6, 1), timezones=st.just(UTC)), st.integers(1, 30))  # noqa: DTZ001
def test_an_explanation_numbers_each_working_day_and_ends_at_the_last(start: datetime, n: int) -> None:
    term = CALENDAR.due(start, n)
    days = CALENDAR.explain(term).days
    assert [d.number for d in days if d.number] == list(range(1, n + 1))
    assert days[-1].date == term.last_day
    assert all(bool(d.reason_vi) for d in days if d.number is None)


def test_the_data_differs_from_the_draft_library_only_where_it_is_known_to_lack() -> None:
    draft = holidays.country_holidays("VN", years=range(2024, 2028))
    for offset in range((LAST - FIRST).days + 1):
        day = FIRST + offset * ONE_DAY
        if day not in {date(2026, 1, 2), date(2026, 1, 10)}:
            assert CALENDAR.is_working_day(day) == draft.is_working_day(day), day


def test_a_swap_takes_one_day_and_gives_one_back() -> None:
    for year in CALENDAR.data.years:
        kinds = [row.kind for row in year.days]
        assert kinds.count(DayKind.SWAP_OFF) == kinds.count(DayKind.MAKEUP)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        pytest.param([("2026-01-05", "makeup", "x")], "changes nothing", id="a Monday cannot be made up"),
        pytest.param([("2026-01-10", "swap_off", "x")], "changes nothing", id="a Saturday is off already"),
        pytest.param([("2026-01-01", "holiday", "x")] * 2, "given twice", id="a day twice"),
        pytest.param([("2025-01-01", "holiday", "x")], "another year", id="a day of another year"),
        pytest.param([("2026-01-01", "holiday", "y")], "no listed document", id="a row decided by nobody"),
    ],
)
def test_data_that_contradicts_itself_is_refused(rows: list[tuple[str, str, str]], complaint: str) -> None:
    days = [{"date": d, "kind": k, "vi": "-", "en": "-", "by": by} for d, k, by in rows]
    years = [{"year": 2026, "days": days}]
    with pytest.raises(ValidationError, match=complaint):
        CalendarData.model_validate({"version": "t", "documents": {"x": "-"}, "years": years})


def test_a_gap_between_years_is_refused() -> None:
    years = [{"year": 2024, "days": []}, {"year": 2026, "days": []}]
    with pytest.raises(ValidationError, match="without a gap"):
        CalendarData.model_validate({"version": "t", "documents": {}, "years": years})


def test_a_kept_version_loads_by_its_name_and_an_unknown_one_does_not() -> None:
    assert load(CALENDAR.version).version == CALENDAR.version == "2026-10-02"
    with pytest.raises(KeyError):
        load("../secrets")
