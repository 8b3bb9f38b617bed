"""A projection is built anew from a journal of COUNT events, in a process of its own, which says how fast and
with how much memory. ``python -m bench.core.rebuilding``"""

import asyncio
import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import uuid5

import uvloop

from bench.core import world
from bench.core.ground import Ground
from deploy.local.kafka import REPO
from shared.calm import calm_collector
from shared.journal import Stored
from shared.mongo import connect, prepare
from shared.rebuild import rebuild
from shared.vault import MongoVault

A_STREAM: Final = 5  # commits
BEGAN: Final = datetime(2026, 11, 23, 2, tzinfo=UTC)


def measure(ground: Ground, count: int) -> dict[str, float]:
    """``rate``: events a second; ``rss_mb``: the most that the process ever held."""
    database = ground.new_database()
    asyncio.run(prepare(connect(ground.mongo_uri, database)))
    journal = ground.mongo[database]["journal"]
    for start in range(0, count, 5000):
        journal.insert_many([_commit(n) for n in range(start, start + 5000)], ordered=False)
    env = {"PORTAL_MONGO_URI": ground.mongo_uri, "PORTAL_MONGO_DATABASE": database}
    said = subprocess.run(
        [sys.executable, "-m", "bench.core.rebuilding"], cwd=REPO, env={**os.environ, **env}, check=True,
        stdout=subprocess.PIPE, timeout=600,
    )  # fmt: skip
    found: dict[str, float] = json.loads(said.stdout.splitlines()[-1])
    ground.mongo.drop_database(database)
    return found


def _commit(number: int) -> dict[str, Any]:
    item, version = uuid5(world.NAMES, str(number // A_STREAM)), number % A_STREAM + 1
    stored = Stored.of(world.filed(world.heard(number // A_STREAM)))
    return {
        "_id": f"{number:032x}", "stream": f"item-{item}", "version": version,
        "events": [{"name": stored.name, "version": 1, "data": stored.data}],
        "at": BEGAN + timedelta(milliseconds=number), "by": "system", "correlation": f"{number:032x}",
        "causation": "", "fingerprint": "", "previous": "", "hash": "0" * 64,
    }  # fmt: skip


async def main() -> None:
    database = connect(os.environ["PORTAL_MONGO_URI"], os.environ["PORTAL_MONGO_DATABASE"])
    calm_collector()
    done = await rebuild(database, world.ITEMS, "qa", MongoVault(database), by="bench")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rate": done.commits / done.seconds, "rss_mb": peak, "commits": done.commits}))


if __name__ == "__main__":
    uvloop.run(main())
