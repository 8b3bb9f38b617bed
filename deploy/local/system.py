"""The whole system on one machine, as real processes: for `make run`, for the tests and for the benchmark.

Its calls block; from a coroutine use ``asyncio.to_thread``.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict
from pathlib import Path
from subprocess import Popen
from types import TracebackType
from typing import IO, Final, Self

from aiokafka.errors import KafkaError

from deploy.kafka import topics
from deploy.local.kafka import REPO
from deploy.local.keys import Person, keys_of, one_time_passwords, people_of
from deploy.local.nursery import Nursery
from deploy.local.parts import REPLICA_SET, Kafka, Mongod
from deploy.local.ports import Ports, free_ports, refuse_taken
from deploy.local.process import Process, Trouble, clear_leftovers, http_ready, spawn
from deploy.local.wiring import DIRECTORY, PORTALS, SERVICES, Wire, Wiring

# Together under the ten seconds within which everything must have stopped.
PATIENCE: Final = {"services": 6.0, "samples": 1.0, "parts": 2.5}


def _start_nursery(argv: list[str], log: Path, socket: int) -> Popen[bytes]:
    return spawn(argv, log, cwd=REPO, pass_fds=[socket])


class System:
    """mongod, Kafka, the four services, and the sample surroundings: issuer, partner portals, mail sink.

    ``env`` adds settings to every process and wins; with PORTAL_MONGO_URI or PORTAL_KAFKA_BOOTSTRAP in it,
    that part is used and none is started. PORTAL_* of the caller's own environment is left out. ``signals``:
    with a sample SMS gateway and chat, to which the notifier then signals; ``scanner``: with a sample scanner
    of attached files. ``apart``: the notifier's bulk work is done by a process of its own, ``notifier-bulk``.
    """

    def __init__(
        self,
        data: Path,
        ports: Ports | None = None,
        env: Mapping[str, str] | None = None,
        roles: str = "api,worker,bulk,relay",
        *,
        directory: Path = DIRECTORY,
        commands: Mapping[str, Sequence[str]] | None = None,
        forked: bool = True,
        signals: bool = False,
        scanner: bool = False,
        apart: bool = False,
        told: Callable[[str, float], None] = lambda _name, _seconds: None,
    ) -> None:
        self.data = data.resolve()
        self.ports = ports or Ports.free()
        self.people: list[Person] = people_of(directory)
        self.passwords = one_time_passwords(self.people)
        self.cleared: list[str] = []
        """Names of processes that a killed run of this folder had left, ended at start."""
        self._env = dict(env or {})
        self._mongo_given = self._env.get("PORTAL_MONGO_URI")
        self._kafka_given = self._env.get("PORTAL_KAFKA_BOOTSTRAP")
        self.mongo_uri = (
            self._mongo_given or f"mongodb://127.0.0.1:{self.ports.mongod}/?replicaSet={REPLICA_SET}"
        )
        self.kafka_bootstrap = self._kafka_given or f"127.0.0.1:{self.ports.kafka}"
        self._directory, self._roles, self._told = directory, roles, told
        self._signals, self._scanner, self._apart = signals, scanner, apart
        self._commands = {name: tuple(argv) for name, argv in (commands or {}).items()}
        self._processes: dict[str, Process] = {}
        self._needs: dict[str, tuple[str, ...]] = {}
        self._stopping = threading.Event()
        self._nursery = Nursery(self.log("nursery"), _start_nursery) if forked else None
        self._lock: IO[str] | None = None
        self._wiring: Wiring | None = None
        self.urls: dict[str, str] = {}
        """Name → base address: services, issuer, mail, and each sample portal by its id."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # Whole system

    def start(self) -> None:
        """Start everything that can be started at once at once; return when all of it answers."""
        self._stopping.clear()
        self._take_folder()
        try:
            self.cleared = clear_leftovers(self._run_folder)
            refuse_taken(self._wanted_ports())
            if self._nursery is not None:
                self.log("nursery").parent.mkdir(exist_ok=True)
                self._nursery.open()
            self._plan()
            self._start_side_by_side()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> list[str]:
        """Stop in reverse order. Returns the names of those that had to be killed."""
        self._stopping.set()
        unwilling = []
        for group, names in self._in_reverse():
            with ThreadPoolExecutor(max_workers=16) as pool:
                stops = {name: pool.submit(self._processes[name].stop, PATIENCE[group]) for name in names}
            unwilling += [name for name, done in stops.items() if not done.result()]
        if self._nursery is not None:
            self._nursery.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        return unwilling

    # One process: "content", "qa", "sync", "notifier", "issuer", "mail", a portal's id, "mongod", "kafka"

    def kill(self, name: str) -> None:
        """SIGKILL."""
        self._processes[name].kill()

    def stop_process(self, name: str, within: float = 5.0) -> None:
        self._processes[name].stop(within)

    def start_process(self, name: str, env: Mapping[str, str] | None = None) -> None:
        """Start it again and wait until it answers; ``env`` is added for this and later starts."""
        process = self._processes[name]
        process.env = {**process.env, **(env or {})}
        process.start(self._stopping)

    stop_part, start_part = stop_process, start_process

    def pause(self, name: str) -> None:
        """SIGSTOP: alive, and silent."""
        self._processes[name].pause()

    def resume(self, name: str) -> None:
        self._processes[name].resume()

    def add_replica(
        self, service: str, *, roles: str | None = None, env: Mapping[str, str] | None = None
    ) -> str:
        """One more process of a service, on a free port. Returns its name, such as ``qa-2``."""
        if self._wiring is None:
            raise Trouble("A replica joins a system that has been started.")
        count = sum(1 for name in self._processes if name == service or name.startswith(f"{service}-"))
        name, port = f"{service}-{count + 1}", free_ports(1)[0]
        self._add(self._wiring.service(service, port, instance=name, roles=roles))
        self.urls[name] = f"http://127.0.0.1:{port}"
        self.start_process(name, env)
        return name

    def log(self, name: str) -> Path:
        return self.data / "log" / f"{name}.log"

    def pid(self, name: str) -> int | None:
        return self._processes[name].pid

    def names(self) -> list[str]:
        return list(self._processes)

    @property
    def running(self) -> bool:
        return any(process.alive for process in self._processes.values())

    def fallen(self) -> list[Process]:
        """Those that should be running and are not."""
        return [process for process in self._processes.values() if process.wanted and not process.alive]

    # How

    @property
    def _run_folder(self) -> Path:
        return self.data / "run"

    def _take_folder(self) -> None:
        """One runner a data folder. The lock goes with its holder, however that ends."""
        self._run_folder.mkdir(parents=True, exist_ok=True)
        lock = (self._run_folder / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise Trouble(
                f"The system already runs on {self.data} (process {holder}). Use that one, or stop it: "
                f"Ctrl-C in its terminal, or `kill {holder}`."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _wanted_ports(self) -> Iterable[tuple[str, int]]:
        given = {
            "mongod": self._mongo_given,
            "kafka": self._kafka_given,
            "kafka_controller": self._kafka_given,
        }
        return ((name, port) for name, port in asdict(self.ports).items() if not given.get(name))

    def _plan(self) -> None:
        self._processes, self._needs = {}, {}
        if not self._mongo_given:
            self._processes["mongod"] = Mongod.at(
                self.data / "mongod",
                self.ports.mongod,
                log=self.log("mongod"),
                pid_file=self._pid_file("mongod"),
            )
        if not self._kafka_given:
            self._processes["kafka"] = Kafka.at(
                self.data / "kafka",
                self.ports.kafka,
                self.ports.kafka_controller,
                log=self.log("kafka"),
                pid_file=self._pid_file("kafka"),
            )
        self._wiring = Wiring(
            data=self.data,
            ports=self.ports,
            keys=keys_of(self.data / "keys.json", list(SERVICES), [portal.id for portal in PORTALS]),
            passwords=self.passwords,
            directory=self._directory,
            mongo_uri=self.mongo_uri,
            kafka_bootstrap=self.kafka_bootstrap,
            roles=self._roles,
            extra=self._env,
            commands=self._commands,
            signals=self._signals,
            scanner=self._scanner,
            apart=self._apart,
        )
        self._wiring.write_partners()
        self.urls = self._wiring.urls
        for wire in self._wiring.wires():
            self._add(wire)

    def _add(self, wire: Wire) -> None:
        self._needs[wire.name] = tuple(need for need in wire.needs if need in self._processes)
        self._processes[wire.name] = Process(
            name=wire.name,
            argv=wire.argv,
            log=self.log(wire.name),
            pid_file=self._pid_file(wire.name),
            ready=http_ready(wire.ready_url),
            env=wire.env,
            cwd=REPO,
            nursery=self._nursery,
        )

    def _pid_file(self, name: str) -> Path:
        return self._run_folder / f"{name}.pid"

    def _start_side_by_side(self) -> None:
        began = time.monotonic()
        ready = {name: threading.Event() for name in self._processes}

        def bring_up(name: str) -> None:
            for need in self._needs.get(name, ()):
                while not ready[need].wait(0.1):
                    if self._stopping.is_set():
                        return
            self._processes[name].start(self._stopping)
            ready[name].set()
            self._told(name, time.monotonic() - began)

        if self._kafka_given:
            self._create_topics()
        with ThreadPoolExecutor(max_workers=len(self._processes)) as pool:
            starts: list[Future[None]] = [pool.submit(bring_up, name) for name in self._processes]
            try:
                wait(starts, return_when=FIRST_EXCEPTION)
                # The first to fail is the cause; the others only stop waiting.
                for failed in (start for start in starts if start.done() and start.exception()):
                    failed.result()
            finally:
                if not all(start.done() and start.exception() is None for start in starts):
                    self._stopping.set()

    def _create_topics(self) -> None:
        try:
            asyncio.run(topics.ensure(self.kafka_bootstrap, topics.load()))
        except (KafkaError, OSError) as error:
            raise Trouble(f"Kafka at {self.kafka_bootstrap} gave no topics: {error}") from error

    def _in_reverse(self) -> list[tuple[str, list[str]]]:
        around = ("issuer", "mail", "signals", "scanner", *(portal.id for portal in PORTALS))
        samples = [name for name in self._processes if name in around]
        parts = [name for name in self._processes if name in {"mongod", "kafka"}]
        services = [name for name in self._processes if name not in {*parts, *samples}]
        return [("services", services), ("samples", samples), ("parts", parts)]
