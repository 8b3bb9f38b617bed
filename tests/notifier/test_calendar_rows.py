"""Bản lịch: what a keeper may write, who may do what to a version, and what two versions say otherwise."""

from datetime import date
from typing import Any

import pytest

from services.notifier.domain.calendar_rows import (
    UNDECIDED,
    CalendarRowsWrong,
    CalendarUndecided,
    Rows,
    changes,
)
from services.notifier.domain.calendars import (
    Calendar,
    CalendarOvertaken,
    CalendarUnchanged,
    apply_calendar,
    check_base,
    check_version,
    discard_calendar,
    draft_calendar,
    finish_moves,
    free_version,
    revise_calendar,
)
from services.notifier.regulation import CALENDARS, CalendarStatus, Role
from shared.calendar import CALENDAR
from shared.calendar_data import draft as law
from shared.contracts.calendars import data_of
from shared.contracts.notifier import CalendarApplied, CalendarDay, CalendarYear
from shared.errors import Forbidden, IllegalTransition, InvalidInput
from tests.notifier.calendars import DECISION, DOCUMENTS, KEEPER, OPERATOR, calendar_with, day, year_with

BASE = CALENDAR.data
ROWS = Rows((year_with(day("2026-11-27")),), DOCUMENTS)


def drafted(rows: Rows = ROWS) -> Calendar:
    return draft_calendar("2026-11-25", BASE, rows, by=KEEPER)[0]


def faults(*rows: Any, year: int = 2026) -> list[tuple[str, str]]:
    with pytest.raises(CalendarRowsWrong) as refused:
        Rows((CalendarYear(year=year, days=tuple(rows)),), DOCUMENTS).over(BASE)
    return [(error["field"], error["type"]) for error in refused.value.extra["errors"]]


class TestRows:
    def test_a_day_may_be_given_once(self) -> None:
        assert faults(day("2026-11-27"), day("2026-11-27")) == [("years.0.days.1.date", "row_twice")]

    def test_a_make_up_day_is_a_saturday_or_a_sunday(self) -> None:
        assert faults(day("2026-11-27", "makeup")) == [("years.0.days.0.kind", "makeup_on_weekday")]

    def test_only_a_weekday_is_exchanged(self) -> None:
        assert faults(day("2026-11-28", "swap_off")) == [("years.0.days.0.kind", "swap_on_weekend")]

    def test_a_holiday_may_fall_on_a_weekend(self) -> None:
        documents, years = Rows((year_with(day("2026-11-28")),), DOCUMENTS).over(BASE)
        assert data_of("x", documents, years).years[2].days[-1].date == date(2026, 11, 28)

    def test_each_row_names_a_document_that_is_there(self) -> None:
        assert faults(day("2026-11-27", by="cv-khong-co")) == [("years.0.days.0.by", "unknown_document")]

    def test_a_row_lies_in_its_year(self) -> None:
        assert faults(day("2027-11-29")) == [("years.0.days.0.date", "other_year")]

    def test_a_kind_that_nobody_knows_is_refused(self) -> None:
        assert faults(day("2026-11-27", "half_day")) == [("years.0.days.0.kind", "unknown_kind")]

    def test_years_follow_one_another_without_a_gap(self) -> None:
        assert faults(day("2030-01-01"), year=2030) == [("years", "year_gap")]

    def test_a_year_may_be_sent_once(self) -> None:
        year = year_with(day("2026-11-27"))
        with pytest.raises(CalendarRowsWrong) as refused:
            Rows((year, year), DOCUMENTS).over(BASE)
        assert refused.value.extra["errors"][0]["type"] == "year_twice"

    def test_every_fault_is_named_in_both_languages_at_once(self) -> None:
        with pytest.raises(CalendarRowsWrong) as refused:
            days = (day("2026-11-27", "makeup"), day("2026-11-27", by="x"), day("2026-11-28", "swap_off"))
            Rows((CalendarYear(year=2026, days=days),), DOCUMENTS).over(BASE)
        found = refused.value.extra["errors"]
        assert len(found) == 4
        assert all(error["message"] and error["message_en"] for error in found)
        assert found[0]["message"] == (
            "Ngày 27/11/2026 vốn là ngày làm việc; chỉ ghi làm bù vào thứ Bảy hoặc Chủ nhật."
        )

    def test_a_year_stands_in_place_of_the_bases_and_the_others_stay(self) -> None:
        _, years = ROWS.over(BASE)
        assert [year.year for year in years] == [2024, 2025, 2026, 2027]
        assert years[2].days[-1].date == date(2026, 11, 27)
        assert [row.date for row in years[1].days] == [row.date for row in BASE.years[1].days]

    def test_rows_are_kept_in_the_order_of_their_days(self) -> None:
        year = CalendarYear(year=2026, days=(day("2026-12-01"), day("2026-11-30")))
        _, years = Rows((year,), DOCUMENTS).over(BASE)
        assert [row.date.day for row in years[2].days] == [30, 1]


