"""Journal → read models: one document a stream, guarded by version, so that repeating changes nothing.
A projection is a table of event class → the fields that this event sets."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar

import structlog
from pymongo import UpdateOne
from pymongo.errors import BulkWriteError

from shared.contracts.base import Event, Recorded
from shared.desk import Vault
from shared.errors import PortalError, Unavailable
from shared.journal import Commit
from shared.mongo import DUPLICATE, TROUBLE, Database, answered

log = structlog.get_logger(__name__)

TURN: Final = 5  # streams of a lane; then what else this process does has its turn
LANES: Final = (
    20  # streams side by side: a column may fetch from the vault, and what waits there shares a trip
)
HANDS: Final = 2  # what one connection updates a server does on one core; a stream stays in one hand

S = TypeVar("S")
T = TypeVar("T")
Fields = dict[str, Any]
Column = Callable[[Recorded[Any], Vault], Awaitable[Fields]]


class ColumnFailed(PortalError):
    """A column cannot show an event. Nothing is skipped: its list stands still until the column is mended."""

    status, code = 500, "column_failed"
    title_vi, title_en = "Một cột của danh sách không dựng được", "A list's column failed"

    def __init__(self, column: str, recorded: Recorded[Any], cause: Exception) -> None:
        super().__init__(f"{column} ở {recorded.stream}, bản {recorded.version}: {type(cause).__name__}")
        self.column, self.commit, self.cause = column, f"{recorded.stream}:{recorded.version}", cause


@dataclass(frozen=True)
class Projection:
    """``kind`` is the aggregate's KIND; ``wakes`` names the jobs that have work when it changes; ``heads``
    keeps the hash of the last commit as ``head``, so that a stream can be written to without being read;
    ``hints`` are fields that jobs move on without a record (when to look next), so that a list built anew may
    begin with others."""

    collection: str
    kind: str
    columns: Mapping[type[Event], Column]
    wakes: tuple[str, ...] = ()
    heads: bool = False
    hints: frozenset[str] = frozenset()

    async def _steps(self, commit: Commit, source: str, vault: Vault) -> list[tuple[Recorded[Event], Fields]]:
        steps = []
        head = {"head": commit.hash} if self.heads else {}
        for recorded in commit.recorded(source):
            column = self.columns.get(type(recorded.event))
            guard = {"version": recorded.version, "sequence": recorded.sequence, "changed_at": recorded.at}
            filled = await self._filled(column, recorded, vault) if column else {}
            steps.append((recorded, filled | guard | head))
        return steps

    async def _filled(self, column: Column, recorded: Recorded[Event], vault: Vault) -> Fields:
        try:
            return await column(recorded, vault)
        except (Unavailable, *TROUBLE):
            raise
        except Exception as error:
            name = getattr(column, "__qualname__", type(column).__name__)
            where = f"{self.collection}: {recorded.event.name} → {name}"
            raise ColumnFailed(where, recorded, error) from error

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
                    if "." not in path:
                        document[path] = value
                        continue
                    *outer, last = path.split(".")
                    inner = document
                    for name in outer:
                        inner = inner.setdefault(name, {})
                    inner[last] = value
        return document


async def side_by_side(streams: Sequence[S], work: Callable[[S], Awaitable[T]]) -> list[T]:
    """In their order; of what fails, the first is raised when nothing is under way any more."""
    done: dict[int, T] = {}

    async def lane(first: int) -> None:
        for turn, place in enumerate(range(first, len(streams), LANES)):
            done[place] = await work(streams[place])
            if not turn % TURN:
                await asyncio.sleep(0)

    lanes = (lane(first) for first in range(min(LANES, len(streams))))
    for outcome in await asyncio.gather(*lanes, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
    return [done[place] for place in range(len(streams))]


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
        streams: dict[str, list[Commit]] = {}
        for commit in commits:
            streams.setdefault(commit.stream, []).append(commit)
        wakes: set[str] = set()
        for kind, projections in self._by_kind.items():
            ours = [group for stream, group in streams.items() if stream.partition("-")[0] == kind]
            if ours:
                for projection in projections:
                    await self._show(projection, ours)
                    wakes.update(projection.wakes)
        for job in wakes:
            self._wake(job)

    async def _show(self, projection: Projection, streams: Sequence[Sequence[Commit]]) -> None:
        """Streams that begin here are inserted whole, which costs half an upsert; what is there already, as
        after a crash, and what goes on is updated under the guard."""
        collection = self._database[projection.collection]
        begin = [group for group in streams if group[0].version == 1]
        later = [group for group in streams if group[0].version > 1]
        if begin:
            whole = await side_by_side(begin, partial(self._folded, projection))
            try:
                await collection.insert_many(whole, ordered=False)
            except BulkWriteError as refused:
                errors = refused.details["writeErrors"]
                if refused.details["writeConcernErrors"] or any(e["code"] != DUPLICATE for e in errors):
                    raise
                later += [begin[error["index"]] for error in errors]
        hands: list[list[UpdateOne]] = [[] for _ in range(HANDS)]
        for number, updates in enumerate(await side_by_side(later, partial(self._updates, projection))):
            hands[number % HANDS] += updates
        writes = [collection.bulk_write(updates, ordered=True) for updates in hands if updates]
        for outcome in await asyncio.gather(*writes, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _folded(self, projection: Projection, stream: Sequence[Commit]) -> Fields:
        return await projection.fold(stream, self._source, self._vault)

    async def _updates(self, projection: Projection, stream: Sequence[Commit]) -> list[UpdateOne]:
        every = [await projection.updates(commit, self._source, self._vault) for commit in stream]
        return list(chain.from_iterable(every))
