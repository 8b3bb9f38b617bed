"""Installs what `make run` needs, each step timed, then starts it. Standard library only, Python 3.9+.

python3 -m deploy.local.bootstrap                install, then run the system
python3 -m deploy.local.bootstrap --only=venv    the Python environment alone (lint, types, docs)
python3 -m deploy.local.bootstrap --only=parts   also Java, Kafka and mongod (the benchmark)
python3 -m deploy.local.bootstrap --only=test    also Chromium and promtool
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from subprocess import CalledProcessError, TimeoutExpired

if not __package__:  # called by its path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from deploy.local import kafka, needs, promtool
from deploy.local.steps import Steps, Stuck, explain, explain_os_error

REPO = kafka.REPO
TOOLS = REPO / ".tools"
VENV = REPO / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = REPO / "requirements" / "dev.txt"
UV_REQUIREMENTS = REPO / "deploy" / "local" / "uv.txt"
STAMP = ".stamp"


def main(argv: list[str] | None = None) -> int:
    began = time.time()
    parser = argparse.ArgumentParser(prog="python3 -m deploy.local.bootstrap")
    parser.add_argument("--only", choices=("venv", "parts", "test"))
    only = parser.parse_args(argv).only
    try:
        install(only)
    except Stuck as stuck:
        print(f"\n{stuck}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\n{explain_os_error(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What was installed stays; the next run goes on from there.", file=sys.stderr)
        return 130
    if only is None:
        os.environ["RUN_BEGAN"] = str(began)
        os.chdir(REPO)
        os.execv(PYTHON, [str(PYTHON), "-m", "deploy.local.run"])  # noqa: S606 - it becomes the runner
    return 0


def install(only: str | None) -> None:
    steps = Steps(TOOLS / "log")
    own_mongo = needs.own_mongod()
    if refusal := needs.unsupported(own_mongo=own_mongo):
        raise Stuck(refusal)
    own_kafka = bool(os.environ.get("PORTAL_KAFKA_BOOTSTRAP"))
    jars = only != "venv" and not own_kafka
    wanted = needs.debian_packages(
        python_packages=not _venv_is_current() and find_uv() is None,
        java=jars,
        maven=jars and not _libs_are_current(),
        mongod=only != "venv" and not own_mongo,
        browser=only == "test",
    )
    if not _venv_is_current() or (jars and not _libs_are_current()):
        needs.refuse_full_disk(REPO)
    if wanted:
        debian(steps, wanted)
    venv(steps)
    if only != "venv" and not own_mongo:
        mongod()
    if jars:
        kafka_libs(steps)
        kafka_archive(steps)
    if only == "test":
        promtool.bring(steps)
    steps.summary()


def debian(steps: Steps, packages: list[str]) -> None:
    """Debian's packages, when we may; otherwise the command to type."""
    command = "apt-get install --no-install-recommends " + " ".join(packages)
    if not needs.may_install():
        raise Stuck(
            f"Missing from this machine: {', '.join(packages)}. Type this, then run make again:\n\n"
            f"    sudo apt-get update && sudo {command}\n"
        )
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps.run("Debian's package lists", ["apt-get", "update", "-q"], env=env)
    steps.run(f"Debian: {', '.join(packages)}", [*command.split(), "-y", "-q"], env=env)


def find_uv() -> str | None:
    private = TOOLS / "uv" / "bin" / "uv"
    return needs.program("uv") or (str(private) if private.exists() else None)


def venv(steps: Steps) -> None:
    """The locked dependencies, each checked against its hash."""
    if _venv_is_current():
        return
    uv = find_uv()
    if uv is None:
        target = ["--target", str(TOOLS / "uv"), "--require-hashes", "-r", str(UV_REQUIREMENTS)]
        steps.run("uv", [sys.executable, "-m", "pip", "install", "-q", "--no-input", *target])
        uv = str(TOOLS / "uv" / "bin" / "uv")
    if not PYTHON.exists():
        needs.remove(VENV)  # one whose Python went away is no use
        steps.run("Python 3.11 environment", [uv, "venv", "-q", "--python", "3.11", str(VENV)])
    sync = ["pip", "sync", "-q", "--python", str(PYTHON), "--require-hashes", "--compile-bytecode"]
    steps.run("Python packages", [uv, *sync, str(REQUIREMENTS)])
    (VENV / STAMP).write_text(needs.digest(REQUIREMENTS), encoding="utf-8")


def _venv_is_current() -> bool:
    return PYTHON.exists() and needs.reads(VENV / STAMP, needs.digest(REQUIREMENTS))


def mongod() -> None:
    """The wheel carries mongod without its executable bit."""
    program = next(VENV.glob("lib/python3*/site-packages/fiftyone/db/bin/mongod"), None)
    if program is None:
        raise Stuck(f"{VENV} has no mongod in it. Delete {VENV} and run make again.")
    if not os.access(program, os.X_OK):
        program.chmod(program.stat().st_mode | 0o111)


def kafka_libs(steps: Steps) -> None:
    """Apache Kafka's own jars, by Maven."""
    if _libs_are_current():
        return
    needs.remove(kafka.LIBS)
    copy = ["dependency:copy-dependencies", f"-DoutputDirectory={kafka.LIBS}", "-DincludeScope=runtime"]
    steps.run("Apache Kafka", ["mvn", "-q", "-B", "-f", str(kafka.POM), *copy])
    (kafka.HOME / STAMP).write_text(kafka.libs_stamp(), encoding="utf-8")


def _libs_are_current() -> bool:
    return kafka.LIBS.is_dir() and needs.reads(kafka.HOME / STAMP, kafka.libs_stamp())


def kafka_archive(steps: Steps) -> None:
    """Kafka's loaded classes, kept by Java from one short life; every later start is two seconds sooner."""
    java = kafka.java()
    if java is None:
        raise Stuck("Java was installed but is not on the PATH. Open a new terminal and run make again.")
    stamp = kafka.HOME / "classes.stamp"
    if needs.reads(stamp, kafka.archive_stamp(java)):
        return
    title = "Kafka's class archive"
    try:
        with steps.step(title) as log:
            kafka.make_archive(java, log)
    except CalledProcessError as error:
        raise Stuck(explain(title, f"{error.stdout}\n{error.stderr}", log)) from None
    except TimeoutExpired:
        raise Stuck(f"{title}: this machine is too slow or too busy just now. Run make again.") from None
    # Stamped even if Java wrote none: then Kafka starts without, and trying each time would cost more.
    stamp.write_text(kafka.archive_stamp(java), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
