"""Ai được báo tin, và tin nào còn phải gửi: the open subscriptions, and a queue of messages for each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pymongo import ASCENDING, UpdateOne

from services.qa.domain.subscriptions import Subscription
from shared.contracts.base import Recorded
from shared.contracts.qa import SubscriptionClosed, SubscriptionOpened
from shared.desk import Vault
from shared.mongo import Database, answered
from shared.projections import Fields, Projection

SUBSCRIPTIONS: Final = "subscriptions"
MESSAGES: Final = "messages"
KEPT_SECONDS: Final = 14 * 86_400  # what was delivered can be looked at for so long

Row = dict[str, Any]


async def _opened(recorded: Recorded[SubscriptionOpened], _: Vault) -> Fields:
    event = recorded.event
    return {
        "unit": event.unit, "url": event.url, "secret_ref": event.secret_ref, "open": True,
        "opened_at": recorded.at, "next_at": recorded.at, "failures": 0, "trouble": "",
    }  # fmt: skip


async def _closed(recorded: Recorded[SubscriptionClosed], _: Vault) -> Fields:
    return {"open": False, "closed_at": recorded.at}


# When to try next, and what went wrong, is moved on without a record.
SUBSCRIBED: Final = Projection(
    SUBSCRIPTIONS, Subscription.KIND, {SubscriptionOpened: _opened, SubscriptionClosed: _closed},
    wakes=("tell_subscribers",), hints=frozenset({"next_at", "failures", "trouble", "told_at"}),
)  # fmt: skip


@answered
async def prepare(database: Database) -> None:
    await database[SUBSCRIPTIONS].create_index([("unit", 1), ("open", 1)], name="of_unit")
    await database[MESSAGES].create_index([("subscription", 1), ("told_at", 1), ("place", 1)], name="waiting")
    await database[MESSAGES].create_index("told_at", name="kept", expireAfterSeconds=KEPT_SECONDS)


@answered
async def open_subscriptions(database: Database) -> list[Row]:
    return [row async for row in database[SUBSCRIPTIONS].find({"open": True})]


@answered
async def of_unit(database: Database, unit: str) -> list[Row]:
    found = database[SUBSCRIPTIONS].find({"unit": {"$eq": unit}}).sort("opened_at", -1)
    return [row async for row in found]


@answered
async def enqueue(database: Database, messages: Sequence[Row]) -> None:
    """Each once, by its own id; in the order of ``place``."""
    if messages:
        await database[MESSAGES].bulk_write(
            [UpdateOne({"_id": row["_id"]}, {"$setOnInsert": row}, upsert=True) for row in messages],
            ordered=False,
        )


@answered
async def waiting(database: Database, subscription: str, limit: int) -> list[Row]:
    where = {"subscription": {"$eq": subscription}, "told_at": None}
    found = database[MESSAGES].find(where).sort("place", ASCENDING).limit(limit)
    return [row async for row in found]


@answered
async def count_waiting(database: Database, subscription: str) -> int:
    where = {"subscription": {"$eq": subscription}, "told_at": None}
    total: int = await database[MESSAGES].count_documents(where, limit=10_000)
    return total


@answered
async def told(database: Database, message: Row, at: datetime) -> None:
    await database[MESSAGES].update_one({"_id": message["_id"]}, {"$set": {"told_at": at}})
    await database[SUBSCRIPTIONS].update_one(
        {"_id": message["subscription"]}, {"$set": {"failures": 0, "trouble": "", "told_at": at}}
    )


@answered
async def failed(database: Database, subscription: str, reason: str, next_at: datetime) -> None:
    await database[SUBSCRIPTIONS].update_one(
        {"_id": subscription}, {"$inc": {"failures": 1}, "$set": {"trouble": reason, "next_at": next_at}}
    )
