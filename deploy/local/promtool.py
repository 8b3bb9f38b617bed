"""promtool, for the tests of the alert rules: taken out of Debian's package `prometheus`, which is not
installed, so that no server is set up on this machine. Standard library only."""

from __future__ import annotations

import shutil
import subprocess

from deploy.local import needs
from deploy.local.kafka import REPO
from deploy.local.steps import Steps, Stuck

HOME = REPO / ".tools" / "prometheus"
PROGRAM = HOME / "promtool"
MISSING = (
    "There is no promtool on this machine, so the cases of the alert rules did not run: only their form was "
    "checked. Where apt is, `make test` brings it; elsewhere put promtool on the PATH."
)


def find() -> str | None:
    """One on the PATH is preferred."""
    return needs.program("promtool") or (str(PROGRAM) if PROGRAM.exists() else None)


def bring(steps: Steps) -> None:
    """Best effort: a machine without apt, or without a network, runs all other tests."""
    if find() is not None or shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return
    HOME.mkdir(parents=True, exist_ok=True)
    # As the user we are: apt's own may not write into this folder.
    get = "apt-get download -q -o APT::Sandbox::User=root prometheus"
    fetch = f"{get} || (apt-get update -q && {get})"
    unpack = "dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool > promtool.new"
    settle = "chmod 755 promtool.new && mv promtool.new promtool && rm -f prometheus_*.deb"
    try:
        steps.run("promtool", ["sh", "-ec", f"cd '{HOME}'; {fetch}; {unpack}; {settle}"])
    except Stuck as stuck:
        print(f"{stuck}\n{MISSING}", flush=True)


def check(program: str, *arguments: str) -> str:
    """What it says; empty when it finds nothing wrong."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
