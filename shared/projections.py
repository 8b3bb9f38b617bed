"""Journal → read models: one document a stream, guarded by version, so that repeating changes nothing.
A projection is a table of event class → the fields that this event sets."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from pymongo import UpdateOne

from shared.contracts.base import Event, Recorded
from shared.desk import Vault
from shared.journal import Commit
from shared.mongo import Database, answered

log = structlog.get_logger(__name__)

Fields = dict[str, Any]
Column = Callable[[Recorded[Any], Vault], Awaitable[Fields]]


@dataclass(frozen=True)
class Projection:
    """``kind`` is the aggregate's KIND; ``wakes`` names the jobs that have work when it changes."""

    collection: str
    kind: str
    columns: Mapping[type[Event], Column]
    wakes: tuple[str, ...] = ()

    async def _steps(self, commit: Commit, source: str, vault: Vault) -> list[tuple[Recorded[Event], Fields]]:
        steps = []
        for recorded in commit.recorded(source):
            column = self.columns.get(type(recorded.event))
            guard = {"version": recorded.version, "sequence": recorded.sequence, "changed_at": recorded.at}
            steps.append((recorded, (await column(recorded, vault) if column else {}) | guard))
        return steps

    async def updates(self, commit: Commit, source: str, vault: Vault) -> list[UpdateOne]:
        updates = []
        for recorded, fields in await self._steps(commit, source, vault):
            if recorded.version == 1 and recorded.index == 0:
                updates.append(UpdateOne({"_id": recorded.subject_id}, {"$setOnInsert": fields}, upsert=True))
            else:
                newer = {"_id": recorded.subject_id, "sequence": {"$lt": recorded.sequence}}
                updates.append(UpdateOne(newer, {"$set": fields}))
        return updates

    async def fold(self, commits: Sequence[Commit], source: str, vault: Vault) -> Fields:
        """The whole document of a stream from all its commits: what `updates` come to, without the way."""
        document: Fields = {"_id": commits[0].stream.partition("-")[2]}
        for commit in commits:
            for _, fields in await self._steps(commit, source, vault):
                for path, value in fields.items():
                    *outer, last = path.split(".")
                    inner = document
                    for name in outer:
                        inner = inner.setdefault(name, {})
                    inner[last] = value
        return document


class Projector:
    """Applies a service's projections; the effect of its journal's second follower."""

    def __init__(
        self,
        database: Database,
        projections: Sequence[Projection],
        source: str,
        vault: Vault,
        wake: Callable[[str], None],
    ) -> None:
        self._database, self._source, self._vault, self._wake = database, source, vault, wake
        self._by_kind: dict[str, list[Projection]] = {}
        for projection in projections:
            self._by_kind.setdefault(projection.kind, []).append(projection)

    @answered
    async def project(self, commits: Sequence[Commit]) -> None:
        changes: dict[str, list[UpdateOne]] = {}
        wakes: set[str] = set()
        for commit in commits:
            for projection in self._by_kind.get(commit.stream.partition("-")[0], ()):
                updates = await projection.updates(commit, self._source, self._vault)
                changes.setdefault(projection.collection, []).extend(updates)
                wakes.update(projection.wakes)
        for collection, updates in changes.items():
            await self._database[collection].bulk_write(updates, ordered=True)
        for job in wakes:
            self._wake(job)
