"""Questions asked at the same moment share one trip to the database; each asker hears of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from itertools import islice
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST: Final = 1000  # in one trip


class Together(Generic[K, V]):
    """``fetch`` answers every key that it is given."""

    def __init__(self, fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> None:
        self._fetch = fetch
        self._asked: dict[K, list[asyncio.Future[V]]] = {}
        self._runner: asyncio.Task[None] | None = None

    async def ask(self, key: K) -> V:
        """A trip that has begun might miss what was written since: the next one answers."""
        answer: asyncio.Future[V] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(key, []).append(answer)
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="together")
        return await answer

    async def _run(self) -> None:
        while self._asked:
            asked = {key: self._asked.pop(key) for key in list(islice(self._asked, MOST))}
            try:
                found = await self._fetch(list(asked))
            except Exception as error:  # everybody is answered, whatever broke
                for answer in _waiting(asked):
                    answer.set_exception(error)
            else:
                for key, answers in asked.items():
                    for answer in answers:
                        if not answer.done():  # its asker may have been cancelled
                            answer.set_result(found[key])


def _waiting(asked: Mapping[K, list[asyncio.Future[V]]]) -> list[asyncio.Future[V]]:
    return [answer for answers in asked.values() for answer in answers if not answer.done()]
