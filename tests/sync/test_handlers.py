"""Events and commands on a journal in memory: planned once, whatever is repeated or broken off."""

from uuid import UUID, uuid4

import pytest

from services.sync import handlers
from services.sync.domain import Delivery, RetryPortal, delivery_id
from services.sync.regulation import Policy, Status
from shared.contracts.sync import Action
from shared.errors import Forbidden, IllegalTransition, NotFound, Unavailable
from shared.journal import Commit
from shared.testing import MemoryJournal
from tests.sync.world import AUTHOR, HA_NOI, LINKED, OPERATOR, desk, published, withdrawn


async def plan_all(journal: MemoryJournal, item: UUID) -> None:
    event = published(item)
    await handlers.on_published(event, desk(journal, once=event.id, causation=event.id))


async def test_a_publication_is_planned_for_each_linked_portal() -> None:
    journal, item = MemoryJournal(), uuid4()
    await plan_all(journal, item)
    deliveries = [
        await desk(journal).load(Delivery, delivery_id(item, 3, Action.PUBLISH, portal.id))
        for portal in LINKED
    ]
    assert [d.partner for d in deliveries] == [portal.id for portal in LINKED]
    assert {(d.item_version, d.text_version, d.status) for d in deliveries} == {(3, 2, Status.PENDING)}


async def test_the_same_event_twice_plans_once() -> None:
    journal, item = MemoryJournal(), uuid4()
    await plan_all(journal, item)
    await plan_all(journal, item)
    assert len(journal.commits) == len(LINKED)


async def test_a_plan_broken_off_in_the_middle_is_completed_by_the_repetition() -> None:
    class Failing(MemoryJournal):
        async def append(self, commit: Commit) -> None:
            if len(self.commits) == 1:
                raise Unavailable
            await super().append(commit)

    broken, item = Failing(), uuid4()
    with pytest.raises(Unavailable):
        await plan_all(broken, item)
    whole = MemoryJournal()
    for commit in broken.commits:
        await whole.append(commit)
    await plan_all(whole, item)
    assert len(whole.commits) == len(LINKED)


async def test_a_withdrawal_is_planned_as_a_later_version() -> None:
    journal, item = MemoryJournal(), uuid4()
    await plan_all(journal, item)
    event = withdrawn(item)
    await handlers.on_withdrawn(event, desk(journal, once=event.id, causation=event.id))
    delivery = await desk(journal).load(Delivery, delivery_id(item, 4, Action.WITHDRAW, HA_NOI.id))
    assert (delivery.action, delivery.item_version) == (Action.WITHDRAW, 4)


async def test_a_retry_is_on_record_with_who_ordered_it_and_happens_once() -> None:
    journal = MemoryJournal()
    for _ in range(2):
        ordered = desk(journal, by=OPERATOR, once="u-oanh:thu-lai-1", fingerprint="f")
        await ordered.run(handlers.retry_portal, RetryPortal(HA_NOI.id))
    (commit,) = journal.commits
    assert (commit.stream, commit.by) == ("portal-bhxh-ha-noi", "u-oanh")


async def test_a_retry_needs_an_operator_and_a_linked_portal() -> None:
    journal = MemoryJournal()
    with pytest.raises(Forbidden):
        await handlers.retry_portal(RetryPortal(HA_NOI.id), desk(journal, by=AUTHOR))
    with pytest.raises(NotFound):
        await handlers.retry_portal(RetryPortal("khong-co"), desk(journal, by=OPERATOR))
    await handlers.retry_portal(RetryPortal(HA_NOI.id), desk(journal, by=OPERATOR))
    with pytest.raises(IllegalTransition):
        await handlers.retry_portal(RetryPortal(HA_NOI.id), desk(journal, by=OPERATOR, policy=Policy()))
