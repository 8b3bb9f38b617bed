"""What the people on call need to know of a service: its replicas, what waits, what is buried."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
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
FOLLOWERS: Final = ("relay", "projector")
BEHIND: Final = Gauge(
    "follower_behind_seconds",
    "Age of the oldest commit that a follower has not done",
    ["service", "follower"],
)
TROUBLED: Final = Gauge(
    "follower_troubled",
    "1 while a follower stands still on an error of its own",
    ["service", "follower"],
)


class Heartbeat:
    """Each replica says every two seconds that it lives and how much waits before it."""

    def __init__(
        self, database: Database, service: str, replica: str, roles: Iterable[str], inbox: Inbox
    ) -> None:
        self._database, self._collection = database, database.heartbeats
        self._service, self._replica, self._roles, self._inbox = service, replica, sorted(roles), inbox

    async def run(self) -> None:
        while True:
            lag = await self._inbox.lag()
            for topic, waiting in lag.items():
                LAG.labels(self._service, topic).set(waiting)
            rows = [{"topic": topic, "waiting": waiting} for topic, waiting in lag.items()]
            await self._beat({"roles": self._roles, "lag": rows, "at": datetime.now(UTC)})
            await self._measure()
            await asyncio.sleep(BEAT)

    @answered
    async def _measure(self) -> None:
        """By whoever lives: the one that should be following may be dead."""
        for name in FOLLOWERS:
            standing = await Standing.of(self._database, name)
            BEHIND.labels(self._service, name).set(standing.seconds)
            TROUBLED.labels(self._service, name).set(standing.trouble is not None)

    @answered
    async def _beat(self, facts: dict[str, Any]) -> None:
        await self._collection.update_one({"_id": self._replica}, {"$set": facts}, upsert=True)

    async def farewell(self) -> None:
        await self._collection.delete_one({"_id": self._replica})


@dataclass(frozen=True)
class Standing:
    """Where a follower of the journal stands."""

    holder: str | None
    marked_at: datetime | None
    seconds: float  # since the oldest commit that it has not done
    trouble: Mapping[str, Any] | None = None  # why its mark does not move: the error, the commit, the column

    @classmethod
    async def of(cls, database: Database, follower: str) -> "Standing":
        lease = await database.leases.find_one({"_id": follower}) or {}
        mark = cls(lease.get("holder"), lease.get("marked_at"), 0.0, lease.get("trouble"))
        oldest = await database.journal.find_one(mark.undone, {"at": 1}, sort=[("at", 1)])
        waited = (datetime.now(UTC) - oldest["at"]).total_seconds() if oldest else 0.0
        return replace(mark, seconds=max(0.0, waited))

    @property
    def undone(self) -> dict[str, Any]:
        return {"at": {"$gt": self.marked_at}} if self.marked_at else {}


async def _behind(database: Database, follower: str) -> dict[str, Any]:
    standing = await Standing.of(database, follower)
    waiting = await database.journal.count_documents(standing.undone, limit=10_000)
    return {**asdict(standing), "waiting": waiting}


@answered
async def operations(service: "Service[Any]") -> dict[str, Any]:
    database, now = service.database, datetime.now(UTC)
    replicas = [r async for r in database.heartbeats.find({"at": {"$gt": now - timedelta(days=1)}})]
    alive = [r for r in replicas if now - r["at"] < GONE_AFTER]
    lag: dict[str, int] = {}
    for replica in alive:
        for row in replica["lag"]:
            lag[row["topic"]] = lag.get(row["topic"], 0) + row["waiting"]
    newest = await database.journal.find_one({}, {"at": 1}, sort=[("at", -1)])
    return {
        "service": service.name,
        "at": now,
        "replicas": [
            {"name": r["_id"], "roles": r["roles"], "alive": r in alive, "at": r["at"]} for r in replicas
        ],
        "lag": [{"topic": topic, "waiting": waiting} for topic, waiting in sorted(lag.items())],
        "followers": {name: await _behind(database, name) for name in FOLLOWERS},
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
