"""What the oracle may find, and how it counts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

LOST, DOUBLED, REORDERED, STUCK = "lost", "doubled", "reordered", "stuck"
KINDS: Final = (LOST, DOUBLED, REORDERED, STUCK)


@dataclass(frozen=True)
class Finding:
    """``check`` names the rule that was broken, ``about`` a stream, a key or a correlation to look for."""

    kind: str
    check: str
    what: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.check}: {self.what}"


Findings = Iterator[Finding]


def counted(findings: Iterable[Finding]) -> dict[str, int]:
    totals = dict.fromkeys(KINDS, 0)
    for finding in findings:
        totals[finding.kind] += 1
    return totals
