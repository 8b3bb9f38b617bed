"""Stages of deadlines whose time has come."""

import asyncio
from typing import Final
from uuid import UUID

from services.notifier import handlers, queries
from services.notifier.regulation import Policy
from shared.desk import utc_now
from shared.errors import IllegalTransition
from shared.journal import AlreadyDone, VersionConflict
from shared.web.edge import Edge

SWEEP: Final = 500
LOST_RACE: Final = (AlreadyDone, VersionConflict, IllegalTransition)


async def fire_due(edge: Edge[Policy]) -> int:
    """Warnings and breaches, the oldest first, each once however many sweep."""
    due = await queries.due_deadlines(edge.database, utc_now(), SWEEP)
    outcomes = await asyncio.gather(*(_fire(edge, id) for id in due))
    return sum(outcomes)


async def _fire(edge: Edge[Policy], id: UUID) -> int:
    try:
        return await handlers.fire_deadline(id, edge.desk())
    except LOST_RACE:
        return 0
