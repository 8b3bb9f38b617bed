"""Từ hiếm, từ thường: how often a word occurs, so that a search starts from the rarest of its words."""

import asyncio
import time
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from shared.mongo import Database

COUNTED_UP_TO: Final = 1_000  # a word that occurs more often is common, whatever else it is
COMMON: Final = 200
REMEMBERED: Final = 20_000  # words
FOR: Final = 600.0  # seconds: a count that is a little old only costs some time
SOON: Final = 15.0  # seconds, of what few have said


async def counted(database: Database, collection: str, where: dict[str, Any], most: int, **how: Any) -> int:
    """By the database's own count, which reads keys alone where an index holds the whole condition."""
    answer = await database.command({"count": collection, "query": where, "limit": most, **how})
    return int(answer["n"])


def containing(terms: Sequence[Any]) -> list[dict[str, Any]]:
    """All of these terms, said so that no index is chosen by them: the rarest has chosen it."""
    return [{"$nor": [{"terms": {"$ne": term}} for term in terms]}] if terms else []


class Rarity:
    def __init__(self, database: Database, collection: str, hint: str) -> None:
        self._database, self._collection, self._hint = database, collection, hint
        self._known: dict[Any, tuple[int, float]] = {}

    async def of(self, terms: Sequence[Any]) -> dict[Any, int]:
        """How many documents have each of these terms, the rarest first; counted up to ``COUNTED_UP_TO``."""
        counts = await asyncio.gather(*(self._count(term) for term in terms))
        return dict(sorted(zip(terms, counts, strict=True), key=lambda pair: pair[1]))

    async def _count(self, term: Any) -> int:
        now = time.monotonic()
        count, until = self._known.get(term, (0, 0.0))
        if now < until:
            return count
        has = {"terms": {"$eq": term}}
        count = await counted(self._database, self._collection, has, COUNTED_UP_TO, hint=self._hint)
        if count:  # what nobody said yet may be said the next moment
            self._known[term] = (count, now + (FOR if count >= COMMON else SOON))
            if len(self._known) > REMEMBERED:
                self._known.pop(next(iter(self._known)))
        return count


@lru_cache(maxsize=8)
def rarity_of(database: Database, collection: str, hint: str) -> Rarity:
    return Rarity(database, collection, hint)
