"""Proof that the journal is as it was written (chống sửa sổ): each stream's commits are chained by hash, and
the heads of all that moved are anchored at intervals, so that a stream cut short or taken away is missed."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from bson.codec_options import DatetimeConversion
from bson.int64 import Int64

from shared.contracts.operations import JournalAnchored
from shared.desk import utc_now
from shared.feed import MongoFeed
from shared.journal import AlreadyDone, Commit, Head, Stored, VersionConflict
from shared.mongo import Collection, Database, Lease, MongoJournal, answered, from_document, to_document
from shared.workflow import SYSTEM

log = structlog.get_logger(__name__)

Leaf = tuple[str, int, str]  # stream, version, hash of a head
EVERY: Final = timedelta(minutes=5)
SHORT: Final = 100  # milliseconds without news: that was all
CHUNK: Final = 500  # leaves in one document
AT_ONCE: Final = 100_000  # heads under one anchor; what else has moved comes under the next
MOST_TOLD: Final = 100
KIND: Final = "anchor"


@dataclass(frozen=True)
class Break:
    """Where the record is not what was written, and how that shows."""

    stream: str
    version: int
    what: str  # edited, missing, unlinked, unreadable, anchored_missing, anchored_changed, anchor_changed
    detail: str


def _printable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


@dataclass
class Report:
    streams: int = 0
    commits: int = 0
    anchors: int = 0
    leaves: int = 0
    broken: int = 0
    breaks: list[Break] = field(default_factory=list)  # the first of them, in order
    newest_anchor: str = ""  # number:root, to be compared with a note taken elsewhere

    @property
    def whole(self) -> bool:
        return self.broken == 0

    def add(self, stream: str, version: int, what: str, detail: str) -> None:
        self.broken += 1
        if len(self.breaks) < MOST_TOLD:
            self.breaks.append(Break(_printable(stream), version, what, _printable(detail)))


def stream_of(service: str) -> str:
    return f"{KIND}-{service}"


def root_of(leaves: Sequence[Leaf]) -> str:
    return hashlib.sha256(b"".join(map(_line, leaves))).hexdigest()


def _line(leaf: Leaf) -> bytes:
    return b"%s\0%d\0%s\n" % (leaf[0].encode(), leaf[1], leaf[2].encode())


class Anchorer:
    """The job that sets anchors. Replicas may race: the anchor stream's versions let one of them win."""

    def __init__(self, database: Database, service: str, holder: str, *, every: timedelta = EVERY) -> None:
        self._database, self._service, self._every = database, service, every
        self._lease = Lease(database, KIND, holder, ttl=timedelta(minutes=2))

    @answered
    async def work(self) -> int:
        """Always 0: what is due next is due in its time."""
        marked = (await self._lease.facts()).get("anchored_at")
        if marked and datetime.now(UTC) - marked < self._every:
            return 0
        if not await self._lease.acquire():
            return 0
        try:
            await self._anchor()
        finally:
            await self._lease.release()
        return 0

    async def _anchor(self) -> None:
        """Anchor what moved since the last anchor. Moving twice over the same ground after a crash anchors
        a head twice, which is harmless."""
        facts = await self._lease.facts()
        began, heads = datetime.now(UTC), dict[str, tuple[int, str]]()
        feed = MongoFeed(self._database)
        try:
            await feed.open(facts.get("token"), facts.get("anchored_at"))
            while True:
                commits, token = await feed.next(wait_ms=SHORT)
                for commit in commits:
                    if commit.stream != stream_of(self._service):
                        version, hash = heads.get(commit.stream, (0, ""))
                        newer = commit.version > version
                        heads[commit.stream] = (commit.version, commit.hash) if newer else (version, hash)
                over = token is not None and (not commits or commits[-1].at > began)
                if heads and (over or len(heads) >= AT_ONCE):
                    await self._set([(stream, *heads[stream]) for stream in sorted(heads)])
                    heads.clear()
                if over:  # what comes after is the next anchor's
                    await self._lease.renew(token=token, anchored_at=began)
                    return
                await self._lease.renew()
        except (VersionConflict, AlreadyDone):
            return  # another replica has just done it
        finally:
            await feed.close()

    async def _set(self, leaves: Sequence[Leaf]) -> None:
        root = root_of(leaves)
        for start in range(0, len(leaves), CHUNK):
            chunk = {"root": root, "start": start, "leaves": [list(x) for x in leaves[start : start + CHUNK]]}
            await self._database.anchors.update_one(
                {"_id": f"{root}:{start:09}"}, {"$setOnInsert": chunk}, upsert=True
            )
        stream = stream_of(self._service)
        last = await self._database.journal.find_one({"stream": stream}, sort=[("version", -1)])
        head = from_document(last).head if last else Head()
        event = JournalAnchored(number=head.version + 1, root=root, count=len(leaves))
        commit = Commit(
            key=f"{stream}:{event.number}", stream=stream, version=0, events=(Stored.of(event),),
            at=utc_now(), by=SYSTEM.subject, correlation=stream, causation="",
        ).sealed(head)  # fmt: skip
        await MongoJournal(self._database).append(commit)
        # The log is kept elsewhere: who rewrites the database cannot rewrite what was noted there.
        log.info("anchor.set", id=f"{event.number}:{root}", count=event.count)


