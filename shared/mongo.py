"""MongoDB behind the seams: the journal with group commit, and leases.

With each service's queries.py this is the only file that imports motor."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar, cast

from bson.errors import InvalidDocument, InvalidStringData
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReturnDocument
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from shared.errors import Unavailable
from shared.journal import AlreadyDone, Commit, Stored, VersionConflict
from shared.together import Together

Database = Any
Collection = Any
P = ParamSpec("P")
R = TypeVar("R")

DUPLICATE: Final = 11000
TROUBLE: Final = (PyMongoError,)
UNWRITABLE: Final = (InvalidDocument, InvalidStringData, OverflowError, UnicodeEncodeError)  # never sent


def connect(uri: str, name: str) -> Database:
    """A database whose writes the majority acknowledges and whose reads see them; times are UTC."""
    client: Any = AsyncIOMotorClient(
        uri, w="majority", readConcernLevel="majority", serverSelectionTimeoutMS=3000,
        connectTimeoutMS=3000, socketTimeoutMS=20000, maxPoolSize=100, appname=name, tz_aware=True,
        heartbeatFrequencyMS=2000,  # a silent primary is given up after 5 s, its unanswered calls with it
    )  # fmt: skip
    return client[name]


def answered(call: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """The database's silence as our own error: 503, try again."""

    @wraps(call)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await call(*args, **kwargs)
        except PyMongoError as error:
            raise Unavailable(
                f"Cơ sở dữ liệu chưa trả lời ({type(error).__name__}).", retry_after=2
            ) from error

    return guarded


async def prepare(database: Database) -> None:
    """Create what the core needs; safe to repeat, from any number of processes."""
    await database.journal.create_index([("stream", 1), ("version", 1)], unique=True, name="stream_version")
    await database.journal.create_index([("at", 1), ("version", 1)], name="at_version")
    owned, loose = {"owner": {"$gt": ""}}, {"loose": True}
    await database.vault.create_index("owner", name="owner", partialFilterExpression=owned)
    await database.vault.create_index("at", name="loose", partialFilterExpression=loose)


def to_document(commit: Commit) -> dict[str, Any]:
    return {
        "_id": commit.key, "stream": commit.stream, "version": commit.version,
        "events": [{"name": e.name, "version": e.version, "data": e.data} for e in commit.events],
        "at": commit.at, "by": commit.by, "correlation": commit.correlation,
        "causation": commit.causation, "fingerprint": commit.fingerprint,
        "previous": commit.previous, "hash": commit.hash,
    }  # fmt: skip


def from_document(document: dict[str, Any]) -> Commit:
    """Raises TypeError or KeyError for a field too many or too few."""
    d = document
    if len(d) != len(Commit._fields):
        raise TypeError(f"not a commit: {', '.join(d)}")
    return Commit(
        d["_id"], d["stream"], d["version"],
        tuple([Stored(e["name"], e["version"], e["data"]) for e in d["events"]]),
        d["at"], d["by"], d["correlation"], d["causation"], d["fingerprint"], d["previous"], d["hash"],
    )  # fmt: skip


