"""A row for each figure: what we do, what the rival and the limit do, and whether the goal is met."""

import json
from dataclasses import asdict, dataclass
from typing import Final

FORMAT: Final = "{:<34} {:>12} {:>12} {:>12} {:>8}  {:<16} {}"

NEXT: Final = {
    "events_per_s_over_naive": (
        "Ours is bound by processor time, the naive service by waiting: every neighbour narrows it. "
        "Next: one change stream for relay and projector."
    ),
    "events_per_s_over_bare": (
        "Validation, folding, hashing and the journal read back twice are what bare drivers leave out. "
        "Next: one change stream for relay and projector; handlers without a task of their own."
    ),
    "commands_per_s_to_noop": (
        "The no-op takes the short way too; body, desk, seal and log line are what a command adds. "
        "Next: a commit sealed without its unsealed copy."
    ),
    "commands_per_s_over_transaction": (
        "The rival stands in a bare application; our frame alone costs two fifths of a command. "
        "Next: merge the middlewares into one, in front of FastAPI's own."
    ),
}


@dataclass(frozen=True)
class Row:
    """``ratio`` is what the goal speaks of. None: there is nothing of the kind."""

    name: str
    ours: float
    goal: str
    met: bool | None = None  # None: stated only
    rival: float | None = None
    limit: float | None = None
    ratio: float | None = None
    note: str = ""

    def __str__(self) -> str:
        verdict = {True: "ok", False: "short", None: "stated"}[self.met]
        numbers = (_number(n) for n in (self.ours, self.rival, self.limit, self.ratio))
        line = FORMAT.format(self.name, *numbers, self.goal, verdict)
        said = [self.note] if self.note else []
        if self.met is False and self.name in NEXT:
            said.append(NEXT[self.name])
        return "   ".join([line, *said])


class Report:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.tables: list[str] = []

    def add(self, row: Row) -> None:
        self.rows.append(row)

    def take(self, other: "Report") -> None:
        self.rows += other.rows
        self.tables += other.tables

    def lines(self) -> list[str]:
        head = FORMAT.format("name", "ours", "rival", "limit", "ratio", "goal", "verdict")
        return [*self.tables, head, *map(str, self.rows)]

    def facts(self) -> dict[str, object]:
        return {row.name: {k: v for k, v in asdict(row).items() if k != "name"} for row in self.rows}

    def json(self) -> str:
        return json.dumps(self.facts(), ensure_ascii=False)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
