"""What this machine has, and what is missing. Standard library only."""

from __future__ import annotations

import ctypes.util
import hashlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy.local import kafka
from deploy.local.steps import Stuck

JAVA = 17
FREE_BYTES = 2_000_000_000


def unsupported(
    *,
    own_mongo: bool,
    system: str = platform.system(),
    machine: str = platform.machine(),
    libc: str = platform.libc_ver()[0],
    python: tuple[int, ...] = tuple(sys.version_info[:2]),
) -> str | None:
    """A sentence when the system cannot run here, else None."""
    if system != "Linux":
        return f"This runs on Linux; here is {system}. Use a Debian 12 machine, a container or WSL 2."
    if python < (3, 9):
        return (
            f"The bootstrap needs Python 3.9 or newer; this is {python[0]}.{python[1]}. Install python3.11."
        )
    if own_mongo:
        return None
    if machine not in {"x86_64", "amd64"}:
        return (
            f"The mongod that comes along is for x86-64; this machine is {machine}. Install mongod 6 or "
            "newer, or give the address of one: PORTAL_MONGO_URI='mongodb://…/?replicaSet=rs0' make run"
        )
    if libc != "glibc":
        return "The mongod that comes along needs glibc (Debian, Ubuntu, Fedora). Install mongod 6 or newer."
    return None


def own_mongod() -> bool:
    """A mongod that somebody chose for this machine is preferred to the one we bring."""
    return bool(os.environ.get("PORTAL_MONGO_URI") or program("mongod"))


def program(name: str) -> str | None:
    """A program that answers, not merely a name on the PATH."""
    found = shutil.which(name)
    if found is None:
        return None
    try:
        answer = subprocess.run([found, "--version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return found if answer.returncode == 0 else None


def java_version(java: str) -> int:
    """Its major number; 0 when it does not say."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    return parse_java(answer.stderr + answer.stdout)


def parse_java(text: str) -> int:
    found = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if not found:
        return 0
    return int(found[2] or 0) if found[1] == "1" else int(found[1])


def debian_packages(
    *, python_packages: bool, java: bool, maven: bool, mongod: bool, browser: bool
) -> list[str]:
    """Debian's names of what is asked for and missing."""
    missing = []
    if python_packages and importlib.util.find_spec("pip") is None:
        missing.append("python3-pip")
    if java and not _java_is_enough():
        missing.append("openjdk-17-jre-headless")
    if maven and shutil.which("mvn") is None:
        missing.append("maven")
    if mongod and ctypes.util.find_library("curl") is None:
        missing.append("libcurl4")
    if browser and not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        missing.append("chromium")
    return missing


def _java_is_enough() -> bool:
    """The archive's stamp spares the JVM's start: it was written for a Java that was enough."""
    java = kafka.java()
    if java is None:
        return False
    stamped = reads(kafka.HOME / "classes.stamp", kafka.archive_stamp(java))
    return stamped or java_version(java) >= JAVA


def may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def refuse_full_disk(folder: Path, free: int | None = None) -> None:
    free = shutil.disk_usage(folder).free if free is None else free
    if free < FREE_BYTES:
        raise Stuck(
            f"{folder} has {free / 1e9:.1f} GB free and the installation takes about "
            f"{FREE_BYTES / 1e9:.0f} GB. Free some space, then run make again."
        )


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def reads(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
