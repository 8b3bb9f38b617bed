"""Everything due at one instant while everything falls: ``python -m oracle.storm``. Three replicas of the
notifier, whose processes, database, broker and mail server are killed again and again; then firings =
notices = accepted mails, and a mail that came twice is among those on record as uncertain."""

import argparse
import asyncio
import contextlib
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2

from bench.deadlines import seeding
from oracle import checks
from oracle.evidence import Collector, Evidence, Holders
from oracle.findings import KINDS, Finding, counted
from oracle.plan import Plan
from oracle.points import FIRING_POINTS, arm, disarm_all
from oracle.quiet import quiet
from oracle.storm_judge import judge, message_ids, stages_due, unfallen
from oracle.world import World
from shared.calendar import CALENDAR
from shared.contracts.base import Clock
from shared.contracts.clocks import clock_for
from shared.mongo import TROUBLE, to_document

SMALL, LARGE = 1_000, 25_000  # deadlines; each has two stages at its due instant
AN_OPENING: Final = 1_500  # deadlines a second that are shown before they fall due
PATIENCE: Final = 60.0
LONGEST: Final = 900.0


@dataclass(frozen=True)
class Fall:
    """What falls when so much of the mail (0 to 1) is accepted."""

    share: float
    who: str
    how: str
    nth: int = 1
    seconds: float = 0.5

    def __str__(self) -> str:
        return f"{self.who}.{self.how}"


FALLS: Final = (
    *(Fall(-1.0, "notifier", point, nth) for nth, point in enumerate(FIRING_POINTS, 1)),
    Fall(0.01, "notifier-2", "kill"),
    Fall(0.03, "notifier", "offset.before"),  # while firings are still heard: mails are slower
    Fall(0.08, "mail", "drop_after_data"),
    Fall(0.12, "notifier", "publish.sent"),
    Fall(0.16, "mongod", "kill"),
    Fall(0.24, "notifier", "mail.accepted", 3),
    Fall(0.32, "kafka", "kill"),
    Fall(0.40, "mail", "kill", seconds=1.0),
    Fall(0.48, "notifier", "mail.body", 2),
    Fall(0.54, "notifier-3", "freeze", seconds=9.0),
    Fall(0.60, "mail", "tempfail"),
    Fall(0.66, "notifier", "project.write"),
    Fall(0.69, "notifier", "mail.claimed", 2),  # the last point: enough mail is left to pass it
    Fall(0.72, "mongod", "kill", seconds=1.0),
    Fall(0.80, "notifier", "kill", seconds=2.0),
    Fall(0.92, "mail", "kill"),
)


def term(due_at: datetime) -> Clock:
    """«Ngay trong ngày», told at once at any hour: a breach to the unit and an escalation to its centre, both
    at the due instant. It begins so late that no reminder of its evening falls into it."""
    clock = clock_for(
        CALENDAR.same_day(due_at), CALENDAR, duty="same_day_notice", basis="dieu-11#hoi-dap-1",
        owner_unit="tt-cskh", reason="ngày tiếp nhận câu hỏi",
    )  # fmt: skip
    return clock.model_copy(update={"due_at": due_at, "started_at": due_at - timedelta(seconds=30)})


class Storm(Collector):
    """Its mails are read where the mail server keeps them: fifty thousand are too many for its page."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._mail = world.system.data / "mail"

    async def _edges(self, found: Evidence) -> None:
        found.mails = await asyncio.to_thread(message_ids, self._mail)

    async def accepted(self) -> int:
        return int(await self.databases["notifier"].notices.count_documents({"status": "sent"}))


async def run(deadlines: int, folder: Path, mutant: str = "") -> tuple[list[Finding], dict[str, int]]:
    world = World(folder, Plan(1, 0.0, 0, 0, 3, ()), mutant, many=("notifier",))
    began = time.monotonic()
    try:
        await asyncio.to_thread(world.start)
        say(f"the system is up after {time.monotonic() - began:.0f} s")
        storm = Storm(world)
        await storm.watch_writes()
        holders = Holders({})
        watch = asyncio.create_task(storm.watch_holders(holders))
        try:
            clock = await _opened(storm, deadlines)
            expected = stages_due(clock)
            say(
                f"{deadlines:,} deadlines are due at {clock.due_at:%H:%M:%S} UTC, {len(expected)} stages each"
            )
            missed = await _falls(world, storm, clock, deadlines * len(expected))
            world.settle()
            await world.until_up()
            left = await quiet(storm, PATIENCE)
            took = (datetime.now(UTC) - clock.due_at).total_seconds()
            say(f"quiet {took:.0f} s after the due instant" + (f"; left: {left}" if left else ""))
            found = await storm.all()
            found.holders = holders
        finally:
            watch.cancel()
            storm.close()
    finally:
        await asyncio.to_thread(world.stop)
    verdict, figures = judge(found, expected, deadlines)
    findings = [
        *verdict, *checks.journals(found), *checks.topics(found), *checks.read_models(found),
        *checks.still_waiting(left), *unfallen(missed),
    ]  # fmt: skip
    hits = {point: count for point, count in world.hits.items() if count}
    say(f"deaths at points: {', '.join(f'{point} {count}' for point, count in hits.items())}")
    falls = len(FALLS) - len(missed)
    return findings, {**figures, "kills": world.kills, "falls": falls, "seconds": round(took)}


async def _opened(storm: Storm, deadlines: int) -> Clock:
    """On record as their service's events would have put them; the live projector shows them."""
    ahead = datetime.now(UTC) + timedelta(seconds=8 + 2 * deadlines / AN_OPENING)
    clock = term(ahead.replace(microsecond=0))  # a whole second, as every real term ends
    every = seeding.commits(range(deadlines), due=range(deadlines), due_at=clock.due_at, clock=clock)
    journal, rows = storm.databases["notifier"].journal, [to_document(commit) for commit in every]
    for start in range(0, deadlines, seeding.AT_ONCE):
        await journal.insert_many(rows[start : start + seeding.AT_ONCE], ordered=False)
    return clock


