"""Ai đang mở: who has which question before their eyes, so that two do not do the same work. Said anew while
the page is open, and forgotten soon after."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from shared.mongo import Database, answered

PRESENCE: Final = "presence"
BEAT: Final = 10.0  # seconds
LASTS: Final = timedelta(seconds=25)

People = Mapping[str, Mapping[str, str]]  # question → person → name


@answered
async def here(database: Database, question: str, person: str, name: str, now: datetime) -> None:
    facts = {"question": question, "person": person, "name": name, "until": now + LASTS}
    await database[PRESENCE].update_one({"_id": f"{question}:{person}"}, {"$set": facts}, upsert=True)


@answered
async def gone(database: Database, question: str, person: str) -> None:
    await database[PRESENCE].delete_one({"_id": {"$eq": f"{question}:{person}"}})


@answered
async def everybody(database: Database, now: datetime) -> People:
    """A row a member of staff who has a question open."""
    found: dict[str, dict[str, str]] = {}
    async for row in database[PRESENCE].find({"until": {"$gt": now}}).sort("_id"):
        found.setdefault(row["question"], {})[row["person"]] = row["name"]
    return found


@answered
async def at(database: Database, question: str, now: datetime) -> Mapping[str, str]:
    """Who has this question open: names by id."""
    where = {"_id": {"$gte": f"{question}:", "$lt": f"{question};"}, "until": {"$gt": now}}
    return {row["person"]: row["name"] async for row in database[PRESENCE].find(where)}


def others(people: Mapping[str, str], besides: str) -> list[str]:
    return [name for person, name in people.items() if person != besides]
