"""One run: the system, a client, the plan's faults, quiet, and the verdict."""

import asyncio
import json
import os
import pickle
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from oracle import checks, effects, effects_staff
from oracle.client import Client, Command
from oracle.evidence import Collector, Evidence, Holders
from oracle.faults import Faults
from oracle.findings import Finding, counted
from oracle.lives import Lives
from oracle.plan import Plan
from oracle.points import disarm_all
from oracle.poison import Poison
from oracle.quiet import quiet
from oracle.world import World

PATIENCE: Final = 45.0  # seconds without any movement after which what is left is stuck
Tell = Callable[[str], None]


@dataclass
class Outcome:
    seed: int
    commands: int = 0
    unknown: int = 0
    kills: int = 0
    seconds: float = 0.0
    hits: Counter[str] = field(default_factory=Counter)
    unhit: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    commits: int = 0
    records: int = 0
    mails: int = 0

    @property
    def good(self) -> bool:
        return not self.findings

    def by_check(self) -> Counter[tuple[str, str]]:
        return Counter((finding.kind, finding.check) for finding in self.findings)

    @property
    def totals(self) -> dict[str, int]:
        return counted(self.findings)


def run(
    plan: Plan, folder: Path, *, mutant: str = "", tell: Tell = print, patience: float = PATIENCE
) -> Outcome:
    return asyncio.run(_run(plan, folder, mutant, tell, patience))


async def _run(plan: Plan, folder: Path, mutant: str, tell: Tell, patience: float) -> Outcome:
    began = time.monotonic()
    world = World(folder, plan, mutant)
    outcome = Outcome(plan.seed)
    try:
        await asyncio.to_thread(world.start)
        tell(f"  the system is up after {time.monotonic() - began:.0f} s")
        collector = Collector(world)
        await collector.watch_writes()
        edges = world.edges()
        for name in ("ha", "khoi", "lan", "minh", "phuong", "tuan", "oanh"):
            await asyncio.to_thread(edges.token, name)
        client = Client(edges, world.system.urls, world.asked, plan.seed)
        world.began = client.began
        lives = Lives(client, plan.seed)
        faults = Faults(world, client, lives)
        holders = Holders({})
        watch = asyncio.create_task(collector.watch_holders(holders))
        try:
            await asyncio.gather(_live(plan, lives), faults.carry_out(plan))
            outcome.unhit = disarm_all(world.armed)
            world.settle()
            tell(
                f"  {len(client.ledger)} commands, {world.kills} kills after {time.monotonic() - began:.0f} s"
            )
            await world.until_up()
            left = await quiet(collector, patience)
            tell(f"  quiet after {time.monotonic() - began:.0f} s" + (f"; left: {left}" if left else ""))
            found = await collector.all()
            found.holders = holders
            if dump := os.environ.get("ORACLE_DUMP"):
                facts = pickle.dumps((client.ledger, faults.poisons, found, left, world.timeline))
                await asyncio.to_thread(Path(dump).write_bytes, facts)
            outcome.findings = judge(client.ledger, faults.poisons, found, left)
            _figures(outcome, client.ledger, found)
            if outcome.findings:
                outcome.history = history(outcome.findings[0], client.ledger, found, world)
        finally:
            watch.cancel()
            await client.close()
            edges.close()
            collector.close()
    finally:
        await asyncio.to_thread(world.stop)
    outcome.kills, outcome.hits = world.kills, world.hits
    outcome.seconds = time.monotonic() - began
    return outcome


async def _live(plan: Plan, lives: Lives) -> None:
    """Lives begin evenly over the plan's time, so that each fault finds some under way."""
    room = asyncio.Semaphore(plan.at_once)
    began = time.monotonic()

    async def one(number: int) -> None:
        async with room:
            await asyncio.sleep(max(0.0, plan.seconds * number / plan.lives - (time.monotonic() - began)))
            await lives.live(number)

    await asyncio.gather(*(one(number) for number in range(plan.lives)))


def judge(
    ledger: Sequence[Command], poisons: Sequence[Poison], found: Evidence, left: Sequence[str]
) -> list[Finding]:
    return [
        *checks.commands(ledger, found), *checks.journals(found), *checks.topics(found),
        *checks.read_models(found), *effects.notices(found), *effects.deadlines(found),
        *effects_staff.stages(found), *effects_staff.staff_notices(found),
        *effects.portals(found), *effects.dead_letters(poisons, found), *checks.still_waiting(left),
    ]  # fmt: skip


def _figures(outcome: Outcome, ledger: Sequence[Command], found: Evidence) -> None:
    outcome.commands = len(ledger)
    outcome.unknown = sum(command.unknown for command in ledger)
    outcome.commits = sum(map(len, found.journals.values()))
    outcome.records, outcome.mails = len(found.topics), len(found.mails)


def history(finding: Finding, ledger: Sequence[Command], found: Evidence, world: World) -> list[str]:
    """Everything known about what a finding is about: the commands of its life, what is on record of it, and
    the faults that fell meanwhile."""
    about = finding.about
    commits = [(name, c) for name, all in found.journals.items() for c in all]
    lives = {c.correlation for _, c in commits if about and about in (c.correlation, c.stream)} or {about}
    lines: list[tuple[float, str]] = []
    for command in ledger:
        if command.life in lives:
            said = f"{command.act} → {command.status} {command.tag}: {'; '.join(command.log)}"
            lines.append((command.acknowledged_at, said))
    if lines:
        first, last = min(lines)[0] - 3, max(lines)[0] + 20
        lines += [line for line in world.timeline if first <= line[0] <= last]
    told = [f"  {at:6.2f}s  {what}" for at, what in sorted(lines)]
    for name, c in sorted(commits, key=lambda one: one[1].at):
        if c.correlation in lives:
            names = ", ".join(e.name for e in c.events)
            told.append(f"  {c.at:%H:%M:%S.%f}  {name} {c.stream} v{c.version}: {names} [{c.key}]")
    return told


def kept(plan: Plan, outcome: Outcome, folder: Path) -> Path:
    """The failing run on disk, for who looks into it."""
    path = folder.parent / f"failed-{plan.seed}.json"
    report = {
        "seed": plan.seed, "findings": [str(f) for f in outcome.findings], "history": outcome.history,
        "faults": [str(f) for f in plan.faults],
    }  # fmt: skip
    path.write_text(json.dumps(report, ensure_ascii=False, indent=1))
    return path
