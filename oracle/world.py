"""The system as the oracle runs it: three replicas of each service with points around their seams. What dies
is started again after a while, what froze is continued; each death is counted by the point it came at."""

import asyncio
import contextlib
import random
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from deploy.demo.edges import Edges
from deploy.local.process import Trouble
from deploy.local.system import System
from oracle.plan import Plan
from oracle.points import ALL

COMMAND: Final = (sys.executable, "-m", "oracle.process")
LOOK: Final = 0.15


class World:
    def __init__(
        self, folder: Path, plan: Plan, mutant: str = "", env: Mapping[str, str] | None = None,
        *, many: Sequence[str] = ALL,
    ) -> None:  # fmt: skip
        """``many``: the services that run in replicas; of the others there is one process."""
        self.folder, self.plan, self._many = folder, plan, many
        self.armed = folder / "armed"
        self._notes = folder / "notes"
        shutil.rmtree(folder, ignore_errors=True)
        self.armed.mkdir(parents=True)
        env = {
            **(env or {}),
            "ORACLE_FOLDER": str(folder), "ORACLE_SEED": str(plan.seed), "ORACLE_MUTANT": mutant,
            # Retries come too soon where a clock is ahead: the tries of a courtesy must not run out by that.
            "PORTAL_COURTESY_ATTEMPTS": "1000", "PORTAL_FIRST_RETRY_SECONDS": "1.0",
            "PORTAL_LONGEST_RETRY_SECONDS": "4",
            "PORTAL_LONGEST_RETRY_MINUTES": "1", "PORTAL_LOG_LEVEL": "WARNING",
        }  # fmt: skip
        self.system = System(folder / "data", env=env, commands=dict.fromkeys(ALL, COMMAND))
        self.replicas: dict[str, list[str]] = {name: [name] for name in ALL}
        self.kills = 0
        self.hits: Counter[str] = Counter()  # by point: deaths and freezes
        self.timeline: list[tuple[float, str]] = []
        self.began = time.monotonic()
        self._draw = random.Random(f"world:{plan.seed}")
        self._pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="world")
        self._rising: set[str] = set()
        self._due: dict[str, float] = {}  # who is meant to be down, until when
        self._frozen: dict[str, float] = {}
        self._lengths: dict[str, float] = {}
        self._read = 0
        self._over, self._coming = threading.Event(), threading.Lock()
        self._watch = threading.Thread(target=self._watching, name="oracle-watch", daemon=True)

    def start(self) -> None:
        self.system.start()

        def more(service: str) -> None:
            for _ in range(self.plan.replicas - 1):
                self.replicas[service].append(self.system.add_replica(service))

        list(self._pool.map(more, self._many))
        self._watch.start()

    def stop(self) -> None:
        self._over.set()
        if self._watch.is_alive():
            self._watch.join(5)
        self._pool.shutdown(wait=True, cancel_futures=True)
        self.system.stop()

    def edges(self) -> Edges:
        return Edges(self.system.urls, self.system.passwords, "oracle")

    def tell(self, what: str) -> None:
        self.timeline.append((time.monotonic() - self.began, what))

    def asked(self, service: str) -> list[str]:
        """Whom a client may ask; the ones that are down are among them, as in life."""
        return self.replicas[service]

    # Faults

    def kill(self, name: str, seconds: float) -> None:
        """SIGKILL, and back after a while."""
        self._down(name, seconds, lambda: self.system.kill(name))
        self.kills += 1

    def leave(self, name: str, seconds: float) -> None:
        """A stop in order, and back after a while."""
        self._down(name, seconds, lambda: self.system.stop_process(name, 8))

    def freeze(self, name: str, seconds: float) -> None:
        self.tell(f"{name} is stopped for {seconds:.1f} s (SIGSTOP)")
        self.system.pause(name)
        self._frozen[name] = time.monotonic() + seconds

    def come(self, service: str) -> None:
        """One more replica, under a name that the consumer group has not seen."""
        with self._coming:  # names are numbered by how many there are
            known = set(self.system.names())
            with contextlib.suppress(Trouble):  # it may die as it comes; then it is started again
                self.system.add_replica(service)
            (name,) = set(self.system.names()) - known
            self.replicas[service].append(name)
        self.tell(f"{name} joins")

    def freeze_length(self, service: str, point: str, seconds: float) -> None:
        self._lengths[f"{service}.{point}"] = seconds

    def _down(self, name: str, seconds: float, how: Callable[[], None]) -> None:
        self.tell(f"{name} goes down for {seconds:.1f} s")
        self._due[name] = time.monotonic() + seconds
        self._frozen.pop(name, None)
        how()

    def settle(self) -> None:
        """The end of all faults: everybody awake and up."""
        for name in list(self._frozen):
            self.system.resume(name)
        self._frozen.clear()

    @property
    def all_up(self) -> bool:
        return not (self._rising or self._due or self._frozen or self.system.fallen())

    @property
    def all_parts_up(self) -> bool:
        return not {"mongod", "kafka"} & {*self._due, *self._rising, *self._frozen}

    # The watch

    def _watching(self) -> None:
        while not self._over.wait(LOOK):
            self._read_notes()
            now = time.monotonic()
            for name, until in list(self._frozen.items()):
                if now >= until:
                    self._frozen.pop(name, None)
                    self.tell(f"{name} wakes")
                    self.system.resume(name)
            for process in self.system.fallen():
                if process.name not in self._rising and process.name not in self._due:
                    # Mostly soon; sometimes late enough for others to take over.
                    late = self._draw.uniform(6.5, 9.0) if self._draw.random() < 0.15 else 0.0
                    self._due[process.name] = now + (late or self._draw.uniform(0.0, 1.5))
            for name, due in list(self._due.items()):
                if now >= due and name not in self._rising:  # one thread raises it, or it would live twice
                    self._rising.add(name)
                    del self._due[name]
                    self._pool.submit(self._rise, name)

    def _read_notes(self) -> None:
        if not self._notes.exists():
            return
        lines = self._notes.read_text().splitlines()
        for line in lines[self._read :]:
            at, act, instance, point = line.split(" ", 3)
            self.hits[point] += 1
            self.timeline.append((float(at) - self.began, f"{instance} {act}s at {point}"))
            if act == "die":
                self.kills += 1
            elif act == "freeze":
                service = instance.split("-")[0]
                self._frozen[instance] = time.monotonic() + self._lengths.get(f"{service}.{point}", 8.0)
        self._read = len(lines)

    def _rise(self, name: str) -> None:
        try:
            while not self._over.is_set():
                with contextlib.suppress(Trouble, OSError):
                    self.system.start_process(name)
                    self.tell(f"{name} is up again")
                    return
                self._over.wait(0.3)
        finally:
            self._rising.discard(name)

    async def until_up(self, patience: float = 60.0) -> bool:
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if self.all_up:
                return True
            await asyncio.sleep(0.2)
        return False
