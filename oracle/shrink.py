"""From a failing run to a shorter one: fewer faults, then fewer lives, as long as it still fails and there is
time. Processes race, so a smaller plan that happens to pass proves nothing; one that fails is shown."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from oracle.plan import Plan
from oracle.run import Outcome, run

FEWEST_LIVES: Final = 6
PATIENCE: Final = 30.0


def shortest(plan: Plan, outcome: Outcome, folder: Path, mutant: str, seconds: float) -> tuple[Plan, Outcome]:
    """The smallest plan seen to fail within about ``seconds``, and how."""
    until = time.monotonic() + seconds
    best, how = plan, outcome
    pieces = 2
    while time.monotonic() + how.seconds < until:
        for smaller in _candidates(best, pieces):
            if time.monotonic() + how.seconds > until:
                break
            again = run(smaller, folder, mutant=mutant, patience=PATIENCE, tell=lambda _: None)
            print(
                f"  with {len(smaller.faults)} faults, {smaller.lives} lives: {len(again.findings)} findings"
            )
            if not again.good:
                best, how, pieces = smaller, again, 2
                break
        else:
            if pieces >= 2 * max(1, len(best.faults)):
                break
            pieces *= 2
    return best, how


def _candidates(plan: Plan, pieces: int) -> list[Plan]:
    """Without faults, each piece of the faults alone, all but each piece; and half the lives."""
    faults = plan.faults
    size = max(1, -(-len(faults) // pieces))
    cut = [faults[start : start + size] for start in range(0, len(faults), size)]
    found = [replace(plan, faults=piece) for piece in cut if len(piece) < len(faults)]
    found += [replace(plan, faults=tuple(f for f in faults if f not in piece)) for piece in cut]
    if plan.lives > FEWEST_LIVES:
        found.insert(0, replace(plan, lives=max(FEWEST_LIVES, plan.lives // 2)))
    return found