class TestWhoMayDoWhat:
    @pytest.mark.parametrize("act", ["draft", "revise", "discard", "apply"])
    def test_only_a_calendar_keeper_changes_the_calendar(self, act: str) -> None:
        status = CalendarStatus.NONE if act == "draft" else CalendarStatus.DRAFTED
        assert CALENDARS.after(status, act, KEEPER)
        with pytest.raises(Forbidden):
            CALENDARS.after(status, act, OPERATOR)

    def test_every_step_stands_on_the_clause_of_the_working_day_or_of_the_last_moment(self) -> None:
        assert {step.basis for step in CALENDARS.steps if step.role is Role.CALENDAR_KEEPER} == {
            "bo-luat-dan-su#ngay-lam-viec"
        }

    def test_a_draft_is_in_force_for_nobody_until_it_is_applied_by_its_document(self) -> None:
        applied, events = apply_calendar(drafted(), DECISION, by=KEEPER)
        assert applied.status is CalendarStatus.APPLIED
        assert isinstance(events[0], CalendarApplied)
        assert (events[0].document, events[0].base) == (DECISION, CALENDAR.version)
        assert [year.year for year in events[0].years] == [2024, 2025, 2026, 2027]  # whole, not what changed

    @pytest.mark.parametrize("document", ["Theo thông báo", "Công văn của Chính phủ"])
    def test_without_a_number_nothing_is_applied(self, document: str) -> None:
        with pytest.raises(InvalidInput, match="Cần số, ngày của văn bản quyết định"):
            apply_calendar(drafted(), document, by=KEEPER)

    def test_a_year_drafted_by_the_law_waits_for_the_document_of_each_of_its_days(self) -> None:
        assert UNDECIDED == law.UNDECIDED
        expected = law.draft_year(2028)
        days = tuple(CalendarDay(**row.model_dump()) for row in expected.rows.days)
        rows = Rows((CalendarYear(year=2028, provisional=True, days=days),), expected.documents | DOCUMENTS)
        with pytest.raises(CalendarUndecided) as refused:
            apply_calendar(drafted(rows), DECISION, by=KEEPER)
        waiting = {n for n, row in enumerate(days) if row.by == UNDECIDED}
        assert {e["field"] for e in refused.value.extra["errors"]} == {
            f"years.4.days.{n}.by" for n in waiting
        }
        told = refused.value.extra["errors"][0]
        assert (
            "24/01/2028 (Tết Nguyên đán Mậu Thân)" in told["message"] and "2028-01-24" in told["message_en"]
        )
        decided = tuple(
            day.model_copy(update={"by": "vpcp-1234"}) if day.by == UNDECIDED else day for day in days
        )
        rows = Rows((CalendarYear(year=2028, days=decided),), expected.documents | DOCUMENTS)
        assert apply_calendar(drafted(rows), DECISION, by=KEEPER)[0].status is CalendarStatus.APPLIED

    def test_what_was_applied_or_discarded_stays_so(self) -> None:
        applied = apply_calendar(drafted(), DECISION, by=KEEPER)[0]
        gone = discard_calendar(drafted(), "nhầm năm", by=KEEPER)[0]
        assert gone.reason == "nhầm năm"
        for done in (applied, gone):
            with pytest.raises(IllegalTransition):
                apply_calendar(done, DECISION, by=KEEPER)
            with pytest.raises(IllegalTransition):
                discard_calendar(done, "x", by=KEEPER)
            with pytest.raises(IllegalTransition):
                revise_calendar(done, BASE, ROWS, by=KEEPER)

    def test_the_moves_are_said_to_be_over_once(self) -> None:
        applied = apply_calendar(drafted(), DECISION, by=KEEPER)[0]
        over, events = finish_moves(applied, examined=5, moved=3, rescinded=1)
        assert len(events) == 1
        assert finish_moves(over, examined=5, moved=3, rescinded=1)[1] == ()


