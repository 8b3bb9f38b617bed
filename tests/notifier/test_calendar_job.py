"""Open deadlines follow an applied calendar, on real MongoDB: each once, resumed after a kill, and none that
comes late is forgotten."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.notifier import app, queries
from services.notifier.app import build
from services.notifier.domain import Deadline
from services.notifier.domain.calendar_rows import Rows
from services.notifier.domain.deadline_moves import Foresight
from services.notifier.handlers.calendars import (
    ApplyCalendar,
    DraftCalendar,
    apply_calendar,
    draft_calendar,
)
from services.notifier.jobs import Mover, moving
from services.notifier.queries import calendars as lists
from services.notifier.regulation import Policy
from services.notifier.settings import NotifierSettings
from services.notifier.views.calendar_preview import preview
from shared.calendar import WorkingCalendar, last_day
from shared.clocks_agree import Clocks, own_clock
from shared.contracts.base import Event
from shared.contracts.clocks import clock_for, counted_receipt
from shared.contracts.notifier import (
    CalendarMovesFinished,
    DeadlineBreached,
    DeadlineMoved,
    DeadlineOpened,
    DeadlineRescinded,
)
from shared.desk import utc_now
from shared.mongo import Lease
from shared.mongo import prepare as prepare_core
from shared.service import Service
from shared.settings import Role
from shared.testing import local
from tests.edges import dropped, projecting
from tests.notifier.calendars import DECISION, DOCUMENTS, KEEPER, day, year_with

OFF = "2031-03-05"  # a Wednesday, far ahead: whenever these tests run, the terms are open


@pytest.fixture
async def register(mongo_uri: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service[Policy]]:
    """A register of its own whose calendar reaches until 2031, with lists that follow its journal."""
    monkeypatch.setattr(moving, "GRACE", timedelta(0))
    settings = NotifierSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri, log_format="console",
        mongo_database=f"moving-{uuid4().hex[:8]}",
    )  # fmt: skip
    service = build(settings)
    await prepare_core(service.database)
    await queries.prepare(service.database)
    async with projecting(service, queries.projections(service.policy)):
        years = [year_with(year=n).model_copy(update={"provisional": False}) for n in range(2028, 2032)]
        await applied(service, Rows((*years,), DOCUMENTS))
        await finished(service)
        yield service
    service.database.client.close()
    await dropped(service, mongo_uri)


async def applied(service: Service[Policy], rows: Rows) -> str:
    edge = service.edge
    known = edge.calendars.of
    drafted = edge.desk(KEEPER, once=uuid4().hex)
    draft = await drafted.run(draft_calendar, DraftCalendar(edge.calendar.version, rows, known))
    desk = edge.desk(KEEPER, once=uuid4().hex)
    calendar = await desk.run(apply_calendar, ApplyCalendar(draft.id, DECISION, known))
    await edge.caught_up("calendars", calendar.id, desk.version(calendar))
    await edge.calendars.refresh()
    return calendar.id


async def with_off(service: Service[Policy]) -> str:
    base = service.edge.calendar.data
    return await applied(service, Rows((year_with(day(OFF), year=2031, base=base),), DOCUMENTS))


async def finished(service: Service[Policy], mover: Mover | None = None) -> None:
    """Until the work is over, and said to be."""
    mover = mover or Mover(service.edge, "r-end")
    for _ in range(200):
        await mover.run()
        if not await lists.unfinished_calendars(service.database):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the moves never end")


async def received(service: Service[Policy], at: str) -> UUID:
    """A duty of the very day of receipt, which on a day off is the next working day."""
    calendar, id = service.edge.calendar, uuid4()
    clock = clock_for(
        calendar.same_day(counted_receipt(local(at), calendar)), calendar, duty="same_day_notice",
        basis="dieu-11#hoi-dap-1", owner_unit="tt-cskh", reason="ngày tiếp nhận câu hỏi",
        received_at=local(at),
    )  # fmt: skip
    opening = DeadlineOpened(deadline_id=id, subject=f"question-{id}", source="qa", clock=clock)
    await written(service, Deadline.starts_with(opening))
    return id


async def opened(
    service: Service[Policy], count: int, *, start: str = "2031-03-03T09:00", days: int = 3,
    calendar: WorkingCalendar | None = None, version: str = "", unit: str = "bhxh-ha-noi",
) -> list[UUID]:  # fmt: skip
    """Deadlines that end on Thursday 6 March 2031, as the calendar has it so far."""
    counted = calendar or service.edge.calendar
    clock = clock_for(counted.due(local(start), days), counted, duty="unit_reply", basis="dieu-11#hoi-dap-2",
                      owner_unit=unit, reason="ngày chuyển câu hỏi đến đơn vị")  # fmt: skip
    if version:
        clock = clock.model_copy(update={"calendar_version": version})
    ids = [uuid4() for _ in range(count)]
    await asyncio.gather(*(written(service, Deadline.starts_with(DeadlineOpened(
        deadline_id=id, subject=f"question-{id}", source="qa", clock=clock))) for id in ids))  # fmt: skip
    for id in ids:
        await service.edge.caught_up("deadlines", id, 1)
    return ids


async def written(service: Service[Policy], decision: Any) -> None:
    await service.edge.desk().append(decision)


async def told(service: Service[Policy], id: UUID) -> list[Event]:
    commits = await service.edge.journal.read(Deadline.stream_of(id))
    return [recorded.event for commit in commits for recorded in commit.recorded("notifier")]


async def moves(service: Service[Policy], ids: list[UUID]) -> list[int]:
    return [sum(isinstance(e, DeadlineMoved) for e in await told(service, id)) for id in ids]


async def test_every_touched_deadline_moves_once_and_the_others_stay(register: Service[Policy]) -> None:
    touched = await opened(register, 30)
    other = await opened(register, 5, start="2031-03-10T09:00")
    version = await with_off(register)
    await finished(register)
    assert await moves(register, touched) == [1] * 30
    assert await moves(register, other) == [0] * 5
    row = await lists.calendar_version(register.database, version)
    # The five run beyond the changed day, so they are looked at; they began after it, so they stay.
    assert (row["examined"], row["moved"], row["rescinded"]) == (35, 30, 0)
    moved = (await told(register, touched[0]))[-1]
    assert isinstance(moved, DeadlineMoved)
    assert (moved.from_due_at, moved.clock.due_at) == (local("2031-03-07T00:00"), local("2031-03-08T00:00"))
    assert moved.document == DECISION


async def test_the_preview_says_beforehand_what_the_moves_come_to(register: Service[Policy]) -> None:
    await opened(register, 12, unit="bhxh-ha-noi")
    await opened(register, 4, unit="bhxh-hue", start="2031-03-04T09:00")
    edge = register.edge
    rows = Rows((year_with(day(OFF), year=2031, base=edge.calendar.data),), DOCUMENTS)
    draft = await edge.desk(KEEPER, once=uuid4().hex).run(
        draft_calendar, DraftCalendar(edge.calendar.version, rows, edge.calendars.of)
    )
    seen = await preview(register.database, Foresight(WorkingCalendar(draft.data()), edge.calendars.of),
                         utc_now(), units={}, limit=10)  # fmt: skip
    assert seen.totals is not None
    assert [(u.unit, u.moved, u.later) for u in seen.totals.units] == [
        ("bhxh-ha-noi", 12, 12), ("bhxh-hue", 4, 4),
    ]  # fmt: skip
    assert seen.last is not None
    place = [seen.last["due_at"], seen.last["_id"]]
    rest = await preview(register.database, Foresight(WorkingCalendar(draft.data()), edge.calendars.of),
                         utc_now(), units={}, after=place, limit=10)  # fmt: skip
    assert rest.totals is None
    assert len({item.id for item in (*seen.items, *rest.items)}) == 16
    await with_off(register)
    await finished(register)
    shown = [await queries.deadline(register.database, UUID(i.id)) for i in (*seen.items, *rest.items)]
    assert [d["due_at"] for d in shown] == [i.to_due_at for i in (*seen.items, *rest.items)]


async def test_a_job_that_is_killed_half_way_is_taken_up_and_nothing_moves_twice(
    register: Service[Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "AT_ONCE", 5)
    ids = await opened(register, 60)
    version = await with_off(register)
    killed = asyncio.create_task(Mover(register.edge, "r-dies", page=5).run())
    while (await lists.count_moved(register.database, version))[0] < 10:
        await asyncio.sleep(0.005)
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    half = sum(await moves(register, ids))
    assert 10 <= half < 60
    await finished(register, Mover(register.edge, "r-lives"))
    assert await moves(register, ids) == [1] * 60
    row = await lists.calendar_version(register.database, version)
    assert (row["examined"], row["moved"]) == (60, 60)


async def test_nothing_moves_while_nobody_knows_what_time_it_is(
    register: Service[Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clock that runs ahead would withdraw what stands: the breach of a term that has not ended yet."""
    ids = await opened(register, 3)
    await with_off(register)
    ahead = partial(Clocks, wall=lambda: own_clock() + timedelta(days=1))
    monkeypatch.setattr(app, "Clocks", ahead)
    (held,) = [job for job in register.jobs(register) if job.name == "move_deadlines"]
    assert await held.run() == 0
    assert await moves(register, ids) == [0] * 3
    monkeypatch.setattr(app, "Clocks", Clocks)
    (job,) = [job for job in register.jobs(register) if job.name == "move_deadlines"]
    assert await job.run() == 3
    assert await moves(register, ids) == [1] * 3


