"""Figures as rows to read, and as one line of JSON for programs."""

import json
import math
from collections.abc import Sequence


class Figures:
    """A figure's name ends with its unit where it has one, so that the JSON can stand alone."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, float, str]] = []

    def add(self, name: str, value: float, unit: str) -> None:
        self._rows.append((name, round(value, 3 if unit == "ratio" else 1), unit))

    def add_spread(self, name: str, seconds: Sequence[float]) -> None:
        """The middle and the far end of what was waited for, in milliseconds."""
        for percent in (50, 99):
            self.add(f"{name}_p{percent}_ms", percentile(seconds, percent) * 1000, "ms")

    def rows(self) -> list[str]:
        width = max((len(name) for name, _, _ in self._rows), default=0)
        return [f"{name:<{width}}  {value:>10}  {unit}" for name, value, unit in self._rows]

    def json(self) -> str:
        return json.dumps({name: value for name, value, _ in self._rows})


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least ``percent`` of them do not exceed (nearest rank)."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]
