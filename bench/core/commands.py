"""A command over HTTP, accepted by the majority, fifty at once: beside an endpoint that does nothing and
beside state and outbox in a transaction."""

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

from bench.core.ground import Ground
from deploy.local.kafka import REPO
from deploy.local.ports import free_ports
from deploy.local.process import http_ready

ROUNDS: Final = 3  # by turns, so that a moment's noise meets all of them


@dataclass(frozen=True)
class Commands:
    ours: float
    p99_ms: float
    frame: float  # an endpoint that does nothing in our own frame
    nothing: float  # one in a bare FastAPI application
    transaction: float


def measure(ground: Ground, seconds: float) -> Commands:
    (port,) = free_ports(1)
    rivals = f"http://127.0.0.1:{port}"
    env = {"PORTAL_MONGO_DATABASE": ground.new_database()}
    with (
        ground.service(ground.new_database(), "api") as (_, url),
        ground.running("bench.core.rivals", str(port), env=env, ready=http_ready(f"{rivals}/health/ready")),
    ):
        places = {
            "nothing": f"{rivals}/v1/nothing", "ours": f"{url}/v1/command", "frame": f"{url}/v1/nothing",
            "transaction": f"{rivals}/v1/command",
        }  # fmt: skip
        found = [{name: press(place, seconds) for name, place in places.items()} for _ in range(ROUNDS)]
    rates = {name: statistics.median(one[name]["rate"] for one in found) for name in places}
    p99 = statistics.median(one["ours"]["p99_ms"] for one in found)
    return Commands(p99_ms=p99, **rates)


def press(url: str, seconds: float) -> dict[str, float]:
    argv = [sys.executable, "-m", "bench.core.client", url, str(seconds)]
    said = subprocess.run(argv, cwd=REPO, check=True, capture_output=True, timeout=seconds + 60)
    answer = json.loads(said.stdout)
    if not set(answer["statuses"]) <= {"200", "201"}:
        raise RuntimeError(f"{url} answered {answer['statuses']}")
    return {name: answer[name] for name in ("rate", "p50_ms", "p99_ms")}
