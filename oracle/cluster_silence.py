"""How long nothing went on around a fault: nothing accepted, nothing on a topic, nothing that came of it."""

import statistics
import time
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from oracle.client import Command
from oracle.evidence import Evidence
from oracle.plan import Fault

BUSY: Final = "qa.question"
SILENCES: Final = {"commands": "accepted by qa", "events": BUSY, "effects": "notifier.notice"}
AROUND: Final = 3.0  # seconds before the first fault, and after the last


@dataclass
class Felt:
    """A fault as it was: from when to when, whom it hit, and for how long nothing went on."""

    fault: Fault
    victims: list[str]
    began: float  # by time.time()
    healed: float = 0.0
    whole: float = 0.0
    silences: dict[str, float] | None = None


def silence(times: Iterable[float], begin: float, end: float) -> float:
    """The longest time without any of ``times`` that touches what lies between ``begin`` and ``end``."""
    seen = sorted(times)
    first = max(0, bisect_left(seen, begin) - 1)
    gaps = [b - a for a, b in zip(seen[first:], seen[first + 1 :], strict=False) if a < end]
    return max(gaps, default=float("inf"))


def measured(felts: Sequence[Felt], ledger: Sequence[Command], began: float, found: Evidence) -> None:
    offset = time.time() - time.monotonic() + began
    asked = [c for c in ledger if c.service == "qa" and c.acknowledged]
    times = {
        "commands": [command.acknowledged_at + offset for command in asked],
        "events": [seen.at for seen in found.topics if seen.topic == BUSY],
        "effects": [seen.at for seen in found.topics if seen.topic == SILENCES["effects"]],
    }
    for felt in felts:
        felt.silences = {name: silence(seen, felt.began, felt.whole + AROUND) for name, seen in times.items()}


def table(felts: Sequence[Felt], words: Mapping[str, str]) -> list[str]:
    """``words`` says what each kind of fault is."""
    lines = [f"  {'fault':<82}{'for':>7}{'commands':>10}{'events':>10}{'effects':>10}"]
    for felt in felts:
        said = f"{words[felt.fault.kind]} ({' '.join(felt.victims)})"
        row = "".join(f"{(felt.silences or {})[name]:>8.1f} s" for name in SILENCES)
        lines.append(f"  {said:<82}{felt.healed - felt.began:>5.1f} s{row}")
    for what, pick in (("worst", max), ("median", statistics.median)):
        row = "".join(f"{pick([(f.silences or {})[name] for f in felts]):>8.1f} s" for name in SILENCES)
        lines.append(f"  {what:<82}{'':>7}{row}")
    return lines
