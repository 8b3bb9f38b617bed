"""Biểu mẫu: the forms that one page offers, with what was typed, what is wrong with it, what was kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.qa.desk.acts import ACTS, BY_STEP, FormAct

Typed = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tried:
    """A form that could not be done: its errors and what was typed, shown again; ``changed`` is what others
    have done to the question since it was opened."""

    act: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Typed = field(default_factory=dict)
    conflict: str = ""
    changed: Sequence[Mapping[str, Any]] = ()

    @property
    def status(self) -> int:
        return 409 if self.conflict else 422 if self.errors else 200

    @property
    def summary(self) -> dict[str, str]:
        """The errors by the id of their field on the page."""
        return {ACTS[self.act].id_of(name) if name else "": said for name, said in self.errors.items()}

    @property
    def written(self) -> list[str]:
        """The longer texts that somebody would be sorry to lose."""
        values = [v for value in self.typed.values() for v in (value if isinstance(value, list) else [value])]
        return [str(value) for value in values if len(str(value)) > 20 and " " in str(value)]


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has typed into a form and not sent yet."""

    typed: Typed
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Form:
    act: FormAct
    key: str
    action: str
    typed: Typed = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    saved_at: datetime | None = None
    open: bool = False

    def id(self, name: str) -> str:
        return self.act.id_of(name)

    def value(self, name: str, default: Any = "") -> Any:
        return self.typed.get(name, default)

    def error(self, name: str) -> str:
        return self.errors.get(name, "")

    @property
    def draft(self) -> str:
        """Where what is typed is kept."""
        path, _, query = self.action.partition("?")
        return f"{path}/draft?{query}"

    @property
    def rows(self) -> list[dict[str, str]]:
        """Those that were typed, then empty ones; one more when it was asked for."""
        shape = self.act.rows
        if shape is None:
            return []
        rows = shape.of(self.typed) if self.typed else []
        wished = max(shape.least, len(rows) + bool(self.typed.get("more")))
        empty = [dict.fromkeys(shape.columns, "") for _ in range(min(wished, shape.most) - len(rows))]
        return [*rows, *empty]

    def row_error(self, index: int, name: str) -> str:
        shape = self.act.rows
        return self.errors.get(f"{shape.name}.{index}.{shape.columns[name]}", "") if shape else ""


def forms(
    steps: Sequence[str], drafts: Mapping[str, Draft], tried: Tried, *, path: str, query: str, primary: str
) -> list[Form]:
    """The forms of exactly these acts, in the order in which a page shows them."""
    offered = []
    for act in ACTS.values():
        if act.step not in steps:
            continue
        mine, draft = tried.act == act.path, drafts.get(act.path)
        typed = tried.typed if mine else draft.typed if draft else {}
        offered.append(
            Form(
                act, "a" if act.path == primary else act.key, f"{path}/{act.path}{query}", typed,
                tried.errors if mine else {}, None if mine or not draft else draft.saved_at,
                open=mine or draft is not None,
            )
        )  # fmt: skip
    return offered


def keys(steps: Sequence[str], primary: str) -> list[tuple[str, str]]:
    """The letters of the acts that somebody may ever do here, and what each does."""
    named: dict[str, list[str]] = {}
    for step in steps:
        if step in BY_STEP:
            act = BY_STEP[step]
            key = "a" if act.path == primary else act.key
            if act.short not in named.setdefault(key.upper(), []):
                named[key.upper()].append(act.short)
    return sorted((key, "; ".join(titles)) for key, titles in named.items())
