"""From a published article to each portal's confirmation, on real MongoDB and HTTP: trouble at one portal
is its own, nothing goes back to an earlier version, and no order of things loses a delivery."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from pydantic import SecretStr

from deploy.samples.portal import portal_app
from deploy.samples.settings import PortalSettings
from services.sync import backlog, handlers, health, queries
from services.sync.backlog import Backlog
from services.sync.consumers import TABLE
from services.sync.domain import Delivery, Portal, RetryPortal, delivery_id
from services.sync.gateways import ContentGateway, PortalGateway
from services.sync.jobs import Pusher
from services.sync.regulation import Policy
from shared import webhooks
from shared.calendars import Calendars
from shared.contracts.content import SUBMISSION
from shared.contracts.sync import Action
from shared.desk import Desk, utc_now
from shared.mongo import MongoJournal, from_document
from shared.projections import Projector
from shared.testing import MemoryVault
from shared.web.edge import Edge
from tests.samples.sample_servers import browser, listening, running
from tests.sync.world import (
    HA_NOI,
    LINKED,
    OPERATOR,
    POLICY,
    QUANG_NGAI,
    SECRET,
    Content,
    partner,
    published,
    withdrawn,
)

HN, QN = HA_NOI.id, QUANG_NGAI.id


@dataclass
class Room:
    """sync without its timers: each step is taken when the test says so."""

    database: Any
    content: Content
    edge: Edge[Policy]
    backlog: Backlog
    pusher: Pusher
    portals: dict[str, httpx2.AsyncClient]

    async def happen(self, recorded: Any) -> None:
        await TABLE[SUBMISSION][type(recorded.event)](recorded, self.edge.desk_for(recorded))
        await self.project()

    async def publish(self, *, version: int = 3, text_version: int = 2, item: UUID | None = None) -> UUID:
        item = item or uuid4()
        self.content.show(item, text_version=text_version, title=f"Bản {text_version}")
        await self.happen(published(item, version=version, text_version=text_version, at=utc_now()))
        return item

    async def project(self) -> None:
        commits = [
            from_document(d) async for d in self.database.journal.find().sort([("at", 1), ("version", 1)])
        ]
        wake = Projector(self.database, queries.PROJECTIONS, "sync", MemoryVault(), lambda _: None)
        await wake.project(commits)

    async def lane(self, partner: str) -> int:
        done = await self.pusher.push_due(partner)
        await self.project()
        return done

    async def all_lanes(self) -> None:
        await asyncio.gather(*(self.pusher.push_due(p) for p in await self.backlog.due_partners(utc_now())))
        await self.project()

    async def behave(self, portal: str, mode: str, **facts: Any) -> None:
        await self.portals[portal].post("/behave", json={"mode": mode, **facts})

    async def held(self, portal: str) -> dict[str, tuple[int, str]]:
        items = (await self.portals[portal].get("/items.json")).json()
        return {one["item_id"]: (one["version"], one["action"]) for one in items}

    async def row(
        self, item: UUID, version: int, portal: str, action: Action = Action.PUBLISH
    ) -> dict[str, Any]:
        return await queries.delivery(self.database, str(delivery_id(item, version, action, portal)))

    async def health(self, portal: str) -> health.PortalHealth:
        return await health.portal(self.database, portal, utc_now(), POLICY.warn_after)

    async def hurry(self) -> None:
        """As if all the waits were over."""
        await self.database.deliveries.update_many(
            {"next_at": {"$ne": None}}, {"$set": {"next_at": utc_now(), "claimed_until": backlog.NEVER}}
        )
        await self.database.partners.update_many({}, {"$set": {"not_before": backlog.NEVER}})


@pytest.fixture
async def room(database: Any, tmp_path: Path) -> AsyncIterator[Room]:
    content, tls = Content(), ssl.create_default_context()
    async with contextlib.AsyncExitStack() as stack:
        listener, content_url = stack.enter_context(listening())
        await stack.enter_async_context(running(content.app(), listener))
        clients, lanes, partners = {}, {}, []
        for portal in LINKED:
            listener, url = stack.enter_context(listening())
            settings = PortalSettings(
                id=portal.id, name=portal.name, secret=SecretStr(SECRET), data=tmp_path / portal.id
            )
            await stack.enter_async_context(running(portal_app(settings), listener))
            clients[portal.id] = await stack.enter_async_context(browser(url))
            partners.append(partner(portal, url))
            lanes[portal.id] = PortalGateway(partners[-1], local=True, tls=tls)
            stack.push_async_callback(lanes[portal.id].close)
        await queries.prepare(database)
        await backlog.load_partners(database, partners)
        source = ContentGateway(content_url)
        stack.push_async_callback(source.close)
        edge: Edge[Policy] = Edge(
            MongoJournal(database), MemoryVault(), Calendars(), POLICY,
            {"delivery": Delivery, "portal": Portal}, "sync", None, database, None,  # type: ignore[arg-type]
        )  # fmt: skip
        queue = Backlog(database)
        yield Room(database, content, edge, queue, Pusher(edge, queue, source, lanes), clients)


async def test_what_is_published_reaches_every_portal_and_is_confirmed(room: Room) -> None:
    item = await room.publish()
    await room.all_lanes()
    for portal in LINKED:
        assert await room.held(portal.id) == {str(item): (3, "publish")}
        row = await room.row(item, 3, portal.id)
        assert (row["state"], row["attempts"]) == ("done", 1)
        assert [(t["ok"], t["http_status"], t["verdict"]) for t in row["tries"]] == [(True, 200, "accepted")]
        assert (await room.health(portal.id)).state == "ok"
    assert await room.backlog.due_partners(utc_now()) == []


async def test_trouble_at_one_portal_touches_no_other(room: Room) -> None:
    await room.behave(HN, "down")
    item = await room.publish()
    await room.all_lanes()
    assert str(item) in await room.held(QN)
    failed = await room.row(item, 3, HN)
    assert (failed["state"], failed["http_status"]) == ("failed", 503)
    assert (failed["next_at"] - failed["failed_at"]).total_seconds() >= 2  # the portal's own Retry-After
    ha_noi = await room.health(HN)
    assert (ha_noi.state, ha_noi.backlog, ha_noi.failures_in_a_row) == ("slow", 1, 1)
    assert (await room.health(QN)).state == "ok"
    assert HN not in await room.backlog.due_partners(utc_now())


async def test_a_portal_in_trouble_is_asked_by_one_push_at_a_time_and_gets_all_when_it_is_back(
    room: Room,
) -> None:
    await room.behave(HN, "error")
    items = [await room.publish() for _ in range(6)]
    assert await room.lane(HN) == backlog.AT_ONCE
    assert (await room.health(HN)).failures_in_a_row == 1  # one round of trouble, not four
    assert await room.lane(HN) == 0
    await room.hurry()
    assert await room.lane(HN) == 1
    assert (await room.health(HN)).failures_in_a_row == 2
    await room.hurry()
    await room.lane(HN)
    assert (await room.health(HN)).state == "down"
    await room.behave(HN, "ok")
    await room.hurry()
    assert await room.lane(HN) == 1
    while await room.lane(HN):
        pass
    assert set(await room.held(HN)) == {str(item) for item in items}
    assert (await room.health(HN)).state == "ok"


async def test_an_answer_that_came_too_late_is_asked_for_again_and_is_no_second_article(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "SEND_SECONDS", 0.2)
    await room.behave(HN, "slow", seconds=0.4, times=1)
    item = await room.publish()
    await room.lane(HN)
    assert "không trả lời" in (await room.row(item, 3, HN))["reason"]
    await asyncio.sleep(0.5)
    await room.hurry()
    await room.lane(HN)
    row = await room.row(item, 3, HN)
    assert (row["state"], row["attempts"]) == ("done", 2)
    assert row["tries"][0]["verdict"] in ("unchanged", "accepted")


async def test_another_text_under_the_same_version_calls_a_person_and_leaves_the_portal_well(
    room: Room,
) -> None:
    item = await room.publish()
    await room.lane(HN)
    await room.database.journal.delete_many({})  # as after a wrong restore: the portal knows more than we do
    await room.database.deliveries.delete_many({})
    room.content.show(item, title="Chữ khác")
    await room.happen(published(item, at=utc_now()))
    await room.lane(HN)
    row = await room.row(item, 3, HN)
    assert (row["state"], row["http_status"], row["escalated"]) == ("failed", 409, True)
    ha_noi = await room.health(HN)
    assert (ha_noi.state, ha_noi.escalated, ha_noi.failures_in_a_row) == ("down", 1, 0)


async def test_an_earlier_version_that_still_waits_gives_way_to_a_later_one(room: Room) -> None:
    await room.behave(HN, "down")
    item = await room.publish()
    await room.lane(HN)
    await room.publish(item=item, version=7, text_version=3)
    await room.behave(HN, "ok")
    await room.hurry()
    while await room.lane(HN):
        pass
    assert (await room.row(item, 3, HN))["cause"] == "newer_version"
    assert (await room.row(item, 7, HN))["state"] == "done"
    assert await room.held(HN) == {str(item): (7, "publish")}


async def test_a_withdrawal_takes_the_article_down_everywhere(room: Room) -> None:
    item = await room.publish()
    await room.all_lanes()
    room.content.gone.add(str(item))
    await room.happen(withdrawn(item, version=4, at=utc_now()))
    await room.all_lanes()
    for portal in LINKED:
        assert await room.held(portal.id) == {str(item): (4, "withdraw")}
        assert (await room.row(item, 4, portal.id, Action.WITHDRAW))["state"] == "done"


async def test_permission_is_checked_again_when_the_push_fires(room: Room) -> None:
    item = await room.publish()
    room.content.gone.add(str(item))
    await room.all_lanes()
    assert (await room.row(item, 3, HN))["cause"] == "no_longer_permitted"
    assert await room.held(HN) == {}


@pytest.mark.parametrize("shown", [None, 1], ids=["not there yet", "still the former version"])
async def test_a_source_that_is_not_ready_is_waited_for_and_no_portal_is_blamed(
    room: Room, shown: int | None
) -> None:
    item = uuid4()
    if shown:
        room.content.show(item, text_version=shown)
    await room.happen(published(item, at=utc_now()))
    await room.lane(HN)
    row = await room.row(item, 3, HN)
    assert (row["state"], row["deferrals"], row["tries"]) == ("pending", 1, [])
    assert row["waiting_for"]
    assert (await room.health(HN)).failing_since is None
    room.content.show(item)
    await room.hurry()
    await room.lane(HN)
    assert (await room.row(item, 3, HN))["state"] == "done"


async def test_a_text_that_content_has_left_behind_is_not_pushed(room: Room) -> None:
    item = await room.publish()
    room.content.show(item, text_version=3)
    await room.lane(HN)
    assert (await room.row(item, 3, HN))["cause"] == "newer_version"


async def test_two_replicas_share_the_work_and_push_nothing_twice(room: Room) -> None:
    items = [await room.publish() for _ in range(8)]
    while any(await asyncio.gather(room.pusher.push_due(HN), room.pusher.push_due(HN))):
        pass
    await room.project()
    assert set(await room.held(HN)) == {str(item) for item in items}
    assert await room.database.attempts.count_documents({"partner": HN}) == len(items)


async def test_a_claim_of_a_replica_that_died_is_taken_up_within_thirty_seconds(room: Room) -> None:
    item = await room.publish()
    now = utc_now()
    assert await room.backlog.claim(HN, now) is not None
    assert await room.backlog.claim(HN, now + timedelta(seconds=1)) is None
    assert await room.backlog.claim(HN, now + timedelta(seconds=29)) is not None
    assert (await room.row(item, 3, HN))["state"] == "pending"


async def test_an_operators_order_makes_what_waits_due_now(room: Room) -> None:
    await room.behave(HN, "error", times=1)
    item = await room.publish()
    await room.lane(HN)
    assert HN not in await room.backlog.due_partners(utc_now())
    desk: Desk[Policy] = room.edge.desk(OPERATOR, once="u-oanh:thu-lai-1")
    await desk.run(handlers.retry_portal, RetryPortal(HN))
    await room.project()
    assert await room.backlog.heed_retries(utc_now()) == 1
    assert await room.backlog.heed_retries(utc_now()) == 0
    assert HN in await room.backlog.due_partners(utc_now())
    await room.lane(HN)
    assert (await room.row(item, 3, HN))["state"] == "done"


async def test_a_portal_that_is_no_longer_linked_is_shown_and_gets_nothing(room: Room) -> None:
    await room.publish()
    await backlog.load_partners(room.database, [partner(HA_NOI, "http://127.0.0.1:9")])
    assert (await room.health(QN)).state == "unlinked"
    assert await room.backlog.due_partners(utc_now()) == [HN]


async def test_deliveries_are_listed_newest_first_page_by_page(room: Room) -> None:
    items = [await room.publish() for _ in range(3)]
    seen, cursor = [], ""
    while True:
        page = await queries.deliveries(room.database, partner=HN, cursor=cursor, limit=2)
        seen += [row["item_id"] for row in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert seen == [str(item) for item in reversed(items)]
    (one,) = (await queries.deliveries(room.database, item_id=str(items[0]), partner=QN)).items
    assert one["partner"] == QN
