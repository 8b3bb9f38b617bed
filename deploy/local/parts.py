"""The two real parts under the services: mongod as a replica set of one, and Kafka as a KRaft node of one."""

from __future__ import annotations

import asyncio
import os
import shutil
import sysconfig
import threading
import time
from pathlib import Path
from subprocess import CalledProcessError, TimeoutExpired
from typing import Any, Final

from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.kafka import topics
from deploy.local import kafka
from deploy.local.process import POLL, Process, Trouble, tcp_ready

REPLICA_SET: Final = "rs0"
NOT_INITIATED: Final = 94


class Part(Process):
    """A process that needs one more step before others can use it."""

    def start(self, cancelled: threading.Event | None = None) -> None:
        super().start(cancelled)
        self.settle(cancelled or threading.Event())

    def settle(self, cancelled: threading.Event) -> None:
        raise NotImplementedError


class Mongod(Part):
    """Ready when it is the primary of its replica set."""

    port: int

    @classmethod
    def at(cls, folder: Path, port: int, *, log: Path, pid_file: Path, cache_gb: float = 0.5) -> Mongod:
        folder.mkdir(parents=True, exist_ok=True)
        argv = [
            *(mongod_program(), "--dbpath", str(folder), "--port", str(port), "--bind_ip", "127.0.0.1"),
            *(
                "--replSet",
                REPLICA_SET,
                "--nounixsocket",
                "--wiredTigerCacheSizeGB",
                str(cache_gb),
                "--oplogSize",
                "512",
            ),
            # Its quiesce period waits for other members, and there are none.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]
        part = cls("mongod", argv, log, pid_file, tcp_ready(port), ready_within=60)
        part.port = port
        return part

    def settle(self, cancelled: threading.Event) -> None:
        client: MongoClient[dict[str, Any]] = MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=20_000
        )
        try:
            self._join(client)
            give_up = time.monotonic() + 30
            while not client.admin.command("hello").get("isWritablePrimary"):
                if cancelled.is_set():
                    raise Trouble("mongod was told to stop before it was ready.")
                if time.monotonic() > give_up:
                    raise Trouble(f"mongod did not become primary in 30 s. The whole log: {self.log}")
                time.sleep(POLL)
        except PyMongoError as error:
            raise Trouble(f"mongod refused its set-up: {error}. The whole log: {self.log}") from error
        finally:
            client.close()

    def _join(self, client: MongoClient[dict[str, Any]]) -> None:
        """Initiate once; follow when the data folder comes back on another port."""
        members = [{"_id": 0, "host": f"127.0.0.1:{self.port}"}]
        try:
            config = client.admin.command("replSetGetConfig")["config"]
        except OperationFailure as error:
            if error.code != NOT_INITIATED:
                raise
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
            return
        if config["members"][0]["host"] != members[0]["host"]:
            config["members"] = members
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)


def mongod_program() -> str:
    """A mongod on the PATH is preferred; the wheel's is for machines without one."""
    found = shutil.which("mongod")
    wheel = Path(sysconfig.get_path("purelib")) / "fiftyone" / "db" / "bin" / "mongod"
    if found:
        return found
    if wheel.exists() and os.access(wheel, os.X_OK):
        return str(wheel)
    raise Trouble("There is no mongod here. `make run` installs one.")


class Kafka(Part):
    """Ready when it has its topics."""

    port: int
    properties: Path
    java: str

    @classmethod
    def at(cls, folder: Path, port: int, controller_port: int, *, log: Path, pid_file: Path) -> Kafka:
        java = kafka.java()
        if java is None or not kafka.LIBS.is_dir():
            raise Trouble("Kafka is not installed here. `make run` installs it.")
        properties = kafka.write_properties(folder, port, controller_port)
        flags = [f"-XX:SharedArchiveFile={kafka.ARCHIVE}"] if kafka.ARCHIVE.exists() else []
        argv = kafka.server(java, properties, *flags)
        part = cls("kafka", argv, log, pid_file, tcp_ready(port), ready_within=90)
        part.port, part.properties, part.java = port, properties, java
        return part

    def spawn(self) -> None:
        try:
            kafka.format_storage(self.java, self.properties)
        except (CalledProcessError, TimeoutExpired) as error:
            said = str(error.output or error.stderr or error).strip().splitlines()[-1:]
            raise Trouble(f"Kafka's data folder could not be prepared: {' '.join(said)}") from error
        super().spawn()

    def settle(self, cancelled: threading.Event) -> None:
        """It accepts connections a moment before it serves: ask for the topics until it does."""
        wanted = topics.load()
        give_up = time.monotonic() + 60
        while True:
            try:
                asyncio.run(topics.ensure(f"127.0.0.1:{self.port}", wanted))
            except (KafkaError, OSError) as error:
                if not self.alive:
                    raise Trouble(self.obituary()) from error
                if cancelled.is_set() or time.monotonic() > give_up:
                    raise Trouble(f"kafka has no topics: {error}. The whole log: {self.log}") from error
                time.sleep(0.1)
            else:
                return
