"""The stages of deadlines whose time has come: each is one commit, whose once key is (deadline, stage)."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from services.notifier import domain
from services.notifier.domain import Deadline
from services.notifier.handlers.clocks import Register
from services.notifier.queries.sweeps import DueDeadline
from services.notifier.regulation_stages import plan_of, schedule
from shared.calendar import CalendarYearMissing
from shared.errors import IllegalTransition
from shared.journal import AlreadyDone, Commit, Stored, VersionConflict

TURN: Final = 50  # rows between two turns for what else this process does
LOST_RACE = (AlreadyDone, VersionConflict, IllegalTransition)


class Fired(NamedTuple):
    """``stages``: how many. ``written``: deadlines, and the version that their streams have now. ``later``:
    what had nothing to fire, the version that was looked at, and when to look again."""

    stages: int
    written: dict[UUID, int]
    later: list[tuple[UUID, int, datetime | None]]


async def fire_deadline(id: UUID, desk: Register) -> int:
    """Every stage of this deadline whose time has come, by its journal; how many fired."""
    fired, hours = 0, desk.policy.hours
    in_hours = hours.open(desk.now, desk.calendar)
    while True:
        deadline = await desk.load(Deadline, id)
        if deadline.clock is None:
            return fired
        plan = schedule(deadline.clock, desk.calendar, hours)
        decision, key = domain.fire(deadline, plan, at=desk.now, in_hours=in_hours)
        if not key:
            return fired
        await desk.append(decision, key=key)
        fired += 1


async def fire_shown(rows: Sequence[DueDeadline], desk: Register) -> Fired:
    """The same for many, as the read model shows them, without reading their streams: where one has moved on
    since, its commit collides and its journal decides. A list says when to look; the record says what is."""
    fired = Fired(0, {}, [])
    in_hours, count, doubtful = desk.policy.hours.open(desk.now, desk.calendar), 0, []
    while rows:
        ready = []
        for number, row in enumerate(rows):
            if not number % TURN:
                await asyncio.sleep(0)
            if not row.head.hash:
                doubtful.append(row.armed.id)
                continue
            plan = plan_of(row.term, desk.calendar, desk.policy.hours)
            firing = domain.next_firing(row.armed, plan, at=desk.now, in_hours=in_hours)
            if firing:
                ready.append((row, firing, _commit(row, firing, desk)))
            elif row.armed.id not in fired.written:
                look = _next_look(domain.next_look(row.armed, plan), desk)
                fired.later.append((row.armed.id, row.head.version, look))
        outcomes = await desk.journal.append_all([commit for _, _, commit in ready])
        rows = []
        for (row, firing, commit), outcome in zip(ready, outcomes, strict=True):
            if outcome is None:
                count += 1
                fired.written[row.armed.id] = commit.version
                if firing.next_at is not None and firing.next_at <= desk.now:
                    rows.append(row._replace(armed=domain.told(row.armed, firing.events), head=commit.head))
            elif isinstance(outcome, VersionConflict):
                doubtful.append(row.armed.id)
            elif not isinstance(outcome, AlreadyDone):
                raise outcome
    count += sum(await asyncio.gather(*(_by_its_journal(id, desk) for id in doubtful)))
    return fired._replace(stages=count)


def _commit(row: DueDeadline, firing: domain.Firing, desk: Register) -> Commit:
    return Commit(
        key=firing.key, stream=Deadline.stream_of(row.armed.id), version=0,
        events=tuple([Stored.of(event) for event in firing.events]), at=desk.now, by=desk.by.subject,
        correlation=row.correlation or desk.correlation, causation="",
    ).sealed(row.head)  # fmt: skip


def _next_look(planned: datetime | None, desk: Register) -> datetime | None:
    """What has come but may not be told at this hour is looked at when working hours begin."""
    if planned is None or planned > desk.now:
        return planned
    try:
        return desk.policy.hours.next_open(desk.now, desk.calendar)
    except CalendarYearMissing:
        return None


async def _by_its_journal(id: UUID, desk: Register) -> int:
    try:
        return await fire_deadline(id, desk.at(desk.now))
    except LOST_RACE:
        return 0
