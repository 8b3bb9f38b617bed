"""The relay alone in a process, which notes when the broker had acknowledged each commit. At SIGTERM it says
so: once key → seconds of the machine's monotonic clock. ``python -m bench.core.relaying FILE``"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.core import world
from shared.calm import calm_collector
from shared.journal import Commit
from shared.messaging.follower import Follower
from shared.messaging.relay import Relay
from shared.mongo import connect, prepare


async def main(file: Path) -> None:
    database = connect(os.environ["PORTAL_MONGO_URI"], os.environ["PORTAL_MONGO_DATABASE"])
    await prepare(database)
    relay = Relay(os.environ["PORTAL_KAFKA_BOOTSTRAP"], "qa")
    acked: dict[str, float] = {}
    calm_collector()

    async def publish(commits: Sequence[Commit]) -> None:
        await relay.publish(commits)
        now = time.monotonic()
        acked.update((commit.key, now) for commit in commits)

    follower = asyncio.create_task(Follower(database, "relay", "bench", publish, relay.begin).run())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    follower.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await follower
    await relay.end()
    await asyncio.to_thread(file.write_text, json.dumps(acked))


if __name__ == "__main__":
    assert world.FILED  # the event classes must be known here
    uvloop.run(main(Path(sys.argv[1])))
