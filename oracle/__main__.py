"""``python -m oracle``: one small run; ``--full``: 100,000 commands over 20 seeds, resumed where it was
broken off; ``--mutants``: each deliberate fault until it is caught; ``--cluster``: on three brokers and three
mongods. The last line is the verdict."""

import argparse
import json
import logging
import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from oracle import cluster, cluster_net, shrink
from oracle.findings import KINDS, counted
from oracle.mutants import MUTANTS
from oracle.plan import Plan, large, small
from oracle.points import POINTS
from oracle.run import Outcome, kept, run

KEPT: Final = Path(__file__).resolve().parents[1] / ".data" / "oracle"
FULL_SEEDS: Final = 20


def main() -> int:
    wanted = arguments()
    without = cluster_net.enter() if wanted.cluster else ""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it tells at length that a broker is down
    folder = Path(wanted.data) if wanted.data else Path(tempfile.mkdtemp(prefix="oracle-"))
    if wanted.cluster:
        return clustered(wanted, folder, without)
    if wanted.mutants is not None:
        return mutants(wanted.mutants or list(MUTANTS), folder)
    if wanted.full:
        return full(wanted.seeds or FULL_SEEDS, folder)
    outcomes = []
    for seed in range(wanted.seed, wanted.seed + (wanted.seeds or 1)):
        plan = planned(seed, wanted)
        print(f"seed {seed}: {plan.lives} lives, {len(plan.faults)} faults, {plan.replicas} replicas of each")
        outcome = run(plan, folder / "run", mutant=wanted.mutant)
        outcomes.append(outcome)
        told(outcome)
        if not outcome.good:
            failed(plan, outcome, folder, wanted)
            break
    return verdict(outcomes)


def arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m oracle", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=0, help="so many seeds, one after the other")
    parser.add_argument("--full", action="store_true", help="large runs, resumed per seed")
    parser.add_argument("--large", action="store_true", help="the plan of a large run")
    parser.add_argument("--cluster", action="store_true", help="on three brokers and three mongods")
    parser.add_argument("--only", default=None, help="numbers of the faults to keep, such as 3,7,9")
    parser.add_argument("--lives", type=int, default=0)
    parser.add_argument("--mutant", default="", choices=["", *MUTANTS], help="with this deliberate fault")
    parser.add_argument("--mutants", nargs="*", default=None, metavar="NAME", help="these, or all")
    parser.add_argument("--shrink", type=float, default=300.0, help="seconds to look for a shorter history")
    parser.add_argument("--data", default="", help="folder of the runs; a fresh one otherwise")
    return parser.parse_args()


def planned(seed: int, wanted: Any) -> Plan:
    drawn = large(seed) if wanted.large else small(seed)
    plan = MUTANTS[wanted.mutant].plan(seed) if wanted.mutant else drawn
    if wanted.only is not None:
        plan = plan.only({int(n) for n in wanted.only.split(",") if n})
    return replace(plan, lives=wanted.lives) if wanted.lives else plan


def told(outcome: Outcome) -> None:
    print(
        f"  {outcome.commands} commands ({outcome.unknown} answers lost on the way), "
        f"{outcome.commits} commits, {outcome.records} records, {outcome.mails} mails, "
        f"{outcome.seconds:.0f} s"
    )
    points = [point for point in (*POINTS, "history.lost") if outcome.hits[point]]
    if points:
        print(f"  points hit: {', '.join(f'{point} {outcome.hits[point]}' for point in points)}")
    if outcome.unhit:
        print(f"  armed and not passed: {', '.join(outcome.unhit)}")


def failed(plan: Plan, outcome: Outcome, folder: Path, wanted: Any) -> None:
    """The findings, the shortest history that a bounded search finds, and how to see it again."""
    for finding in outcome.findings[:25]:
        print(f"  {finding}")
    print(f"  … {len(outcome.findings)} findings; all of them in {kept(plan, outcome, folder / 'run')}")
    smallest, last = shrink.shortest(plan, outcome, folder / "run", wanted.mutant, wanted.shrink)
    print(f"history of the first finding, seed {plan.seed}:")
    print("\n".join(last.history[:120]))
    numbers = ",".join(str(f.number) for f in smallest.faults) or ","
    again = f"python -m oracle --seed {plan.seed} --lives {smallest.lives} --only {numbers}"
    more = " --large" if wanted.large else f" --mutant {wanted.mutant}" if wanted.mutant else ""
    print(f"again: {again}{more}")