async def _falls(world: World, storm: Storm, clock: Clock, mails: int) -> list[str]:
    """Each fall when its share of the mail is accepted; those of the firing are armed before it. Returns what
    did not fall: its time never came, or nobody has passed its point."""
    for fall in (f for f in FALLS if f.share < 0):
        arm(world.armed, fall.who, fall.how, "die", fall.nth)
    await asyncio.sleep(max(0.0, (clock.due_at - datetime.now(UTC)).total_seconds()))
    waiting, until = [f for f in FALLS if f.share >= 0], time.monotonic() + LONGEST
    moved, before = time.monotonic(), -1
    journal = storm.databases["notifier"].journal
    while (waiting or any(world.armed.iterdir())) and time.monotonic() < until:
        with contextlib.suppress(*TROUBLE):
            accepted, commits = await storm.accepted(), await journal.estimated_document_count()
            if commits != before:
                moved, before = time.monotonic(), commits
            due = waiting and accepted >= waiting[0].share * mails
            if due and await _fall(world, waiting[0]):
                waiting.pop(0)
        if time.monotonic() - moved > PATIENCE:
            break  # what is stuck is found by who judges
        await asyncio.sleep(0.2)
    return [*(str(fall) for fall in waiting), *disarm_all(world.armed)]


async def _fall(world: World, fall: Fall) -> bool:
    """Whether it fell, or is armed to."""
    world.tell(str(fall))
    match fall.how:
        case "kill":
            await asyncio.to_thread(world.kill, fall.who, fall.seconds)
        case "freeze":
            await asyncio.to_thread(world.freeze, fall.who, fall.seconds)
        case "drop_after_data" | "tempfail":
            mood = {"mode": fall.how, "times": 5, "seconds": 1.0}
            async with httpx2.AsyncClient(trust_env=False, timeout=5) as http:
                try:
                    answer = await http.post(f"{world.system.urls[fall.who]}/behave", json=mood)
                except httpx2.HTTPError:
                    return False
                return answer.is_success
        case point:
            arm(world.armed, fall.who, point, "die", fall.nth)
    return True


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m oracle.storm", description=__doc__)
    parser.add_argument("--full", action="store_true", help=f"{LARGE:,} deadlines, {2 * LARGE:,} firings")
    parser.add_argument("--deadlines", type=int, default=0)
    parser.add_argument("--mutant", default="", help="with a deliberate fault of oracle/mutants.py")
    parser.add_argument("--data", default="", help="folder of the run; a fresh one otherwise")
    wanted: Any = parser.parse_args()
    folder = Path(wanted.data) if wanted.data else Path(tempfile.mkdtemp(prefix="storm-"))
    deadlines = wanted.deadlines or (LARGE if wanted.full else SMALL)
    findings, figures = asyncio.run(run(deadlines, folder / "run", wanted.mutant))
    by_check: Counter[str] = Counter(f"{finding.kind} {finding.check}" for finding in findings)
    for finding in findings[:25]:
        say(str(finding))
    if findings:
        say(f"… {len(findings)} findings: {dict(by_check)}; what the servers left is in {folder}")
    elif not wanted.data:
        shutil.rmtree(folder, ignore_errors=True)
    totals = counted(findings)
    counts = " ".join(f"{kind}={totals[kind]}" for kind in KINDS)
    print(f"storm: {' '.join(f'{name}={count}' for name, count in figures.items())} {counts}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
