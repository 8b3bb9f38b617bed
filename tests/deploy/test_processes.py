"""A child is started, waited for, told apart from strangers, and never outlives its runner's next start."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import keys, process
from deploy.local.nursery import Nursery
from deploy.local.ports import Ports, free_ports, holder, in_use, refuse_taken
from deploy.local.process import Process, Trouble, clear_leftovers, http_ready, spawn, tail, tcp_ready
from deploy.local.wiring import DIRECTORY, PORTALS, SERVICES, Wiring, settings_of

ROOT = Path(__file__).resolve().parents[2]
SLEEP = ("sleep", "60")


def a_process(folder: Path, *argv: str, ready: process.Ready = lambda: True) -> Process:
    return Process(
        "sleeper", argv or SLEEP, folder / "log" / "sleeper.log", folder / "run" / "sleeper.pid", ready
    )


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    child = a_process(tmp_path)
    child.start()
    yield child
    child.kill()


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_what_a_killed_run_left_behind_is_ended_and_named(tmp_path: Path, sleeper: Process) -> None:
    assert sleeper.pid is not None
    assert running(sleeper.pid)
    assert clear_leftovers(tmp_path / "run") == ["sleeper"]
    assert not running(sleeper.pid)
    assert list((tmp_path / "run").glob("*.pid")) == []


def test_a_leftover_that_is_paused_or_deaf_is_ended_too(tmp_path: Path) -> None:
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        "print('up', flush=True); time.sleep(60)"
    )
    child = a_process(tmp_path, sys.executable, "-c", deaf, ready=lambda: "up" in tail(child.log))
    child.start()
    child.pause()
    assert clear_leftovers(tmp_path / "run", within=0.3) == ["sleeper"]
    assert child.exit_code == -signal.SIGKILL


@pytest.mark.parametrize("field", ["started", "boot"])
def test_a_stranger_who_got_the_same_number_is_left_alone(
    tmp_path: Path, sleeper: Process, field: str
) -> None:
    record = json.loads(sleeper.pid_file.read_text(encoding="utf-8"))
    sleeper.pid_file.write_text(json.dumps({**record, field: 1 if field == "started" else "another"}))
    assert clear_leftovers(tmp_path / "run") == []
    assert sleeper.alive


def test_a_torn_pid_file_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "qa.pid").write_text('{"pid": 1', encoding="utf-8")
    assert clear_leftovers(tmp_path) == []
    assert not (tmp_path / "qa.pid").exists()


def test_children_end_when_their_runner_is_killed(tmp_path: Path) -> None:
    runner = (
        "from tests.deploy.test_processes import a_process; from pathlib import Path; import time;"
        f"p = a_process(Path({str(tmp_path)!r})); p.start(); print(p.pid, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", runner], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert running(child)
        parent.kill()
    give_up = time.monotonic() + 20
    while running(child) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert not running(child)


def test_a_process_that_dies_before_it_answers_is_told_with_its_last_words(tmp_path: Path) -> None:
    child = a_process(tmp_path, "sh", "-c", "echo the reason; exit 3", ready=lambda: False)
    with pytest.raises(Trouble, match=r"(?s)sleeper ended with code 3.*the reason.*sleeper\.log"):
        child.start()


def test_one_that_never_answers_is_given_up_with_its_log_named(tmp_path: Path) -> None:
    child = a_process(tmp_path, ready=lambda: False)
    child.ready_within = 0.1
    with pytest.raises(Trouble, match=r"does not answer after 0 s"):
        child.start()
    child.kill()


def test_a_deliberate_kill_is_no_unexpected_death_but_a_stranger_s_is(sleeper: Process) -> None:
    assert sleeper.wanted
    os.kill(sleeper.pid or 0, signal.SIGKILL)
    give_up = time.monotonic() + 20
    while sleeper.alive and time.monotonic() < give_up:
        time.sleep(0.01)
    assert sleeper.wanted
    assert "SIGKILL" in sleeper.obituary()
    sleeper.start()
    sleeper.kill()
    assert not sleeper.wanted


def test_a_long_log_is_set_aside_and_a_long_line_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LOG_LIMIT", 100)
    child = a_process(tmp_path)
    child.log.parent.mkdir()
    child.log.write_text("x" * 1000, encoding="utf-8")
    assert len(tail(child.log)) < 300
    child.start()
    child.kill()
    assert child.log.with_suffix(".log.1").stat().st_size == 1000
    assert child.log.stat().st_size == 0


def test_a_forked_module_behaves_like_one_started_by_python(tmp_path: Path) -> None:
    port = free_ports(1)[0]
    nursery = Nursery(tmp_path / "nursery.log", lambda a, log, fd: spawn(a, log, cwd=ROOT, pass_fds=[fd]))
    child = Process(
        name="stand-in",
        argv=(sys.executable, "-m", "tests.deploy.standin"),
        log=tmp_path / "log",
        pid_file=tmp_path / "stand-in.pid",
        ready=http_ready(f"http://127.0.0.1:{port}/health/ready"),
        env={**os.environ, "PORTAL_HTTP_PORT": str(port)},
        cwd=ROOT,
        nursery=nursery,
    )
    try:
        child.start()
        assert f"stand-in on {port}" in tail(child.log)
        assert Path(f"/proc/{child.pid}/comm").read_text(encoding="utf-8").strip() == "stand-in"
        os.kill(child.pid or 0, signal.SIGKILL)
        give_up = time.monotonic() + 20
        while child.alive and time.monotonic() < give_up:
            time.sleep(0.01)
        assert child.exit_code == -signal.SIGKILL
        child.start()
        assert child.stop()
        assert child.exit_code == 0
        child.env = {**child.env, "PORTAL_HTTP_PORT": "nonsense"}
        with pytest.raises(Trouble, match="invalid literal"):
            child.start()
    finally:
        child.kill()
        nursery.close()


def test_a_port_in_use_is_named_with_its_holder() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert in_use(port)
        assert tcp_ready(port)()
        assert f"(process {os.getpid()})" in (holder(port) or "")
        with pytest.raises(Trouble, match=rf"(?s)Port {port}, wanted for qa, is in use by .*PORT_QA="):
            refuse_taken([("qa", port)])
    assert not in_use(port)
    refuse_taken([("qa", port)])


@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"PORT_QA": "http"}, "PORT_QA=http"),
        ({"PORT_QA": "70000"}, "1 to 65535"),
        ({"PORT_QA": "8001"}, "Port 8001 is given to two parts"),
    ],
)
def test_a_port_that_is_none_or_another_s_is_refused(env: dict[str, str], says: str) -> None:
    with pytest.raises(Trouble, match=says):
        Ports.fixed(env)


def test_a_port_can_be_moved_and_free_ones_differ() -> None:
    assert Ports.fixed({"PORT_QA": "9002"}).qa == 9002
    assert len(set(free_ports(50))) == 50


def test_keys_are_made_once_kept_private_and_completed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    first = keys.keys_of(path, ["qa"], ["bhxh-ha-noi"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert first.partners["bhxh-ha-noi"].startswith("whsec_")
    later = keys.keys_of(path, ["qa", "sync"], ["bhxh-ha-noi"])
    assert later.clients["qa"] == first.clients["qa"]
    assert set(later.clients) == {"qa", "sync"}
    assert later.channels == first.channels
    assert keys.keys_of(path, ["qa", "sync"], ["bhxh-ha-noi"]) == later


def test_damaged_keys_are_told_and_not_replaced_silently(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(Trouble, match=r"keys\.json is damaged"):
        keys.keys_of(path, ["qa"], [])
    assert path.read_text(encoding="utf-8") == "{"


def test_a_shell_s_settings_reach_all_services_but_never_what_is_each_one_s_own() -> None:
    shell = {"PORTAL_LOG_LEVEL": "DEBUG", "PORTAL_HTTP_PORT": "38001", "HOME": "/home/ha"}
    assert settings_of(shell) == {"PORTAL_LOG_LEVEL": "DEBUG"}


@pytest.mark.parametrize("signals", [True, False])
def test_the_notifier_signals_to_the_sample_gateway_where_there_is_one(
    tmp_path: Path, *, signals: bool
) -> None:
    made = keys.keys_of(tmp_path / "keys.json", list(SERVICES), [portal.id for portal in PORTALS])
    wiring = Wiring(
        tmp_path, Ports(), made, {}, DIRECTORY, "mongodb://x", "x:9092", "api", {}, {}, signals=signals
    )
    wires = {wire.name: wire.env for wire in wiring.wires()}
    notifier, sample = wires["notifier"], wires.get("signals", {})
    assert ("signals" in wiring.urls, bool(sample)) == (signals, signals)
    assert notifier.get("PORTAL_SMS_TOKEN") == sample.get("SMS_TOKEN")
    assert notifier.get("PORTAL_CHAT_SECRET") == sample.get("SMS_CHAT_SECRET")
    base = f"http://127.0.0.1:{sample['SMS_PORT']}" if signals else ""
    assert (notifier.get("PORTAL_SMS_URL", ""), notifier.get("PORTAL_CHAT_URL", "")) == (
        base, f"{base}/chat" if signals else "",
    )  # fmt: skip
    assert "PORTAL_SMS_URL" not in wires["qa"]


@pytest.mark.parametrize("scanner", [True, False])
def test_what_is_attached_is_scanned_by_the_sample_scanner_where_there_is_one(
    tmp_path: Path, *, scanner: bool
) -> None:
    made = keys.keys_of(tmp_path / "keys.json", list(SERVICES), [portal.id for portal in PORTALS])
    wiring = Wiring(
        tmp_path, Ports(), made, {}, DIRECTORY, "mongodb://x", "x:9092", "api", {}, {}, scanner=scanner
    )
    wires = {wire.name: wire.env for wire in wiring.wires()}
    assert ("scanner" in wiring.urls, "scanner" in wires) == (scanner, scanner)
    where = f"127.0.0.1:{wires['scanner']['SCANNER_CLAMD_PORT']}" if scanner else None
    assert wires["qa"].get("PORTAL_CLAMD") == where
    assert "PORTAL_CLAMD" not in wires["notifier"]
