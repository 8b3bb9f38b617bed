"""What the register does with a clock that is odd or old: it is kept, and it says so."""

from dataclasses import replace

from services.notifier import handlers
from services.notifier.domain import deadline_id
from shared.contracts.notifier import DeadlineMoved
from shared.testing import local
from tests.notifier.calendars import calendar_with, day
from tests.notifier.world import RECEIVED, SUBJECT, World, received, told, triage_clock

TRIAGE = deadline_id(SUBJECT, "triage")


async def test_a_clock_of_an_older_calendar_is_moved_as_it_is_opened_and_that_is_told() -> None:
    """Its service had not heard yet that Thursday 26 November is a day off."""
    world, newest = World(), calendar_with(day("2026-11-26"), version="2026-11-25")
    event = told(received(), 1, RECEIVED)
    for _ in range(2):
        await handlers.keep_clocks(event, replace(world.desk(event.at, cause=event.id), calendar=newest))
    (moved,) = world.events("notifier.deadline.moved")
    assert isinstance(moved, DeadlineMoved)
    assert (moved.from_due_at, moved.clock.due_at) == (local("2026-12-02T00:00"), local("2026-12-03T00:00"))
    assert moved.document
    assert "26/11" in moved.clock.explanation_vi
    deadline = await world.deadline(TRIAGE)
    assert deadline.clock is not None and deadline.clock.calendar_version == "2026-11-25"


async def test_a_clock_of_the_newest_calendar_is_opened_as_it_came() -> None:
    world = World()
    await world.hears(handlers.keep_clocks, told(received(), 1, RECEIVED))
    assert world.events("notifier.deadline.moved") == []


async def test_a_duty_that_nobody_knows_and_a_unit_that_is_none_are_kept_reminded_of_and_breached() -> None:
    world = World()
    odd = triage_clock().model_copy(update={"duty": "no_such_duty", "owner_unit": "no-such-unit"})
    await world.hears(handlers.keep_clocks, told(received(opens=(odd,)), 1, RECEIVED))
    assert await handlers.fire_deadline(TRIAGE, world.desk(odd.due_at)) == 1
    (breached,) = world.events("notifier.deadline.breached")
    assert (breached.duty, breached.unit) == ("no_such_duty", "no-such-unit")  # type: ignore[attr-defined]


async def test_what_is_due_before_it_is_opened_is_breached_at_once_bearing_its_time() -> None:
    world, past = World(), triage_clock(local("2026-10-01T09:00"))
    await world.hears(handlers.keep_clocks, told(received(opens=(past,)), 1, RECEIVED))
    await handlers.fire_deadline(TRIAGE, world.desk(RECEIVED))
    (breached,) = world.events("notifier.deadline.breached")
    assert breached.due_at == past.due_at  # type: ignore[attr-defined]
