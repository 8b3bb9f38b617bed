"""How a list shows a question: its due pill, the way it came, who has it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from services.qa.desk.context import due_words
from services.qa.queries.history import FINDING_VI
from services.qa.regulation import Policy
from shared.contracts.qa import Finding
from shared.web.edge import Edge

# kênh → tên, biểu tượng
CHANNELS: Final[Mapping[str, tuple[str, str]]] = {
    "portal": ("Cổng thông tin", "globe"),
    "mail": ("Thư điện tử", "mail"),
    "split": ("Phần của một câu đã tách", "split"),
}
OTHERWISE: Final = ("Hệ thống khác gửi tới", "link")


async def row_shown(edge: Edge[Policy], row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    assignee = row.get("assignee", "")
    channel, icon = CHANNELS.get(row.get("channel", "portal"), OTHERWISE)
    finding = row.get("finding")
    shown = {
        "channel_vi": channel, "channel_icon": icon, "correction": row.get("correction", 0),
        "assignee_name": await edge.directory.person_name(assignee) if assignee else "",
        "finding_vi": FINDING_VI[Finding(finding)] if finding else "", "pill": "", "pill_state": "",
    }  # fmt: skip
    due: datetime | None = row.get("due_at")
    if due is not None:
        warned = row.get("warn_at")
        soon = (warned and warned <= now) or due - now < timedelta(days=1)
        words = due_words(due, now)
        shown["pill"] = words[:1].upper() + words[1:]
        shown["pill_state"] = "bad" if due <= now else "warn" if soon else ""
    return {**row, **shown}
