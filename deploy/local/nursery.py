"""Starts our Python processes by forking one that has already imported the libraries they share.

Nine interpreters importing the same libraries cost 13 s of processor time; one import and nine forks cost 3.
Only libraries are imported here, never our own code: a process that is started again runs what is on disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

LIBRARIES: Final = (
    *(
        "aiokafka",
        "aiosmtpd.controller",
        "aiosmtplib",
        "argon2",
        "cryptography.hazmat.primitives.asymmetric.ec",
    ),
    *("fastapi", "fastapi.staticfiles", "faststream.kafka", "faststream.specification.asyncapi", "httptools"),
    *("httpx2", "jinja2", "joserfc.jwk", "joserfc.jwt", "motor.motor_asyncio", "multipart", "nh3"),
    *("prometheus_client", "pydantic_settings", "standardwebhooks", "structlog", "unidecode", "yaml"),
    *(
        "uvicorn",
        "uvicorn.lifespan.on",
        "uvicorn.loops.auto",
        "uvicorn.protocols.http.httptools_impl",
        "uvloop",
    ),
)
PR_SET_PDEATHSIG: Final = 1
PR_SET_NAME: Final = 15

Job = dict[str, Any]


class Forked:
    """A process the nursery forked; speaks like a Popen as far as Process listens."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = threading.Event()
        self._code: int | None = None

    def ended(self, code: int) -> None:
        self._code = code
        self._ended.set()

    def poll(self) -> int | None:
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return self._code or 0


class Nursery:
    """The runner's end. Started by the thread that starts every child; started anew if it was killed."""

    def __init__(self, log: Path, start: Callable[[list[str], Path, int], subprocess.Popen[bytes]]) -> None:
        self._log, self._start = log, start
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._answer: list[Forked] = []
        self._answered = threading.Event()

    def open(self) -> None:
        """Begin its imports; ``spawn`` waits for them."""
        ours, theirs = socket.socketpair()
        self._process = self._start(
            [sys.executable, "-m", "deploy.local.nursery", str(theirs.fileno())], self._log, theirs.fileno()
        )
        theirs.close()
        self._socket = ours
        threading.Thread(target=self._listen, args=(ours,), name="nursery", daemon=True).start()

    def spawn(self, name: str, module: str, env: Mapping[str, str], cwd: Path | None, log: Path) -> Forked:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self.open()
            self._answered.clear()
            job = {
                "name": name,
                "module": module,
                "env": dict(env),
                "cwd": str(cwd or Path.cwd()),
                "log": str(log),
            }
            assert self._socket is not None  # noqa: S101 - open() set it
            self._socket.sendall(json.dumps(job).encode() + b"\n")
            if not self._answered.wait(60) or not self._answer:
                raise OSError(0, "the nursery does not answer", str(self._log))
            return self._answer.pop()

    def close(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(5)
            self._process = None

    def _listen(self, connection: socket.socket) -> None:
        born: dict[int, Forked] = {}
        with connection, connection.makefile("r", encoding="utf-8") as lines:
            with contextlib.suppress(OSError, ValueError):
                for line in lines:
                    news = json.loads(line)
                    if "born" in news:
                        born[news["born"]] = Forked(news["born"])
                        self._answer.append(born[news["born"]])
                        self._answered.set()
                    elif news["died"] in born:
                        born.pop(news["died"]).ended(news["code"])
        for child in born.values():  # the nursery is gone; its death signal takes them along
            child.ended(-signal.SIGTERM)
        self._answered.set()


# The nursery's own end: one thread, so that forking is safe.


def serve(connection: socket.socket) -> Job | None:
    """Fork for each job and report births and deaths. Returns the job in the child, None at the end."""
    wake_read, wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    buffer = b""
    while True:
        readable, _, _ = select.select([connection.fileno(), wake_read], [], [])
        if wake_read in readable:
            os.read(wake_read, 4096)
            _report_deaths(connection)
        if connection.fileno() not in readable:
            continue
        received = connection.recv(65536)
        if not received:
            return None
        *jobs, buffer = (buffer + received).split(b"\n")
        for line in jobs:
            if (pid := os.fork()) == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.close(wake_read)
                os.close(wake_write)
                connection.close()
                job: Job = json.loads(line)
                return job
            connection.sendall(json.dumps({"born": pid}).encode() + b"\n")


def _report_deaths(connection: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        code = os.waitstatus_to_exitcode(status)
        connection.sendall(json.dumps({"died": pid, "code": code}).encode() + b"\n")


def become(job: Job, parent: int) -> None:
    """Turn the forked child into what ``python -m <module>`` would have been."""
    os.setsid()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    libc.prctl(PR_SET_NAME, job["name"][:15].encode())
    if os.getppid() != parent:
        raise SystemExit(1)
    log = os.open(job["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    os.environ.clear()
    os.environ.update(job["env"])
    time.tzset()
    os.chdir(job["cwd"])
    sys.argv = [job["module"]]
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)


def main() -> None:
    connection = socket.socket(fileno=int(sys.argv[1]))
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):  # whoever needs it will say so better
            importlib.import_module(library)
    gc.freeze()  # so that a child's first collection does not copy every page
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    parent = os.getpid()
    if (job := serve(connection)) is not None:
        become(job, parent)


if __name__ == "__main__":
    main()
