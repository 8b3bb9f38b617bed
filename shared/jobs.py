"""Work that runs on a timer, and at once when there is something to do. A job bears being run by several
replicas at the same moment: what must happen once has its once key in the journal."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from prometheus_client import Counter

from shared.logging import spoken

log = structlog.get_logger(__name__)

RUNS: Final = Counter("job_runs", "Runs of a job by outcome", ["job", "outcome"])
LONGEST_PAUSE: Final = 10.0


@dataclass(frozen=True)
class Job:
    """``run`` returns how much it did; anything above zero makes it run again at once. ``awaited``: it does
    what somebody waits for, and runs apart from what may be much."""

    name: str
    every: float  # seconds between two looks when nobody wakes it
    run: Callable[[], Awaitable[int]]
    awaited: bool = False


@dataclass
class Jobs:
    jobs: Sequence[Job]
    _bells: dict[str, asyncio.Event] = field(default_factory=dict)

    def wake(self, name: str) -> None:
        self._bell(name).set()

    def _bell(self, name: str) -> asyncio.Event:
        return self._bells.setdefault(name, asyncio.Event())

    async def run(self, *, awaited: bool) -> None:
        """Until cancelled, each job of one of the two sorts in a task of its own."""
        async with asyncio.TaskGroup() as group:
            for job in (job for job in self.jobs if job.awaited is awaited):
                group.create_task(self._keep_running(job), name=f"job-{job.name}")

    async def _keep_running(self, job: Job) -> None:
        bell, pause = self._bell(job.name), job.every
        while True:
            bell.clear()
            try:
                done = await job.run()
            except Exception as error:
                done, pause = 0, min(max(pause, 0.5) * 2, LONGEST_PAUSE)
                RUNS.labels(job.name, "failed").inc()
                log.warning("job.failed", job=job.name, error=spoken(error), pause=pause)
            else:
                pause = job.every
                RUNS.labels(job.name, "ran").inc()
            if done:
                continue
            try:
                await asyncio.wait_for(bell.wait(), pause)
            except TimeoutError:
                continue
