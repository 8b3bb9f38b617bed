"""Real parts for the tests that need them, started once: mongod and Kafka, on free ports."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from deploy.local.parts import Kafka, Mongod
from deploy.local.ports import free_ports
from shared.mongo import connect, prepare


@pytest.fixture(scope="session")
def mongo_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real mongod, as a replica set of one."""
    folder: Path = tmp_path_factory.mktemp("mongod")
    (port,) = free_ports(1)
    part = Mongod.at(folder / "data", port, log=folder / "log", pid_file=folder / "pid")
    part.start()
    yield f"mongodb://127.0.0.1:{port}/?replicaSet=rs0"
    part.stop(5)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Kafka with the topics of deploy/kafka/topics.yaml; its bootstrap address."""
    folder: Path = tmp_path_factory.mktemp("kafka")
    port, controller = free_ports(2)
    part = Kafka.at(folder / "data", port, controller, log=folder / "log", pid_file=folder / "pid")
    part.start()
    yield f"127.0.0.1:{port}"
    part.stop(5)


@pytest.fixture
async def database(mongo_uri: str) -> AsyncIterator[Any]:
    """An empty database with the core's indexes."""
    database = connect(mongo_uri, f"test-{uuid4().hex[:12]}")
    await prepare(database)
    yield database
    with contextlib.suppress(Exception):
        await database.client.drop_database(database.name)
    database.client.close()
