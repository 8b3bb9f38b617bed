"""The ground that everything is measured on: one mongod, one Kafka, and child processes that end with us."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import psutil  # type: ignore[import-untyped]
from pymongo import MongoClient

from deploy.kafka import topics
from deploy.local.kafka import REPO
from deploy.local.parts import REPLICA_SET, Kafka, Mongod
from deploy.local.ports import free_ports
from deploy.local.process import Process, Ready, http_ready

PARTITIONS: Final = 6
CACHE_GB: Final = 2.0  # of mongod: a million open deadlines with their indexes lie in it
CONFIG: Final = {"message.timestamp.type": "LogAppendTime"}


class Ground:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mongo, kafka, controller = free_ports(3)
        self.mongo_uri = f"mongodb://127.0.0.1:{mongo}/?replicaSet={REPLICA_SET}"
        self.bootstrap = f"127.0.0.1:{kafka}"
        log, run = folder / "log", folder / "run"
        self.parts = (
            Mongod.at(
                folder / "mongod",
                mongo,
                log=log / "mongod.log",
                pid_file=run / "mongod.pid",
                cache_gb=CACHE_GB,
            ),
            Kafka.at(folder / "kafka", kafka, controller, log=log / "kafka.log", pid_file=run / "kafka.pid"),
        )
        self._count = 0

    def __enter__(self) -> Self:
        self.started: list[Process] = []
        for part in self.parts:
            part.start()
            self.started.append(part)
        self.mongo: MongoClient[dict[str, Any]] = MongoClient(self.mongo_uri)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.mongo.close()
        for part in reversed(self.started):
            part.stop()

    def new_topics(self, *kinds: str) -> list[str]:
        """Topics of their own for each measurement, so that none sees what another left."""
        self._count += 1
        return self.make_topics(*(f"bench.{kind}.{self._count}" for kind in kinds))

    def make_topics(self, *names: str) -> list[str]:
        wanted = [topics.Topic(name, "", PARTITIONS, 1, CONFIG) for name in names]
        asyncio.run(topics.ensure(self.bootstrap, wanted))
        return list(names)

    def new_database(self) -> str:
        self._count += 1
        return f"bench{self._count}"

    @contextlib.contextmanager
    def running(
        self, module: str, *arguments: str, env: Mapping[str, str], ready: Ready | None = None
    ) -> Iterator[Process]:
        self._count += 1
        name = f"{module.rpartition('.')[2]}-{self._count}"
        settings = {
            "PORTAL_ENVIRONMENT": "local", "PORTAL_MONGO_URI": self.mongo_uri,
            "PORTAL_KAFKA_BOOTSTRAP": self.bootstrap, "PATH": os.environ["PATH"], **env,
        }  # fmt: skip
        child = Process(
            name, (sys.executable, "-m", module, *arguments), self.folder / "log" / f"{name}.log",
            self.folder / "run" / f"{name}.pid", ready or (lambda: True), settings, REPO,
        )  # fmt: skip
        child.start()
        self.started.append(child)
        try:
            yield child
        finally:
            self.started.remove(child)
            child.stop()

    def cpu_seconds(self) -> float:
        """Of everything that we started and that still runs: what noise around us does not change."""
        times = [psutil.Process(one.pid).cpu_times() for one in self.started]
        return float(sum(time.user + time.system for time in times))

    @contextlib.contextmanager
    def service(self, database: str, roles: str, **env: str) -> Iterator[tuple[Process, str]]:
        """Ours, in a process of its own; with its address."""
        (port,) = free_ports(1)
        url = f"http://127.0.0.1:{port}"
        settings = {"PORTAL_MONGO_DATABASE": database, "PORTAL_ROLES": roles, "PORTAL_HTTP_PORT": str(port)}
        ready = http_ready(f"{url}/health/ready")
        with self.running("bench.core.world", env=settings | env, ready=ready) as child:
            yield child, url
