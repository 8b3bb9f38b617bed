"""How a list shows a question: its due pill, the way it came, who has it. A line that has been drawn is kept
for a little while: lists are looked at again and again, and most of their lines stay as they are."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from jinja2 import Template
from markupsafe import Markup

from services.qa.desk.asked import Visit
from services.qa.desk.context import due_words
from services.qa.queries.history import FINDING_VI
from shared.contracts.qa import Finding
from shared.web.vietnamese import ago

# kênh → tên, biểu tượng
CHANNELS: Final[Mapping[str, tuple[str, str]]] = {
    "portal": ("Cổng thông tin", "globe"),
    "mail": ("Thư điện tử", "mail"),
    "split": ("Phần của một câu đã tách", "split"),
}
OTHERWISE: Final = ("Hệ thống khác gửi tới", "link")
KEPT: Final = 5000  # lines
KEPT_FOR: Final = 20.0  # seconds: what an asker has had erased is gone from here too within its minute


class Line(NamedTuple):
    """All that the template shows of a row. ``ago`` is not shown by it: the words for the time that has gone
    by since the receipt change with the minutes, and the line with them."""

    id: str
    number: str
    received_at: datetime
    ago: str
    subject: str
    asker: str
    province: str
    channel_vi: str
    channel_icon: str
    pill: str
    pill_state: str
    unit_name: str
    assignee_name: str
    finding_vi: str
    complex: bool
    escalated: bool
    rounds: int
    correction: int
    status: str
    released: bool
    decided: bool
    url: str
    bulk: bool
    open: bool


async def lines(
    visit: Visit, rows: Sequence[Mapping[str, Any]], now: datetime, open_id: str, units: Mapping[str, str]
) -> list[Markup]:
    """``open_id``: the question beside the list, or nothing; ``units``: their names by id."""
    template = visit.edge.look.environment.get_template("desk/_line.html")
    path, query, bulk = f"/desk/{visit.place.key}", visit.asked.query(visit.place), visit.bulk
    drawn, empty = [], not _drawn.cache_info().currsize
    for row in rows:
        assignee, unit = row.get("assignee", ""), "" if visit.place.own_unit else row.get("unit", "")
        channel, icon = CHANNELS.get(row.get("channel", "portal"), OTHERWISE)
        finding, (pill, pill_state) = row.get("finding"), _pill(row, now)
        line = Line(
            id=row["_id"], number=row["number"], received_at=row["received_at"],
            ago=ago(row["received_at"], now), subject=row["subject"], asker=row["asker"],
            province=row["province"], channel_vi=channel, channel_icon=icon, pill=pill, pill_state=pill_state,
            unit_name=units.get(unit, unit),
            assignee_name=await visit.edge.directory.person_name(assignee) if assignee else "",
            finding_vi=FINDING_VI[Finding(finding)] if finding else "", complex=row.get("complex", False),
            escalated=row.get("escalated", False), rounds=row.get("rounds", 0),
            correction=row.get("correction", 0), status=row["status"], released=row.get("released", False),
            decided=row.get("decided", False), url=f"{path}/{row['_id']}{query}", bulk=bulk,
            open=row["_id"] == open_id,
        )  # fmt: skip
        drawn.append(_drawn(template, line))
    if drawn and empty:
        asyncio.get_running_loop().call_later(KEPT_FOR, _drawn.cache_clear)
    return drawn


@lru_cache(KEPT)
def _drawn(template: Template, line: Line) -> Markup:
    return Markup(template.render(line=line))  # noqa: S704 (the template escapes)


def _pill(row: Mapping[str, Any], now: datetime) -> tuple[str, str]:
    """Words and state of the due time."""
    due: datetime | None = row.get("due_at")
    if due is None:
        return "", ""
    warned = row.get("warn_at")
    soon = (warned and warned <= now) or due - now < timedelta(days=1)
    words = due_words(due, now)
    return words[:1].upper() + words[1:], "bad" if due <= now else "warn" if soon else ""
