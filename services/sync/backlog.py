"""What waits for each portal. Replicas share the work by atomic claims; a portal in trouble has a gate of its
own, behind which one push at a time tries whether it is back."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pymongo import ASCENDING, ReturnDocument, UpdateOne

from services.sync.gateways import FETCH_SECONDS, Outcome
from services.sync.settings import Partner
from shared.mongo import Database, answered
from shared.webhooks import SEND_SECONDS

AT_ONCE: Final = 4  # pushes side by side to one portal, from one process
CLAIM: Final = timedelta(seconds=FETCH_SECONDS + SEND_SECONDS + 4)
LONGEST_DEFERRAL: Final = timedelta(seconds=15)
KEPT_ATTEMPTS: Final = timedelta(days=8)
NEVER: Final = datetime.fromtimestamp(0, UTC)
OPEN: Final = ("pending", "failed")


class Backlog:
    def __init__(self, database: Database) -> None:
        self._deliveries, self._partners = database.deliveries, database.partners
        self._portals, self._attempts = database.portals, database.attempts

    @answered
    async def due_partners(self, now: datetime) -> list[str]:
        """Linked portals with an open gate and something due; one index look-up each."""
        pipeline: list[dict[str, Any]] = [
            {"$match": {"linked": True, "not_before": {"$lte": now}}},
            {"$lookup": {
                "from": "deliveries", "localField": "_id", "foreignField": "partner", "as": "due",
                "pipeline": [{"$match": {"next_at": {"$lte": now}}}, {"$limit": 1}, {"$project": {"_id": 1}}],
            }},
            {"$match": {"due": {"$ne": []}}},
            {"$project": {"_id": 1}},
        ]  # fmt: skip
        return [row["_id"] async for row in self._partners.aggregate(pipeline)]

    @answered
    async def room(self, partner: str, now: datetime) -> int:
        """How many pushes may start now: one, held by one replica, at a portal in trouble."""
        row = await self._partners.find_one({"_id": partner}) or {}
        if row.get("not_before", NEVER) > now:
            return 0
        if not row.get("failures"):
            return AT_ONCE
        probing = await self._partners.update_one(
            {"_id": partner, "not_before": {"$lte": now}}, {"$set": {"not_before": now + CLAIM}}
        )
        return int(probing.modified_count)

    @answered
    async def return_turn(self, partner: str, began: datetime) -> None:
        """The one turn at a portal in trouble was not used: somebody else may have it."""
        await self._partners.update_one(
            {"_id": partner, "failures": {"$gt": 0}, "not_before": began + CLAIM},
            {"$set": {"not_before": NEVER}},
        )

    @answered
    async def claim(self, partner: str, now: datetime) -> dict[str, Any] | None:
        """The oldest due delivery, ours for as long as a push can take; a dead claimer's comes back then."""
        until = now + CLAIM
        row: dict[str, Any] | None = await self._deliveries.find_one_and_update(
            {"partner": partner, "next_at": {"$lte": now}},
            {"$set": {"next_at": until, "claimed_until": until}},
            sort=[("next_at", ASCENDING)], return_document=ReturnDocument.AFTER,
        )  # fmt: skip
        return row

    @answered
    async def newer(self, row: dict[str, Any]) -> bool:
        """Whether a later version of the item is on its way to the same portal, or has arrived there."""
        later = {
            "item_id": row["item_id"],
            "partner": row["partner"],
            "item_version": {"$gt": row["item_version"]},
        }
        return await self._deliveries.find_one(later, {"_id": 1}) is not None

    @answered
    async def defer(self, row: dict[str, Any], now: datetime, reason: str) -> None:
        """The source is not ready, which is no fault of the portal: ask again soon."""
        count = row["deferrals"] + 1
        wait = min(timedelta(milliseconds=100) * 2 ** min(count, 20), LONGEST_DEFERRAL)
        facts = {"next_at": now + wait, "claimed_until": NEVER, "deferrals": count, "waiting_for": reason}
        await self._deliveries.update_one(
            {"_id": row["_id"], "claimed_until": row["claimed_until"]}, {"$set": facts}
        )

    @answered
    async def note(
        self, row: dict[str, Any], number: int, outcome: Outcome, at: datetime, reason: str
    ) -> None:
        """The facts of one attempt, for people; written before the journal, so that none is missing."""
        facts = {
            "delivery_id": row["_id"], "item_id": row["item_id"], "partner": row["partner"],
            "action": row["action"], "number": number, "at": at, "ok": not reason, "reason": reason,
            "http_status": outcome.http_status, "milliseconds": outcome.milliseconds,
            "size": outcome.size, "webhook_id": outcome.webhook_id, "answer": outcome.answer,
            "verdict": outcome.receipt.status if outcome.receipt else "",
        }  # fmt: skip
        await self._attempts.update_one({"_id": f"{row['_id']}:{number}"}, {"$set": facts}, upsert=True)

    @answered
    async def well(self, partner: str, now: datetime) -> None:
        """The portal answers. After trouble, the gate opens and what waited is due at once."""
        recovered = await self._partners.update_one(
            {"_id": partner, "failures": {"$gt": 0}},
            {"$set": {"failures": 0, "not_before": NEVER, "failing_since": None}},
        )
        if recovered.modified_count:
            await self._due_now(partner, now)

    @answered
    async def trouble(
        self, partner: str, began: datetime, now: datetime, wait: Callable[[int], timedelta]
    ) -> int:
        """The portal does not answer as it should: its gate closes. Pushes that began before the last noted
        trouble add nothing to it. ``wait`` goes by the failures in a row, which are returned."""
        row = await self._partners.find_one({"_id": partner}) or {}
        failures = int(row.get("failures", 0)) + 1
        facts = {"failures": failures, "not_before": now + wait(failures), "troubled_at": now}
        if not row.get("failing_since"):
            facts["failing_since"] = now
        same_round = {"_id": partner, "failures": failures - 1, "troubled_at": {"$not": {"$gt": began}}}
        noted = await self._partners.update_one(same_round, {"$set": facts})
        return failures if noted.modified_count else max(failures - 1, 1)

    @answered
    async def heed_retries(self, now: datetime) -> int:
        """Carry out what operators ordered since the last look."""
        unheeded = {"$expr": {"$lt": [{"$ifNull": ["$heeded", 0]}, "$sequence"]}}
        orders = [row async for row in self._portals.find(unheeded)]
        for order in orders:
            await self._partners.update_one({"_id": order["_id"]}, {"$set": {"not_before": NEVER}})
            await self._due_now(order["_id"], now)
            await self._portals.update_one({"_id": order["_id"]}, {"$set": {"heeded": order["sequence"]}})
        return len(orders)

    async def _due_now(self, partner: str, now: datetime) -> None:
        waiting = {
            "partner": partner, "state": {"$in": OPEN}, "next_at": {"$gt": now},
            "claimed_until": {"$lte": now},
        }  # fmt: skip
        await self._deliveries.update_many(waiting, {"$set": {"next_at": now}})


