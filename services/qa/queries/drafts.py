"""Bản nháp: what somebody has typed into a form and not sent yet, of one question, one person, one act.
Sealed with the question's key, so that erasing the asker takes it too; forgotten after two weeks."""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from shared.errors import NotFound, TooLarge
from shared.keyring import Keyring
from shared.mongo import Database, answered

DRAFTS: Final = "drafts"
KEPT_FOR: Final = timedelta(days=14)
LARGEST: Final = 100_000  # bytes

Kept = tuple[dict[str, Any], datetime]  # the fields by name, and since when


class Drafts:
    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._drafts, self._keyring = database[DRAFTS], keyring

    @answered
    async def keep(
        self, question: str, person: str, act: str, fields: Mapping[str, Any], now: datetime
    ) -> None:
        """Raises TooLarge, and NotFound when the asker was erased."""
        id, data = _id(question, person, act), json.dumps(dict(fields)).encode()
        if len(data) > LARGEST:
            raise TooLarge("Bản nháp quá dài.")
        sealed = (await self._keyring.key(question, make=False)).seal(data, id)
        row = {"owner": question, "sealed": sealed, "at": now, "until": now + KEPT_FOR}
        await self._drafts.replace_one({"_id": {"$eq": id}}, row, upsert=True)

    @answered
    async def of(self, question: str, person: str, acts: Iterable[str]) -> dict[str, Kept]:
        """By act. What belongs to an asker who was erased is not there any more."""
        ids = {_id(question, person, act): act for act in acts}
        rows = [row async for row in self._drafts.find({"_id": {"$in": list(ids)}})] if ids else []
        try:
            key = await self._keyring.key(question, make=False) if rows else None
        except NotFound:
            return {}
        return {ids[r["_id"]]: (json.loads(key.open(r["sealed"], r["_id"])), r["at"]) for r in rows if key}

    @answered
    async def drop(self, question: str, person: str, act: str) -> None:
        await self._drafts.delete_one({"_id": {"$eq": _id(question, person, act)}})


def _id(question: str, person: str, act: str) -> str:
    return f"{question}:{person}:{act}"
