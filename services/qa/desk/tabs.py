"""The tabs of a working page, each with its count."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from services.qa.desk.asked import Visit
from services.qa.queries.lists import Wanted


async def tabs_of(
    visit: Visit, now: datetime, count: Callable[[Wanted], Awaitable[int]]
) -> list[dict[str, Any]]:
    place, by = visit.place, visit.by
    wanted = [place.wanted(view, by, now, visit.absent) for view in place.views]
    counts = await asyncio.gather(*(count(each) for each in wanted))
    return [
        {
            "text": view.text, "url": f"/desk/{place.key}?view={view.key}", "count": number,
            "state": view.state if number else "", "current": view == visit.view and not visit.asked.q,
        }
        for view, number in zip(place.views, counts, strict=True)
    ]  # fmt: skip