class TestDrafts:
    def test_a_draft_that_changes_nothing_is_refused(self) -> None:
        with pytest.raises(CalendarUnchanged):
            drafted(Rows((year_with(),), {}))

    def test_a_revision_replaces_its_year_and_leaves_the_others_as_drafted(self) -> None:
        new = CalendarYear(year=2028, provisional=True, days=(day("2028-01-03"),))
        with_2028 = revise_calendar(drafted(), BASE, Rows((new,), {}), by=KEEPER)[0]
        assert [year.year for year in with_2028.years] == [2024, 2025, 2026, 2027, 2028]
        assert with_2028.years[2].days[-1].date == date(2026, 11, 27)

    def test_a_draft_of_a_version_that_is_in_force_no_more_is_told_what_has_changed(self) -> None:
        newer = calendar_with(day("2026-11-27"))
        check_base(newer.version, newer, lambda _: None)
        with pytest.raises(CalendarOvertaken) as refused:
            check_base(CALENDAR.version, newer, {CALENDAR.version: CALENDAR}.get)
        assert refused.value.extra["in_force"] == "2026-11-25"
        assert [each["date"] for each in refused.value.extra["changes"]] == ["2026-11-27"]

    @pytest.mark.parametrize("version", ["2026-13-01", "26-11-25", "2026-11-25.0", "2026-11-25.x", "mới"])
    def test_a_version_is_a_date_with_or_without_a_number(self, version: str) -> None:
        with pytest.raises(InvalidInput):
            check_version(version, CALENDAR.version)

    @pytest.mark.parametrize("version", ["2026-10-02", "2026-10-01.9", "2025-12-31"])
    def test_a_version_follows_the_one_in_force(self, version: str) -> None:
        with pytest.raises(InvalidInput, match="phải sau 2026-10-02"):
            check_version(version, "2026-10-02")

    def test_the_n_th_version_of_a_day_follows_as_a_number(self) -> None:
        today = date(2026, 11, 24)
        assert free_version("2026-10-02", today, set[str]().__contains__) == "2026-11-24"
        assert free_version("2026-10-02", today, {"2026-11-24"}.__contains__) == "2026-11-24.2"
        assert free_version("2026-11-24.9", today, set[str]().__contains__) == "2026-11-24.10"
        assert free_version("2026-12-31", today, set[str]().__contains__) == "2026-12-31.2"


class TestChanges:
    def test_each_day_that_differs_is_named_with_what_it_was_and_is(self) -> None:
        after = calendar_with(day("2026-11-27"), day("2026-11-28", "makeup"), without=("2026-11-24",))
        assert [(c.day and c.day.day, c.vi) for c in changes(BASE, after.data)] == [
            (24, "không còn nghỉ (Ngày Văn hóa Việt Nam)"),
            (27, "thành nghỉ (Nghỉ đột xuất)"),
            (28, "thành làm bù (Nghỉ đột xuất)"),
        ]

    def test_a_year_that_is_decided_is_named(self) -> None:
        after = calendar_with(year=2027, provisional=False)
        assert [c.vi for c in changes(BASE, after.data)] == ["Năm 2027 đã có quyết định chính thức."]

    def test_the_same_day_by_another_document_is_a_change(self) -> None:
        row = BASE.years[2].days[-1]
        again = day("2026-11-24", vi=row.vi).model_copy(update={"en": row.en})
        after = calendar_with(again, without=("2026-11-24",))
        assert [c.vi for c in changes(BASE, after.data)] == ["đổi văn bản quyết định"]
