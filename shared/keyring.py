"""Một khóa cho mỗi chủ dữ liệu: what belongs to one owner is sealed by a random key of its own, and is gone
for good, wherever a copy of it lies, once that key is. Keys lie in `keys`, wrapped by the master key, which
is derived from PORTAL_SECRET_KEY and stored nowhere."""

import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pymongo.errors import BulkWriteError

from shared.errors import NotFound, PortalError, Unavailable
from shared.mongo import DUPLICATE, Collection, Database, answered
from shared.together import Together

SIZE: Final = 32  # bytes: AES-256, and as much for marks
NONCE: Final = 12
REMEMBERED_FOR: Final = 20.0  # seconds that a destroyed key may live on in another process
REMEMBERED: Final = 20_000
CHECK: Final = ""  # the owner whose key tells one secret from another


class Unreadable(PortalError):
    """What is kept does not open: it was changed, or PORTAL_SECRET_KEY is not the one it was kept under. It
    is not gone, and must not look so."""

    code = "unreadable"
    title_vi, title_en = "Nội dung lưu không mở được", "Stored content does not open"


class DataKey:
    """Opens and seals what belongs to one owner. ``about`` binds what is sealed to its place: it opens
    nowhere else."""

    __slots__ = ("_cipher", "_marking")

    def __init__(self, material: bytes) -> None:
        self._cipher, self._marking = AESGCM(material[:SIZE]), material[SIZE:]

    def seal(self, data: bytes, about: str = "") -> bytes:
        nonce = secrets.token_bytes(NONCE)
        return nonce + self._cipher.encrypt(nonce, data, about.encode())

    def open(self, data: bytes, about: str = "") -> bytes:
        """Raises Unreadable."""
        try:
            return self._cipher.decrypt(data[:NONCE], data[NONCE:], about.encode())
        except (InvalidTag, ValueError) as error:
            raise Unreadable from error

    def mark(self, data: bytes) -> str:
        """A hash that only the key's holder can compute: of a guess it tells nothing once the key is gone."""
        return hmac.digest(self._marking, data, "sha256").hex()


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A key that nobody may have heard of yet; without ``material``, one that is on record."""

    owner: str
    material: bytes = field(repr=False)
    key: DataKey

    @classmethod
    def of(cls, owner: str) -> "Draft":
        material = secrets.token_bytes(2 * SIZE)
        return cls(owner, material, DataKey(material))


class Keyring:
    """What many ask for at once shares a trip. Of two replicas that make a key for one owner, the first is
    heard. A key that was destroyed is never made again."""

    def __init__(
        self, database: Database, secret: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._collection: Collection = database["keys"]
        self._master = _master(secret) if secret else None
        self._clock = clock
        self._known: dict[str, tuple[float, DataKey]] = {}  # in the order in which they are forgotten
        self._reads: Together[str, DataKey] = Together(self._read)
        self._makes: Together[Draft, DataKey] = Together(self._make)

    async def seal(self, owner: str, data: bytes) -> bytes:
        """Raises NotFound when the owner was erased."""
        return (await self.key(owner)).seal(data)

    async def open(self, owner: str, data: bytes) -> bytes:
        """Raises NotFound when the owner's key is gone, Unreadable when what is kept was changed."""
        return (await self.key(owner, make=False)).open(data)

    async def mark(self, owner: str, data: bytes) -> str:
        return (await self.key(owner)).mark(data)

    async def key(self, owner: str, *, make: bool = True) -> DataKey:
        """The owner's key; ``make``: a new one when there has never been any. Raises NotFound."""
        if known := self._remembered(owner):
            return known
        if make:
            return await self.settle(Draft.of(owner))
        asked = self._clock()
        key = await self._reads.ask(owner)
        self._remember(owner, key, asked + REMEMBERED_FOR)
        return key

    def begin(self, owner: str) -> Draft:
        """A key to seal with while it is being put on record by :meth:`settle`."""
        known = self._remembered(owner)
        return Draft(owner, b"", known) if known else Draft.of(owner)

    async def settle(self, draft: Draft) -> DataKey:
        """The key that holds: the draft's own, unless the owner had one already. What was sealed with any
        other opens nowhere. Raises NotFound when the owner was erased."""
        if not draft.material:
            return draft.key
        asked = self._clock()
        key = await self._makes.ask(draft)
        self._remember(draft.owner, key, asked + REMEMBERED_FOR)
        return key

    def _remembered(self, owner: str) -> DataKey | None:
        until, key = self._known.get(owner, (0.0, None))
        return key if until > self._clock() else None

    @answered
    async def destroy(self, owner: str) -> None:
        """Once the majority has taken it, nothing of the owner's opens; in processes that have just used the
        key, 20 seconds later."""
        self._known.pop(owner, None)
        gone = {"destroyed_at": datetime.now(UTC)}
        await self._collection.replace_one({"_id": owner}, gone, upsert=True)
        self._known.pop(owner, None)

    @answered
    async def living(self, owners: Sequence[str]) -> set[str]:
        """Those of them whose key is there."""
        cursor = self._collection.find({"_id": {"$in": list(owners)}, "key": {"$exists": True}}, {"_id": 1})
        return {row["_id"] for row in await cursor.to_list(None)}

    async def prove(self) -> None:
        """Raises Unreadable when the keys were made under another secret than this process has."""
        if self._master is not None:
            await self.key(CHECK)

    def _remember(self, owner: str, key: DataKey, until: float) -> None:
        self._known.pop(owner, None)
        self._known[owner] = (until, key)
        now = self._clock()
        for old in list(islice(self._known, 2)):  # two out for one in: it stays small without being walked
            if self._known[old][0] <= now or len(self._known) > REMEMBERED:
                del self._known[old]

    @answered
    async def _make(self, drafts: Sequence[Draft]) -> dict[Draft, DataKey | Exception]:
        now = datetime.now(UTC)
        rows = [
            {"_id": each.owner, "key": self._wrapper.seal(each.material, each.owner), "at": now}
            for each in drafts
        ]
        made: dict[Draft, DataKey | Exception] = {draft: draft.key for draft in drafts}
        there: list[Draft] = []
        try:
            await self._collection.insert_many(rows, ordered=False)
        except BulkWriteError as error:
            details = error.details or {}
            if details.get("writeConcernErrors"):
                raise
            for each in details.get("writeErrors", ()):
                draft = drafts[each["index"]]
                made[draft] = Unavailable(str(each.get("errmsg", "")), retry_after=2)
                if each["code"] == DUPLICATE:
                    there.append(draft)
        found = await self._read([draft.owner for draft in there]) if there else {}
        return made | {draft: found[draft.owner] for draft in there}

    @answered
    async def _read(self, owners: Sequence[str]) -> dict[str, DataKey | Exception]:
        cursor = self._collection.find({"_id": {"$in": list(owners)}}, {"key": 1})
        wrapped = {row["_id"]: row.get("key") for row in await cursor.to_list(None)}
        return {owner: self._unwrapped(owner, wrapped.get(owner)) for owner in owners}

    def _unwrapped(self, owner: str, wrapped: bytes | None) -> DataKey | Exception:
        if wrapped is None:
            return NotFound("Nội dung không còn được lưu.")
        try:
            return DataKey(self._wrapper.open(wrapped, owner))
        except Unreadable:
            return Unreadable("PORTAL_SECRET_KEY không phải khóa đã dùng để lưu nội dung này.")

    @property
    def _wrapper(self) -> DataKey:
        if self._master is None:
            raise RuntimeError("PORTAL_SECRET_KEY is needed to keep what belongs to somebody")
        return self._master


def _master(secret: str) -> DataKey:
    derived = HKDF(SHA256(), 2 * SIZE, salt=None, info=b"portal: data keys").derive(secret.encode())
    return DataKey(derived)
