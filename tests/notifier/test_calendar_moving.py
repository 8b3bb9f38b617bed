"""Hạn đang chạy khi lịch đổi: each rule as the law says it, without a clock or a database.

Days: Tuesday 24 November 2026 is a holiday; a new decision makes Friday 27 November a day off."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain import Deadline, Ending, end_deadline, open_deadline
from services.notifier.domain.deadline_moves import Foresight, OpenTerm, move, move_key
from services.notifier.domain.moving import recount, touched
from shared.calendar import CALENDAR, WorkingCalendar, last_day
from shared.contracts.base import Clock
from shared.contracts.clocks import clock_for, counted_receipt
from shared.contracts.notifier import DeadlineBreached, DeadlineMoved, DeadlineRescinded
from shared.testing import local
from tests.notifier.calendars import DECISION, calendar_with, day

OFF_27 = calendar_with(day("2026-11-27"))
WORKED_28 = calendar_with(day("2026-11-28", "makeup"))
SWAPPED = calendar_with(day("2026-11-27", "swap_off"), day("2026-11-28", "makeup"))
DECIDED_2027 = calendar_with(year=2027, provisional=False)
KNOWN = {c.version: c for c in (CALENDAR, OFF_27)}.get
SUBJECT = f"question-{uuid4()}"


def term(start: str, days: int, calendar: WorkingCalendar = CALENDAR, **facts: object) -> Clock:
    due = calendar.due(local(start), days) if days else calendar.same_day(local(start))
    return clock_for(due, calendar, duty="unit_reply", basis="dieu-11#hoi-dap-2", owner_unit="bhxh-ha-noi",
                     reason="ngày chuyển câu hỏi đến đơn vị").model_copy(update=facts)  # fmt: skip


def promised(for_day: str, since: str = "2026-11-23T09:00") -> Clock:
    """«nói rõ thời hạn trả lời»: a date that the unit has stated."""
    days = CALENDAR.working_days_between(local(since).date(), date.fromisoformat(for_day))
    words = {"explanation_vi": f"Đơn vị hẹn trả lời ngày {for_day}. Hạn: hết thứ Sáu."}
    return term(since, days, working_days=None, **words)


def last(clock: Clock) -> str:
    return last_day(clock.due_at).isoformat()


def opened(clock: Clock) -> Deadline:
    return open_deadline(None, SUBJECT, clock, source="qa")[0]


class TestRecount:
    @pytest.mark.parametrize(
        ("start", "days", "was", "now"),
        [
            pytest.param(
                "2026-11-26T09:00", 1, "2026-11-27", "2026-11-30", id="its last day is a day off now"
            ),
            pytest.param("2026-11-23T09:00", 5, "2026-12-01", "2026-12-02", id="a day off within the term"),
            pytest.param("2026-11-27T09:00", 1, "2026-11-30", "2026-11-30", id="day zero was never counted"),
            pytest.param("2026-11-23T09:00", 2, "2026-11-26", "2026-11-26", id="it ends before the day off"),
        ],
    )
    def test_a_term_of_working_days_runs_anew_from_its_start(
        self, start: str, days: int, was: str, now: str
    ) -> None:
        clock = term(start, days)
        moved = recount(clock, OFF_27)
        assert (last(clock), last(moved)) == (was, now)
        assert (moved.started_at, moved.working_days) == (clock.started_at, clock.working_days)
        assert moved.calendar_version == OFF_27.version

    def test_a_make_up_day_brings_the_end_forward(self) -> None:
        assert last(recount(term("2026-11-26T09:00", 2), WORKED_28)) == "2026-11-28"

    def test_the_same_day_stays_the_same_day_be_it_a_day_off(self) -> None:
        """«ngay trong ngày»: it does not move when the day is off."""
        clock = term("2026-11-27T09:00", 0)
        assert recount(clock, OFF_27).due_at == clock.due_at

    def test_it_explains_itself_by_the_new_calendar(self) -> None:
        moved = recount(term("2026-11-23T09:00", 5), OFF_27)
        assert moved.explanation_vi.startswith("Hạn: hết thứ Tư, 02/12/2026 (5 ngày làm việc")
        assert "27/11 nghỉ Nghỉ đột xuất" in moved.explanation_vi
        assert "Wednesday, 02/12/2026" in moved.explanation_en

    def test_the_owners_own_words_stay_ahead_of_the_calendars(self) -> None:
        moved = recount(promised("2026-11-27"), OFF_27)
        assert moved.explanation_vi.startswith("Đơn vị hẹn trả lời ngày 2026-11-27. Hạn: hết thứ Hai, 30/11")

    def test_the_first_warning_comes_after_as_many_working_days_as_before(self) -> None:
        """«02 đến 05 ngày làm việc»: warned of after two, in the new calendar's days too."""
        clock = term("2026-11-25T09:00", 5, warn_at=CALENDAR.due(local("2026-11-25T09:00"), 2).due_at)
        assert recount(clock, OFF_27, before=CALENDAR).warn_at == local("2026-12-01T00:00")

    def test_provisional_follows_the_years_that_the_term_touches(self) -> None:
        clock = term("2026-12-30T09:00", 5)
        assert clock.provisional
        assert not recount(clock, DECIDED_2027).provisional

    def test_a_term_that_names_no_receipt_begins_where_it_began(self) -> None:
        """A term that begins with its event: whether that day is off is nothing to it."""
        clock = term("2026-11-28T10:00", 5)
        assert recount(clock, WORKED_28).started_at == clock.started_at

    def test_a_calendar_that_is_no_newer_changes_nothing(self) -> None:
        clock = term("2026-11-23T09:00", 5, OFF_27)
        assert recount(clock, CALENDAR) is clock


