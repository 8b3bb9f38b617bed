"""Lịch đang dùng: a service counts by the newest applied calendar, and explains by every older one."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from shared.calendar import CALENDAR, VIETNAM
from shared.calendars import ADOPTED, AdoptedCalendar, Calendars, adopt
from shared.contracts.base import Recorded
from shared.contracts.calendars import data_of, order_of, years_of
from shared.contracts.notifier import CalendarApplied, CalendarDay, CalendarYear
from shared.desk import Desk
from shared.mongo import MongoJournal
from shared.projections import Projector
from shared.testing import MemoryJournal, MemoryVault

NEWER = "2026-11-30"
DOCUMENT = "Công văn 1/VPCP-KGVX ngày 30/11/2026"
THURSDAY = date(2026, 12, 24)


def applied(version: str = NEWER, day: date = THURSDAY) -> CalendarApplied:
    """The packed calendar with one more day off."""
    off = CalendarDay(date=day, kind="holiday", vi="nghỉ đột xuất", en="day off", by="x")
    years = tuple(
        CalendarYear(year=y.year, provisional=y.provisional, days=(*y.days, off)) if y.year == day.year else y
        for y in years_of(CALENDAR.data)
    )
    documents = {**CALENDAR.data.documents, "x": DOCUMENT}
    return CalendarApplied(
        calendar=version, base=CALENDAR.version, document=DOCUMENT, documents=documents, years=years
    )


def told(event: CalendarApplied) -> Recorded[CalendarApplied]:
    at = datetime(2026, 11, 30, 3, tzinfo=UTC)
    return Recorded(event, f"calendar-{event.calendar}", 2, 0, at, "u-keeper", "c-1", "notifier")


def desk(journal: Any) -> Desk[None]:
    kinds = {AdoptedCalendar.KIND: AdoptedCalendar}
    return Desk(journal, MemoryVault(), CALENDAR, None, kinds, "qa", once="e-1", causation="e-1")


def test_without_any_other_the_packed_calendar_counts() -> None:
    assert Calendars().current is CALENDAR
    assert Calendars().of(CALENDAR.version) is CALENDAR
    assert Calendars().versions == [CALENDAR.version]


def test_the_newest_version_counts_whatever_the_order_in_which_they_are_heard_of() -> None:
    one, other = (applied(version) for version in (NEWER, f"{NEWER}.2"))
    for order in ((one, other), (other, one)):
        calendars = Calendars()
        for event in order:
            calendars.take(data_of(event.calendar, event.documents, event.years))
        assert calendars.current.version == f"{NEWER}.2"
        assert calendars.versions == [CALENDAR.version, NEWER, f"{NEWER}.2"]


def test_the_tenth_version_of_a_date_follows_the_ninth() -> None:
    names = ["2026-12-01", "2026-11-30.10", "2026-11-30", "2026-11-30.9"]
    assert sorted(names, key=order_of) == ["2026-11-30", "2026-11-30.9", "2026-11-30.10", "2026-12-01"]


def test_a_term_is_explained_by_the_version_that_counted_it_after_newer_ones_came() -> None:
    calendars, event = Calendars(), applied()
    start = datetime(2026, 12, 23, 9, tzinfo=VIETNAM)
    before = calendars.current.due(start, 1)
    calendars.take(data_of(event.calendar, event.documents, event.years))
    after = calendars.current.due(start, 1)
    assert (before.last_day, after.last_day) == (THURSDAY, date(2026, 12, 25))
    then = calendars.of(before.calendar_version)
    assert then is not None
    assert then.explain(before).sentence_vi.startswith("Hạn: hết thứ Năm, 24/12/2026")
    now = calendars.of(after.calendar_version)
    assert now is not None
    assert now.explain(after).days[0].document == DOCUMENT


def test_a_version_that_nobody_knows_explains_nothing() -> None:
    assert Calendars().of("2031-01-01") is None
    assert Calendars().of("../secrets") is None


def test_an_event_carries_a_calendar_whole() -> None:
    assert data_of(CALENDAR.version, CALENDAR.data.documents, years_of(CALENDAR.data)) == CALENDAR.data


async def test_an_applied_calendar_is_put_on_the_services_own_record_once() -> None:
    journal = MemoryJournal()
    await adopt(told(applied()), desk(journal))
    await adopt(told(applied()), desk(journal))
    (commit,) = journal.commits
    assert (commit.stream, [e.name for e in commit.events]) == (
        f"calendar-{NEWER}",
        ["operations.calendar.adopted"],
    )


async def test_a_calendar_that_contradicts_itself_is_refused_before_anybody_counts_by_it() -> None:
    twice = CalendarDay(date=date(2026, 1, 1), kind="holiday", vi="-", en="-", by="blld-112")
    event = applied()
    event = event.model_copy(
        update={"years": (*event.years[:-1], event.years[-1].model_copy(update={"days": (twice, twice)}))}
    )
    journal = MemoryJournal()
    with pytest.raises(ValidationError, match="given twice"):
        await adopt(told(event), desk(journal))
    assert journal.commits == []


async def test_every_replica_counts_by_a_version_as_soon_as_its_list_shows_it(database: Any) -> None:
    replicas = [Calendars(database), Calendars(database)]
    for replica in replicas:
        await replica.refresh()
        assert replica.current is CALENDAR
    journal = MongoJournal(database)
    await adopt(told(applied()), desk(journal))
    commits = await journal.read(f"calendar-{NEWER}")
    await Projector(database, [ADOPTED], "qa", MemoryVault(), lambda _: None).project(commits)
    for replica in replicas:
        await replica.refresh()
        assert replica.current.version == NEWER
        assert not replica.current.is_working_day(THURSDAY)


async def test_a_draft_counts_for_nobody_and_an_unreadable_row_holds_up_no_other(database: Any) -> None:
    row = applied().model_dump(mode="json", exclude={"calendar"})
    at = datetime(2026, 11, 30, tzinfo=UTC)
    await database.calendars.insert_many([
        {"_id": "2026-12-02", **row, "applied_at": None},
        {"_id": "2026-12-01", **row},
        {"_id": "2026-11-29", **row, "years": [], "applied_at": at},
        {"_id": NEWER, **row, "applied_at": at},
    ])  # fmt: skip
    calendars = Calendars(database)
    await calendars.refresh()
    assert calendars.current.version == NEWER
