"""What the reads of this service share."""

from datetime import datetime
from typing import Any

Document = dict[str, Any]


def due(now: datetime) -> Document:
    """Of ``next_at``. The type is named so that the planner may use the index of what waits."""
    return {"$type": "date", "$lte": now}
