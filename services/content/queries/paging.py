"""A page of a list, and the cursor by which the next is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.errors import InvalidInput
from shared.web.forms import cursor_of, place_of


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list, and the cursor of the next."""

    items: list[dict[str, Any]]
    next: str | None


def listed(rows: list[dict[str, Any]], limit: int, place: Callable[[dict[str, Any]], list[Any]]) -> Listed:
    more = cursor_of(place(rows[limit - 1])) if len(rows) > limit else None
    return Listed(rows[:limit], more)


def moment_place(cursor: str) -> tuple[datetime, str]:
    match place_of(cursor):
        case [str(since), str(last)]:
            try:
                return datetime.fromisoformat(since), last
            except ValueError:
                pass
    raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}])


def offset_place(cursor: str) -> int:
    if not cursor:
        return 0
    match place_of(cursor):
        case [int(offset)] if 0 <= offset <= 10_000:
            return offset
    raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}])
