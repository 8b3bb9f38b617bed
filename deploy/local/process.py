"""One child process: started, waited for, stopped, and never left behind.

A child dies with its runner (a parent-death signal), and a pid file lets the next run of the same data folder
clear away what a killed run left.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import create_connection
from typing import Final
from urllib.parse import urlsplit

from deploy.local.nursery import Forked, Nursery

LOG_LIMIT: Final = 20 * 1024 * 1024
POLL: Final = 0.03

# The parent-death signal fires when the *thread* that started the child ends, so one thread that lives as
# long as the runner starts them all.
_SPAWNER: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


class Trouble(Exception):
    """Something a person must do something about, said in sentences for the terminal."""


def spawn(
    argv: Sequence[str],
    log: Path,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child that ends with its runner, in a session of its own: Ctrl-C reaches the runner alone."""
    # SIGTERM, so that a child whose runner was killed still closes its files in order.
    tied = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []

    def popen() -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                [*tied, *argv],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(env) if env else None,
                cwd=cwd,
                start_new_session=True,
                pass_fds=pass_fds,
            )

    return _SPAWNER.submit(popen).result()


Ready = Callable[[], bool]


def http_ready(url: str) -> Ready:
    """Ready once the address answers with a 2xx."""
    parts = urlsplit(url)

    def check() -> bool:
        connection = HTTPConnection(parts.hostname or "", parts.port, timeout=2)
        try:
            connection.request("GET", parts.path or "/")
            return 200 <= connection.getresponse().status < 300
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    return check


def tcp_ready(port: int, host: str = "127.0.0.1") -> Ready:
    """Ready once something accepts a connection."""

    def check() -> bool:
        try:
            create_connection((host, port), timeout=1).close()
        except OSError:
            return False
        return True

    return check


@dataclass
class Process:
    """A child of the runner. ``wanted`` says that it should be running: dead while wanted is a fault."""

    name: str
    argv: Sequence[str]
    log: Path
    pid_file: Path
    ready: Ready
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    ready_within: float = 60.0
    nursery: Nursery | None = None
    wanted: bool = False
    _child: subprocess.Popen[bytes] | Forked | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._child.poll() if self._child else None

    def spawn(self) -> None:
        if self.alive:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(self.log.suffix + ".1"))
        try:
            if self.nursery and tuple(self.argv[:2]) == (sys.executable, "-m") and len(self.argv) == 3:
                self._child = self.nursery.spawn(self.name, self.argv[2], self.env, self.cwd, self.log)
            else:
                self._child = spawn(self.argv, self.log, env=self.env, cwd=self.cwd)
        except OSError as error:
            raise Trouble(f"{self.name} could not be started: {error}") from error
        _remember(self.pid_file, self._child.pid, self.name)
        self.wanted = True

    def wait_ready(self, cancelled: threading.Event | None = None) -> None:
        """Return once it answers. Raises Trouble when it dies first or takes too long."""
        give_up = time.monotonic() + self.ready_within
        while not self.ready():
            if cancelled is not None and cancelled.is_set():
                raise Trouble(f"{self.name} was told to stop before it was ready.")
            if not self.alive:
                raise Trouble(self.obituary())
            if time.monotonic() > give_up:
                raise Trouble(
                    f"{self.name} does not answer after {self.ready_within:.0f} s. "
                    f"Its last words:\n{self.last_words()}\nThe whole log: {self.log}"
                )
            time.sleep(POLL)

    def start(self, cancelled: threading.Event | None = None) -> None:
        self.spawn()
        self.wait_ready(cancelled)

    def stop(self, within: float = 5.0) -> bool:
        """Ask it to end, then end it. Returns whether it went by itself."""
        self.wanted = False
        if self._child is None:
            return True
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)  # a paused process cannot hear the first
        try:
            self._child.wait(within)
            willing = True
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._child.wait(5)
            willing = False
        self.pid_file.unlink(missing_ok=True)
        return willing

    def kill(self, signal_number: int = signal.SIGKILL) -> None:
        """End it at once and without farewell; it is not counted as an unexpected death."""
        self.wanted = False
        self._signal(signal_number)
        if self._child is not None:
            self._child.wait(20)
        self.pid_file.unlink(missing_ok=True)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._child is not None and self._child.poll() is None:
            _signal_group(self._child.pid, number)

    def last_words(self, lines: int = 6) -> str:
        return tail(self.log, lines)

    def obituary(self) -> str:
        code = self.exit_code
        how = f"was ended by {signal.Signals(-code).name}" if code and code < 0 else f"ended with code {code}"
        return f"{self.name} {how}. Its last words:\n{self.last_words()}\nThe whole log: {self.log}"


def tail(path: Path, lines: int = 6, width: int = 240) -> str:
    """The last lines of a log, each cut to a readable width."""
    if not path.exists():
        return "    (it said nothing)"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64 * 1024))
        text = file.read().decode("utf-8", "replace")
    last = [line for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(f"    {line[:width]}" for line in last) or "    (it said nothing)"


# Leftovers. A pid alone may belong to somebody else by now; the pid with its start time and boot does not.


def _remember(pid_file: Path, pid: int, name: str) -> None:
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    record = {"pid": pid, "started": _started(pid), "boot": _boot(), "name": name}
    pid_file.write_text(json.dumps(record), encoding="utf-8")


def _started(pid: int) -> int | None:
    """Start time in clock ticks since boot; None when there is no such process, or only its shell."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if after_name[0] == "Z" else int(after_name[19])


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()


def clear_leftovers(folder: Path, within: float = 5.0) -> list[str]:
    """End what a killed run of this data folder left running. Returns the names of what was found."""
    found: list[tuple[str, int, int]] = []
    for pid_file in sorted(folder.glob("*.pid")):
        try:
            record = json.loads(pid_file.read_text(encoding="utf-8"))
            pid, started, name = int(record["pid"]), int(record["started"]), str(record["name"])
            ours = record["boot"] == _boot() and _started(pid) == started
        except (ValueError, KeyError, TypeError):
            ours = False  # torn while being written: its process died with the runner
        if ours:
            found.append((name, pid, started))
            _signal_group(pid, signal.SIGTERM)
            _signal_group(pid, signal.SIGCONT)
    give_up = time.monotonic() + within
    for _, pid, started in found:
        while _started(pid) == started:
            if time.monotonic() > give_up:
                _signal_group(pid, signal.SIGKILL)
            time.sleep(POLL)
    for pid_file in folder.glob("*.pid"):
        pid_file.unlink(missing_ok=True)
    return [name for name, _, _ in found]


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):  # so new that it leads no group yet
            os.kill(pid, number)