def receipt(at: str, days: int, calendar: WorkingCalendar = CALENDAR) -> Clock:
    """A term that begins on the first working day from its receipt on."""
    start = counted_receipt(local(at), calendar)
    due = calendar.due(start, days) if days else calendar.same_day(start)
    warn = calendar.due(start, 2).due_at if days > 2 else None
    return clock_for(due, calendar, duty="triage", basis="dieu-11#hoi-dap-1", owner_unit="tt-cskh",
                     reason="ngày tiếp nhận câu hỏi", warn_at=warn, received_at=local(at))  # fmt: skip


class TestReceipts:
    @pytest.mark.parametrize(
        ("received", "days", "calendar", "was", "now"),
        [
            pytest.param("2026-11-28T10:00", 0, WORKED_28, "2026-11-30", "2026-11-28",
                         id="the same day: a Saturday that is worked"),
            pytest.param("2026-11-28T10:00", 5, WORKED_28, "2026-12-07", "2026-12-04",
                         id="classified: from that Saturday"),
            pytest.param("2026-11-27T10:00", 0, OFF_27, "2026-11-27", "2026-11-30",
                         id="the same day: a Friday that is off"),
            pytest.param("2026-11-27T10:00", 5, OFF_27, "2026-12-04", "2026-12-07",
                         id="classified: from the Monday after"),
            pytest.param("2026-11-29T10:00", 0, WORKED_28, "2026-11-30", "2026-11-30",
                         id="a Sunday stays one"),
            pytest.param("2026-11-27T10:00", 0, SWAPPED, "2026-11-27", "2026-11-28",
                         id="off, and the Saturday worked instead"),
        ],
    )  # fmt: skip
    def test_the_first_working_day_since_the_receipt_is_looked_for_again(
        self, received: str, days: int, calendar: WorkingCalendar, was: str, now: str
    ) -> None:
        clock = receipt(received, days)
        moved = recount(clock, calendar, before=CALENDAR)
        assert (last(clock), last(moved)) == (was, now)
        asked_now = receipt(received, days, calendar)
        assert moved == asked_now.model_copy(update={"warn_at": moved.warn_at})
        assert moved.warn_at == asked_now.warn_at

    @pytest.mark.parametrize("days", [0, 5])
    def test_back_to_what_it_was_it_is_what_it_was(self, days: int) -> None:
        clock = receipt("2026-11-28T10:00", days)
        again = calendar_with(version="2026-11-26")
        there_and_back = recount(recount(clock, WORKED_28, before=CALENDAR), again, before=WORKED_28)
        assert there_and_back == clock.model_copy(update={"calendar_version": again.version})

    def test_the_day_of_receipt_touches_its_own_term_alone(self) -> None:
        saturday, monday = date(2026, 11, 28), date(2026, 11, 30)
        assert touched(CALENDAR, WORKED_28).term(monday, monday, saturday)
        assert not touched(CALENDAR, WORKED_28).term(monday, date(2026, 12, 7))
        assert not touched(CALENDAR, WORKED_28).term(saturday, date(2026, 12, 7))

    def test_it_is_moved_and_the_move_names_the_receipt_for_the_next_one(self) -> None:
        (told,) = moved_by(WORKED_28, opened(receipt("2026-11-28T10:00", 0)))
        assert isinstance(told, DeadlineMoved)
        assert (last(told.clock), told.clock.received_at) == ("2026-11-28", local("2026-11-28T10:00"))


