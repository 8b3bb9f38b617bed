"""The state of our other services, and our own for Prometheus."""

import asyncio
from datetime import UTC, datetime
from typing import Any, Final

from services.notifier import board_vitals, queries
from services.notifier.gateways import Services
from shared.mongo import Database

WATCHED: Final = ("content", "qa", "sync", "notifier")


async def poll_services(database: Database, services: Services) -> int:
    """What each service says of itself, and sync of the portals, for the operations board."""
    await asyncio.gather(*(_poll(database, services, name) for name in WATCHED))
    return 0


async def measure(database: Database) -> int:
    """Our own figures, as the board of operations shows them too."""
    board_vitals.show(await board_vitals.vitals(database, datetime.now(UTC)))
    return 0


async def _poll(database: Database, services: Services, name: str) -> None:
    now = datetime.now(UTC)
    try:
        state = await services.operations(name)
        facts: dict[str, Any] = {"answers": True, "heard_at": now, "state": state, "error": ""}
        await queries.note_backlog(database, name, state, now)
        if name == "sync":
            facts["portals"] = await services.portals()
    except Exception as error:  # whatever it is, the board shows it
        facts = {"answers": False, "error": type(error).__name__}
    await queries.note_service(database, name, facts | {"polled_at": now})
