"""A replica dies by SIGKILL while it moves deadlines to another calendar: the other one finishes the moves,
each once, and fires within 30 seconds what would have been the dead one's share. Real processes."""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.kafka import REPO
from deploy.local.ports import free_ports
from deploy.local.process import Process, http_ready
from services.notifier.app import build
from services.notifier.domain import Deadline
from services.notifier.domain.calendar_rows import Rows
from services.notifier.domain.deadline_moves import Foresight
from services.notifier.handlers.calendars import DraftCalendar, draft_calendar
from services.notifier.queries import calendars as lists
from services.notifier.queries import living
from services.notifier.queries.sweeps import ALL_SHARES
from services.notifier.regulation import Policy
from services.notifier.settings import NotifierSettings
from services.notifier.views.calendar_preview import preview
from shared.calendar import WorkingCalendar
from shared.contracts.base import Clock
from shared.contracts.clocks import clock_for
from shared.contracts.notifier import DeadlineBreached, DeadlineMoved, DeadlineOpened
from shared.desk import utc_now
from shared.journal import Commit, Head, Stored
from shared.service import Service
from shared.settings import Role
from shared.testing import local
from tests.edges import dropped
from tests.notifier.calendars import DOCUMENTS, KEEPER, day, year_with
from tests.notifier.sweeping import due_clock
from tests.notifier.test_calendar_job import OFF, applied, with_off

MANY, DUE = 3000, 64
REPLICAS = ("notifier-1", "notifier-2")
ALLOWED = timedelta(seconds=30)


@pytest.fixture
async def register(mongo_uri: str) -> AsyncIterator[Service[Policy]]:
    """The desk at which the test writes; its lists follow in the replicas."""
    settings = NotifierSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri, log_format="console",
        mongo_database=f"killed-{uuid4().hex[:8]}",
    )  # fmt: skip
    service = build(settings)
    yield service
    service.database.client.close()
    await dropped(service, mongo_uri)


@pytest.fixture
async def replicas(
    register: Service[Policy], mongo_uri: str, tmp_path: Path
) -> AsyncIterator[dict[str, Process]]:
    """Two with the role bulk. Nobody tells them anything: there is no broker."""
    found = {}
    for name, port in zip(REPLICAS, free_ports(len(REPLICAS)), strict=True):
        env = {
            "PORTAL_ENVIRONMENT": "local", "PORTAL_MONGO_URI": mongo_uri, "PORTAL_ROLES": "bulk",
            "PORTAL_MONGO_DATABASE": register.database.name, "PORTAL_KAFKA_BOOTSTRAP": "127.0.0.1:1",
            "PORTAL_INSTANCE": name, "PORTAL_HTTP_PORT": str(port), "PATH": os.environ["PATH"],
        }  # fmt: skip
        found[name] = Process(
            name, (sys.executable, "-m", "services.notifier.app"), tmp_path / f"{name}.log",
            tmp_path / f"{name}.pid", http_ready(f"http://127.0.0.1:{port}/health/live"), env, REPO,
        )  # fmt: skip
    try:
        await asyncio.gather(*(asyncio.to_thread(each.start) for each in found.values()))
        yield found
    finally:
        for each in found.values():
            each.kill()


async def opened(register: Service[Policy], clocks: Sequence[Clock]) -> list[str]:
    """On record, as other services' events would have put them. Their streams."""
    streams = []
    commits = []
    for clock in clocks:
        id = uuid4()
        event = DeadlineOpened(deadline_id=id, subject=f"question-{id}", source="qa", clock=clock)
        streams.append(Deadline.stream_of(id))
        commits.append(
            Commit(uuid4().hex, streams[-1], 0, (Stored.of(event),), utc_now(), "system", "test", "").sealed(
                Head()
            )
        )
    assert set(await register.edge.journal.append_all(commits)) == {None}
    return streams


def terms(calendar: WorkingCalendar) -> list[Clock]:
    """Around the day that will be off; some are over before it, which the change does not touch."""
    draw = random.Random(1)
    starts = [local(f"2031-03-0{draw.choice((3, 4))}T09:00") for _ in range(MANY)]
    return [
        clock_for(calendar.due(start, draw.choice((1, 3, 5))), calendar, duty="unit_reply",
                  basis="dieu-11#hoi-dap-2", owner_unit=f"unit-{draw.randrange(63)}", reason="ngày chuyển")
        for start in starts
    ]  # fmt: skip


async def foreseen(register: Service[Policy]) -> int:
    """How many the preview of the change says that it moves."""
    edge, known = register.edge, register.edge.calendars.of
    rows = Rows((year_with(day(OFF), year=2031, base=edge.calendar.data),), DOCUMENTS)
    desk = edge.desk(KEEPER, once=uuid4().hex)
    draft = await desk.run(draft_calendar, DraftCalendar(edge.calendar.version, rows, known))
    seen = await preview(register.database, Foresight(WorkingCalendar(draft.data()), known), utc_now(),
                         units={})  # fmt: skip
    assert seen.totals is not None
    return seen.totals.moved


async def until(what: Any, seconds: float, every: float = 0.1) -> Any:
    over = time.monotonic() + seconds
    while not (found := await what()):
        assert time.monotonic() < over, what
        await asyncio.sleep(every)
    return found


@pytest.mark.timeout(120)
async def test_what_a_killed_replica_was_doing_is_finished_once_and_what_it_was_to_do_is_done_in_time(
    register: Service[Policy], replicas: dict[str, Process]
) -> None:
    database, journal = register.database, register.database.journal

    async def both() -> bool:
        return set(REPLICAS) <= set(await living(database, utc_now()))

    await until(both, 20)
    years = [year_with(year=n).model_copy(update={"provisional": False}) for n in range(2028, 2032)]
    await applied(register, Rows((*years,), DOCUMENTS))
    streams = await opened(register, terms(register.edge.calendar))

    async def shown() -> bool:
        return bool(await database.deadlines.count_documents({}) >= MANY)

    await until(shown, 20)
    expected = await foreseen(register)
    version = await with_off(register)

    moved = {"events.name": DeadlineMoved.name}

    async def moving() -> int:
        return int(await journal.count_documents(moved))

    await until(moving, 20, every=0.005)
    dead = (await database.leases.find_one({"_id": "moving"}))["holder"]
    shares = [n for n in ALL_SHARES if ALL_SHARES.index(n) % 2 == REPLICAS.index(dead)]
    replicas[dead].kill()
    half = await moving()
    assert 0 < half < expected

    due_at = (datetime.now(UTC) + timedelta(seconds=2)).replace(microsecond=0)
    due = await opened(register, [due_clock(due_at, "tt-cskh") for _ in range(DUE)])

    async def fired() -> bool:
        return len(await journal.distinct("stream", {"events.name": DeadlineBreached.name})) == DUE

    await until(fired, 60)
    breaches = await journal.find({"events.name": DeadlineBreached.name}).to_list(None)
    assert sorted(each["stream"] for each in breaches) == sorted(due)
    assert max(each["at"] for each in breaches) - due_at <= ALLOWED

    async def finished() -> bool:
        return not await lists.unfinished_calendars(database)

    await until(finished, 60)
    times = Counter([each["stream"] async for each in journal.find(moved, {"stream": 1})])
    assert set(times.values()) == {1}
    assert set(times) <= set(streams)
    row = await lists.calendar_version(database, version)
    assert (len(times), row["moved"]) == (expected, expected)
    theirs = {"share": {"$in": shares}, "breached_at": {"$type": "date"}}
    assert await database.deadlines.count_documents(theirs) > 0  # the dead one's were among them