async def load_partners(database: Database, partners: Sequence[Partner]) -> None:
    """The linked portals as data: name, kind and address, without the secret."""
    changes: list[UpdateOne] = []
    for partner in partners:
        facts = {"name": partner.name, "kind": partner.kind.value, "url": partner.url, "linked": True}
        fresh = {"failures": 0, "not_before": NEVER, "failing_since": None, "troubled_at": NEVER}
        changes.append(UpdateOne({"_id": partner.id}, {"$set": facts, "$setOnInsert": fresh}, upsert=True))
    if changes:
        await database.partners.bulk_write(changes, ordered=False)
    await database.partners.update_many(
        {"_id": {"$nin": _ids(partners)}, "linked": True}, {"$set": {"linked": False}}
    )


def _ids(partners: Iterable[Partner]) -> list[str]:
    return [partner.id for partner in partners]


async def prepare(database: Database) -> None:
    await database.deliveries.create_index([("partner", 1), ("next_at", 1)], name="partner_next")
    await database.deliveries.create_index(
        [("item_id", 1), ("partner", 1), ("item_version", -1)], name="item_partner_version"
    )
    await database.attempts.create_index([("partner", 1), ("at", -1)], name="partner_at")
    await database.attempts.create_index([("delivery_id", 1), ("number", 1)], name="delivery_number")
    await database.attempts.create_index(
        "at", name="at_ttl", expireAfterSeconds=int(KEPT_ATTEMPTS.total_seconds())
    )