class MongoJournal:
    """Concurrent appends share one ``insert_many``, concurrent reads one ``find``; each caller hears of its
    own."""

    def __init__(self, database: Database, *, most_waiting: int = 5000, batch: int = 1000) -> None:
        self._collection: Collection = database.journal
        self._waiting: deque[tuple[Commit, asyncio.Future[None]]] = deque()
        self._most_waiting, self._batch = most_waiting, batch
        self._writer: asyncio.Task[None] | None = None
        self._reads = Together(self._streams)

    async def read(self, stream: str, *, upto: int | None = None) -> list[Commit]:
        commits = await self._reads.ask(stream)
        return commits if upto is None else [c for c in commits if c.version <= upto]

    @answered
    async def _streams(self, streams: Sequence[str]) -> dict[str, list[Commit] | Exception]:
        found: dict[str, list[Commit] | Exception] = {stream: [] for stream in streams}
        cursor = self._collection.find({"stream": {"$in": streams}}).sort([("stream", 1), ("version", 1)])
        for document in await cursor.to_list(None):
            commits = found[document["stream"]]
            if isinstance(commits, Exception):
                continue
            try:
                commits.append(from_document(document))
            except (TypeError, KeyError) as error:  # that stream can't be read; the others can
                found[document["stream"]] = error
        return found

    @answered
    async def find(self, key: str) -> Commit | None:
        document = await self._collection.find_one({"_id": {"$eq": key}})
        return from_document(document) if document else None

    async def append(self, commit: Commit) -> None:
        if len(self._waiting) >= self._most_waiting:
            raise Unavailable("Quá nhiều việc đang chờ ghi.", retry_after=1)
        outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((commit, outcome))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="journal-writer")
        try:
            await outcome
        except VersionConflict:
            # The same command again may meet its own first commit at (stream, version) first.
            if await self.find(commit.key):
                raise AlreadyDone(commit.key) from None
            raise

    async def append_all(self, commits: Sequence[Commit]) -> list[Exception | None]:
        loop = asyncio.get_running_loop()
        waiting = [(commit, loop.create_future()) for commit in commits]
        for start in range(0, len(waiting), self._batch):
            await self._insert(waiting[start : start + self._batch])
        return [cast("Exception | None", outcome.exception()) for _, outcome in waiting]

    async def _write(self) -> None:
        while self._waiting:
            batch: dict[str, tuple[Commit, asyncio.Future[None]]] = {}
            later: list[tuple[Commit, asyncio.Future[None]]] = []
            while self._waiting and len(batch) < self._batch:
                commit, outcome = self._waiting.popleft()
                if outcome.cancelled():
                    continue
                if commit.stream in batch:  # at most one commit of a stream in a batch
                    later.append((commit, outcome))
                else:
                    batch[commit.stream] = (commit, outcome)
            self._waiting.extendleft(reversed(later))
            await self._insert(list(batch.values()))

    async def _insert(self, batch: Sequence[tuple[Commit, asyncio.Future[None]]]) -> None:
        """One commit that breaks the insert for all is found by halves and its caller hears of it alone."""
        failed: dict[int, Exception] = {}
        try:
            await self._collection.insert_many([to_document(c) for c, _ in batch], ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            for each in details.get("writeErrors", ()):
                failed[each["index"]] = _meaning(each, batch[each["index"]][0])
            if details.get("writeConcernErrors"):
                # What a refused commit collided with may yet be undone with its primary.
                failed = {i: _unknown(error) for i in range(len(batch))}
        except PyMongoError as error:
            failed = {i: _unknown(error) for i in range(len(batch))}
        except Exception as error:  # every caller is answered, whatever broke
            if len(batch) > 1:
                await self._insert(batch[: len(batch) // 2])
                await self._insert(batch[len(batch) // 2 :])
                return
            failed = {0: error if isinstance(error, UNWRITABLE) else _unknown(error)}
        for index, (_, outcome) in enumerate(batch):
            if outcome.done():
                continue
            if index in failed:
                outcome.set_exception(failed[index])
            else:
                outcome.set_result(None)


def _meaning(error: dict[str, Any], commit: Commit) -> Exception:
    if error["code"] != DUPLICATE:
        return Unavailable(str(error.get("errmsg", "")), retry_after=2)
    if "_id" in error.get("keyPattern", {}):
        return AlreadyDone(commit.key)
    return VersionConflict(f"{commit.stream} đã có bản {commit.version}.")


def _unknown(error: Exception) -> Unavailable:
    unknown = Unavailable(f"Chưa rõ đã ghi được hay chưa ({type(error).__name__}).", retry_after=2)
    unknown.__cause__ = error
    return unknown


A_MOMENT: Final = 0.02  # seconds


class LeaseLost(Exception):
    """Another process has taken over; stop, and ask again."""


class Lease:
    """One active holder at a time by the server's clock. It only saves work: each write that must not
    come from a former holder carries the epoch."""

    def __init__(self, database: Database, name: str, holder: str, *, ttl: timedelta) -> None:
        self._collection: Collection = database.leases
        self.name, self.holder, self.epoch = name, holder, 0
        self._ttl = int(ttl.total_seconds() * 1000)

    async def acquire(self, *, by_force: bool = False) -> bool:
        """``by_force`` takes it from a living holder, whose next renewal fails."""
        free = {"$or": [by_force, {"$lt": ["$until", "$$NOW"]}, {"$eq": ["$holder", self.holder]}]}
        taken = {
            "holder": self.holder,
            "epoch": {"$add": [{"$ifNull": ["$epoch", 0]}, 1]},
            "until": {"$add": ["$$NOW", self._ttl]},
        }
        with contextlib.suppress(DuplicateKeyError):  # there already
            await self._collection.insert_one({"_id": self.name, "until": datetime.fromtimestamp(0, UTC)})
        found = await self._collection.find_one_and_update(
            {"_id": self.name, "$expr": free}, [{"$set": taken}], return_document=ReturnDocument.AFTER
        )
        if found is None:
            return False
        self.epoch = found["epoch"]
        return True

    async def renew(self, **facts: Any) -> None:
        """Stay the holder and keep ``facts`` (a resume token) with the lease, in one write. A time that is
        ahead of the server's is cut to it."""
        mine = {"_id": self.name, "epoch": self.epoch, "holder": self.holder}
        later = {"until": {"$add": ["$$NOW", self._ttl]}}
        literal: dict[str, Any] = {name: {"$literal": value} for name, value in facts.items()}
        literal |= {n: {"$min": [literal[n], "$$NOW"]} for n, v in facts.items() if isinstance(v, datetime)}
        result = await self._collection.update_one(mine, [{"$set": later | literal}])
        if result.matched_count == 0:
            raise LeaseLost(self.name)

    async def release(self) -> None:
        mine = {"_id": self.name, "epoch": self.epoch}
        await self._collection.update_one(mine, {"$set": {"until": datetime.fromtimestamp(0, UTC)}})

    async def left(self) -> float:
        """Seconds until it lapses unless it is renewed, by the server's clock; a moment at least."""
        left = {"left": {"$subtract": ["$until", "$$NOW"]}}
        found = await self._collection.find_one({"_id": self.name}, left) or {}
        return max(float(found.get("left", 0)) / 1000, A_MOMENT)

    async def facts(self) -> dict[str, Any]:
        return await self._collection.find_one({"_id": self.name}) or {}
