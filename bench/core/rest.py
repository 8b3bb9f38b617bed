"""What a service with all its roles costs when nobody asks for anything."""

import time
from typing import Final

import psutil  # type: ignore[import-untyped]

from bench.core.ground import Ground

SETTLE: Final = 5.0
WATCHED: Final = 10.0


def measure(ground: Ground) -> tuple[float, float]:
    """Percent of a core, and MB."""
    heard, out = ground.new_topics("heard", "filed")
    env = {"BENCH_HEARD": heard, "BENCH_FILED": out}
    with ground.service(ground.new_database(), "api,worker,bulk,relay", **env) as (child, _):
        time.sleep(SETTLE)
        process = psutil.Process(child.pid)
        before, began = sum(process.cpu_times()[:2]), time.monotonic()
        time.sleep(WATCHED)
        used = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - began)
        return used * 100, process.memory_info().rss / 1e6