class TestStatedDates:
    def test_a_stated_date_stays_while_it_is_a_working_day(self) -> None:
        """A day off before it shortens what is left, and moves nothing."""
        assert last(recount(promised("2026-11-30"), OFF_27)) == "2026-11-30"

    def test_a_stated_date_that_is_a_day_off_ends_with_the_next_working_day(self) -> None:
        """Bộ luật Dân sự Điều 148 khoản 5."""
        assert last(recount(promised("2026-11-27"), OFF_27)) == "2026-11-30"

    def test_it_comes_back_when_its_day_is_worked_again(self) -> None:
        clock = promised("2026-11-27")
        moved = recount(clock, OFF_27)
        again = calendar_with(base=OFF_27.data, version="2026-11-26", without=("2026-11-27",))
        assert recount(moved, again, stated=clock.due_at).due_at == clock.due_at

    def test_one_that_stays_needs_no_record(self) -> None:
        assert move(opened(promised("2026-11-30")), OFF_27, known=KNOWN, document=DECISION, at=NOW)[1] == ()


NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def moved_by(calendar: WorkingCalendar, deadline: Deadline, at: datetime = NOW) -> tuple[object, ...]:
    return move(deadline, calendar, known=KNOWN, document=DECISION, at=at)[1]


class TestMove:
    def test_the_move_names_both_dates_both_calendars_and_the_document(self) -> None:
        (told,) = moved_by(OFF_27, opened(term("2026-11-23T09:00", 5)))
        assert isinstance(told, DeadlineMoved)
        assert (told.from_due_at, told.clock.due_at) == (local("2026-12-02T00:00"), local("2026-12-03T00:00"))
        assert (told.from_calendar, told.clock.calendar_version) == (CALENDAR.version, OFF_27.version)
        assert (told.document, told.source) == (DECISION, "qa")

    def test_a_term_that_no_changed_day_touches_stays_in_its_own_calendar(self) -> None:
        assert moved_by(OFF_27, opened(term("2026-11-23T09:00", 2))) == ()
        assert moved_by(OFF_27, opened(term("2026-11-27T09:00", 3))) == ()

    def test_a_term_that_ends_on_the_same_day_is_recorded_because_other_days_were_counted(self) -> None:
        (told,) = moved_by(SWAPPED, opened(term("2026-11-26T09:00", 3)))
        assert isinstance(told, DeadlineMoved)
        assert told.from_due_at == told.clock.due_at
        assert "28/11 Nghỉ đột xuất" in told.clock.explanation_vi

    def test_closed_verdicts_stay(self) -> None:
        late = end_deadline(opened(term("2026-11-26T09:00", 1)), SUBJECT, "unit_reply",
                            Ending(local("2026-11-28T09:00"), False, "qa:1"))[0]  # fmt: skip
        assert late.late
        assert moved_by(OFF_27, late) == ()
        void = end_deadline(opened(term("2026-11-26T09:00", 1)), SUBJECT, "unit_reply",
                            Ending(local("2026-11-26T10:00"), True, "qa:2"))[0]  # fmt: skip
        assert moved_by(OFF_27, void) == ()

    def test_what_was_never_opened_is_not_moved(self) -> None:
        early = end_deadline(None, SUBJECT, "unit_reply", Ending(NOW, False, "qa:1"))[0]
        assert moved_by(OFF_27, early) == ()

    def test_moving_twice_moves_once(self) -> None:
        deadline = opened(term("2026-11-23T09:00", 5))
        after, _ = move(deadline, OFF_27, known=KNOWN, document=DECISION, at=NOW)
        assert moved_by(OFF_27, after) == ()
        assert move_key(deadline.id, OFF_27.version) == f"{deadline.id}@2026-11-25"

    def test_a_calendar_that_nobody_knows_any_more_is_counted_anew_too(self) -> None:
        clock = term("2026-11-23T09:00", 2, calendar_version="2019-01-01")
        (told,) = moved_by(OFF_27, opened(clock))
        assert isinstance(told, DeadlineMoved)


class TestRescinding:
    def breached(self, clock: Clock) -> Deadline:
        deadline = opened(clock)
        fired = DeadlineBreached(
            deadline_id=deadline.id, subject=SUBJECT, duty=clock.duty, due_at=clock.due_at
        )
        return deadline.apply(fired)

    def test_a_breach_that_is_none_any_more_is_withdrawn_in_the_same_record(self) -> None:
        after, events = move(self.breached(term("2026-11-26T09:00", 1)), OFF_27, known=KNOWN,
                             document=DECISION, at=local("2026-11-28T09:00"))  # fmt: skip
        withdrawn, told = events
        assert isinstance(withdrawn, DeadlineRescinded)
        assert isinstance(told, DeadlineMoved)
        assert (withdrawn.breached_due_at, withdrawn.due_at) == (told.from_due_at, told.clock.due_at)
        assert not after.breached

    def test_a_breach_whose_new_time_has_passed_too_stands(self) -> None:
        deadline = self.breached(term("2026-11-26T09:00", 1))
        events = moved_by(OFF_27, deadline, at=local("2026-12-01T00:00"))
        assert [type(event) for event in events] == [DeadlineMoved]

    def test_at_the_very_instant_of_the_new_time_the_breach_stands(self) -> None:
        deadline = self.breached(term("2026-11-26T09:00", 1))
        due = recount(term("2026-11-26T09:00", 1), OFF_27).due_at
        assert len(moved_by(OFF_27, deadline, at=due)) == 1

    def test_what_was_not_told_of_yet_needs_no_withdrawal(self) -> None:
        events = moved_by(OFF_27, opened(term("2026-11-26T09:00", 1)), at=local("2026-11-28T09:00"))
        assert [type(event) for event in events] == [DeadlineMoved]


