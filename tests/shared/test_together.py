"""What shares a trip shares no fault: each asker hears of its own, and soon."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from shared.errors import Unavailable
from shared.projections import LANES, side_by_side
from shared.together import Together


class Trips:
    """Answers a key with itself. ``bad`` ones break their trip, of ``lost`` ones it says nothing."""

    def __init__(self, *bad: int, lost: int = -1, error: type[Exception] = TypeError) -> None:
        self.bad, self.lost, self.error = bad, lost, error
        self.asked: list[list[int]] = []
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def __call__(self, keys: Sequence[int]) -> Mapping[int, int | Exception]:
        self.asked.append(list(keys))
        self.begun.set()
        await self.go_on.wait()
        if not {*self.bad}.isdisjoint(keys):
            raise self.error("one of them")
        return {key: key for key in keys if key != self.lost}


async def ask(trips: Trips, *keys: int) -> list[int | BaseException]:
    together: Together[int, int] = Together(trips)
    async with asyncio.timeout(5):
        return await asyncio.gather(*(together.ask(key) for key in keys), return_exceptions=True)


async def test_a_key_that_breaks_its_trip_is_told_so_alone() -> None:
    trips = Trips(13, 700)
    answers = await ask(trips, *range(1000))
    assert [key for key, answer in enumerate(answers) if answer != key] == [13, 700]
    assert {type(answers[13]), type(answers[700])} == {TypeError}
    assert len(trips.asked) < 50


async def test_a_database_that_is_away_is_asked_once_and_not_key_by_key() -> None:
    trips = Trips(1, error=Unavailable)
    assert [type(answer) for answer in await ask(trips, 1, 2, 3)] == [Unavailable] * 3
    assert trips.asked == [[1, 2, 3]]


async def test_a_key_that_is_left_out_of_the_answer_is_no_asker_left_waiting() -> None:
    first, second = await ask(Trips(lost=2), 1, 2)
    assert first == 1
    assert isinstance(second, Unavailable)


async def test_a_trip_that_is_cut_short_leaves_nobody_waiting() -> None:
    trips = Trips()
    trips.go_on.clear()
    asked = asyncio.create_task(ask(trips, 1, 2))
    await trips.begun.wait()
    (runner,) = [task for task in asyncio.all_tasks() if task.get_name() == "together"]
    runner.cancel()
    assert [type(answer) for answer in await asked] == [Unavailable] * 2


@pytest.mark.parametrize("keys", [(1, 2), (1, 1)], ids=["of several keys", "of one key"])
async def test_too_many_askers_at_once_are_turned_away(keys: tuple[int, int]) -> None:
    trips = Trips()
    trips.go_on.clear()
    together: Together[int, int] = Together(trips, most_waiting=2)
    first = asyncio.create_task(together.ask(0))
    await trips.begun.wait()
    waiting = [asyncio.create_task(together.ask(key)) for key in keys]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await together.ask(1)
    trips.go_on.set()
    assert await asyncio.gather(first, *waiting) == [0, *keys]
    assert await together.ask(3) == 3


async def test_streams_that_are_shown_side_by_side_share_their_trips_to_the_vault() -> None:
    """Each after the other, a list falls behind a rush by two trips for every letter."""
    trips: list[int] = []

    async def fetch(refs: Sequence[str]) -> dict[str, str | Exception]:
        trips.append(len(refs))
        await asyncio.sleep(0)
        return {ref: ref.upper() for ref in refs}

    vault: Together[str, str] = Together(fetch)
    refs = [f"ref-{n}" for n in range(200)]
    assert await side_by_side(refs, vault.ask) == [ref.upper() for ref in refs]
    assert len(trips) <= 2 * 200 / LANES


async def test_what_one_stream_breaks_is_raised_when_no_other_is_under_way() -> None:
    under_way: set[int] = set()

    async def work(number: int) -> int:
        under_way.add(number)
        if number == 3:
            raise ValueError(number)
        await asyncio.sleep(0.001)
        under_way.discard(number)
        return number

    with pytest.raises(ValueError, match="3"):
        await side_by_side(range(50), work)
    assert under_way == {3}
    assert await side_by_side([], work) == []