async def test_a_dead_replicas_lease_holds_nobody_up_for_long(
    register: Service[Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await opened(register, 3)
    await with_off(register)
    dead = Lease(register.database, "moving", "r-dead", ttl=timedelta(seconds=1))
    assert await dead.acquire()
    assert await Mover(register.edge, "r-lives").run() == 0
    await asyncio.sleep(1.1)
    await finished(register, Mover(register.edge, "r-lives"))
    assert await moves(register, ids) == [1] * 3
    assert timedelta(seconds=30) >= moving.TTL


async def test_several_that_move_the_same_deadlines_at_once_move_each_once(register: Service[Policy]) -> None:
    ids = await opened(register, 40)
    await with_off(register)
    edge = register.edge
    target = edge.calendar
    works = [moving._Work(edge, target, Foresight(target, edge.calendars.of), DECISION, None) for _ in "abc"]
    found = await lists.open_deadlines(register.database, {edge.calendars.versions[-2]: None})
    await asyncio.gather(*(work.move(found) for work in works))
    assert await moves(register, ids) == [1] * 40


async def test_a_stream_that_has_gone_on_since_the_list_showed_it_is_read(register: Service[Policy]) -> None:
    (id,) = await opened(register, 1)
    seen = await queries.deadline(register.database, id)
    await with_off(register)
    await breached(register, id)
    edge, target = register.edge, register.edge.calendar
    work = moving._Work(edge, target, Foresight(target, edge.calendars.of), DECISION, None)
    assert await work.move([seen]) == 1
    kinds = [type(event) for event in await told(register, id)]
    assert kinds == [DeadlineOpened, DeadlineBreached, DeadlineRescinded, DeadlineMoved]


async def breached(service: Service[Policy], id: UUID) -> None:
    desk = service.edge.desk()
    deadline = await desk.load(Deadline, id)
    assert deadline.clock is not None
    fired = DeadlineBreached(deadline_id=id, subject=deadline.subject, duty="unit_reply",
                             due_at=deadline.clock.due_at)  # fmt: skip
    await desk.append(deadline.then(fired))
    await service.edge.caught_up("deadlines", id, 2)


async def test_a_breach_that_was_told_of_is_withdrawn_and_counted(register: Service[Policy]) -> None:
    (id,) = await opened(register, 1)
    await breached(register, id)
    version = await with_off(register)
    await finished(register)
    kinds = [type(event) for event in await told(register, id)]
    assert kinds == [DeadlineOpened, DeadlineBreached, DeadlineRescinded, DeadlineMoved]
    commits = await register.edge.journal.read(Deadline.stream_of(id))
    assert len(commits) == 3  # withdrawal and move are one record
    row = await lists.calendar_version(register.database, version)
    assert (row["moved"], row["rescinded"]) == (1, 1)
    shown = await queries.deadline(register.database, id)
    assert queries.state_of(shown, utc_now()) != "breached"


async def test_what_a_service_opens_later_by_the_older_calendar_is_moved_too(
    register: Service[Policy],
) -> None:
    older = register.edge.calendar
    await with_off(register)
    await finished(register)
    (late,) = await opened(register, 1, calendar=older)
    assert await Mover(register.edge, "r-next").run() == 1
    assert await moves(register, [late]) == [1]


async def test_a_deadline_of_a_newer_calendar_is_never_moved_back(register: Service[Policy]) -> None:
    ids = await opened(register, 2, version="2099-01-01")
    await with_off(register)
    await finished(register)
    assert await moves(register, ids) == [0, 0]


async def test_a_calendar_that_is_overtaken_while_it_moves_is_finished_too(register: Service[Policy]) -> None:
    ids = await opened(register, 6)
    first = await with_off(register)
    base = register.edge.calendar.data
    off_too = year_with(day("2031-03-06"), year=2031, base=base)
    second = await applied(register, Rows((off_too,), DOCUMENTS))
    await finished(register)
    assert await moves(register, ids) == [1] * 6  # at once to the newest
    for version, moved in ((first, 0), (second, 6)):
        assert (await lists.calendar_version(register.database, version))["moved"] == moved
    last = (await told(register, ids[0]))[-1]
    assert isinstance(last, DeadlineMoved)
    assert last.clock.due_at == local("2031-03-11T00:00")


async def test_the_end_is_said_once_however_often_it_is_looked(register: Service[Policy]) -> None:
    await opened(register, 2)
    version = await with_off(register)
    await finished(register)
    for _ in range(3):
        await Mover(register.edge, "r-again").run()
    commits = await register.edge.journal.read(f"calendar-{version}")
    events = [r.event for commit in commits for r in commit.recorded("notifier")]
    assert sum(isinstance(event, CalendarMovesFinished) for event in events) == 1


async def test_a_change_examines_only_what_its_days_can_touch(register: Service[Policy]) -> None:
    await opened(register, 50, start="2031-02-03T09:00")  # they end long before
    await opened(register, 3)
    await with_off(register)
    foresight = Foresight(register.edge.calendar, register.edge.calendars.of)
    older = register.edge.calendars.versions[-2]
    which = lists._reaching({older: foresight.change(older).earliest()})
    explained = await register.database.command(
        "explain", {"find": "deadlines", "filter": which, "sort": {"due_at": 1, "_id": 1}},
        verbosity="executionStats",
    )  # fmt: skip
    assert explained["executionStats"]["totalDocsExamined"] == 3


async def test_a_receipt_on_a_saturday_that_is_worked_is_due_that_saturday_and_back_again(
    register: Service[Policy],
) -> None:
    id = await received(register, "2031-03-08T10:00")
    seen: list[str] = []
    for days, without in (((day("2031-03-08", "makeup"),), ()), ((), ("2031-03-08",))):
        base = register.edge.calendar.data
        years = (year_with(*days, year=2031, base=base, without=without),)
        await applied(register, Rows(years, DOCUMENTS))
        await finished(register)
        deadline = await register.edge.desk().load(Deadline, id)
        assert deadline.clock is not None
        assert deadline.clock.received_at == local("2031-03-08T10:00")
        seen.append(last_day(deadline.clock.due_at).isoformat())
    assert seen == ["2031-03-08", "2031-03-10"]
