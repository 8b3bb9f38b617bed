"""Lịch làm việc thay đổi: an open delivery's term follows the register, in its row and on record."""

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from services.sync import handlers
from services.sync.domain import Delivery, SupersedeDelivery, delivery_id
from services.sync.queries import PROJECTIONS
from services.sync.regulation import Policy
from shared.calendar import WorkingCalendar, last_day
from shared.contracts.base import Recorded
from shared.contracts.notifier import DeadlineMoved
from shared.contracts.sync import Action, DeliveryClockMoved, SupersededBy
from shared.testing import MemoryJournal, MemoryVault, local
from tests.moves import AT, NEITHER, OFF_27, WORKED_28, moved
from tests.notifier.calendars import DECISION
from tests.sync.world import HA_NOI, POLICY, desk, published

SAME_DAY = POLICY.__class__(linked=(HA_NOI,), link_within=0)
WITHIN_A_DAY = POLICY.__class__(linked=(HA_NOI,), link_within=1)
THURSDAY = local("2026-11-26T09:00")


async def planned(journal: MemoryJournal, at: datetime = THURSDAY, policy: Policy = WITHIN_A_DAY) -> Delivery:
    event = published(item := uuid4(), at=at)
    await handlers.on_published(event, desk(journal, policy=policy, once=event.id, causation=event.id))
    return await desk(journal).load(Delivery, delivery_id(item, 3, Action.PUBLISH, HA_NOI.id))


async def hears(journal: MemoryJournal, recorded: Recorded[DeadlineMoved]) -> None:
    own = desk(journal, now=AT, once=recorded.id, causation=recorded.id)
    await handlers.on_deadline_moved(recorded, own)


async def test_an_open_delivery_shows_the_new_date_and_why() -> None:
    journal = MemoryJournal()
    delivery = await planned(journal)
    heard = moved(f"delivery-{delivery.id}", delivery.clock, source="sync")
    await hears(journal, heard)
    await hears(journal, heard)
    commits = await journal.read(f"delivery-{delivery.id}")
    assert [event.name for c in commits for event in c.events].count(DeliveryClockMoved.name) == 1
    row = await PROJECTIONS[0].fold(commits, "sync", MemoryVault())
    assert last_day(delivery.clock.due_at).isoformat() == "2026-11-27"
    assert last_day(row["due_at"]).isoformat() == "2026-11-30"
    assert row["explanation"] == heard.event.clock.explanation_vi
    assert row["moved"] == (
        f"Hạn đồng bộ chuyển từ hết ngày 27/11/2026 sang hết ngày 30/11/2026, theo {DECISION}."
    )
    assert (row["since"], row["next_at"]) == (THURSDAY, commits[0].at)  # when it goes is not for a calendar


@pytest.mark.parametrize(("published_at", "due", "calendar", "then"), [
    pytest.param("2026-11-28T09:00", "2026-11-30", WORKED_28, "2026-11-28", id="the Saturday is worked now"),
    pytest.param("2026-11-27T09:00", "2026-11-27", OFF_27, "2026-11-30", id="the Friday is a day off now"),
])  # fmt: skip
async def test_where_the_very_day_decides_a_change_of_that_day_is_heard(
    published_at: str, due: str, calendar: WorkingCalendar, then: str
) -> None:
    journal = MemoryJournal()
    delivery = await planned(journal, local(published_at), SAME_DAY)
    assert last_day(delivery.clock.due_at).isoformat() == due
    await hears(journal, moved(f"delivery-{delivery.id}", delivery.clock, calendar, source="sync"))
    row = await PROJECTIONS[0].fold(await journal.read(f"delivery-{delivery.id}"), "sync", MemoryVault())
    assert last_day(row["due_at"]).isoformat() == then
    assert row["since"] == local(published_at)


async def test_a_calendar_that_leaves_the_date_is_told_to_nobody() -> None:
    journal = MemoryJournal()
    delivery = await planned(journal)
    await hears(journal, moved(f"delivery-{delivery.id}", delivery.clock, NEITHER, source="sync"))
    commits = await journal.read(f"delivery-{delivery.id}")
    assert len(commits) == 2
    assert "moved" not in await PROJECTIONS[0].fold(commits, "sync", MemoryVault())


async def test_what_has_ended_or_is_unknown_or_anothers_stays() -> None:
    journal = MemoryJournal()
    delivery = await planned(journal)
    end = SupersedeDelivery(delivery.id, SupersededBy.NEWER_VERSION)
    await handlers.supersede_delivery(end, desk(journal, now=THURSDAY + timedelta(hours=1)))
    before = len(journal.commits)
    await hears(journal, moved(f"delivery-{delivery.id}", delivery.clock, source="sync"))
    await hears(journal, moved(f"delivery-{uuid4()}", delivery.clock, source="sync"))
    await hears(journal, moved(f"submission-{delivery.id}", delivery.clock, source="content"))
    assert len(journal.commits) == before
