"""`make bench`: start the whole system in a folder of its own, measure it, stop it; then the messaging core
and the register of deadlines beside their rivals, and a store of many questions. ``python -m bench core``
measures one of them alone.

Prints a row for each figure and, as its last line, all of them as JSON. What it is doing goes to stderr."""

import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import calendars, measures
from bench.core import run as core
from bench.core.report import Report
from bench.deadlines import run as deadlines
from bench.figures import Figures
from bench.questions import run as questions
from deploy.demo.edges import DayStopped, Edges
from deploy.local.kafka import REPO
from deploy.local.ports import free_ports
from deploy.local.process import Process, Trouble, http_ready
from deploy.local.system import System

USAGE = """python -m bench             the whole system, then each of the others
python -m bench core        the messaging core alone
python -m bench calendar    due dates alone
python -m bench deadlines   the register of deadlines alone
python -m bench questions   a store of many questions alone
FULL=1                      in the environment: the large sizes
ROWS=200000                 in the environment: so many questions in that store
python -m bench.questions.costs   what a request of each kind takes of the processor"""
PARTS = {"core": core, "calendar": calendars, "deadlines": deadlines, "questions": questions}


def main(wanted: str = "") -> int:
    folder, began = Path(tempfile.mkdtemp(prefix="bench-")), time.monotonic()
    figures, report, whole = Figures(), Report(), False
    try:
        if not wanted:
            figures = run(System(folder / "system", apart=True))
        for name in [wanted] if wanted else PARTS:
            PARTS[name].run(folder / name, say, report)
        whole = True
    except (Trouble, DayStopped, TimeoutError) as error:
        say(f"The measurement broke off: {error}\nThe logs are kept in {folder}. Until then:")
    except KeyboardInterrupt:
        say("Stopped.")
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    if whole:
        shutil.rmtree(folder, ignore_errors=True)
        say(f"Done in {time.monotonic() - began:.0f} s.")
    print("\n".join([*figures.rows(), *report.lines()]))
    print(json.dumps(json.loads(figures.json()) | report.facts(), ensure_ascii=False))
    return 0 if whole else 1


def run(system: System) -> Figures:
    figures = Figures()
    say("Starting the whole system")
    with system, doing_nothing(system.data) as nothing:
        edges = Edges(system.urls, system.passwords, "bench")
        say("From a refusal to its letter")
        measures.refusal_to_mail(edges, figures)
        say("From an approval to every portal")
        measures.approval_to_portals(edges, figures)
        say("At rest")
        measures.idle(system, figures)
        say("Fifty at once")
        measures.throughput(system.urls, nothing, figures)
        if fallen := [process.name for process in system.fallen()]:
            raise Trouble(f"{', '.join(fallen)} fell while being measured.")
    return figures


@contextlib.contextmanager
def doing_nothing(folder: Path) -> Iterator[str]:
    """The application that does nothing, in a process of its own; its address."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    process = Process(
        "noop", (sys.executable, "-m", "bench.noop", str(port)), folder / "log" / "noop.log",
        folder / "run" / "noop.pid", http_ready(f"{url}/health/ready"), cwd=REPO,
    )  # fmt: skip
    process.start()
    try:
        yield url
    finally:
        process.stop()


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def asked(given: list[str]) -> str:
    """What is to be measured; whoever asks for something else is told how to ask."""
    if given in ([], *([name] for name in PARTS)):
        return "".join(given)
    if given in (["-h"], ["--help"]):
        print(USAGE)
        raise SystemExit(0)
    say(f"There is no «{' '.join(given)}».\n{USAGE}")
    raise SystemExit(2)


if __name__ == "__main__":
    sys.exit(main(asked(sys.argv[1:])))
