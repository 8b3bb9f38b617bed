"""Three mongods as a replica set and three Kafka nodes as a quorum, each a server in the run's network."""

import asyncio
import base64
import contextlib
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from deploy.kafka import topics
from deploy.local import kafka
from deploy.local.parts import REPLICA_SET, mongod_program
from deploy.local.ports import free_ports
from deploy.local.process import Process, Trouble, tcp_ready
from oracle.cluster_net import Net

THREE: Final = (1, 2, 3)
UP_WITHIN: Final = 90.0
QUIET_MONGOD: Final = (
    "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "256",
    "--setParameter", "diagnosticDataCollectionEnabled=false",
    "--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100",
)  # fmt: skip
# Failing over in 7 s instead of 19. Catching up with a silent primary is left out: it could only bring writes
# that were never acknowledged. A secondary turns from a silent member that it copied from at the first error.
SOON: Final = (
    "--setParameter", "oplogNetworkTimeoutBufferSeconds=1",
    "--setParameter", "oplogFetcherSteadyStateMaxFetcherRestarts=0",
)  # fmt: skip
SETTINGS: Final = {"electionTimeoutMillis": 5000, "catchUpTimeoutMillis": 0}
# A stopped server can't hear anything milder when the run is gone.
TIED: Final = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()

COPIES: Final = {
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "share.coordinator.state.topic.replication.factor": 3,
    "share.coordinator.state.topic.min.isr": 2,
}