async def verify(
    database: Database, service: str, *, expect: str = "", progress: Callable[[int], None] = lambda _: None
) -> Report:
    """Walk everything, in memory that does not grow. ``expect`` is an anchor (``number:root``) noted
    elsewhere, which must stand in the record as it was noted."""
    report = Report()
    await _walk(database, report, progress)
    noted = expect.partition(":") if expect else None
    async for anchor in _anchors(database, service, report):
        report.anchors += 1
        report.newest_anchor = f"{anchor.number}:{anchor.root}"
        if noted and noted[0] == str(anchor.number):
            if noted[2] != anchor.root:
                report.add(
                    stream_of(service), anchor.number, "anchor_changed", "không phải mốc đã ghi nơi khác"
                )
            noted = None
        await _check_leaves(database, report, stream_of(service), anchor)
    if noted:
        report.add(stream_of(service), 0, "anchored_missing", f"không còn mốc {expect}")
    return report


async def _walk(database: Database, report: Report, progress: Callable[[int], None]) -> None:
    stream, head, broken = "", Head(), False
    found = _as_is(database.journal).find().sort([("stream", 1), ("version", 1)])
    async for document in found.batch_size(1000):
        report.commits += 1
        if report.commits % 1000 == 0:
            progress(report.commits)
        if document.get("stream") != stream:
            stream, head, broken = str(document.get("stream")), Head(), False
            report.streams += 1
        try:
            commit = _typed(from_document(document))
            true = commit.sealed(Head(commit.version - 1, commit.previous))
            fault = _fault(document, commit, true, head)
        except Exception as error:  # whatever a forger has put there is told, and stops no proof
            report.add(stream, _number(document), "unreadable", repr(error))
            continue
        if fault and not broken:  # what follows the first break of a stream follows from it
            broken = True
            report.add(stream, commit.version, *fault)
        head = commit.head
    progress(report.commits)


def _as_is(collection: Collection) -> Collection:
    """What the driver would not read for us is read too: text that is none, times beyond the calendar."""
    return collection.with_options(
        collection.codec_options.with_options(
            unicode_decode_error_handler="surrogateescape",
            datetime_conversion=DatetimeConversion.DATETIME_AUTO,
        )
    )


def _typed(commit: Commit) -> Commit:
    """Raises TypeError. Bytes have the hash of the text that they spell, and true is as good as 1."""
    key, stream, version, events, _, *others = commit
    texts = {
        type(text) for text in (key, stream, *others, *[e.name for e in events], *[e.data for e in events])
    }
    numbers = {type(number) for number in (version, *[e.version for e in events])}
    if texts != {str} or not numbers <= {int, Int64}:
        raise TypeError("a field of another type")
    return commit


def _number(document: dict[str, Any]) -> int:
    version = document.get("version")
    return int(version) if isinstance(version, int) else 0


def _fault(document: dict[str, Any], commit: Commit, true: Commit, head: Head) -> tuple[str, str] | None:
    if true.hash != commit.hash or to_document(commit) != document:
        return "edited", "nội dung không khớp mã băm của chính nó"
    if commit.version != head.version + 1:
        return "missing", f"sau bản {head.version} là bản {commit.version}"
    if commit.previous != head.hash:
        return "unlinked", "không nối tiếp bản trước nó (bị chèn hoặc đổi chỗ)"
    return None


async def _anchors(database: Database, service: str, report: Report) -> AsyncIterator[JournalAnchored]:
    found = _as_is(database.journal).find({"stream": stream_of(service)}).sort("version", 1)
    async for document in found:
        try:
            anchor = JournalAnchored.model_validate_json(document["events"][0]["data"])
        except Exception as error:
            report.add(stream_of(service), _number(document), "unreadable", type(error).__name__)
        else:
            yield anchor


async def _check_leaves(database: Database, report: Report, own: str, anchor: JournalAnchored) -> None:
    digest, seen, readable = hashlib.sha256(), 0, True
    own_chunks = {"_id": {"$gte": f"{anchor.root}:", "$lt": f"{anchor.root};"}}
    async for chunk in _as_is(database.anchors).find(own_chunks).sort("_id", 1):
        try:
            leaves = _leaves(chunk)
            digest.update(b"".join(map(_line, leaves)))
        except Exception:
            readable = False
            continue
        seen += len(leaves)
        await _check_heads(database, report, leaves, anchor.number)
    report.leaves += seen
    if not readable or digest.hexdigest() != anchor.root or seen != anchor.count:
        report.add(own, anchor.number, "anchor_changed", "các đầu mối của mốc này đã bị sửa hoặc mất")


def _leaves(chunk: dict[str, Any]) -> list[Leaf]:
    """Raises whatever it may when the chunk is none."""
    leaves = [(stream, version, hash) for stream, version, hash in chunk["leaves"]]
    if {tuple(map(type, leaf)) for leaf in leaves} != {(str, int, str)}:
        raise TypeError("no leaves")
    return leaves


async def _check_heads(database: Database, report: Report, leaves: Sequence[Leaf], number: int) -> None:
    which = {"$or": [{"stream": s, "version": v} for s, v, _ in leaves]}
    cursor = _as_is(database.journal).find(which, {"stream": 1, "version": 1, "hash": 1})
    # As text: a list, which a search by stream finds too, is no key.
    found = {(str(d["stream"]), str(d["version"])): d.get("hash", "") async for d in cursor}
    for stream, version, hash in leaves:
        stored = found.get((stream, str(version)))
        if stored is None:
            report.add(stream, version, "anchored_missing", f"mốc {number} ghi là đã có; nay không còn")
        elif stored != hash:
            report.add(stream, version, "anchored_changed", f"không phải bản mà mốc {number} đã ghi")
