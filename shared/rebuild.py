"""Read models built anew from the journal (dựng lại danh sách) while the service runs: beside the live one,
then swapped in one step, so that nobody meets an empty list or one that goes backwards."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from time import monotonic
from typing import Any, Final

import structlog
from bson import decode, encode
from bson.codec_options import CodecOptions
from pymongo import InsertOne
from pymongo.write_concern import WriteConcern

from shared.desk import Vault
from shared.errors import PortalError
from shared.feed import MongoFeed, majority_time
from shared.journal import Commit
from shared.mongo import Database, Lease, answered, from_document
from shared.projections import Fields, Projection, Projector, side_by_side

log = structlog.get_logger(__name__)

Progress = Callable[[int, int], None]  # commits read, commits in all
SHORT: Final = 100  # milliseconds that a read waits for news
# Seconds: whoever had the lease still writes the batch in its hand, and learns of it as it saves its mark.
IN_HAND: Final = 0.3
NEAR: Final = 50  # commits in one read: the copy is as good as caught up
READ: Final = 2000  # commits in one read
STREAMS: Final = 1000  # in one write
TTL: Final = timedelta(seconds=20)
PATIENCE: Final = 2.0  # seconds in which the live projector may still bring what seems to differ
CODEC: Final[CodecOptions[Any]] = CodecOptions(tz_aware=True, tzinfo=UTC)


class RebuildRunning(PortalError):
    status, code = 409, "rebuild_running"
    title_vi, title_en = "Danh sách này đang được dựng lại", "This list is being rebuilt"


@dataclass(frozen=True)
class Rebuilt:
    collection: str
    documents: int
    commits: int
    caught_up: int
    seconds: float


@dataclass(frozen=True)
class Difference:
    id: str
    what: str  # missing, surplus, or the names of the fields that differ


def _nothing(_: int, __: int) -> None:
    return


@answered
async def rebuild(
    database: Database, projection: Projection, source: str, vault: Vault, *, by: str,
    progress: Progress = _nothing,
) -> Rebuilt:  # fmt: skip
    """``by`` names this rebuild among others. Safe to break off: the live list is touched in the last step
    alone, and the next rebuild begins anew."""
    own = Lease(database, f"rebuild-{projection.collection}", by, ttl=TTL)
    if not await own.acquire():
        raise RebuildRunning(f"«{projection.collection}» đang được dựng lại ở nơi khác.")
    feed = MongoFeed(database)
    try:
        return await _Rebuild(database, projection, source, vault, own, feed, progress).run()
    finally:
        await feed.close()
        await own.release()


@dataclass
class _Rebuild:
    database: Database
    projection: Projection
    source: str
    vault: Vault
    own: Lease
    feed: MongoFeed
    progress: Progress
    renewed: float = 0.0

    async def run(self) -> Rebuilt:
        began = datetime.now(UTC)
        live = self.projection.collection
        beside = f"{live}.rebuild"
        start = await _now(self.database)
        await _empty_copy(self.database, live, beside)
        # One node may hold the copy at first: the swap is a majority's, and with it all that came before.
        commits = await self._fill(self.database[beside].with_options(write_concern=WriteConcern(w=1)))
        # The live projector's own rules, on the copy.
        copied = replace(self.projection, collection=beside)
        copy = Projector(self.database, [copied], self.source, self.vault, lambda _: None)
        await self.feed.open(start, began)
        caught_up = await self._drain(copy, None)
        caught_up += await self._swap(copy, beside)
        documents = await self.database[live].estimated_document_count()
        seconds = (datetime.now(UTC) - began).total_seconds()
        log.info("rebuild.finished", kind=live, count=documents, seconds=seconds)
        return Rebuilt(live, documents, commits, caught_up, seconds)

    async def _fill(self, beside: Any) -> int:
        total, done = await self.database.journal.count_documents(_of(self.projection.kind)), 0
        self.progress(0, total)
        writing: asyncio.Future[Any] | None = None  # of one batch, while the next is read and folded
        try:
            async for batch in _batches(self.database, self.projection.kind):
                documents = await _folded(self.projection, batch, self.source, self.vault)
                if writing:
                    await writing
                rows = [InsertOne(document) for document in documents]
                writing = asyncio.ensure_future(beside.bulk_write(rows, ordered=False))
                done += sum(map(len, batch))
                self.progress(done, max(total, done))
                await self._hold()
        finally:
            if writing:
                await writing
        return done

    async def _hold(self) -> None:
        if monotonic() - self.renewed > TTL.total_seconds() / 4:
            await self.own.renew()
            self.renewed = monotonic()

    async def _drain(self, copy: Projector, mark: Any) -> int:
        """Bring what was written meanwhile: past the live list's own mark, until hardly anything is left."""
        count, place = 0, ""
        while True:
            commits, token = await self.feed.next(wait_ms=SHORT)
            await copy.project(commits)
            await self._hold()
            count += len(commits)
            place = token["_data"] if token else place  # resume tokens sort as their places do
            if place and len(commits) < NEAR and (mark is None or place >= mark["_data"]):
                return count

    async def _swap(self, copy: Projector, beside: str) -> int:
        """The live projector is held by its lease, so that its mark stands still: the copy goes past all that
        was on record by then, for the list may show more than its mark says, and takes the name. The
        projector then resumes at its mark, and its guard lets it repeat."""
        projector = Lease(self.database, "projector", self.own.holder, ttl=TTL)
        await projector.acquire(by_force=True)
        try:
            await asyncio.sleep(IN_HAND)
            count = await self._drain(copy, await _now(self.database))
            await projector.renew()  # raises LeaseLost if this took too long: then nothing is swapped
            await self.database[beside].rename(self.projection.collection, dropTarget=True)
        finally:
            await projector.release()
        return count


