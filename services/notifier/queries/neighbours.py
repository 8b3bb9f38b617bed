"""What our other services said of themselves."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.notifier.queries.terms import Document
from shared.mongo import Database, answered


@answered
async def note_service(database: Database, name: str, facts: Document) -> None:
    await database.service_states.update_one({"_id": name}, {"$set": facts}, upsert=True)


@answered
async def note_backlog(database: Database, service: str, state: Mapping[str, Any], now: datetime) -> None:
    """The most that waited in this minute, kept for a day."""
    waiting = sum(int(row["waiting"]) for row in state.get("lag", ()))
    minute = now.replace(second=0, microsecond=0)
    await database.backlog.update_one(
        {"_id": f"{service}@{minute:%Y%m%d%H%M}"},
        {"$max": {"waiting": waiting}, "$setOnInsert": {"service": service, "at": minute}},
        upsert=True,
    )
