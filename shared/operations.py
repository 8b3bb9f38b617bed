"""What the people on call need to know of a service: its replicas, what waits, what is buried."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from prometheus_client import Gauge

from shared.messaging.inbox import Inbox
from shared.mongo import Database, answered
from shared.web.edge import OurService

if TYPE_CHECKING:
    from shared.service import Service

BEAT: Final = 2.0  # seconds
GONE_AFTER: Final = timedelta(seconds=10)
LAG: Final = Gauge("inbox_lag", "Records waiting on this replica's partitions", ["service", "topic"])


class Heartbeat:
    """Each replica says every two seconds that it lives and how much waits before it."""

    def __init__(
        self, database: Database, service: str, replica: str, roles: Iterable[str], inbox: Inbox
    ) -> None:
        self._collection = database.heartbeats
        self._service, self._replica, self._roles, self._inbox = service, replica, sorted(roles), inbox

    async def run(self) -> None:
        while True:
            lag = await self._inbox.lag()
            for topic, waiting in lag.items():
                LAG.labels(self._service, topic).set(waiting)
            rows = [{"topic": topic, "waiting": waiting} for topic, waiting in lag.items()]
            await self._beat({"roles": self._roles, "lag": rows, "at": datetime.now(UTC)})
            await asyncio.sleep(BEAT)

    @answered
    async def _beat(self, facts: dict[str, Any]) -> None:
        await self._collection.update_one({"_id": self._replica}, {"$set": facts}, upsert=True)

    async def farewell(self) -> None:
        await self._collection.delete_one({"_id": self._replica})


@answered
async def operations(service: "Service[Any]") -> dict[str, Any]:
    database, now = service.database, datetime.now(UTC)
    replicas = [r async for r in database.heartbeats.find({"at": {"$gt": now - timedelta(days=1)}})]
    alive = [r for r in replicas if now - r["at"] < GONE_AFTER]
    lag: dict[str, int] = {}
    for replica in alive:
        for row in replica["lag"]:
            lag[row["topic"]] = lag.get(row["topic"], 0) + row["waiting"]
    followers = {row["_id"]: row async for row in database.leases.find()}
    newest = await database.journal.find_one({}, {"at": 1}, sort=[("at", -1)])
    behind = {}
    for name in ("relay", "projector"):
        marked = followers.get(name, {}).get("marked_at")
        unread = await database.journal.count_documents(
            {"at": {"$gt": marked}} if marked else {}, limit=10_000
        )
        behind[name] = {
            "waiting": unread,
            "marked_at": marked,
            "holder": followers.get(name, {}).get("holder"),
        }
    return {
        "service": service.name,
        "at": now,
        "replicas": [
            {"name": r["_id"], "roles": r["roles"], "alive": r in alive, "at": r["at"]} for r in replicas
        ],
        "lag": [{"topic": topic, "waiting": waiting} for topic, waiting in sorted(lag.items())],
        "followers": behind,
        "newest_commit_at": newest["at"] if newest else None,
        "dead_letters": await service.dead_letters.groups(),
    }


def operations_router(service: "Service[Any]") -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/v1/operations")
    async def state(_: OurService) -> dict[str, Any]:
        """Replicas, lag per topic, followers and dead letters, for the operations board."""
        return await operations(service)

    return router
