"""Firings a second: everything due at one instant, three replicas in processes of their own, and the polling
rival beside them. Counted in the database from outside: a firing of ours is a commit of a breach."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import psutil  # type: ignore[import-untyped]

from bench.core.ground import Ground
from bench.deadlines import seeding
from deploy.local.ports import free_ports
from deploy.local.process import Process, http_ready
from shared.directory import Directory
from shared.mongo import to_document

REPLICAS: Final = 3
WARM: Final = 0.1  # of the work; about there the clock starts
LEAD: Final = 6.0  # seconds from the replicas' readiness to the due instant
PATIENCE: Final = 300.0
LOOK: Final = 0.05
SETTLE: Final = 4.0  # seconds until leases are taken and the group is at rest
BREACHED: Final = "notifier.deadline.breached"
SEEDED: Final = 2500  # deadlines a second that are put in place beforehand, at least
AN_OPENING: Final = 1000  # deadlines a second that the live projector shows at least
POLLED_AHEAD: Final = 100_000  # deadlines that the rival has open beside those that fall due, at most


@dataclass(frozen=True)
class Fired:
    rate: float
    count: int  # deadlines that were called a breach
    doubles: int
    begun: float  # seconds from the due instant to the first firing
    whole: float  # seconds from the due instant to the last
    rss_early: float  # MB of the largest replica, at a fifth of the work and at its end
    rss_late: float


@contextlib.contextmanager
def replicas(ground: Ground, database: str, roles: str = "bulk", **env: str) -> Iterator[list[Process]]:
    with contextlib.ExitStack() as stack:
        found = []
        for number, port in enumerate(free_ports(REPLICAS)):
            settings = {
                "PORTAL_MONGO_DATABASE": database, "PORTAL_ROLES": roles, "PORTAL_HTTP_PORT": str(port),
                "PORTAL_LOG_LEVEL": "ERROR", "PORTAL_INSTANCE": f"notifier-{number + 1}", **env,
            }  # fmt: skip
            ready = http_ready(f"http://127.0.0.1:{port}/health/ready")
            found.append(
                stack.enter_context(ground.running("services.notifier.app", env=settings, ready=ready))
            )
        yield found


def ours(ground: Ground, open_: int, due: int, roles: str = "bulk") -> Fired:
    """``due`` of ``open_`` fall due at one instant, which the replicas await."""
    name = ground.new_database()

    async def ahead() -> None:
        database = await seeding.prepared(ground.mongo_uri, name)
        far = datetime.now(UTC) + timedelta(days=2)
        await seeding.open_deadlines(database, range(due, open_), due=range(0), due_at=far)
        database.client.close()

    asyncio.run(ahead())
    with replicas(ground, name, roles) as running:
        time.sleep(SETTLE)
        due_at = datetime.now(UTC) + timedelta(seconds=LEAD + due / AN_OPENING)
        shown = ground.mongo[name]["deadlines"]
        rows = [to_document(c) for c in seeding.commits(range(due), due=range(due), due_at=due_at)]
        for start in range(0, due, seeding.AT_ONCE):
            ground.mongo[name]["journal"].insert_many(rows[start : start + seeding.AT_ONCE], ordered=False)
        while shown.estimated_document_count() < open_:
            if datetime.now(UTC) > due_at:
                raise TimeoutError(
                    f"{shown.estimated_document_count()} of {open_} are shown when {due} fall due"
                )
            time.sleep(LOOK)
        what = {"ns": f"{name}.journal", "op": "i", "o.events.name": BREACHED}
        rss = _await(ground, name, what, due, [process.pid or 0 for process in running])
        walls = _walls(ground, what)
        keys = ground.mongo[name]["journal"].distinct("stream", {"events.name": BREACHED})
    return _fired(walls, due_at, len(keys), rss)


def fair(ground: Ground, due: int) -> tuple[float, int]:
    """How long after its time the one deadline of a small unit fires, due while ``due`` of another
    are being fired; and how many of those still waited then."""
    name, step = ground.new_database(), len(seeding.UNITS)
    many, one = range(0, step * due, step), range(1, 2)
    due_at = datetime.now(UTC) + timedelta(seconds=2 * LEAD + due / SEEDED)
    small_at = due_at + timedelta(seconds=min(1.0, due / 20_000))

    async def ahead() -> None:
        database = await seeding.prepared(ground.mongo_uri, name)
        units = [{"id": unit, "name": unit, "kind": "province"} for unit in seeding.UNITS]
        await Directory(database, "notifier").load({"units": units})
        await seeding.open_deadlines(database, many, due=many, due_at=due_at)
        await seeding.open_deadlines(database, one, due=one, due_at=small_at)
        database.client.close()

    asyncio.run(ahead())
    (small,) = seeding.commits(one, due=one, due_at=small_at)
    what = {"ns": f"{name}.journal", "op": "i", "o.events.name": BREACHED}
    with replicas(ground, name):
        _await(ground, name, what, due + 1, [os.getpid()])
        (at,) = _walls(ground, {**what, "o.stream": small.stream})
        waited = sum(wall > at for wall in _walls(ground, what))
    return (at - small_at).total_seconds(), waited


def rival(ground: Ground, open_: int, due: int) -> Fired:
    """The same work as three pollers do it."""
    name = ground.new_database()
    polled = ground.mongo[name]["polled"]
    polled.create_index([("status", 1), ("due_at", 1)])
    far = datetime.now(UTC) + timedelta(days=2)
    for start in range(due, min(open_, POLLED_AHEAD), 5000):
        polled.insert_many([_row(n, far) for n in range(start, start + 5000)], ordered=False)
    with contextlib.ExitStack() as stack:
        for _ in range(REPLICAS):
            stack.enter_context(ground.running("bench.deadlines.poller", env={"PORTAL_MONGO_DATABASE": name}))
        time.sleep(SETTLE)
        due_at = datetime.now(UTC) + timedelta(seconds=LEAD)
        polled.insert_many([_row(n, due_at) for n in range(due)], ordered=False)
        what = {"ns": f"{name}.polled", "op": "u"}
        until = time.monotonic() + PATIENCE
        while polled.count_documents({"status": "breached"}) < due:
            if time.monotonic() > until:
                raise TimeoutError("the pollers did not come to an end")
            time.sleep(4 * LOOK)
    return _fired(_walls(ground, what), due_at, due, (0.0, 0.0))


def _row(number: int, due_at: datetime) -> dict[str, Any]:
    unit = seeding.UNITS[number % len(seeding.UNITS)]
    return {"_id": f"{number:032x}", "status": "open", "due_at": due_at, "unit": unit, "duty": "triage"}


def _await(
    ground: Ground, name: str, what: dict[str, Any], due: int, pids: Sequence[int]
) -> tuple[float, float]:
    """Until all are fired, looking at nothing that would cost the database anything. The memory of the
    largest replica, early and late."""
    journal, early = ground.mongo[name]["journal"], 0.0
    before = journal.estimated_document_count()
    until = time.monotonic() + PATIENCE
    while True:
        done = journal.estimated_document_count() - before
        if done >= due / 5 and not early:
            early = _rss(pids)
        if done >= due and len(_walls(ground, what)) >= due:
            return early, _rss(pids)
        if time.monotonic() > until:
            raise TimeoutError(f"{done} commits for {due} firings after {PATIENCE} s")
        time.sleep(LOOK)


def _rss(pids: Sequence[int]) -> float:
    return float(max(psutil.Process(pid).memory_info().rss for pid in pids)) / 1e6


def _walls(ground: Ground, what: dict[str, Any]) -> list[datetime]:
    """When the database took each, by its own clock: of the oplog."""
    oplog = ground.mongo.get_database("local", ground.mongo.codec_options.with_options(tz_aware=True))[
        "oplog.rs"
    ]
    return sorted(entry["wall"] for entry in oplog.find(what, {"wall": 1}))


def _fired(walls: list[datetime], due_at: datetime, count: int, rss: tuple[float, float]) -> Fired:
    """``walls`` in order. The rate is that of the last nine tenths."""
    first = int(len(walls) * WARM)
    seconds = max((walls[-1] - walls[first]).total_seconds(), 0.001)
    return Fired(
        rate=(len(walls) - first) / seconds, count=count, doubles=len(walls) - count,
        begun=(walls[0] - due_at).total_seconds(), whole=(walls[-1] - due_at).total_seconds(),
        rss_early=rss[0], rss_late=rss[1],
    )  # fmt: skip
