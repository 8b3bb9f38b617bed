"""Do the clocks agree (đồng hồ)? What can't be undone asks here what time it is: the process's own clock, the
database's and the one that only counts on since boot are compared, and while two of them are more than thirty
seconds apart there is no answer, and an alarm. The answer is never early and never runs backwards."""

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import structlog
from prometheus_client import Gauge

from shared.mongo import Database, answered

log = structlog.get_logger(__name__)

LIMIT: Final = timedelta(seconds=30)
MEASURE_EVERY: Final = 1.0  # seconds
SETTLED_FOR: Final = 600.0  # seconds between two renewals of what counting on is compared with
TOLD_EVERY: Final = 5.0
FORGOTTEN_AFTER: Final = timedelta(seconds=30)  # a replica that says nothing any more holds nothing back
COLLECTION: Final = "clocks"
APART: Final = Gauge("clocks_apart_seconds", "Largest difference between two clocks", ["service"])
HELD: Final = Gauge("clocks_held", "1 while disagreeing clocks hold back what can't be undone", ["service"])


class Reading(NamedTuple):
    """Three clocks at one moment. ``ticks`` (seconds) counts since boot, through suspension too, and nobody
    can set it."""

    wall: datetime
    server: datetime
    ticks: float


class Verdict(NamedTuple):
    """``now`` (UTC) is None while the clocks disagree; then ``reason`` says how, in Vietnamese."""

    now: datetime | None
    apart: timedelta
    reason: str = ""


class Agreement:
    """The pure judgement over readings that follow one another. A clock that was set by more than the limit
    stays distrusted until it is right again or the process is started anew, which is a person's decision."""

    def __init__(self, limit: timedelta = LIMIT) -> None:
        self._limit = limit
        self._anchor: Reading | None = None
        self._last: datetime | None = None

    def judge(self, reading: Reading) -> Verdict:
        anchor = self._anchor or reading
        passed = timedelta(seconds=reading.ticks - anchor.ticks)
        differences = (
            (reading.wall - reading.server, "Đồng hồ của tiến trình và của cơ sở dữ liệu lệch nhau"),
            (reading.wall - anchor.wall - passed, "Đồng hồ của máy đã nhảy"),
            (reading.server - anchor.server - passed, "Đồng hồ của cơ sở dữ liệu đã nhảy"),
        )
        apart, words = max(differences, key=lambda each: abs(each[0]))
        if abs(apart) > self._limit:
            return Verdict(None, abs(apart), f"{words} {round(abs(apart).total_seconds())} giây.")
        if self._anchor is None or passed > timedelta(seconds=SETTLED_FOR):
            self._anchor = reading
        earliest = min(reading.wall, reading.server, anchor.wall + passed)
        self._last = max(self._last or earliest, earliest)
        return Verdict(self._last, abs(apart))


def since_boot() -> float:
    """Seconds, suspension included where the system can count it."""
    boot: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if boot is None else time.clock_gettime(boot)


def own_clock() -> datetime:
    return datetime.now(UTC)


class Clocks:
    """Asked before anything that can't be undone; measures at most once a second."""

    def __init__(
        self,
        database: Database,
        service: str,
        replica: str,
        *,
        wall: Callable[[], datetime] = own_clock,
        ticks: Callable[[], float] = since_boot,
    ) -> None:
        self._database, self._service, self._replica = database, service, replica
        self._wall, self._ticks = wall, ticks
        self._agreement = Agreement()
        self._verdict: Verdict | None = None
        self._measured_at = float("-inf")
        self._told_at = float("-inf")

    async def now(self) -> datetime | None:
        """The time that all clocks have reached, UTC, to the millisecond; None while they disagree."""
        if self._ticks() - self._measured_at >= MEASURE_EVERY:
            await self._measure()
        assert self._verdict is not None  # noqa: S101 (measured above)
        if self._verdict.now is None:
            return None
        passed = timedelta(seconds=self._ticks() - self._measured_at)
        now = max(self._verdict.now, min(self._verdict.now + passed, self._wall()))
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    @answered
    async def _measure(self) -> None:
        began = self._ticks()
        server = await _server_clock(self._database)
        ticks = self._ticks()
        reading = Reading(self._wall(), server + timedelta(seconds=(ticks - began) / 2), ticks)
        before, self._verdict = self._verdict, self._agreement.judge(reading)
        self._measured_at = ticks
        held = self._verdict.now is None
        APART.labels(self._service).set(self._verdict.apart.total_seconds())
        HELD.labels(self._service).set(held)
        changed = held != (before is not None and before.now is None)
        if changed and held:
            log.error("clocks.disagreed", service=self._service, error=self._verdict.reason)
        elif changed:
            log.info("clocks.agreed", service=self._service)
        if changed or (held and ticks - self._told_at >= TOLD_EVERY):
            self._told_at = ticks
            said = {"service": self._service, "held": held, "reason": self._verdict.reason, "at": "$$NOW"}
            await self._database[COLLECTION].update_one({"_id": self._replica}, [{"$set": said}], upsert=True)


def while_they_agree(clocks: Clocks, work: Callable[[], Awaitable[int]]) -> Callable[[], Awaitable[int]]:
    """A job that waits while nobody knows what time it is."""

    async def held() -> int:
        return 0 if await clocks.now() is None else await work()

    return held


async def _server_clock(database: Database) -> datetime:
    said = await database.command("hello", codec_options=database.codec_options)
    clock: datetime = said["localTime"]
    return clock


@answered
async def trouble(database: Database) -> list[str]:
    """What disagreeing clocks hold back now, a sentence for each replica; for the board of operations."""
    server = await _server_clock(database)
    which: dict[str, Any] = {"held": True, "at": {"$gt": server - FORGOTTEN_AFTER}}
    found = database[COLLECTION].find(which).sort("_id", 1)
    return [f"{row['_id']}: {row['reason']} Các việc không thể rút lại đang chờ." async for row in found]
