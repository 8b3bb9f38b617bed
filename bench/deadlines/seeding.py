"""Open deadlines, as many as wanted: real commits in the journal, shown by the real projection, as if the
register had been told of each. Only the way there is short: thousands in one insert."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_OID, uuid5

from pymongo.write_concern import WriteConcern

from services.notifier import queries
from services.notifier.domain import deadline_id
from services.notifier.settings import NotifierSettings
from shared.calendar import CALENDAR
from shared.contracts.base import Clock
from shared.contracts.clocks import clock_for
from shared.contracts.notifier import DeadlineOpened
from shared.journal import Commit, Head, Stored
from shared.mongo import Database, connect, prepare, to_document
from shared.projections import Projector
from shared.rebuild import _now
from shared.vault import MongoVault

AT_ONCE: Final = 2000
UNITS: Final = ("tt-cskh", "bhxh-ha-noi", "bhxh-quang-ngai", "bhxh-can-tho", "ban-chinh-sach")
LATER: Final = timedelta(days=20)  # what is not due lies up to so far ahead, evenly


def template(due_at: datetime) -> Clock:
    """A delivery to a partner portal whose term is over at ``due_at`` (which no calendar would give to the
    second: all of them fall due at one instant, that is the point). Of the duties it is the one whose only
    stage for hours around is the breach."""
    clock = clock_for(
        CALENDAR.due(due_at - timedelta(days=9), 5), CALENDAR, duty="linking", basis="dieu-12#khoan-2",
        owner_unit=UNITS[0], reason="bài được đăng",
    )  # fmt: skip
    return clock.model_copy(update={"due_at": due_at, "working_days": None})


def commits(
    numbers: range, *, due: range, due_at: datetime, clock: Clock | None = None, salt: str = ""
) -> Iterator[Commit]:
    """Those in ``due`` at ``due_at``, the others on the days after it; each counted as ``clock`` is."""
    clock, opened = clock or template(due_at), datetime.now(UTC) - timedelta(minutes=1)
    ahead = max(1, len(numbers) - len(due))
    for number in numbers:
        subject = f"delivery-{uuid5(NAMESPACE_OID, f'{salt}{number}')}"
        late = due_at if number in due else due_at + timedelta(days=1) + LATER * (number / (2 * ahead))
        facts = {"due_at": late, "owner_unit": UNITS[number % len(UNITS)]}
        event = DeadlineOpened(
            deadline_id=deadline_id(subject, clock.name), subject=subject, source="sync",
            clock=clock.model_copy(update=facts), label="bhxh-ha-noi",
        )  # fmt: skip
        yield Commit(
            key=f"sync:{subject}:1:0>deadline-{event.deadline_id}", stream=f"deadline-{event.deadline_id}",
            version=0, events=(Stored.of(event),), at=opened, by="system", correlation=f"{number:032x}",
            causation=f"sync:{subject}:1:0",
        ).sealed(Head())  # fmt: skip


async def prepared(uri: str, name: str) -> Database:
    """An empty database with all indexes of the notifier."""
    database = connect(uri, name)
    await prepare(database)
    await queries.prepare(database)
    return database


async def open_deadlines(
    database: Database, numbers: range, *, due: range, due_at: datetime, salt: str = ""
) -> None:
    """In the journal and in the read model; the live projector is to go on behind them."""
    fast = database.client.get_database(
        database.name, codec_options=database.codec_options, write_concern=WriteConcern(w=1)
    )
    shown = [p for p in queries.projections(NotifierSettings().policy()) if p.collection == "deadlines"]
    projector = Projector(fast, shown, "notifier", MongoVault(database), lambda _: None)
    batch: list[Commit] = []
    for commit in commits(numbers, due=due, due_at=due_at, salt=salt):
        batch.append(commit)
        if len(batch) == AT_ONCE:
            await _write(fast, projector, batch)
            batch = []
    if batch:
        await _write(fast, projector, batch)
    await projector_goes_on_here(database)


async def _write(database: Database, projector: Projector, batch: Sequence[Commit]) -> None:
    rows: list[dict[str, Any]] = [to_document(commit) for commit in batch]
    await asyncio.gather(database.journal.insert_many(rows, ordered=False), projector.project(batch))


async def projector_goes_on_here(database: Database) -> None:
    """What is shown already is not read again when the service starts, nor anchored by it."""
    token = await _now(database)
    mark = {"token": token, "marked_at": datetime.now(UTC)}
    for follower in ("projector", "relay"):
        await database.leases.update_one({"_id": follower}, {"$set": mark}, upsert=True)
    anchored = {"token": token, "anchored_at": mark["marked_at"]}
    await database.leases.update_one({"_id": "anchor"}, {"$set": anchored}, upsert=True)
