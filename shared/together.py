"""What is asked at the same moment shares one trip to the database; each asker hears of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

from shared.errors import Unavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST: Final = 1000  # in one trip
MOST_WAITING: Final = 5000  # then the database is too slow for what is asked, and memory has an end


class Together(Generic[K, V]):
    """``fetch`` answers the keys that it is given; an exception as answer is for its own askers alone."""

    def __init__(
        self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]],
        *, most_waiting: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        self._fetch, self._most_waiting = fetch, most_waiting
        self._asked: dict[K, list[asyncio.Future[V]]] = {}
        self._askers = 0  # of all keys: many may ask for one
        self._runner: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V:
        """A trip that has begun might miss what was written since: the next one answers."""
        if self._askers >= self._most_waiting:
            raise Unavailable("Quá nhiều việc đang chờ cơ sở dữ liệu.", retry_after=1)
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(answer)
        self._askers += 1
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="together")
        return await answer

    async def _run(self) -> None:
        while self._asked:
            taken = {key: self._asked.pop(key) for key in list(islice(self._asked, MOST))}
            self._askers -= sum(map(len, taken.values()))
            asked = {key: waiting for key, answers in taken.items() if (waiting := _waiting(answers))}
            if not asked:
                continue
            found: Mapping[K, V | Exception] = {}
            try:
                found = await self._found(list(asked))
            except Exception as error:  # everybody is answered, whatever broke
                found = dict.fromkeys(asked, error)
            finally:
                for key, answers in asked.items():
                    told = found.get(key, Unavailable("Cơ sở dữ liệu không trả lời việc này.", retry_after=2))
                    for answer in _waiting(answers):
                        _tell(answer, told)

    async def _found(self, keys: Sequence[K]) -> Mapping[K, V | Exception]:
        """One key that breaks the trip for all is found by halves and hears of it alone."""
        try:
            return await self._fetch(keys)
        except Unavailable:
            raise
        except Exception as error:
            if len(keys) == 1:
                return {keys[0]: error}
        half = len(keys) // 2
        return {**await self._found(keys[:half]), **await self._found(keys[half:])}


def _waiting(answers: Sequence[asyncio.Future[V]]) -> list[asyncio.Future[V]]:
    """Without those whose asker was cancelled."""
    return [answer for answer in answers if not answer.done()]


def _tell(answer: asyncio.Future[V], found: V | Exception) -> None:
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)
