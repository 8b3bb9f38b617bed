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
    """``fetch`` answers every key that it is given; an exception as answer is for its own askers alone."""

    def __init__(
        self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V | Exception]]],
        *, most_waiting: int = MOST_WAITING,
    ) -> None:  # fmt: skip
        self._fetch, self._most_waiting = fetch, most_waiting
        self._asked: dict[K, list[asyncio.Future[V]]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V:
        """A trip that has begun might miss what was written since: the next one answers."""
        if len(self._asked) >= self._most_waiting:
            raise Unavailable("Quá nhiều việc đang chờ cơ sở dữ liệu.", retry_after=1)
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(answer)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="together")
        return await answer

    async def _run(self) -> None:
        while self._asked:
            taken = {key: self._asked.pop(key) for key in list(islice(self._asked, MOST))}
            asked = {key: waiting for key, answers in taken.items() if (waiting := _waiting(answers))}
            if not asked:
                continue
            try:
                found = await self._fetch(list(asked))
            except Exception as error:  # everybody is answered, whatever broke
                found = dict.fromkeys(asked, error)
            for key, answers in asked.items():
                for answer in _waiting(answers):
                    _tell(answer, found[key])


def _waiting(answers: Sequence[asyncio.Future[V]]) -> list[asyncio.Future[V]]:
    """Without those whose asker was cancelled."""
    return [answer for answer in answers if not answer.done()]


def _tell(answer: asyncio.Future[V], found: V | Exception) -> None:
    if isinstance(found, Exception):
        answer.set_exception(found)
    else:
        answer.set_result(found)