def _of(kind: str) -> dict[str, Any]:
    """The streams of a kind: "." comes after "-"."""
    return {"stream": {"$gte": f"{kind}-", "$lt": f"{kind}."}}


async def _now(database: Database) -> Any:
    """The place in the journal's change stream from which on everything is still to come."""
    start = {"startAtOperationTime": await majority_time(database.command)}
    answer = await database.command(
        {"aggregate": "journal", "pipeline": [{"$changeStream": start}], "cursor": {"batchSize": 0}}
    )
    cursor = answer["cursor"]
    await database.command({"killCursors": "journal", "cursors": [cursor["id"]]})
    return cursor["postBatchResumeToken"]


async def _empty_copy(database: Database, live: str, beside: str) -> None:
    """Empty, with the live one's indexes."""
    await database[beside].drop()
    await database.create_collection(beside)
    indexes = [dict(index) async for index in database[live].list_indexes()]
    wanted = [{k: v for k, v in i.items() if k not in {"v", "ns"}} for i in indexes if i["name"] != "_id_"]
    if wanted:
        await database.command({"createIndexes": beside, "indexes": wanted})


async def _batches(database: Database, kind: str) -> AsyncIterator[list[list[Commit]]]:
    """The streams of a kind, each whole and in order, so many at a time; read as a flow."""
    order = [("stream", 1), ("version", 1)]
    cursor = database.journal.find(_of(kind)).sort(order).batch_size(READ)
    batch: list[list[Commit]] = []
    while documents := await cursor.to_list(READ):
        for commit in map(from_document, documents):
            if batch and batch[-1][0].stream == commit.stream:
                batch[-1].append(commit)
                continue
            if len(batch) >= STREAMS:
                yield batch
                batch = []
            batch.append([commit])
    if batch:
        yield batch


async def _folded(
    projection: Projection, batch: Sequence[Sequence[Commit]], source: str, vault: Vault
) -> list[Fields]:
    return await side_by_side(batch, lambda stream: projection.fold(stream, source, vault))


@answered
async def differences(
    database: Database, projection: Projection, source: str, vault: Vault, *, most: int = 20
) -> list[Difference]:
    """Where the live list is not what the journal says, the projector's delay allowed for."""
    found: list[Difference] = []
    async for batch in _batches(database, projection.kind):
        odd = await _compare(database, projection, batch, source, vault)
        if odd:  # a commit may be on its way into the list: ask again what the journal says by then
            await asyncio.sleep(PATIENCE)
            again = [await _reread(database, stream[0].stream) for stream in batch]
            odd = await _compare(database, projection, again, source, vault)
        found += odd
        if len(found) >= most:
            return found[:most]
    return (found + await _surplus(database, projection, most))[:most]


async def _reread(database: Database, stream: str) -> list[Commit]:
    return [from_document(d) async for d in database.journal.find({"stream": stream}).sort("version", 1)]


async def _compare(
    database: Database, projection: Projection, batch: Sequence[Sequence[Commit]], source: str, vault: Vault
) -> list[Difference]:
    rebuilt = [
        decode(encode(document), CODEC) for document in await _folded(projection, batch, source, vault)
    ]
    which = {"_id": {"$in": [document["_id"] for document in rebuilt]}}
    live = {row["_id"]: row async for row in database[projection.collection].find(which)}
    found = [(str(d["_id"]), _what(live.get(d["_id"]), d, projection.hints)) for d in rebuilt]
    return [Difference(id, what) for id, what in found if what]


def _what(live: Fields | None, rebuilt: Fields, hints: frozenset[str]) -> str:
    if live is None:
        return "missing"
    absent = object()
    names = [name for name in dict.fromkeys(chain(rebuilt, live)) if name not in hints]
    return ", ".join(n for n in names if live.get(n, absent) != rebuilt.get(n, absent))


async def _surplus(database: Database, projection: Projection, most: int) -> list[Difference]:
    pipeline: list[dict[str, Any]] = [
        {"$project": {"stream": {"$concat": [f"{projection.kind}-", {"$toString": "$_id"}]}}},
        {"$lookup": {
            "from": "journal", "localField": "stream", "foreignField": "stream", "as": "commits",
            "pipeline": [{"$limit": 1}, {"$project": {"_id": 1}}],
        }},
        {"$match": {"commits": []}},
        {"$limit": most},
    ]  # fmt: skip
    rows = database[projection.collection].aggregate(pipeline)
    return [Difference(str(row["_id"]), "surplus") async for row in rows]
