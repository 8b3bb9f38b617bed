"""Tệp đính kèm, as they lie in the database: a row a file (`files`), its content in sealed pieces
(`file_pieces`) under a key of its own. That key is sealed by the key of whoever owns the file: first the
upload, then a question."""

import hmac
import secrets
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymongo.errors import DuplicateKeyError

from services.qa.queries.read_models import QUESTIONS, SCAN_HINTS
from shared.contracts.qa import AttachedFile
from shared.errors import NotFound
from shared.keyring import Keyring, Unreadable
from shared.mongo import Database, answered

FILES: Final = "files"
PIECES: Final = "file_pieces"
PIECE: Final = 256 * 1024  # bytes
KEPT_UNSENT: Final = timedelta(hours=24)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """A file as it was taken in; ``mark`` tells the same content again, and nothing about it."""

    file: AttachedFile
    mark: str


class Sealing:
    """AES-256-GCM a piece. Its number and whether it is the last are sealed with it: pieces can't be swapped,
    left out or cut off."""

    def __init__(self, file_id: str, key: bytes) -> None:
        self._cipher, self._file = AESGCM(key), file_id
        self.hashing = hmac.new(hmac.digest(key, b"hash", "sha256"), digestmod="sha256")

    def seal(self, piece: bytes, number: int, *, last: bool) -> bytes:
        return self._cipher.encrypt(number.to_bytes(12, "big"), piece, self._about(last=last))

    def open(self, data: bytes, number: int, *, last: bool) -> bytes:
        """Raises Unreadable."""
        try:
            return self._cipher.decrypt(number.to_bytes(12, "big"), data, self._about(last=last))
        except InvalidTag:
            raise Unreadable("Tệp lưu không mở được.") from None

    def _about(self, *, last: bool) -> bytes:
        return f"{self._file}:{'last' if last else 'more'}".encode()


class Intake:
    """One file on its way in. What is not finished is dropped, by :meth:`drop` or by the sweep."""

    def __init__(self, store: "FileStore", file_id: str, key: bytes) -> None:
        self.id, self._store = file_id, store
        self._sealing = Sealing(file_id, key)
        self._waiting = bytearray()
        self._number = self.size = 0

    async def write(self, data: bytes) -> None:
        self.size += len(data)
        self._sealing.hashing.update(data)
        self._waiting += data
        while len(self._waiting) > PIECE:  # the last piece is never empty but of an empty file
            await self._put(bytes(self._waiting[:PIECE]), last=False)
            del self._waiting[:PIECE]

    async def finish(self, media_type: str, mark: str, once: str = "") -> Kept:
        """``once``: of two that carry it the first stands, and is what both get."""
        await self._put(bytes(self._waiting), last=True)
        hash = self._sealing.hashing.hexdigest()
        facts = {"media_type": media_type, "size": self.size, "hash": hash, "mark": mark}
        return await self._store.finished(self.id, facts | ({"once": once} if once else {}))

    async def _put(self, piece: bytes, *, last: bool) -> None:
        data = self._sealing.seal(piece, self._number, last=last)
        await self._store.put_piece(self.id, self._number, data)
        self._number += 1

    async def drop(self) -> None:
        await self._store.drop([self.id])


