"""Who may do what in which state, and under which clause: a table that the code obeys, that the
documents are drawn from, and that the tests walk whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from shared.errors import Forbidden, IllegalTransition

S = TypeVar("S", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the token says who, our own directory says which unit and which roles."""

    subject: str
    name: str = ""
    unit: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)


SYSTEM = Actor("system", "Hệ thống", roles=frozenset({"system"}))


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """One row of the table: state, act, role, state after, basis (căn cứ)."""

    status: S
    act: str
    role: StrEnum
    after: S
    basis: str


class Workflow(Generic[S]):
    """The rows of one aggregate's life, in the order in which a reader meets them.

    ``what_vi``, ``acts_vi`` and ``states_vi`` are the field's words: a refusal is read by people."""

    def __init__(
        self,
        *steps: Step[S],
        what_vi: str = "hồ sơ",
        acts_vi: Mapping[str, str] | None = None,
        states_vi: Mapping[S, str] | None = None,
    ) -> None:
        self.steps = steps
        self._what_vi = what_vi
        self._acts_vi = acts_vi or {}
        self._states_vi = states_vi or {}
        self._by_act: dict[tuple[S, str], list[Step[S]]] = {}
        self._roles: dict[str, set[str]] = {}  # who may ever do this
        for step in steps:
            self._by_act.setdefault((step.status, step.act), []).append(step)
            self._roles.setdefault(step.act, set()).add(step.role)

    def after(self, status: S, act: str, by: Actor) -> S:
        """The state after ``act``.

        Raises Forbidden when no role of the actor may ever do this, IllegalTransition when the state
        does not allow it; the role is judged first, so that a stranger learns nothing of the state."""
        if by.roles.isdisjoint(self._roles.get(act, ())):
            raise Forbidden(f"Vai trò của bạn không được {self._acts_vi.get(act, act)}.", act=act)
        for step in self._by_act.get((status, act), ()):
            if step.role in by.roles:
                return step.after
        allowed = sorted({step.act for step in self.steps if step.status == status})
        raise IllegalTransition(
            f"Không thể {self._acts_vi.get(act, act)} khi {self._what_vi} ở trạng thái"
            f" «{self._states_vi.get(status, status.value)}».",
            act=act, state=status.value, allowed=allowed,
        )  # fmt: skip

    def acts(self, status: S, roles: Iterable[str]) -> list[str]:
        """What these roles may do now: the buttons on a page."""
        held = set(roles)
        return list(dict.fromkeys(s.act for s in self.steps if s.status == status and s.role in held))
