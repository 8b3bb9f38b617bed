"""A calendar that moves no due date still changes the days on which a stage may be told: none fires on a day
that became a day off, and what a worked Saturday brings forward fires on that Saturday."""

from datetime import datetime
from uuid import UUID

import pytest

from services.notifier import handlers, queries
from services.notifier.domain import Deadline, deadline_id, open_deadline
from services.notifier.domain.calendar_rows import Rows
from services.notifier.jobs import Mover, moving
from services.notifier.regulation import Policy
from shared.contracts.base import Clock
from shared.contracts.clocks import clock_for
from shared.contracts.notifier import CalendarDay, DeadlineEscalated, DeadlineMoved, DeadlineWarned
from shared.service import Service
from shared.testing import local
from tests.notifier.calendars import DOCUMENTS, calendar_with, day, year_with
from tests.notifier.test_calendar_job import applied, finished, register, told

__all__ = ["register"]  # fixture


def clock(service: Service[Policy], start: str, days: int) -> Clock:
    calendar = service.edge.calendar
    return clock_for(
        calendar.due(local(start), days), calendar, duty="unit_reply", basis="dieu-11#hoi-dap-2",
        owner_unit="bhxh-ha-noi", reason="ngày chuyển câu hỏi đến đơn vị",
    )  # fmt: skip


async def begun(service: Service[Policy], clock: Clock, subject: str) -> UUID:
    await service.edge.desk().append(open_deadline(None, subject, clock, source="qa"))
    id = deadline_id(subject, clock.name)
    await service.edge.caught_up("deadlines", id, 1)
    return id


async def fire(service: Service[Policy], id: UUID, at: datetime) -> int:
    """What a sweep at that moment does; how many stages fired."""
    desk = service.edge.desk(now=at)
    fired = await handlers.fire_shown(await queries.due_deadlines(service.database, at, 10), desk)
    if fired.later:
        await queries.rearm(service.database, fired.later)
    await service.edge.caught_up("deadlines", id, fired.written.get(id, 0))
    return fired.stages


async def applying(service: Service[Policy], row: CalendarDay) -> None:
    base = service.edge.calendar.data
    await applied(service, Rows((year_with(row, year=2031, base=base),), DOCUMENTS))
    await finished(service)


async def next_at(service: Service[Policy], id: UUID) -> datetime:
    planned: datetime = (await queries.deadline(service.database, id))["next_at"]
    return planned


async def test_what_is_carried_up_waits_when_its_day_became_a_day_off(register: Service[Policy]) -> None:
    id = await begun(register, clock(register, "2031-03-03T09:00", 3), "question-off")
    assert await fire(register, id, local("2031-03-07T00:00")) == 1  # breached as Thursday ended
    assert await next_at(register, id) == local("2031-03-07T08:00")
    await applying(register, day("2031-03-07"))
    assert await fire(register, id, local("2031-03-07T08:00")) == 0
    assert await fire(register, id, local("2031-03-10T08:00")) == 1
    last = (await told(register, id))[-1]
    assert isinstance(last, DeadlineEscalated) and last.planned_at == local("2031-03-10T08:00")


async def test_what_is_carried_up_comes_on_the_saturday_that_became_a_working_day(
    register: Service[Policy],
) -> None:
    id = await begun(register, clock(register, "2031-03-04T09:00", 3), "question-worked")
    assert await fire(register, id, local("2031-03-08T00:00")) == 1  # breached as Friday ended
    assert await next_at(register, id) == local("2031-03-10T08:00")
    await applying(register, day("2031-03-08", "makeup"))
    assert not any(isinstance(event, DeadlineMoved) for event in await told(register, id))
    assert await next_at(register, id) == local("2031-03-08T08:00")
    assert await fire(register, id, local("2031-03-08T08:00")) == 1
    last = (await told(register, id))[-1]
    assert isinstance(last, DeadlineEscalated) and last.planned_at == local("2031-03-08T08:00")


async def test_a_reminder_two_working_days_ahead_of_a_promised_day_comes_earlier_by_the_day_off(
    register: Service[Policy],
) -> None:
    promised = clock(register, "2031-02-26T09:00", 7).model_copy(
        update={"duty": "promised_reply", "working_days": None}
    )
    id = await begun(register, promised, "question-promised")
    await queries.rearm(register.database, [(id, 1, local("2031-03-05T08:00"))])  # Wednesday, so far
    await applying(register, day("2031-03-06"))
    assert not any(isinstance(event, DeadlineMoved) for event in await told(register, id))
    assert await fire(register, id, local("2031-03-04T08:00")) == 1
    last = (await told(register, id))[-1]
    assert isinstance(last, DeadlineWarned) and last.planned_at == local("2031-03-04T08:00")


async def test_what_the_change_does_not_bring_forward_is_left_as_it_was(register: Service[Policy]) -> None:
    id = await begun(register, clock(register, "2031-03-03T09:00", 3), "question-calm")
    planned = await next_at(register, id)
    await applying(register, day("2031-03-15", "makeup"))
    assert await next_at(register, id) == planned
    deadline = await register.edge.desk().load(Deadline, id)
    assert deadline.moved == ""


async def test_a_calendar_that_a_build_brings_along_brings_stages_forward_once(
    register: Service[Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    id = await begun(register, clock(register, "2031-03-04T09:00", 3), "question-packed")
    assert await fire(register, id, local("2031-03-08T00:00")) == 1  # breached as Friday ended
    base = register.edge.calendar.data
    newer = calendar_with(day("2031-03-08", "makeup"), year=2031, base=base, version="2031-03-01")
    register.edge.calendars.take(newer.data)  # no row, no document number: it came with the build
    monkeypatch.setattr(moving, "AGAIN", 0.0)
    await Mover(register.edge, "r-new").run()
    assert await next_at(register, id) == local("2031-03-08T08:00")
    await queries.rearm(register.database, [(id, 2, local("2031-03-10T08:00"))])
    assert await Mover(register.edge, "r-new").run() == 0
    assert await next_at(register, id) == local("2031-03-10T08:00")