def verdict(outcomes: list[Outcome]) -> int:
    totals = counted(finding for outcome in outcomes for finding in outcome.findings)
    commands, kills = sum(o.commands for o in outcomes), sum(o.kills for o in outcomes)
    counts = " ".join(f"{kind}={totals[kind]}" for kind in KINDS)
    print(f"oracle: commands={commands} kills={kills} seeds={len(outcomes)} {counts}")
    return 1 if any(totals.values()) else 0


def clustered(wanted: Any, folder: Path, without: str) -> int:
    """``without`` says why this machine has no network to cut, if it has none."""
    if without:
        print(f"Nothing is cut, servers are stopped instead: {without}.")
    net = cluster_net.Net(real=not without)
    only = {int(n) for n in wanted.only.split(",") if n} if wanted.only is not None else None
    outcomes = []
    for seed in range(wanted.seed, wanted.seed + (wanted.seeds or 1)):
        plan = cluster.planned(seed, only)
        plan = replace(plan, lives=wanted.lives) if wanted.lives else plan
        print(f"seed {seed}: {plan.lives} lives and a pulse, {len(plan.faults)} faults", flush=True)
        outcome = cluster.run(plan, folder / str(seed), net, mutant=wanted.mutant)
        outcomes.append(outcome)
        told(outcome)
        if not outcome.good:
            print("\n".join(f"  {finding}" for finding in outcome.findings[:25]))
            print(
                f"  … {len(outcome.findings)} findings; all of them in {kept(plan, outcome, folder / 'run')}"
            )
            print("history of the first finding:", *outcome.history[:120], sep="\n")
            print(f"again: python -m oracle --cluster --seed {seed}; what the servers left is in {folder}")
            break
    else:
        if not wanted.data:
            shutil.rmtree(folder)
    return verdict(outcomes)


def full(seeds: int, folder: Path) -> int:
    """Each finished seed is kept, so that a run broken off goes on at the next one."""
    KEPT.mkdir(parents=True, exist_ok=True)
    outcomes = []
    for seed in range(1, seeds + 1):
        path = KEPT / f"full-{seed}.json"
        if path.exists():
            facts = json.loads(path.read_text())
            print(f"seed {seed}: done before, {facts['commands']} commands, {facts['kills']} kills")
            hits = Counter(facts.pop("hits"))
            outcomes.append(Outcome(seed, **facts, hits=hits))
            continue
        plan = large(seed)
        print(f"seed {seed}/{seeds}: {plan.lives} lives, {len(plan.faults)} faults", flush=True)
        outcome = run(plan, folder / "run", patience=90.0)
        outcomes.append(outcome)
        told(outcome)
        if not outcome.good:
            failed(plan, outcome, folder, argparse.Namespace(mutant="", shrink=0.0, large=True))
            break
        names = ("commands", "unknown", "kills", "seconds", "commits", "records", "mails", "hits")
        path.write_text(json.dumps({name: getattr(outcome, name) for name in names}))
    return verdict(outcomes)


def mutants(names: list[str], folder: Path) -> int:
    """A table: what was done, and what caught it."""
    rows, survived = [], []
    for name in names:
        mutant = MUTANTS[name]
        for seed in (1, 2, 3):
            outcome = run(
                mutant.plan(seed), folder / "run", mutant=name, patience=mutant.patience, tell=lambda _: None
            )
            if not outcome.good:
                break
        caught = "; ".join(f"{k}: {n} × {c}" for (k, c), n in outcome.by_check().most_common(3))
        rows.append(f"| `{name}` | {mutant.words} | {caught or '**survived**'} |")
        print(rows[-1] + (f"  e.g. {outcome.findings[0]}" if outcome.findings else ""), flush=True)
        if outcome.good:
            survived.append(name)
    print("\n| mutant | the fault | caught by |\n|---|---|---|\n" + "\n".join(rows))
    print(f"mutants: {len(names)} tried, {len(names) - len(survived)} caught, survived: {survived or 'none'}")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
