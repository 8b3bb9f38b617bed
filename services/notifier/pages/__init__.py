"""What the pages of the register share."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from services.notifier import queries, views
from services.notifier.api import SubjectUnknown, known_duty, stream_of
from services.notifier.queries import DeadlineFilter, LedgerFilter
from shared.web.edge import Edge
from shared.web.look import staff_nav

Which = TypeVar("Which", DeadlineFilter, LedgerFilter)


async def narrowed(edge: Edge[Any], which: Which) -> tuple[Which, dict[str, str]]:
    """Its subject by the name of its stream; or what is wrong with it, by field. Raises
    DutyUnknown."""
    await known_duty(edge.database, which.duty)
    try:
        unit = which.unit if isinstance(which, DeadlineFilter) else ""  # the reader's own, or the one chosen
        return replace(which, subject=await stream_of(edge.database, which.subject, unit)), {}
    except SubjectUnknown as error:
        return which, {"subject": error.detail}


def side_bar(edge: Edge[Any], overdue: int) -> dict[str, Any]:
    """The places of the side bar, with what is overdue painted as wrong."""
    return {"nav": staff_nav(views.urls_of(edge.look), {"deadlines": overdue}, hot=("deadlines",))}


async def overdue_count(edge: Edge[Any], now: datetime, unit: str = "") -> int:
    which = DeadlineFilter(state="breached", unit=unit)
    return await queries.count_deadlines(edge.database, which, now)


def views_of_deadlines(current: str, unit: str = "") -> list[dict[str, Any]]:
    """The three pages of the register."""
    kept = "?" + urlencode({"unit": unit}) if unit else ""
    named = (("list", "", "Sổ hạn"), ("board", "/board", "Theo ngày"), ("on-time", "/on-time", "Đúng hạn"))
    return [
        {"text": text, "url": f"/desk/deadlines{path}{kept}", "current": name == current}
        for name, path, text in named
    ]


def around(chosen: Mapping[str, str], cursor: str, further: str | None) -> dict[str, Any]:
    """Addresses of the first page and of the next."""
    kept = {name: value for name, value in chosen.items() if value or name == "state"}
    return {
        "first": "?" + urlencode(kept) if cursor else None,
        "more": "?" + urlencode(kept | {"cursor": further}) if further else None,
    }