class TestTouched:
    def test_the_days_whose_nature_differs_and_the_years_that_are_decided(self) -> None:
        assert touched(CALENDAR, OFF_27).days == (date(2026, 11, 27),)
        assert touched(CALENDAR, DECIDED_2027).years == (2027,)
        assert not touched(OFF_27, CALENDAR)

    def test_another_name_for_a_day_off_touches_nothing(self) -> None:
        assert not touched(CALENDAR, calendar_with(day("2026-11-24"), without=("2026-11-24",)))

    def test_no_term_that_ends_before_the_earliest_day_is_touched(self) -> None:
        assert touched(CALENDAR, SWAPPED).earliest() == date(2026, 11, 27)
        assert touched(CALENDAR, DECIDED_2027).earliest() == date(2027, 1, 1)


CALENDARS = st.sampled_from([OFF_27, WORKED_28, SWAPPED, DECIDED_2027])
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
STARTS = st.integers(0, 80 * 24 * 60).map(lambda minutes: FIRST + timedelta(minutes=minutes))


class TestForesight:
    @given(CALENDARS, STARTS, st.integers(0, 30), st.sampled_from(["", "stated", "receipt"]), st.booleans())
    def test_a_preview_says_of_each_deadline_what_moving_it_does(
        self, calendar: WorkingCalendar, start: datetime, days: int, kind: str, breached: bool
    ) -> None:
        clock = term(start.isoformat(), days, **({"working_days": None} if kind == "stated" else {}))
        if kind == "receipt":
            clock = receipt(start.isoformat(), days)
        deadline = opened(clock)
        if breached:
            fired = DeadlineBreached(deadline_id=deadline.id, subject=SUBJECT, duty="x", due_at=clock.due_at)
            deadline = deadline.apply(fired)
        at = local("2026-12-01T09:00")
        row = OpenTerm(str(deadline.id), clock.owner_unit, clock.started_at, clock.working_days, clock.due_at,
                       clock.due_at, clock.calendar_version, clock.provisional, breached,
                       clock.received_at)  # fmt: skip
        foresight = Foresight(calendar, {CALENDAR.version: CALENDAR}.get)
        seen = foresight.of(row)
        after, events = move(deadline, calendar, known={CALENDAR.version: CALENDAR}.get, document=DECISION,
                             at=at)  # fmt: skip
        assert (seen is None) == (events == ())
        if seen is not None:
            assert after.clock is not None
            assert (seen.due_at, seen.provisional) == (after.clock.due_at, after.clock.provisional)
            assert foresight.rescinds(row, seen, at) == isinstance(events[0], DeadlineRescinded)

    @given(CALENDARS, STARTS, st.integers(0, 30), st.booleans())
    def test_what_is_not_touched_would_end_on_the_same_day(
        self, calendar: WorkingCalendar, start: datetime, days: int, received: bool
    ) -> None:
        clock = (receipt if received else term)(start.isoformat(), days)
        first, of_receipt = CALENDAR.day_of(clock.started_at), CALENDAR.day_of(start) if received else None
        change = touched(CALENDAR, calendar)
        if not change.term(first, last_day(clock.due_at), of_receipt):
            assert recount(clock, calendar).due_at == clock.due_at

    @given(CALENDARS, STARTS, st.integers(0, 5))
    def test_whatever_a_receipt_touches_ends_on_the_earliest_changed_day_or_later(
        self, calendar: WorkingCalendar, start: datetime, days: int
    ) -> None:
        """By when they end the register finds what a calendar touches."""
        clock, change = receipt(start.isoformat(), days), touched(CALENDAR, calendar)
        if change.term(CALENDAR.day_of(clock.started_at), last_day(clock.due_at), CALENDAR.day_of(start)):
            earliest = change.earliest()
            assert earliest is not None
            assert last_day(clock.due_at) >= earliest
