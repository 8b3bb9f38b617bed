"""The stages of a deadline whose time has come."""

from uuid import UUID

from services.notifier import domain
from services.notifier.domain import Deadline
from services.notifier.handlers.clocks import Register
from services.notifier.regulation_stages import schedule
from shared.calendar import CalendarYearMissing


async def fire_deadline(id: UUID, desk: Register) -> int:
    """Every stage of this deadline whose time has come; how many fired. The once key is (deadline, stage)."""
    fired, hours = 0, desk.policy.hours
    while True:
        deadline = await desk.load(Deadline, id)
        if deadline.clock is None:
            return fired
        plan = schedule(deadline.clock, desk.calendar, hours)
        try:
            in_hours = hours.next_open(desk.now, desk.calendar) == desk.now
        except CalendarYearMissing:
            in_hours = False
        decision, key = domain.fire(deadline, plan, at=desk.now, in_hours=in_hours)
        if not key:
            return fired
        await desk.append(decision, key=key)
        fired += 1
