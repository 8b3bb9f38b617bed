"""A calendar that leaves a due date where it is may still bring a stage forward: onto a Saturday that is
worked now, or into a year that nobody knew before. What comes later needs nothing: its look is too early."""

from datetime import date
from typing import Any

from services.notifier import queries
from services.notifier.domain import next_look, touched
from services.notifier.queries.replanning import waiting_since
from services.notifier.regulation_stages import plan_of
from shared.calendar import WorkingCalendar
from shared.mongo import Lease
from shared.web.edge import Edge


async def bring_forward(
    edge: Edge[Any], before: WorkingCalendar | None, after: WorkingCalendar, lease: Lease
) -> int:
    """How many are looked at earlier than was planned; again after a kill it finds none. Raises LeaseLost."""
    count = 0
    async for page in waiting_since(edge.database, _earliest(before, after)):
        earlier = []
        for row, planned in page:
            look = next_look(row.armed, plan_of(row.term, after, edge.policy.hours))
            if look and (planned is None or look < planned):
                earlier.append((row.armed.id, row.head.version, look))
        if earlier:
            await queries.rearm(edge.database, earlier)
        count += len(earlier)
        await lease.renew()
    return count


def _earliest(before: WorkingCalendar | None, after: WorkingCalendar) -> date | None:
    """The first day that one of them has otherwise than the other."""
    changed = touched(before, after).earliest()
    if before is None or changed is None:
        return None
    return min([changed, *(date(year, 1, 1) for year in after.years if year not in before.years)])
