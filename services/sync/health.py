"""How each linked portal is doing, computed from its deliveries, its attempts and its gate."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from services.sync import backlog
from services.sync.regulation import Status
from shared.errors import NotFound
from shared.mongo import Database, answered

HOURS: Final = 24
ONE_HOUR: Final = timedelta(hours=1)
DOWN_AFTER: Final = 3  # failures in a row: one alone is no alarm


@dataclass(frozen=True)
class PortalHealth:
    """How one portal is doing. ``hours`` are the last 24, the newest last: '', ok, warn or bad."""

    id: str
    name: str
    kind: str
    url: str
    linked: bool
    backlog: int
    escalated: int
    oldest_waiting_at: datetime | None
    last_success_at: datetime | None
    failing_since: datetime | None
    failures_in_a_row: int
    next_try_at: datetime | None
    last_failure: dict[str, Any] | None
    waiting_for: str
    tries_24h: int
    successes_24h: int
    hours: list[str]
    retry_requested_at: datetime | None
    at: datetime
    slow_after: timedelta

    @property
    def lag(self) -> timedelta:
        """How long the oldest item has been waiting: what the portal's readers are behind."""
        return self.at - self.oldest_waiting_at if self.oldest_waiting_at else timedelta()

    @property
    def success_rate(self) -> float | None:
        return self.successes_24h / self.tries_24h if self.tries_24h else None

    @property
    def state(self) -> str:
        """down (ngừng), slow (chậm), ok, idle (nothing has ever gone there), unlinked."""
        if not self.linked:
            return "unlinked"
        if self.failures_in_a_row >= DOWN_AFTER or self.escalated:
            return "down"
        if self.failing_since is not None or self.lag > self.slow_after:
            return "slow"
        return "ok" if self.last_success_at or self.backlog else "idle"


WORST_FIRST: Final = {"down": 0, "slow": 1, "ok": 2, "idle": 3, "unlinked": 4}


@answered
async def portals(database: Database, now: datetime, slow_after: timedelta) -> list[PortalHealth]:
    """The worst first."""
    waiting = {row["_id"]: row async for row in database.deliveries.aggregate(_WAITING)}
    done = {row["_id"]: row["at"] async for row in database.deliveries.aggregate(_LAST_SUCCESS)}
    tries: dict[str, dict[datetime, tuple[int, int]]] = {}
    first = now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * ONE_HOUR
    async for row in database.attempts.aggregate(_tries_since(first)):
        tries.setdefault(row["_id"]["partner"], {})[row["_id"]["hour"]] = (row["tries"], row["successes"])
    orders = {row["_id"]: row.get("retry_requested_at") async for row in database.portals.find()}
    found = []
    async for row in database.partners.find():
        id, open_ = row["_id"], waiting.get(row["_id"], {})
        by_hour = tries.get(id, {})
        failing = row.get("failing_since")
        found.append(PortalHealth(
            id=id, name=row["name"], kind=row["kind"], url=row["url"], linked=row["linked"],
            backlog=open_.get("count", 0), escalated=open_.get("escalated", 0),
            oldest_waiting_at=open_.get("oldest"), last_success_at=done.get(id), failing_since=failing,
            failures_in_a_row=row.get("failures", 0),
            next_try_at=max(row["not_before"], open_["next"]) if open_ else None,
            last_failure=await _last_failure(database, id) if failing or open_ else None,
            waiting_for=open_.get("waiting_for") or "",
            tries_24h=sum(all_ for all_, _ in by_hour.values()),
            successes_24h=sum(good for _, good in by_hour.values()),
            hours=[_hour(*by_hour.get(first + n * ONE_HOUR, (0, 0))) for n in range(HOURS)],
            retry_requested_at=orders.get(id), at=now, slow_after=slow_after,
        ))  # fmt: skip
    return sorted(found, key=lambda p: (WORST_FIRST[p.state], -p.backlog, p.name))


async def portal(database: Database, id: str, now: datetime, slow_after: timedelta) -> PortalHealth:
    found = next((one for one in await portals(database, now, slow_after) if one.id == id), None)
    if found is None:
        raise NotFound("Không có cổng liên kết mang mã này.")
    return found


@answered
async def partner(database: Database, id: str) -> dict[str, Any]:
    """The portal as the partners file describes it."""
    found: dict[str, Any] | None = await database.partners.find_one({"_id": {"$eq": id}})
    return found or {"_id": id, "name": id, "kind": "", "url": "", "linked": False}


async def _last_failure(database: Database, partner: str) -> dict[str, Any] | None:
    row = await database.attempts.find_one(
        {"partner": partner, "ok": False},
        {"_id": 0, "at": 1, "reason": 1, "http_status": 1},
        sort=[("at", -1)],
    )
    return row if row is None else dict(row)


def _hour(tries: int, successes: int) -> str:
    if not tries:
        return ""
    return "ok" if successes == tries else "warn" if successes else "bad"


_WAITING: Final[list[dict[str, Any]]] = [
    {"$match": {"state": {"$in": list(backlog.OPEN)}}},
    {"$group": {
        "_id": "$partner", "count": {"$sum": 1}, "oldest": {"$min": "$since"}, "next": {"$min": "$next_at"},
        "escalated": {"$sum": {"$cond": ["$escalated", 1, 0]}}, "waiting_for": {"$max": "$waiting_for"},
    }},
]  # fmt: skip
_LAST_SUCCESS: Final[list[dict[str, Any]]] = [
    {"$match": {"state": Status.DONE.value}},
    {"$sort": {"partner": 1, "state": 1, "done_at": -1}},
    {"$group": {"_id": "$partner", "at": {"$first": "$done_at"}}},
]


def _tries_since(first: datetime) -> list[dict[str, Any]]:
    return [
        {"$match": {"at": {"$gte": first}}},
        {"$group": {
            "_id": {"partner": "$partner", "hour": {"$dateTrunc": {"date": "$at", "unit": "hour"}}},
            "tries": {"$sum": 1}, "successes": {"$sum": {"$cond": ["$ok", 1, 0]}},
        }},
    ]  # fmt: skip
