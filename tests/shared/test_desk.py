"""The desk: what makes a command happen once, and what a repetition is told."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest

from shared.calendar import CALENDAR
from shared.contracts.base import Aggregate, Event, only
from shared.contracts.qa import AnswerReleased, QuestionClosed
from shared.desk import Desk, fingerprint
from shared.errors import Forbidden, IdempotencyKeyReused, IllegalTransition, NotFound, PreconditionFailed
from shared.journal import AlreadyDone
from shared.testing import MemoryJournal, MemoryVault
from shared.workflow import Actor, Step, StrEnum, Workflow


@dataclass(frozen=True)
class Case(Aggregate):
    KIND: ClassVar[str] = "case"
    id: UUID
    releases: int = 0

    @classmethod
    def begin(cls, event: Event) -> "Case":
        return cls(only(event, QuestionClosed).question_id)

    def apply(self, event: Event) -> "Case":
        return replace(self, releases=self.releases + 1)


class World:
    def __init__(self) -> None:
        self.journal, self.vault = MemoryJournal(), MemoryVault()

    def desk(self, once: str = "", body: str = "", **facts: Any) -> Desk[None]:
        return Desk(
            self.journal, self.vault, CALENDAR, None, {"case": Case}, "qa",
            once=once, fingerprint=fingerprint(body), **facts,
        )  # fmt: skip


async def open_case(id: UUID, desk: Desk[None]) -> Case:
    return await desk.append(Case.starts_with(QuestionClosed(question_id=id)))


async def release(id: UUID, desk: Desk[None]) -> Case:
    case = await desk.load(Case, id)
    return await desk.append(case.then(AnswerReleased(question_id=id, answer_ref="a")))


@pytest.fixture
def world() -> World:
    return World()


async def test_a_command_repeated_under_its_key_gets_the_first_answer(world: World) -> None:
    first = await world.desk("k1").run(open_case, uuid4())
    again = await world.desk("k1").run(open_case, uuid4())
    assert again == first
    assert len(world.journal.commits) == 1


async def test_a_repetition_is_told_what_was_true_then_and_not_what_came_since(world: World) -> None:
    case = await world.desk("k1").run(open_case, uuid4())
    released = await world.desk("k2").run(release, case.id)
    await world.desk("k3").run(release, case.id)
    desk = world.desk("k2")
    assert await desk.run(release, case.id) == released
    assert desk.version(released) == 2


async def test_the_same_key_with_another_body_is_refused(world: World) -> None:
    case = await world.desk("k1", "one").run(open_case, uuid4())
    with pytest.raises(IdempotencyKeyReused):
        await world.desk("k1", "two").run(open_case, case.id)


async def test_a_stale_version_is_refused_and_a_missing_record_is_not_found(world: World) -> None:
    case = await world.desk("k1").run(open_case, uuid4())
    await world.desk("k2").run(release, case.id)
    with pytest.raises(PreconditionFailed):
        await world.desk("k3", expected=1).run(release, case.id)
    with pytest.raises(NotFound):
        await world.desk("k4").run(release, uuid4())


async def test_an_event_may_touch_several_streams_each_once(world: World) -> None:
    ids = [uuid4(), uuid4()]
    for id in ids:
        await open_case(id, world.desk("qa:question-1:1:0", causation="qa:question-1:1:0"))
    with pytest.raises(AlreadyDone):
        await open_case(ids[0], world.desk("qa:question-1:1:0", causation="qa:question-1:1:0"))
    assert len(world.journal.commits) == 2


async def test_a_decision_without_events_leaves_no_trace(world: World) -> None:
    case = await world.desk("k1").run(open_case, uuid4())
    await world.desk("k2").append((case, ()))
    assert len(world.journal.commits) == 1


class State(StrEnum):
    OPEN = "open"
    SHUT = "shut"


class Role(StrEnum):
    CLERK = "clerk"
    JUDGE = "judge"


TABLE = Workflow(
    Step(State.OPEN, "shut", Role.CLERK, State.SHUT, "dieu-8#khoan-1"),
    Step(State.SHUT, "reopen", Role.JUDGE, State.OPEN, "dieu-8#khoan-1"),
)


def who(*roles: Role) -> Actor:
    return Actor("u-1", roles=frozenset(roles))


def test_the_table_allows_forbids_and_refuses() -> None:
    assert TABLE.after(State.OPEN, "shut", who(Role.CLERK)) is State.SHUT
    with pytest.raises(Forbidden):  # a role that never may learns nothing of the state
        TABLE.after(State.SHUT, "shut", who(Role.JUDGE))
    with pytest.raises(IllegalTransition) as refused:
        TABLE.after(State.SHUT, "shut", who(Role.CLERK))
    assert refused.value.extra["allowed"] == ["reopen"]
    assert TABLE.acts(State.SHUT, {"judge"}) == ["reopen"]
    assert TABLE.acts(State.SHUT, {"clerk"}) == []
