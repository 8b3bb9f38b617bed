"""Stages fire once, in time, fairly between units, and go on when a replica dies: on a real database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.notifier import handlers, jobs, queries
from services.notifier.domain import Deadline
from services.notifier.jobs import firing
from services.notifier.regulation_stages import Hours, schedule
from shared.contracts.base import Event
from shared.contracts.notifier import (
    DeadlineBreached,
    DeadlineEscalated,
    DeadlineMet,
    DeadlineMoved,
    DeadlineReminderDropped,
    DeadlineWarned,
)
from shared.desk import utc_now
from shared.journal import Commit, Head, Stored
from tests.notifier.sweeping import HOUR, Swept, due_clock, sweeping


@pytest.fixture
async def register(mongo_uri: str) -> AsyncIterator[Swept]:
    async with sweeping(mongo_uri) as register:
        yield register


def just_now() -> datetime:
    return utc_now() - timedelta(seconds=2)


async def test_what_is_due_fires_once_however_many_sweep_and_whatever_lists_show(
    register: Swept,
) -> None:
    ids = await register.open(40, due_at=just_now())
    sweepers = [register.sweeper() for _ in range(3)]
    for _ in range(3):
        await asyncio.gather(*(sweeper.run() for sweeper in sweepers))
    breached = await register.events(DeadlineBreached)
    assert sorted(event.deadline_id for event in breached) == sorted(ids)
    await register.show()
    assert (await register.row(ids[0]))["breached"] is True
    assert await register.sweeper().run() == 0


async def test_the_once_key_is_the_deadline_and_its_stage(register: Swept) -> None:
    (id,) = await register.open(due_at=just_now())
    await register.sweeper().run()
    assert await register.database.journal.find_one({"_id": f"{id}#breached"})


async def test_a_firing_is_linked_to_what_its_stream_held_and_to_the_trace_that_opened_it(
    register: Swept,
) -> None:
    (id,) = await register.open(due_at=just_now())
    await register.sweeper().run()
    opened, breached = await register.service.edge.journal.read(Deadline.stream_of(id))
    assert (breached.previous, breached.version) == (opened.hash, 2)
    assert breached.correlation == opened.correlation


async def test_what_was_done_since_the_list_was_drawn_does_not_fire(register: Swept) -> None:
    """The list still says that it is owed; the record says otherwise, and the record decides."""
    (id,) = await register.open(due_at=just_now())
    row = await register.row(id)
    met = DeadlineMet(deadline_id=id, subject=row["subject"], duty="triage", met_at=row["due_at"], late=False,
                      cause="x")  # fmt: skip
    await register.service.edge.journal.append(Commit(
        key=uuid4().hex, stream=Deadline.stream_of(id), version=0, events=(Stored.of(met),), at=utc_now(),
        by="system", correlation="c", causation="",
    ).sealed(Head(row["version"], row["head"])))  # fmt: skip
    assert await register.sweeper().run() == 0
    assert await register.events(DeadlineBreached) == []


async def test_after_an_outage_nothing_statutory_is_skipped_and_each_bears_its_true_time(
    register: Swept,
) -> None:
    due_at = utc_now().replace(hour=17, minute=0, second=0, microsecond=0) - timedelta(days=30)  # 24:00
    (id,) = await register.open(due_at=due_at, warn_at=due_at - timedelta(days=3))
    for _ in range(4):
        await register.sweeper().run()
        await register.show()
    (breached,) = await register.events(DeadlineBreached)
    assert breached.due_at == due_at
    dropped = await register.events(DeadlineReminderDropped)
    assert [event.stage for event in dropped] == ["warned", "last_morning"]
    assert await register.events(DeadlineWarned) == []
    if Hours().open(utc_now(), register.service.calendars.current):
        assert [event.level for event in await register.events(DeadlineEscalated)] == [
            "unit_head", "leadership",
        ]  # fmt: skip
    assert (await register.row(id))["born_overdue"] is True


async def test_what_may_be_told_in_working_hours_only_is_not_looked_at_until_they_begin(
    register: Swept, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register.open(due_at=utc_now() - timedelta(days=30))
    calendar, hours = register.service.calendars.current, Hours()
    night = hours.next_open(utc_now(), calendar) + timedelta(hours=14)
    monkeypatch.setattr(firing, "utc_now", lambda: night)
    for _ in range(3):
        await register.sweeper().run()
        await register.show()
    assert await register.events(DeadlineEscalated) == []
    assert await queries.oldest_due(register.database, night) is None
    monkeypatch.setattr(firing, "utc_now", lambda: hours.next_open(night, calendar))
    await register.sweeper().run()
    assert len(await register.events(DeadlineEscalated)) == 2


async def test_a_sweep_looks_at_what_is_due_and_at_nothing_else(register: Swept) -> None:
    await register.open(7, due_at=just_now())
    await register.open(500, due_at=utc_now() + timedelta(days=20))
    which = {"share": {"$in": list(queries.ALL_SHARES)}, "next_at": queries.due(utc_now())}
    question = {"find": "deadlines", "filter": which, "sort": {"next_at": 1}, "limit": 2000}
    told = await register.database.command({"explain": question, "verbosity": "executionStats"})
    stats = told["executionStats"]
    assert (stats["nReturned"], stats["totalDocsExamined"]) == (7, 7)
    assert stats["totalKeysExamined"] <= 7 + 2 * len(queries.ALL_SHARES)


@pytest.mark.parametrize("due_in", [240 * HOUR, -HOUR])
async def test_what_has_moved_is_looked_at_when_its_first_stage_comes_or_at_once(
    register: Swept, due_in: timedelta
) -> None:
    due_at = utc_now() + 216 * HOUR
    (id,) = await register.open(due_at=due_at)
    row = await register.row(id)
    told = {"calendar_version": "2027", "duty": "linking"}  # no reminder on its last morning
    clock = due_clock(utc_now() + due_in, "tt-cskh", **told)
    moved = DeadlineMoved(
        deadline_id=id, subject=row["subject"], source="qa", duty="linking", from_due_at=due_at,
        from_calendar=row["calendar_version"], clock=clock, document="QĐ 1",
    )  # fmt: skip
    await register.service.edge.journal.append(Commit(
        key=uuid4().hex, stream=Deadline.stream_of(id), version=0, events=(Stored.of(moved),), at=utc_now(),
        by="system", correlation="c", causation="",
    ).sealed(Head(row["version"], row["head"])))  # fmt: skip
    await register.show()
    waits = await queries.oldest_due(register.database, utc_now()) is not None
    assert waits is (due_in < timedelta())
    if not waits:
        planned = schedule(clock, register.service.calendars.current)
        assert (await register.row(id))["next_at"] == planned[0].at


class TestFairness:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(firing, "SWEEP", 40)
        monkeypatch.setattr(firing, "FEWEST", 10)

    async def test_a_unit_with_much_due_does_not_hold_up_another(
        self, register: Swept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Four hundred of one unit have waited for hours when one of another falls due."""
        await register.service.directory.load({"units": [
            {"id": "bhxh-ha-noi", "name": "Hà Nội"}, {"id": "bhxh-can-tho", "name": "Cần Thơ"},
        ]})  # fmt: skip
        await register.open(400, due_at=utc_now() - 5 * HOUR, unit="bhxh-ha-noi")
        small = await register.open(1, due_at=just_now(), unit="bhxh-can-tho")
        unknown = await register.open(1, due_at=just_now(), unit="bhxh-khong-co")
        order = await self._order_of(register, monkeypatch)
        assert len(order) == 402
        assert order.index(small[0]) < 40
        assert order.index(unknown[0]) < 40

    async def _order_of(self, register: Swept, monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
        order: list[UUID] = []
        really = handlers.fire_shown

        async def noted(rows: Any, desk: Any) -> Any:
            order.extend(row.armed.id for row in rows)
            return await really(rows, desk)

        monkeypatch.setattr(handlers, "fire_shown", noted)
        assert await register.sweeper().run() == 402
        return order

    async def test_within_a_unit_the_oldest_comes_first(
        self, register: Swept, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await register.open(201, due_at=utc_now() - HOUR, duty="linking")  # no reminder of a morning
        oldest = await register.open(201, due_at=utc_now() - 5 * HOUR, duty="linking")
        order = await self._order_of(register, monkeypatch)
        assert set(order[:201]) == set(oldest)


class TestSharing:
    async def test_the_living_divide_the_work_and_nothing_lies_between_them(self, register: Swept) -> None:
        names = ["a", "b", "c"]
        await register.beats(*names)
        sweepers = [register.sweeper(replica=name) for name in names]
        shares = [await sweeper._shares(utc_now()) for sweeper in sweepers]
        assert Counter(share for each in shares for share in each) == Counter(queries.ALL_SHARES)
        assert max(map(len, shares)) - min(map(len, shares)) <= 1
        await register.open(120, due_at=just_now())
        counts = [await sweeper.run() for sweeper in sweepers]
        assert sum(counts) == 120
        assert min(counts) > 10

    async def test_a_dead_replicas_share_is_taken_up_by_the_living(self, register: Swept) -> None:
        await register.beats("a")
        await register.beats("b", at=datetime.now(UTC) - timedelta(seconds=11))
        await register.open(60, due_at=just_now())
        assert await register.sweeper(replica="a").run() == 60

    async def test_what_a_living_replica_leaves_lying_is_fired_by_others_within_half_a_minute(
        self, register: Swept
    ) -> None:
        await register.beats("a", "b")
        await register.open(60, due_at=utc_now() - timedelta(seconds=21))
        alone = register.sweeper(replica="a")
        assert 0 < await alone.run() < 60
        await register.show()
        await alone.run()
        assert len(await register.events(DeadlineBreached)) == 60


class TestClocks:
    class Stopped:
        """The clocks disagree."""

        async def now(self) -> datetime | None:
            return None

    async def test_nothing_fires_while_nobody_knows_what_time_it_is(self, register: Swept) -> None:
        await register.open(3, due_at=just_now())
        assert await register.sweeper(clocks=self.Stopped()).run() == 0
        assert await register.events(DeadlineBreached) == []
        assert await jobs.fire_due(register.service.edge) == 3


async def test_many_stages_of_one_deadline_come_to_one_chain(register: Swept) -> None:
    (id,) = await register.open(due_at=utc_now() - timedelta(days=20))
    await asyncio.gather(*(register.sweeper().run() for _ in range(4)))
    commits = await register.service.edge.journal.read(Deadline.stream_of(id))
    assert [c.version for c in commits] == list(range(1, len(commits) + 1))
    stages = [_stage(r.event) for c in commits[1:] for r in c.recorded("notifier")]
    assert len(stages) == len(set(stages))


def _stage(event: Event) -> str:
    return str(getattr(event, "stage", "") or getattr(event, "level", "") or "breached")
