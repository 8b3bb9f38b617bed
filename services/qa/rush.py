"""Dồn dập: how many questions one address sends in a while. Counted in each process and without a trip to the
database, for a rush is when a trip would cost most."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from fastapi import Request

from services.qa.asking import asking, settings_of
from services.qa.queries.limits import too_often

REMEMBERED: Final = 100_000  # addresses; all are forgotten rather than that memory grows


class Rush:
    def __init__(self, window: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._window, self._clock = window, clock
        self._counts: Counter[str] = Counter()
        self._until = float("-inf")

    def enter(self, visitor: str, most: int) -> None:
        """Raises TooManyRequests for one more than ``most`` in this window."""
        now = self._clock()
        if now >= self._until or len(self._counts) > REMEMBERED:
            self._counts.clear()
            self._until = now + self._window
        self._counts[visitor] += 1
        if self._counts[visitor] > most:
            raise too_often(self._until - now)


def unhurried(request: Request) -> None:
    """Raises TooManyRequests when too many questions have come from this address."""
    state, settings = request.app.state, settings_of(request)
    if not hasattr(state, "rush"):
        state.rush = Rush(settings.tracking_window)
    state.rush.enter(asking(request).visitor, settings.ask_limit)