class FileStore:
    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._files, self._pieces, self._keyring = database[FILES], database[PIECES], keyring

    @answered
    async def begin(self) -> Intake:
        id, key = str(uuid4()), secrets.token_bytes(32)
        sealed = await self._keyring.seal(id, key)
        row = {"_id": id, "owner": id, "key": sealed, "at": datetime.now(UTC), "named": False, "whole": False}
        await self._files.insert_one(row)
        return Intake(self, id, key)

    @answered
    async def put_piece(self, id: str, number: int, data: bytes) -> None:
        await self._pieces.insert_one({"_id": f"{id}/{number:05}", "data": data})

    @answered
    async def finished(self, id: str, facts: Row) -> Kept:
        try:
            await self._files.update_one({"_id": id}, {"$set": facts | {"whole": True}})
        except DuplicateKeyError:
            await self.drop([id])
            return _kept(await self._files.find_one({"once": {"$eq": facts["once"]}}))
        return _kept(facts | {"_id": id})

    @answered
    async def find(self, id: UUID) -> Row | None:
        row: Row | None = await self._files.find_one({"_id": {"$eq": str(id)}, "whole": True})
        return row

    @answered
    async def own(self, row: Row, owner: UUID) -> bool:
        """From now on the file's key is sealed by ``owner``'s; False when another was faster."""
        key = await self._keyring.open(row["owner"], row["key"])
        sealed = await self._keyring.seal(str(owner), key)
        changed = {"$set": {"owner": str(owner), "key": sealed}}
        done = await self._files.update_one({"_id": row["_id"], "owner": row["owner"]}, changed)
        if done.matched_count and row["owner"] == row["_id"]:
            await self._keyring.destroy(row["_id"])
        return bool(done.matched_count)

    @answered
    async def count(self, owner: UUID) -> int:
        return int(await self._files.count_documents({"owner": str(owner)}))

    async def read(self, file: AttachedFile, owner: UUID) -> AsyncIterator[bytes]:
        """Its content in pieces. Raises NotFound when it was erased, Unreadable when it was changed."""
        row = await self.find(file.file_id)
        if row is None or row["owner"] != str(owner):
            raise NotFound("Tệp không còn được lưu.")
        if row["hash"] != file.hash:
            raise Unreadable("Tệp lưu không phải tệp trong hồ sơ.")
        sealing = Sealing(row["_id"], await self._keyring.open(row["owner"], row["key"]))
        count = max(1, -(-file.size // PIECE))
        for number in range(count):
            yield sealing.open(await self._piece(row["_id"], number), number, last=number == count - 1)

    @answered
    async def _piece(self, id: str, number: int) -> bytes:
        piece = await self._pieces.find_one({"_id": f"{id}/{number:05}"})
        if piece is None:
            raise NotFound("Tệp không còn được lưu.")
        return bytes(piece["data"])

    @answered
    async def drop(self, ids: Sequence[str]) -> None:
        """Content first: a row without pieces can be found again, pieces without a row can't."""
        for id in ids:
            await self._pieces.delete_many({"_id": {"$gte": f"{id}/", "$lt": f"{id}0"}})  # 0 follows /
            row = await self._files.find_one_and_delete({"_id": id}, {"owner": 1})
            if row is not None and row["owner"] == id:
                await self._keyring.destroy(id)

    @answered
    async def forget(self, owner: UUID) -> int:
        """All that this question owns. Returns how many files that were."""
        ids = [row["_id"] async for row in self._files.find({"owner": str(owner)}, {"_id": 1})]
        await self.drop(ids)
        return len(ids)

    async def erase(self, owner: str) -> int:
        return await self.forget(UUID(owner))

    @answered
    async def holding(self, owners: Sequence[str]) -> set[str]:
        """Those of them of whom a file is there."""
        return set(await self._files.distinct("owner", {"owner": {"$in": list(owners)}}))

    @answered
    async def unnamed(self, before: datetime, limit: int) -> list[Row]:
        """Rows of which it is not known that a commit names them, oldest first."""
        found = self._files.find({"named": False, "at": {"$lt": before}}, {"owner": 1})
        rows: list[Row] = await found.sort("at", 1).limit(limit).to_list(None)
        return rows

    @answered
    async def is_named(self, ids: Sequence[str]) -> None:
        await self._files.update_many({"_id": {"$in": list(ids)}}, {"$set": {"named": True}})


def _kept(row: Row | None) -> Kept:
    if row is None:
        raise NotFound("Tệp không còn được lưu.")
    file = AttachedFile(
        file_id=UUID(row["_id"]), media_type=row["media_type"], size=row["size"], hash=row["hash"]
    )
    return Kept(file, row["mark"])


@answered
async def claim_scan(database: Database, now: datetime, until: datetime) -> Row | None:
    """A question with files that nobody looked through yet, kept from the others ``until`` then."""
    row: Row | None = await database[QUESTIONS].find_one_and_update(
        {"scan_at": {"$lte": now}}, {"$set": {"scan_at": until}}, {"scan_tries": 1, "scan_errors": 1},
        sort=[("scan_at", 1)],
    )  # fmt: skip
    return row


@answered
async def settle_scan(database: Database, id: str, claimed_until: datetime, **hints: Any) -> None:
    """Nothing is left to do, or later: ``hints`` say when. Files that came in meanwhile have their turn."""
    mine = {"_id": id, "scan_at": claimed_until}
    done = {name: "" for name in SCAN_HINTS if name not in hints}
    await database[QUESTIONS].update_one(mine, {"$unset": done, "$set": hints} if hints else {"$unset": done})


@answered
async def prepare(database: Database) -> None:
    """Indexes; safe to repeat."""
    files = database[FILES]
    await files.create_index("owner", name="owner")
    await files.create_index("at", name="unnamed", partialFilterExpression={"named": False})
    await files.create_index(
        "once", name="once", unique=True, partialFilterExpression={"once": {"$exists": True}}
    )
