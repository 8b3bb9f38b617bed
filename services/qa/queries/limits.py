"""How often one visitor may guess: counted in the database, so that replicas count together."""

from datetime import UTC, datetime, timedelta

from pymongo import ReturnDocument, WriteConcern

from services.qa.queries.read_models import ATTEMPTS
from shared.errors import TooManyRequests
from shared.mongo import Database, answered
from shared.web.spoken import N_


def too_often(seconds: float) -> TooManyRequests:
    """``seconds``: after which one may try again."""
    message = N_("Đã thử quá nhiều lần. Vui lòng thử lại sau ít phút.")
    return TooManyRequests(message, retry_after=max(1, int(seconds)))


class Limiter:
    """At most ``most`` failures a window. An attempt is counted before it is judged, and taken back when it
    was right, so that attempts at the same moment cannot slip through."""

    def __init__(self, database: Database, *, most: int, window: timedelta) -> None:
        # A count that dies with a primary gives an attacker a few tries more; a wait for the majority
        # would be every asker's.
        self._attempts = database[ATTEMPTS].with_options(write_concern=WriteConcern(w=1))
        self._most, self._window = most, window

    def _slot(self, visitor: str, now: datetime) -> tuple[str, datetime]:
        size = int(self._window.total_seconds())
        start = int(now.timestamp()) // size * size
        return f"{visitor}:{start}", datetime.fromtimestamp(start + size, UTC)

    @answered
    async def enter(self, visitor: str, now: datetime) -> None:
        """Raises TooManyRequests."""
        slot, until = self._slot(visitor, now)
        counted = await self._attempts.find_one_and_update(
            {"_id": slot}, {"$inc": {"count": 1}, "$setOnInsert": {"until": until}}, upsert=True,
            return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        if counted["count"] > self._most:
            raise too_often((until - now).total_seconds())

    @answered
    async def right(self, visitor: str, now: datetime) -> None:
        slot, _ = self._slot(visitor, now)
        await self._attempts.update_one({"_id": slot}, {"$inc": {"count": -1}})
