"""A calendar change over many open deadlines, each touched by it: how long its preview and its moves take.
The projector runs in the same process, as in a single replica."""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from services.notifier import queries
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
from services.notifier.jobs import Mover
from services.notifier.queries import calendars as lists
from services.notifier.settings import NotifierSettings
from services.notifier.views.calendar_preview import preview
from shared.calendar import CALENDAR, WorkingCalendar
from shared.contracts.calendars import years_of
from shared.contracts.clocks import clock_for
from shared.contracts.notifier import CalendarDay, DeadlineOpened
from shared.desk import utc_now
from shared.journal import Commit, Head, Stored
from shared.messaging.follower import Follower
from shared.mongo import prepare
from shared.projections import Projector
from shared.settings import Role
from shared.workflow import Actor

KEEPER = Actor("u-keeper", "", "", frozenset({"calendar_keeper"}))
FIRST = datetime(2027, 6, 7, 2, tzinfo=UTC)  # the change makes the Friday of that week a day off
OFF = CalendarDay(
    date=FIRST.date() + timedelta(days=4), kind="holiday", vi="Nghỉ thử", en="Trial", by="blld-112"
)


def opening(number: int, draw: random.Random) -> Commit:
    due = CALENDAR.due(FIRST + timedelta(hours=draw.randrange(48)), draw.choice((5, 7, 10)))
    clock = clock_for(due, CALENDAR, duty="unit_reply", basis="dieu-11#hoi-dap-2", reason="ngày chuyển",
                      owner_unit=f"unit-{number % 63}")  # fmt: skip
    id = uuid4()
    opened = DeadlineOpened(deadline_id=id, subject=f"question-{id}", source="qa", clock=clock)
    return Commit(uuid4().hex, Deadline.stream_of(id), 0, (Stored.of(opened),), utc_now(), "system", "bench",
                  "").sealed(Head())  # fmt: skip


@dataclass(frozen=True)
class Moved:
    """Seconds, and how many deadlines."""

    preview: float
    moves: float
    foreseen: int
    moved: int


async def measure(uri: str, name: str, count: int) -> Moved:
    settings = NotifierSettings(environment="local", roles=frozenset({Role.API}), mongo_uri=uri,
                                mongo_database=name, log_level="ERROR")  # fmt: skip
    service = build(settings)
    edge, database = service.edge, service.database
    await prepare(database)
    await queries.prepare(database)
    projector = Projector(
        database, queries.projections(service.policy), "notifier", edge.vault, lambda _: None
    )
    following = asyncio.create_task(Follower(database, "projector", "bench", projector.project).run())
    draw = random.Random(1)
    for start in range(0, count, 2000):
        await edge.journal.append_all([opening(n, draw) for n in range(start, min(start + 2000, count))])
    while await database.deadlines.count_documents({}) < count:  # noqa: ASYNC110 (it has no bell)
        await asyncio.sleep(0.2)
    year = next(year for year in years_of(CALENDAR.data) if year.year == OFF.date.year)
    rows = Rows((year.model_copy(update={"days": (*year.days, OFF)}),), {})
    drafting = DraftCalendar(CALENDAR.version, rows, edge.calendars.of)
    draft = await edge.desk(KEEPER, once=uuid4().hex).run(draft_calendar, drafting)
    began = time.perf_counter()
    foresight = Foresight(WorkingCalendar(draft.data()), edge.calendars.of)
    seen = await preview(database, foresight, utc_now(), units={})
    previewed = time.perf_counter() - began
    desk = edge.desk(KEEPER, once=uuid4().hex)
    await desk.run(apply_calendar, ApplyCalendar(draft.id, "Văn bản 1", edge.calendars.of))
    await edge.caught_up("calendars", draft.id, 2)
    began, shown, mover = time.perf_counter(), 0.0, Mover(edge, "bench")
    while await mover.run():
        shown = time.perf_counter() - began
    while await lists.unfinished_calendars(database):
        await asyncio.sleep(0.5)
        await mover.run()
    row = await lists.calendar_version(database, draft.id)
    following.cancel()
    await asyncio.wait([following])
    database.client.close()
    return Moved(previewed, shown, seen.totals.moved if seen.totals else 0, row["moved"])
