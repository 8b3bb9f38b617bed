"""The runner on real mongod and Kafka, with stand-ins for our own processes."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from pymongo import MongoClient

from deploy.kafka import topics
from deploy.local.process import Trouble, http_ready
from deploy.local.system import System
from deploy.local.wiring import PORTALS, SERVICES

pytestmark = pytest.mark.connected
STANDIN = (sys.executable, "-m", "tests.deploy.standin")
SAMPLES = ("issuer", "mail", "signals", "scanner", *(portal.id for portal in PORTALS))
COMMANDS = dict.fromkeys((*SERVICES, *SAMPLES), STANDIN)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    folder = tmp_path_factory.mktemp("system")
    with System(folder, commands=COMMANDS, signals=True, scanner=True, apart=True) as running:
        yield running


def _answers(system: System, name: str) -> bool:
    return http_ready(f"{system.urls[name]}/health/ready")()


def _left_of(folder: Path) -> list[str]:
    running = psutil.process_iter(["name", "cmdline"])
    return [p.info["name"] for p in running if any(str(folder) in word for word in p.info["cmdline"] or [])]


def test_everything_answers_and_the_secrets_are_private(system: System) -> None:
    assert all(_answers(system, name) for name in system.urls)
    assert system.fallen() == []
    assert (system.data / "partners.yaml").stat().st_mode & 0o777 == 0o600


async def test_the_topics_are_there_and_nothing_differs(system: System) -> None:
    outcome = await topics.ensure(system.kafka_bootstrap, topics.load())
    assert (outcome.created, outcome.left) == ([], [])


async def test_growth_is_said_first_and_done_only_when_applied(system: System) -> None:
    topic = topics.load()[0]
    fewer = topics.Topic("tests.growth", topic.description, 1, 1, topic.config)
    more = topics.Topic("tests.growth", topic.description, 2, 1, {**topic.config, "retention.ms": "5000"})
    assert (await topics.ensure(system.kafka_bootstrap, [fewer])).created == ["tests.growth"]
    told = await topics.ensure(system.kafka_bootstrap, [more])
    assert [d.setting for d in told.left] == ["partitions", "retention.ms"]
    assert [d.setting for d in (await topics.ensure(system.kafka_bootstrap, [more], apply=True)).changed] == [
        "partitions",
        "retention.ms",
    ]
    assert (await topics.ensure(system.kafka_bootstrap, [more])).left == []


def test_a_second_runner_on_the_same_folder_is_told_who_has_it(system: System) -> None:
    with pytest.raises(Trouble, match=r"already runs on .* \(process \d+\)"):
        System(system.data, commands=COMMANDS).start()
    assert _answers(system, "qa")


def test_a_killed_service_comes_back_under_another_number(system: System) -> None:
    before = system.pid("qa")
    system.kill("qa")
    assert system.fallen() == []
    system.start_process("qa")
    assert system.pid("qa") != before
    assert _answers(system, "qa")


def test_a_replica_joins_on_its_own_port(system: System) -> None:
    name = system.add_replica("qa", roles="worker,bulk")
    assert name == "qa-2"
    assert _answers(system, name)
    system.kill(name)


def test_what_mongod_acknowledged_survives_its_kill(system: System) -> None:
    with MongoClient[dict[str, int]](system.mongo_uri, w="majority") as client:
        client.trial.things.insert_one({"n": 1})
        system.kill("mongod")
        system.start_part("mongod")
        assert client.trial.things.count_documents({}) == 1


def test_a_paused_part_is_alive_and_stops_in_order_after_it_resumes(system: System) -> None:
    system.pause("kafka")
    assert system.fallen() == []
    system.resume("kafka")
    system.stop_part("kafka")
    system.start_part("kafka")


def test_everything_stops_within_ten_seconds_and_starts_again_on_the_same_data(system: System) -> None:
    system.pause("sync")  # a process that hears nothing must not hold up the others
    began = time.monotonic()
    assert system.stop() == []
    assert time.monotonic() - began < 10
    system.start()
    with MongoClient[dict[str, int]](system.mongo_uri) as client:
        assert client.trial.things.count_documents({}) == 1


def test_a_service_that_cannot_start_is_told_and_nothing_is_left_running(tmp_path: Path) -> None:
    broken = {**COMMANDS, "qa": ("sh", "-c", "echo no such thing as luck; exit 7")}
    system = System(tmp_path, commands=broken)
    with pytest.raises(Trouble, match=r"(?s)qa ended with code 7.*no such thing as luck"):
        system.start()
    assert not system.running
    assert _left_of(tmp_path) == []


def test_make_run_stops_in_order_on_a_hang_up(tmp_path: Path) -> None:
    """The terminal is closed while the parts still start: nothing may be left."""
    root = Path(__file__).resolve().parents[2]
    env = {"PATH": "/usr/bin:/bin", "DATA": str(tmp_path), "DEMO": "off"}
    free = System(tmp_path, commands=COMMANDS).ports
    env |= {f"PORT_{name.upper()}": str(port) for name, port in vars(free).items()}
    runner = subprocess.Popen(
        [sys.executable, "-m", "deploy.local.run"],
        cwd=root,
        env=env,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    give_up = time.monotonic() + 20
    while not (tmp_path / "run" / "kafka.pid").exists() and time.monotonic() < give_up:
        time.sleep(0.05)
    runner.send_signal(signal.SIGHUP)
    assert runner.wait(10) == 0
    assert _left_of(tmp_path) == []
