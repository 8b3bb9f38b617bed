"""What many ask for in the same second is read once."""

import asyncio
from datetime import UTC, datetime

import pytest

from services.qa.queries.moments import SHARED_FOR, Moments
from shared.journal import Commit


class Counting:
    """A list that grows each time it is read."""

    def __init__(self) -> None:
        self.reads = 0

    async def read(self) -> int:
        self.reads += 1
        await asyncio.sleep(0)
        return self.reads


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_many_who_ask_in_one_second_share_one_reading() -> None:
    what, moments = Counting(), Moments(clock=Clock())
    assert await asyncio.gather(*(moments.shared("a", what.read) for _ in range(20))) == [1] * 20
    assert await moments.shared("b", what.read) == 2


async def test_after_a_second_it_is_read_again() -> None:
    clock = Clock()
    what, moments = Counting(), Moments(clock=clock)
    await moments.shared("a", what.read)
    clock.now += SHARED_FOR
    assert await moments.shared("a", what.read) == 2


async def test_who_has_just_acted_sees_it_and_all_after_them_too() -> None:
    what, moments = Counting(), Moments(clock=Clock())
    await moments.shared("a", what.read)
    assert await moments.shared("a", what.read, anew=True) == 2
    assert await moments.shared("a", what.read) == 2
    moments.forget()
    assert await moments.shared("a", what.read) == 3


async def test_a_reading_that_failed_is_not_kept() -> None:
    what, moments = Counting(), Moments(clock=Clock())

    async def fails() -> int:
        raise ValueError("away")

    with pytest.raises(ValueError, match="away"):
        await moments.shared("a", fails)
    assert await moments.shared("a", what.read) == 1


@pytest.mark.parametrize(
    ("by", "read_again"),
    [
        pytest.param("u-ha", True, id="a clerk's act is shown at once"),
        pytest.param("anonymous", False, id="a question that came in may take a second"),
        pytest.param("asker", False, id="an asker's act may take a second"),
    ],
)
async def test_an_act_of_the_staff_is_never_hidden_by_what_was_read_before(by: str, read_again: bool) -> None:
    what, moments = Counting(), Moments(clock=Clock())
    await moments.shared("a", what.read)
    moments.hear(Commit("k", "question-1", 1, (), datetime(2026, 11, 30, tzinfo=UTC), by, "c", "c"))
    assert (await moments.shared("a", what.read) == 2) is read_again
