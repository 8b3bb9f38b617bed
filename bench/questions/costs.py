"""What a request of each kind takes of the processor, the service's own time and mongod's apart, and where it
goes: ``python -m bench.questions.costs [rows] [requests of each kind]``; ``PROFILE=1``: by function.

The service runs in this process, without a socket and without Kafka; its threads are counted with it. A busy
machine makes each figure larger (its caches are shared): compare only what was run side by side."""

import asyncio
import cProfile
import os
import pstats
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import psutil  # type: ignore[import-untyped]
import uvloop
from pydantic import SecretStr
from starlette.types import ASGIApp, Message

from bench.questions import run, seeding
from bench.questions.asking import Kind, Request
from deploy.local.parts import REPLICA_SET, Mongod
from deploy.local.ports import free_ports
from services.qa.app import build
from services.qa.settings import QaSettings
from shared.calm import calm_collector
from shared.messaging.follower import Follower
from shared.projections import Projector
from shared.service import Service

PROFILE: Final = bool(os.environ.get("PROFILE"))
WARM: Final = 30  # requests of each kind, not counted
RATE: Final = 10.0  # of each kind a second: what one of two processes gets of twenty
SHOWN: Final = 45  # functions

Seconds = tuple[float, float]  # of the processor: the service's, mongod's


class Inside:
    """Asks the application itself, as a server would."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.statuses: Counter[int] = Counter()

    async def ask(self, request: Request) -> tuple[int, bytes]:
        path, _, query = request.path.partition("?")
        headers = {"host": "127.0.0.1", "content-length": str(len(request.body)), **request.headers}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": request.method,
            "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
            "root_path": "", "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        told: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def send(message: Message) -> None:
            told.append(message)

        await self._app(scope, receive, send)
        self.statuses[told[0]["status"]] += 1
        return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


async def costs(mongod: psutil.Process, uri: str, folder: Path, count: int) -> None:
    settings = QaSettings.model_validate({
        "environment": "local", "mongo_uri": uri, "mongo_database": "costs", "roles": "api",
        "secret_key": SecretStr(seeding.SECRET), "tracking_failures": 1_000_000, "ask_limit": 1_000_000_000,
        "log_level": "WARNING", "directory_file": seeding.directory(folder / "directory.yaml"),
    })  # fmt: skip
    service = build(settings)
    app = service.app()
    async with app.router.lifespan_context(app):
        inside = Inside(app)
        cookies, tracked = await run.signed_in(uri, "costs"), await asked(service, inside)
        kinds = run.kinds_of([], "", cookies, tracked)[:-1]
        calm_collector()
        await in_turn(inside, kinds, WARM, nothing(kinds), mongod)
        inside.statuses.clear()
        spent, profile = nothing(kinds), cProfile.Profile() if PROFILE else None
        with profile or nullcontext():
            await in_turn(inside, kinds, count, spent, mongod)
    for name, seconds in spent.items():
        ours, theirs = (1000 * each / count for each in seconds)
        print(f"{name:<12} service {ours:6.2f} ms   mongod {theirs:6.2f} ms   both {ours + theirs:6.2f} ms")
    print(f"{count} of each in turn, {RATE:.0f}/s of each at most; answered {dict(inside.statuses)}")
    if profile:
        pstats.Stats(profile).sort_stats("tottime").print_stats(SHOWN)
        pstats.Stats(profile).sort_stats("cumtime").print_stats(SHOWN)


def nothing(kinds: list[Kind]) -> dict[str, Seconds]:
    return {kind.name: (0.0, 0.0) for kind in kinds}


async def in_turn(
    inside: Inside, kinds: list[Kind], count: int, spent: dict[str, Seconds], mongod: psutil.Process
) -> None:
    began = time.perf_counter()
    for turn in range(count):
        for place, kind in enumerate(kinds):
            due = began + (turn + place / len(kinds)) / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            ours, theirs = time.process_time(), mongod.cpu_times()
            await inside.ask(kind.make())
            now, before = mongod.cpu_times(), spent[kind.name]
            took = now.user + now.system - theirs.user - theirs.system
            spent[kind.name] = before[0] + time.process_time() - ours, before[1] + took


async def asked(service: Service[Any], inside: Inside) -> list[run.Tracked]:
    """Questions with a whole record, on the lists too."""
    projector = Projector(
        service.database, service.projections, service.name, service.edge.vault, service.wake
    )
    follower = Follower(service.database, "projector", service.replica, projector.project)
    following = asyncio.create_task(follower.run())
    tracked = await run.asked(inside, run.TRACKED)
    following.cancel()
    return tracked


def main(rows: int = 50_000, count: int = 200) -> None:
    with tempfile.TemporaryDirectory(prefix="costs-") as name:
        folder = Path(name)
        (port,) = free_ports(1)
        part = Mongod.at(
            folder / "mongod", port, log=folder / "mongod.log", pid_file=folder / "mongod.pid", cache_gb=1.0
        )
        part.start()
        try:
            uri = f"mongodb://127.0.0.1:{port}/?replicaSet={REPLICA_SET}"
            seeding.fill(uri, "costs", rows, rows // 10, lambda _: None)
            uvloop.run(costs(psutil.Process(part.pid), uri, folder, count))
        finally:
            part.stop()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