class Cluster:
    """Its calls block, those that ask brokers excepted. A server's name is ``mongod-1`` or ``kafka-3``."""

    def __init__(self, folder: Path, net: Net) -> None:
        self._folder, self._net = folder, net
        self._servers: dict[str, Process] = {}
        self._over = threading.Event()
        self._at: dict[str, str] = {}  # name → address and port
        self._direct: dict[str, MongoClient[dict[str, Any]]] = {}
        mongods = [self._place(f"mongod-{n}", 10 + n, 27017) for n in THREE]
        brokers = [self._place(f"kafka-{n}", 20 + n, 9092) for n in THREE]
        self.mongo_uri = f"mongodb://{','.join(mongods)}/?replicaSet={REPLICA_SET}"
        self.kafka_bootstrap = ",".join(brokers)

    def _place(self, name: str, number: int, port: int) -> str:
        host = self._net.join(name, number)
        self._at[name] = f"{host}:{port if self._net.real else free_ports(1)[0]}"
        return self._at[name]

    @property
    def names(self) -> list[str]:
        return list(self._at)

    def alike(self, name: str) -> list[str]:
        """The others of its kind."""
        kind = name.partition("-")[0]
        return [other for other in self._at if other.startswith(kind) and other != name]

    # Up and down

    def start(self) -> None:
        try:
            for n in THREE:
                self._servers[f"mongod-{n}"] = self._mongod(n)
            for broker in self._brokers():
                self._servers[broker.name] = broker
            with ThreadPoolExecutor(6) as pool:
                list(pool.map(lambda server: server.start(self._over), self._servers.values()))
            self._initiate()
            asyncio.run(self._topics())
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Nothing is kept: they are ended, not asked."""
        self._over.set()
        with contextlib.suppress(subprocess.CalledProcessError):
            self._net.heal()
        for client in self._direct.values():
            client.close()
        for server in self._servers.values():
            server.kill()

    def kill(self, name: str) -> None:
        self._servers[name].kill()

    def raised(self, name: str) -> None:
        self._servers[name].start(self._over)

    def pause(self, name: str) -> None:
        self._servers[name].pause()

    def resume(self, name: str) -> None:
        self._servers[name].resume()

    def _mongod(self, number: int) -> Process:
        name = f"mongod-{number}"
        host, _, port = self._at[name].partition(":")
        data = self._folder / name
        data.mkdir(parents=True)
        own = ("--dbpath", str(data), "--port", port, "--bind_ip", host, "--replSet", REPLICA_SET)
        return self._process(name, [mongod_program(), *own, *QUIET_MONGOD, *SOON])

    def _brokers(self) -> list[Process]:
        java = kafka.java()
        if java is None or not kafka.LIBS.is_dir():
            raise Trouble("Kafka is not installed here. `make oracle` installs it.")
        controllers = {n: f"{self._host(n)}:{self._controller_port()}" for n in THREE}
        cluster = base64.b64encode(uuid.uuid4().bytes, altchars=b"AB").decode().rstrip("=")
        made = []
        for n in THREE:
            properties = self._properties(n, controllers)
            tool = kafka.jvm(java, "-Xshare:auto", "-XX:TieredStopAtLevel=1")
            format = [*TIED, *tool, "kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(properties)]
            subprocess.run(format, check=True, capture_output=True, timeout=60)
            flags = [f"-XX:SharedArchiveFile={kafka.ARCHIVE}"] if kafka.ARCHIVE.exists() else []
            argv = kafka.server(java, properties, "-Xms128m", "-Xmx256m", *flags)
            made.append(self._process(f"kafka-{n}", argv))
        return made

    def _properties(self, number: int, controllers: dict[int, str]) -> Path:
        """The settings of a single node; what is said again below them holds."""
        path = kafka.write_properties(self._folder / f"kafka-{number}", 0, 0)
        listeners = f"PLAINTEXT://{self._at[f'kafka-{number}']},CONTROLLER://{controllers[number]}"
        mine = {
            **COPIES,
            "node.id": number,
            "listeners": listeners,
            "advertised.listeners": listeners,
            "controller.quorum.voters": ",".join(f"{n}@{at}" for n, at in controllers.items()),
            "controller.quorum.bootstrap.servers": ",".join(controllers.values()),
        }
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in mine.items())
        return path

    def _host(self, number: int) -> str:
        return self._at[f"kafka-{number}"].partition(":")[0]

    def _controller_port(self) -> int:
        return 9093 if self._net.real else free_ports(1)[0]

    def _process(self, name: str, argv: Sequence[str]) -> Process:
        host, _, port = self._at[name].partition(":")
        log = self._folder / f"{name}.log"
        whole = [*TIED, *self._net.inside(name), *argv]
        return Process(name, whole, log, self._folder / f"{name}.pid", tcp_ready(int(port), host))

    def _initiate(self) -> None:
        members = [{"_id": n, "host": self._at[f"mongod-{n}"]} for n in THREE]
        config = {"_id": REPLICA_SET, "members": members, "settings": SETTINGS}
        self.direct("mongod-1").admin.command("replSetInitiate", config)
        _until(self.primary, "no primary")

    async def _topics(self) -> None:
        """The brokers say when a record came, not the services: those have wrong clocks on purpose."""
        own_time = {"message.timestamp.type": "LogAppendTime"}
        wanted = [replace(t, config={**t.config, **own_time}) for t in topics.load("cluster")]
        until = time.monotonic() + UP_WITHIN
        while True:
            try:
                await topics.ensure(self.kafka_bootstrap, wanted)
            except (KafkaError, OSError) as error:
                if time.monotonic() > until or self._over.is_set():
                    raise Trouble(f"the three brokers have no topics: {error}") from error
                await asyncio.sleep(0.5)
            else:
                return

    # What is so just now

    def direct(self, name: str) -> "MongoClient[dict[str, Any]]":
        """One member alone, whatever it is."""
        if name not in self._direct:
            self._direct[name] = MongoClient(
                self._at[name].partition(":")[0], int(self._at[name].partition(":")[2]),
                directConnection=True, serverSelectionTimeoutMS=2000, socketTimeoutMS=4000, tz_aware=True,
            )  # fmt: skip
        return self._direct[name]

    def primary(self) -> str:
        """The member that a majority follows: of two that say so, the one elected later."""
        found: list[tuple[int, str]] = []
        for name in self.mongods:
            with contextlib.suppress(PyMongoError):
                status = self.direct(name).admin.command("replSetGetStatus")
                if status["myState"] == 1:
                    found.append((status["term"], name))
        return max(found)[1] if found else ""

    @property
    def mongods(self) -> list[str]:
        return [name for name in self._at if name.startswith("mongod")]

    def mongods_missing(self) -> list[str]:
        """Members that do not follow the primary, or not closely; all when there is none."""
        primary = self.primary()
        greetings: dict[str, dict[str, Any]] = {}
        for name in self.mongods:
            with contextlib.suppress(PyMongoError):
                greetings[name] = self.direct(name).admin.command("hello")
        if primary not in greetings:
            return self.mongods
        newest = greetings[primary]["lastWrite"]["lastWriteDate"]

        def follows(name: str) -> bool:
            said = greetings.get(name, {})
            if said.get("primary") != self._at[primary] or not (
                said["isWritablePrimary"] or said["secondary"]
            ):
                return False
            behind: timedelta = newest - said["lastWrite"]["lastWriteDate"]
            return behind < timedelta(seconds=3)

        return [name for name in self.mongods if not follows(name)]

    async def partitions(self) -> dict[tuple[str, int], tuple[int, list[int]]]:
        """(topic, partition) → its leader's number and the copies in step."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka_bootstrap, request_timeout_ms=5000)
        await admin.start()
        try:
            described = await admin.describe_topics()
        finally:
            await admin.close()
        return {
            (t["topic"], p["partition"]): (p["leader"], list(p["isr"]))
            for t in described
            for p in t["partitions"]
        }

    async def leader(self, topic: str, partition: int) -> str:
        return f"kafka-{(await self.partitions())[topic, partition][0]}"

    async def brokers_missing(self) -> list[str]:
        """Brokers that some partition misses among its copies in step."""
        try:
            every = await self.partitions()
        except (KafkaError, OSError, TimeoutError):
            return [name for name in self._at if name.startswith("kafka")]
        absent = {n for _, isr in every.values() for n in THREE if n not in isr}
        return [f"kafka-{n}" for n in sorted(absent)]

    async def whole(self, patience: float = UP_WITHIN) -> list[str]:
        """Until every member is back and in step. Returns who still was not."""
        until = time.monotonic() + patience
        while True:
            missing = [*await asyncio.to_thread(self.mongods_missing), *await self.brokers_missing()]
            if not missing or time.monotonic() > until:
                return missing
            await asyncio.sleep(0.5)

    def rolled_back(self) -> int:
        """Times that a member undid writes which no majority had."""
        logs = (self._folder / f"{name}.log" for name in self.mongods)
        return sum(path.read_text(errors="replace").count('"Rollback summary"') for path in logs)


def _until(found: Callable[[], Any], what: str) -> None:
    until = time.monotonic() + UP_WITHIN
    while not found():
        if time.monotonic() > until:
            raise Trouble(f"{what} after {UP_WITHIN:.0f} s")
        time.sleep(0.2)
