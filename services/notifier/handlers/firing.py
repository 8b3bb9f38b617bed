"""The stages of a deadline whose time has come."""

from uuid import UUID

from services.notifier import domain
from services.notifier.domain import Deadline
from services.notifier.handlers.clocks import Register


async def fire_deadline(id: UUID, desk: Register) -> int:
    """Every stage of this deadline whose time has come; how many fired. The once key is (deadline, stage)."""
    fired = 0
    while True:
        deadline = await desk.load(Deadline, id)
        after, events = domain.fire(deadline, at=desk.now)
        if not events:
            return fired
        stage = "breached" if after.breached else "warned"
        await desk.append((after, events), key=f"{id}#{stage}")
        fired += 1
