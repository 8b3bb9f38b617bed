"""Steps of an installation: shown as they run, timed, logged, and explained in a sentence when they fail.
Standard library only.
"""

from __future__ import annotations

import errno
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

DISK = ("no space left on device", "enospc", "disk quota exceeded", "you don't have enough free space")
NETWORK = (
    *("temporary failure in name resolution", "temporary failure resolving", "could not resolve"),
    *("name or service not known", "network is unreachable", "no route to host", "connection refused"),
    *("connection reset", "connection timed out", "timed out", "dns error", "error sending request"),
    *("unknownhostexception", "unknown host", "failed to fetch", "could not connect", "could not transfer"),
    *("failed to establish a new connection", "nodename nor servname", "no matching distribution found"),
    *("nopluginfoundforprefix", "pluginresolutionexception", "could not be resolved"),
)
HASH = ("hash mismatch", "do not match the hashes")


class Stuck(Exception):
    """A sentence that says what to do; the bootstrap prints it and ends."""


def explain(step: str, output: str, log: Path) -> str:
    """What a failed step's own words mean for the person at the terminal."""
    text = output.lower()
    if any(sign in text for sign in DISK):
        return f"The disk is full ({step}). Free about 2 GB, then run make again: it goes on from here."
    if any(sign in text for sign in HASH):
        return f"{step}: a package is not the one that was locked. Nothing of it was installed. See {log}"
    if any(sign in text for sign in NETWORK):
        return (
            f"{step}: the network does not let us through. Check the connection (or the proxy and mirror "
            f"settings of pip, uv, apt and Maven), then run make again: it goes on from here. See {log}"
        )
    last = [line.strip() for line in output.splitlines() if line.strip()][-4:]
    said = "".join(f"\n    {line[:200]}" for line in last)
    return f"{step} did not work. It said:{said}\nThe whole log: {log}"


def explain_os_error(error: OSError) -> str:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{where}. Free about 2 GB, then run make again: it goes on from here."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"Not allowed to write{where}. Make the checkout yours (chown), then run make again."
    return f"{error.strerror or error}{where}. Mend it, then run make again."


class Steps:
    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._count = 0
        self._began = time.monotonic()

    @contextmanager
    def step(self, title: str) -> Iterator[Path]:
        """Show ``title`` with its running time until the block ends; yields the log to write to."""
        self._count += 1
        self._logs.mkdir(parents=True, exist_ok=True)
        name = "".join(c if c.isalnum() else "-" for c in title.lower())[:40]
        log = self._logs / f"{self._count}-{name}.log"
        began = time.monotonic()
        done = threading.Event()
        clock = threading.Thread(target=_tick, args=(title, began, done), daemon=True)
        clock.start()
        mark = "✗"
        try:
            yield log
            mark = "✓"
        finally:
            done.set()
            clock.join()
            start = "\r" if sys.stdout.isatty() else ""
            print(f"{start}  {mark} {title:<44} {time.monotonic() - began:6.1f} s", flush=True)

    def run(self, title: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """A step that is one command. Raises Stuck with a sentence when it fails."""
        with self.step(title) as log:
            try:
                with log.open("wb") as out:
                    code = subprocess.run(
                        list(argv),
                        stdin=subprocess.DEVNULL,
                        stdout=out,
                        stderr=subprocess.STDOUT,
                        env=env,
                        check=False,
                    ).returncode
            except FileNotFoundError:
                raise Stuck(
                    f"{title}: there is no `{argv[0]}` on this machine. Install it, then run make again."
                ) from None
            if code:
                raise Stuck(explain(title, log.read_text(encoding="utf-8", errors="replace"), log))

    def summary(self) -> None:
        if self._count:
            print(f"Installed in {time.monotonic() - self._began:.1f} s.", flush=True)


def _tick(title: str, began: float, done: threading.Event) -> None:
    if not sys.stdout.isatty():
        print(f"  … {title}", flush=True)
        return
    while not done.wait(0.1):
        print(f"\r  … {title:<44} {time.monotonic() - began:6.1f} s", end="", flush=True)
