"""How the register itself does, for the board of operations and for Prometheus: whether what is due fires
and how late; whether those who must be told are told; whether a new calendar is still being applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from prometheus_client import Gauge

from services.notifier import board_queries
from services.notifier.queries import LANE_ORDER, Document, calendars, sweeps
from services.notifier.queries.terms import due
from services.notifier.regulation import DeadlineStatus, Lane, NoticeStatus
from shared import clocks_agree
from shared.mongo import Database, answered

OLDEST: Final = Gauge("notifier_oldest_unfired_seconds", "How long the oldest stage that is due has waited")
UNFIRED: Final = Gauge("notifier_unfired_stages", "Deadlines with a stage that is due and has not fired")
LAG: Final = Gauge(
    "notifier_firing_lag_seconds", "From the due instant to its breach's firing, within a day", ["quantile"]
)
NOTICES: Final = Gauge("notifier_notices", "Notices asked for within 30 days, by outcome", ["outcome"])
WAITING: Final = Gauge(
    "notifier_notice_waiting_seconds",
    "Age of the oldest notice that no server has accepted; without a duty to tell: since it was to be sent",
    ["lane"],
)
UNREACHED: Final = Gauge(
    "notifier_people_unreached", "Notices that the law demands, refused or returned, nobody told otherwise"
)
MOVING: Final = Gauge(
    "notifier_calendar_moving_seconds", "How long the newest calendar is being applied; 0: it is done"
)

A_DAY: Final = timedelta(days=1)
A_MONTH: Final = timedelta(days=30)
SAMPLE: Final = 5_000  # breaches, the latest due first
COUNTED: Final = 10_000  # more than that is said as that
LATE_AFTER: Final = 60.0  # seconds that a due stage may wait before the board calls it an incident
QUANTILES: Final = (("0.5", 50), ("0.99", 99))


@dataclass(frozen=True, slots=True)
class Moving:
    """A calendar that is being applied to open deadlines (đang tính lại các hạn)."""

    calendar: str
    seconds: float
    examined: int
    total: int | None  # None: not counted yet


@dataclass(frozen=True, slots=True)
class Vitals:
    """Seconds throughout. ``lags``: of the breaches within a day, by quantile; empty when there were none."""

    heartbeat: float | None  # since a replica of ours was last heard of
    unfired: int
    oldest: float
    lags: Mapping[str, float]
    fired: int
    notices: Mapping[str, int]
    waiting: Mapping[str, float]  # by lane
    unreached: int
    moving: Moving | None
    clocks: Sequence[str]  # a sentence for each replica whose clocks disagree

    @property
    def late(self) -> bool:
        return self.oldest > LATE_AFTER


async def vitals(database: Database, now: datetime) -> Vitals:
    lags = await _lags(database, now)
    unfired, oldest = await _unfired(database, now)
    return Vitals(
        heartbeat=await _heartbeat(database, now), unfired=unfired, oldest=oldest,
        lags={name: _at(lags, percent) for name, percent in QUANTILES} if lags else {}, fired=len(lags),
        notices=await board_queries.notice_counts(database, now - A_MONTH),
        waiting=await _waiting(database, now), unreached=await _unreached(database),
        moving=await _moving(database, now), clocks=await clocks_agree.trouble(database),
    )  # fmt: skip


def show(found: Vitals) -> None:
    """To Prometheus. Every replica shows the same: rules take the largest."""
    OLDEST.set(found.oldest)
    UNFIRED.set(found.unfired)
    for name, _ in QUANTILES:
        LAG.labels(name).set(found.lags.get(name, 0.0))
    for outcome, count in found.notices.items():
        NOTICES.labels(outcome).set(count)
    for lane, seconds in found.waiting.items():
        WAITING.labels(lane).set(seconds)
    UNREACHED.set(found.unreached)
    MOVING.set(found.moving.seconds if found.moving else 0.0)


def _at(ordered: Sequence[float], percent: int) -> float:
    """The smallest value that at least ``percent`` of them do not exceed (nearest rank)."""
    return ordered[max(ceil(len(ordered) * percent / 100), 1) - 1]


@answered
async def _heartbeat(database: Database, now: datetime) -> float | None:
    newest = await database.heartbeats.find_one({}, {"at": 1}, sort=[("at", -1)])
    return max(0.0, (now - newest["at"]).total_seconds()) if newest else None


@answered
async def _unfired(database: Database, now: datetime) -> tuple[int, float]:
    oldest = await sweeps.oldest_due(database, now)
    if oldest is None:
        return 0, 0.0
    which: Document = {"share": {"$in": list(sweeps.ALL_SHARES)}, "next_at": due(now)}
    count = int(await database.deadlines.count_documents(which, limit=COUNTED))
    return count, max(0.0, (now - oldest).total_seconds())


@answered
async def _lags(database: Database, now: datetime) -> list[float]:
    """In order. A deadline that was told of, or opened again, after its time is counted from that on: nobody
    can fire what he does not know."""
    which: Document = {
        "status": {"$in": [DeadlineStatus.OPEN.value, DeadlineStatus.MET.value]},
        "due_at": {"$gte": now - A_DAY, "$lte": now},
        "breached_at": {"$type": "date"},
    }
    facts = {"_id": 0, "due_at": 1, "opened_at": 1, "reopened_at": 1, "breached_at": 1}
    found = database.deadlines.find(which, facts).sort("due_at", -1).limit(SAMPLE)
    return sorted(
        [max(0.0, (d["breached_at"] - _known_at(d)).total_seconds()) for d in await found.to_list(SAMPLE)]
    )


def _known_at(d: Document) -> datetime:
    """Since when it could be fired."""
    begun: list[datetime] = [d["due_at"], d["opened_at"]]
    again = d.get("reopened_at")
    return max([*begun, again] if again and again <= d["breached_at"] else begun)


@answered
async def _waiting(database: Database, now: datetime) -> dict[str, float]:
    ages = {}
    for number, lane in enumerate(LANE_ORDER):
        owed = lane in {Lane.URGENT, Lane.STATUTORY}
        since = "requested_at" if owed else "next_at"
        which: Document = {"lane": number, "next_at": {"$type": "date"} if owed else due(now)}
        oldest = await database.notices.find_one(which, {since: 1}, sort=[(since, 1)])
        ages[lane.value] = max(0.0, (now - oldest[since]).total_seconds()) if oldest else 0.0
    return ages


@answered
async def _unreached(database: Database) -> int:
    given_up = [NoticeStatus.FAILED.value, NoticeStatus.BOUNCED.value]
    which: Document = {"status": {"$in": given_up}, "statutory": True}
    return int(await database.notices.count_documents(which, limit=COUNTED))


async def _moving(database: Database, now: datetime) -> Moving | None:
    unfinished = await calendars.unfinished_calendars(database)
    if not unfinished:
        return None
    newest = unfinished[-1]
    progress = await calendars.progress(database, newest["_id"])
    return Moving(
        newest["_id"],
        max(0.0, (now - newest["applied_at"]).total_seconds()),
        progress.get("examined", 0),
        progress.get("total"),
    )
