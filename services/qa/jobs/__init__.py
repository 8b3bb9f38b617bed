"""What runs on a timer: erasing everywhere what is erased by the record, and ending what time has ended."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import structlog
from prometheus_client import Counter

from services.qa.handlers.due import erase_at_its_time, lapse_question
from services.qa.queries import due
from services.qa.queries.drafts import DRAFTS
from services.qa.queries.files import FileStore
from services.qa.regulation import Policy
from shared.desk import utc_now
from shared.errors import IllegalTransition, PreconditionFailed, VersionConflict
from shared.jobs import Job
from shared.journal import AlreadyDone
from shared.mongo import Database
from shared.service import Service
from shared.vault import MongoVault
from shared.web.edge import Edge

log = structlog.get_logger(__name__)

ERASED: Final = Counter("askers_erased", "Askers erased; again: what a backup had brought back", ["what"])
AT_ONCE: Final = 200
SIDE_BY_SIDE: Final = 20
LOOKED_AT: Final = 1000
UNNAMED_FOR: Final = timedelta(hours=24)  # words that no commit names by then never will be
# Another replica has done it, or a person was faster: the list will show it.
LOST_RACE: Final = (AlreadyDone, VersionConflict, PreconditionFailed, IllegalTransition)


class Holder(Protocol):
    """Where something of an asker lies, by the question that owns it."""

    async def erase(self, owner: str) -> int:
        """Everything of ``owner``; safe to repeat."""
        ...

    async def holding(self, owners: Sequence[str]) -> set[str]:
        """Those of them of whom something is there."""
        ...


@dataclass(frozen=True)
class Rows:
    """A collection whose rows name the question that they belong to in ``field``."""

    database: Database
    collection: str
    field: str = "owner"

    async def erase(self, owner: str) -> int:
        gone = await self.database[self.collection].delete_many({self.field: {"$eq": owner}})
        return int(gone.deleted_count)

    async def holding(self, owners: Sequence[str]) -> set[str]:
        named = {self.field: {"$in": list(owners)}}
        return set(await self.database[self.collection].distinct(self.field, named))


@dataclass(frozen=True)
class Erasures:
    """The record says first that an asker is erased; then all that ``holders`` have goes, the key before the
    rest. It may stop anywhere and begin again."""

    database: Database
    holders: Sequence[Holder]

    async def run(self) -> int:
        ids = await due.unforgotten(self.database, AT_ONCE)
        for start in range(0, len(ids), SIDE_BY_SIDE):
            some = ids[start : start + SIDE_BY_SIDE]
            await asyncio.gather(*map(self._erase, some))
            await due.forgotten(self.database, some)
            for id in some:
                ERASED.labels("erased").inc()
                # The log is kept elsewhere: after a restored backup it says who had been erased since.
                log.info("asker.erased", id=id)
        return len(ids)

    async def look(self) -> int:
        """At everyone who was ever erased: what a restored backup brought back goes again."""
        last = ""
        while ids := await due.erased_after(self.database, last, LOOKED_AT):
            last = ids[-1]
            held = await asyncio.gather(*(holder.holding(ids) for holder in self.holders))
            for id in sorted(set().union(*held)):
                await self._erase(id)
                ERASED.labels("again").inc()
                log.warning("asker.erased_again", id=id)
        return 0

    async def _erase(self, id: str) -> None:
        for holder in self.holders:
            await holder.erase(id)


@dataclass(frozen=True)
class Overdue:
    """Ends what time has ended: once, whichever replica looks."""

    edge: Edge[Policy]

    async def lapse(self) -> int:
        before = utc_now() - timedelta(days=self.edge.policy.unclear_lapses_after)
        found = await due.unclear_since(self.edge.database, before, AT_ONCE)
        return await self._each(found, "lapsed", lapse_question)

    async def expire(self) -> int:
        before = utc_now() - timedelta(days=self.edge.policy.kept_for)
        found = await due.over_since(self.edge.database, before, AT_ONCE)
        return await self._each(found, "expired", erase_at_its_time)

    async def _each(
        self, found: Sequence[due.Versioned], what: str, handler: Callable[[UUID, Any], Awaitable[Any]]
    ) -> int:
        done = 0
        for id, version in found:
            desk = self.edge.desk(once=f"{what}:{id}:{version}", expected=version)
            try:
                await handler(UUID(id), desk)
            except LOST_RACE:
                continue
            done += bool(desk.written)
        return done


def holders(service: Service[Policy]) -> Sequence[Holder]:
    """Everywhere where something of an asker lies. The vault is first: with its key all else is shut."""
    files = FileStore(service.database, service.keyring)
    return (service.vault, files, Rows(service.database, DRAFTS))


def jobs(service: Service[Policy]) -> Sequence[Job]:
    erasures = Erasures(service.database, holders(service))
    overdue = Overdue(service.in_bulk)
    return (
        Job("erasures", 5, erasures.run, awaited=True),
        Job("erased_looked_at", timedelta(days=1).total_seconds(), erasures.look),
        Job("unclear_lapsed", 60, overdue.lapse),
        Job("kept_long_enough", 60, overdue.expire),
        Job("unnamed_swept", 600, lambda: _sweep(service.vault, service.edge)),
    )


async def _sweep(vault: MongoVault, edge: Edge[Policy]) -> int:
    return await vault.sweep(utc_now() - UNNAMED_FOR, edge.journal)
