"""Beside the journal: what must be erasable or is large lies in `vault`, by ref and hash. What belongs to
somebody is sealed field by field with its owner's key; what no commit came to name is swept."""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from pymongo.errors import BulkWriteError

from shared.errors import NotFound, Unavailable
from shared.journal import Commit, Journal, canonical
from shared.keyring import DataKey, Keyring, Unreadable
from shared.mongo import DUPLICATE, Collection, Database, answered
from shared.together import Together

SWEPT_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, eq=False)
class _Put:
    """One row that waits for its trip."""

    ref: str
    digest: str
    facts: dict[str, Any]


class MongoVault:
    """Concurrent puts share one ``insert_many``, concurrent gets one ``find``; each caller hears of its own.
    Without a keyring it keeps nothing that belongs to anybody."""

    def __init__(self, database: Database, keyring: Keyring | None = None) -> None:
        self._collection: Collection = database.vault
        self._keyring = keyring
        self._puts: Together[_Put, str] = Together(self._keep)
        self._gets: Together[str, dict[str, Any]] = Together(self._rows)

    async def put(self, ref: str, content: dict[str, Any], *, owner: str = "", stream: str = "") -> str:
        """Keep ``content`` under ``ref`` before the commit that names it, in ``stream``; returns a hash of
        what is kept: a SHA-256, of what has an ``owner`` one that nobody computes without the owner's key.
        Repeating is harmless: the first content stays. Raises NotFound when the owner was erased."""
        body = canonical(content)
        loose = {"stream": stream, "loose": True} if stream else {}
        if not owner:
            digest = hashlib.sha256(body.encode()).hexdigest()
            return await self._puts.ask(_Put(ref, digest, {"content": body, **loose}))

        def sealed(key: DataKey) -> _Put:
            fields = {name: _sealed(key, ref, name, value) for name, value in content.items()}
            return _Put(ref, key.mark(body.encode()), {"owner": owner, "sealed": fields, **loose})

        # The key and what it seals are written at the same moment; neither is named by anything yet.
        draft = self._ring.begin(owner)
        put = sealed(draft.key)
        writes = self._puts.ask(put), self._ring.settle(draft)
        told, key = await asyncio.gather(*writes, return_exceptions=True)
        if isinstance(key, NotFound):  # erased: what was begun opens nowhere, and goes at once
            await self._forget(put)
        if isinstance(key, BaseException):
            raise key
        put = put if key is draft.key else sealed(key)
        if isinstance(told, BaseException):
            raise told
        return told if told == put.digest else await self._first(put, key)

    @answered
    async def _forget(self, put: _Put) -> None:
        await self._collection.delete_one({"_id": {"$eq": put.ref}, "hash": put.digest})

    @answered
    async def _first(self, put: _Put, key: DataKey) -> str:
        """The hash of what lies there. A row that the owner's key does not open was begun with one that came
        second, and nobody was told of it: this one stands instead."""
        row = await self._collection.find_one({"_id": {"$eq": put.ref}})
        if row is None:
            raise Unavailable("Nội dung vừa được gỡ; hãy gửi lại.", retry_after=1)
        if row.get("owner") != put.facts["owner"] or _opens(key, row):
            return str(row["hash"])
        fresh = {"hash": put.digest, "at": datetime.now(UTC), **put.facts}
        await self._collection.replace_one({"_id": put.ref, "hash": row["hash"]}, fresh)
        return await self._first(put, key)

    async def get(self, ref: str) -> dict[str, Any]:
        """Raises NotFound when it is not there, or its owner was erased."""
        row = await self._gets.ask(ref)
        if "sealed" not in row:
            content: dict[str, Any] = json.loads(row["content"])
            return content
        key = await self._ring.key(row["owner"], make=False)
        return {name: _opened(key, ref, name, sealed) for name, sealed in row["sealed"].items()}

    @answered
    async def erase(self, owner: str) -> int:
        """All that belongs to ``owner``: the key first, so that it opens nowhere, then the rows. Safe to
        repeat; returns how many rows there were."""
        await self._ring.destroy(owner)
        return int((await self._collection.delete_many({"owner": {"$eq": owner}})).deleted_count)

    @answered
    async def holding(self, owners: Sequence[str]) -> set[str]:
        """Those of them of whom there is a key or a row."""
        kept = await self._collection.distinct("owner", {"owner": {"$in": list(owners)}})
        return {*kept, *await self._ring.living(owners)}

    @answered
    async def sweep(self, before: datetime, journal: Journal) -> int:
        """What was put before ``before``: noted as named where its stream names it, else deleted. Each row is
        looked at once; returns how many were, at most 500 a call."""
        cursor = self._collection.find({"loose": True, "at": {"$lt": before}}, {"stream": 1}).sort("at", 1)
        old = {row["_id"]: row["stream"] for row in await cursor.limit(SWEPT_AT_ONCE).to_list(None)}
        streams = list(set(old.values()))
        commits = dict(zip(streams, await asyncio.gather(*map(journal.read, streams)), strict=True))
        named = {ref for ref, stream in old.items() if _names(commits[stream], ref)}
        await self._collection.update_many({"_id": {"$in": list(named)}}, {"$unset": {"loose": ""}})
        # Not what was put again since it was found: its commit may be on its way.
        still = {"_id": {"$in": list(old.keys() - named)}, "loose": True, "at": {"$lt": before}}
        await self._collection.delete_many(still)
        return len(old)

    @property
    def _ring(self) -> Keyring:
        if self._keyring is None:
            raise RuntimeError("what belongs to somebody is kept with a keyring alone")
        return self._keyring

    @answered
    async def _rows(self, refs: Sequence[str]) -> dict[str, dict[str, Any] | Exception]:
        found: dict[str, dict[str, Any] | Exception] = {
            ref: NotFound("Nội dung không còn được lưu.") for ref in refs
        }
        async for row in self._collection.find({"_id": {"$in": list(refs)}}):
            found[row["_id"]] = row
        return found

    @answered
    async def _keep(self, puts: Sequence[_Put]) -> dict[_Put, str | Exception]:
        now = datetime.now(UTC)
        rows = [{"_id": put.ref, "hash": put.digest, "at": now, **put.facts} for put in puts]
        kept: dict[_Put, str | Exception] = {put: put.digest for put in puts}
        try:
            await self._collection.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            if details.get("writeConcernErrors"):
                raise
            there = []
            for each in details.get("writeErrors", ()):
                put = puts[each["index"]]
                kept[put] = Unavailable(str(each.get("errmsg", "")), retry_after=2)
                if each["code"] == DUPLICATE:
                    there.append(put)
            if there:
                kept |= await self._kept_before(there)
        return kept

    async def _kept_before(self, puts: Sequence[_Put]) -> dict[_Put, str | Exception]:
        """Put again: a commit may yet come to name it."""
        refs = {"_id": {"$in": [put.ref for put in puts]}}
        await self._collection.update_many({**refs, "loose": True}, {"$set": {"at": datetime.now(UTC)}})
        hashes = {row["_id"]: str(row["hash"]) async for row in self._collection.find(refs, {"hash": 1})}
        return {put: hashes[put.ref] for put in puts if put.ref in hashes}


def _sealed(key: DataKey, ref: str, name: str, value: Any) -> bytes:
    """Bound to its ref and name: a field that was moved elsewhere does not open."""
    return key.seal(canonical({name: value}).encode(), f"{ref}\0{name}")


def _opened(key: DataKey, ref: str, name: str, sealed: bytes) -> Any:
    return json.loads(key.open(sealed, f"{ref}\0{name}"))[name]


def _opens(key: DataKey, row: dict[str, Any]) -> bool:
    try:
        for name, sealed in row["sealed"].items():
            _opened(key, row["_id"], name, sealed)
    except Unreadable:
        return False
    return True


def _names(commits: Sequence[Commit], ref: str) -> bool:
    return any(ref in event.data for commit in commits for event in commit.events)
