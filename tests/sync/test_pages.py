"""The staff pages over real MongoDB: the worst first, each attempt told, the retry a plain form."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import Request
from lxml import html

from services.sync import backlog
from services.sync.app import build
from services.sync.backlog import Backlog
from services.sync.domain import Delivery, FailDelivery, delivery_id
from services.sync.gateways import Outcome
from services.sync.handlers import fail_delivery, on_deadline_moved, on_published
from services.sync.queries import PROJECTIONS
from services.sync.regulation import Policy
from services.sync.settings import SyncSettings
from shared.contracts.sync import Action
from shared.desk import utc_now
from shared.mongo import from_document
from shared.projections import Projector
from shared.service import Service
from shared.settings import Role
from shared.testing import MemoryVault
from shared.web import edge
from shared.workflow import Actor
from tests.edges import dropped
from tests.moves import NEITHER, moved
from tests.notifier.calendars import DECISION
from tests.sync.world import AUTHOR, LINKED, OPERATOR, QUANG_NGAI, partner, published


@pytest.fixture(scope="module")
async def service(mongo_uri: str) -> AsyncIterator[Service[Policy]]:
    settings = SyncSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri,
        mongo_database=f"sync-{uuid4().hex[:8]}", log_format="console",
    )  # fmt: skip
    service = build(settings)
    service.edge.policy = Policy(linked=LINKED)
    yield service
    await dropped(service, mongo_uri)


@pytest.fixture(scope="module")
async def client(service: Service[Policy]) -> AsyncIterator[httpx2.AsyncClient]:
    app = service.app()
    async with app.router.lifespan_context(app):
        await backlog.load_partners(service.database, [partner(p, "http://127.0.0.1:9") for p in LINKED])
        await in_trouble(service)
        transport = httpx2.ASGITransport(app=app)
        headers = {"Accept": "text/html", "Authorization": "Bearer checked-elsewhere"}
        async with httpx2.AsyncClient(transport=transport, base_url="http://sync", headers=headers) as client:
            yield client


@pytest.fixture
def who(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> list[Actor]:
    """The person who asks; tests replace the first."""
    person = [OPERATOR]

    async def visitor(_: Request) -> Actor:
        return person[0]

    async def csrf(_: Request) -> str:
        return "csrf"

    app: Any = client._transport.app  # type: ignore[attr-defined]
    monkeypatch.setattr(edge, "visitor", visitor)
    monkeypatch.setattr(edge, "csrf_token", csrf)
    app.dependency_overrides[edge.staff] = lambda: person[0]
    return person


async def in_trouble(service: Service[Policy]) -> None:
    """One article; the portal of Quảng Ngãi has refused it."""
    event: Any = published(uuid4(), at=utc_now())
    await on_published(event, service.edge.desk_for(event))
    id = delivery_id(event.event.submission_id, event.version, Action.PUBLISH, QUANG_NGAI.id)
    await project(service)
    row = await service.database.deliveries.find_one({"_id": str(id)})
    outcome = Outcome("m", 10, 12, 503, "<b>bảo trì</b>", reason="Cổng báo lỗi (503).")
    queue, now = Backlog(service.database), utc_now()
    await queue.note(row, 1, outcome, now, outcome.reason)
    for n in range(3):
        later = now + timedelta(seconds=n)
        await queue.trouble(QUANG_NGAI.id, later, later, lambda _: timedelta(minutes=5))
    await fail_delivery(FailDelivery(id, outcome.reason, 1, 0.5, 503), service.edge.desk())
    await project(service)


async def project(service: Service[Policy]) -> None:
    commits = [from_document(d) async for d in service.database.journal.find().sort("at", 1)]
    await Projector(service.database, PROJECTIONS, "sync", MemoryVault(), lambda _: None).project(commits)


async def test_the_board_shows_the_worst_portal_first_with_its_reason(
    client: httpx2.AsyncClient, who: list[Actor]
) -> None:
    answer = await client.get("/desk/portals")
    assert answer.status_code == 200
    page: Any = html.fromstring(answer.text)
    first = page.xpath("//section[@aria-labelledby='portals']//tbody/tr[1]")[0].text_content()
    assert QUANG_NGAI.name in first
    assert "Ngừng" in first
    assert "Cổng báo lỗi (503)." in first
    assert "không nhận được bài" in page.xpath("//div[contains(@class, 'alertbar')]")[0].text_content()


async def test_only_an_operator_is_offered_the_retry(client: httpx2.AsyncClient, who: list[Actor]) -> None:
    assert "/retry" in (await client.get("/desk/portals")).text
    who[0] = AUTHOR
    assert "/retry" not in (await client.get("/desk/portals")).text


async def test_the_list_is_narrowed_by_portal_and_state(client: httpx2.AsyncClient, who: list[Actor]) -> None:
    page: Any = html.fromstring(
        (await client.get(f"/desk/portals?partner={QUANG_NGAI.id}&state=failed")).text
    )
    rows = page.xpath("//section[@aria-labelledby='deliveries']//tbody/tr")
    assert len(rows) == 1
    assert "Sẽ thử lại" in rows[0].text_content()
    nothing = await client.get("/desk/portals?state=done")
    assert "Không có lượt chuyển nào" in nothing.text
    assert (await client.get("/desk/portals?state=lost&partner=khong-co")).status_code == 200


async def test_a_delivery_tells_each_attempt_and_shows_no_foreign_markup(
    client: httpx2.AsyncClient, who: list[Actor]
) -> None:
    page: Any = html.fromstring((await client.get(f"/desk/portals?partner={QUANG_NGAI.id}")).text)
    (address,) = page.xpath("//section[@aria-labelledby='deliveries']//tbody//a/@href")
    shown = await client.get(address)
    assert shown.status_code == 200
    assert "&lt;b&gt;bảo trì&lt;/b&gt;" in shown.text
    assert "Điều 12 khoản 2" in shown.text
    assert (await client.get(f"/desk/portals/deliveries/{uuid4()}")).status_code == 404


async def test_a_delivery_whose_term_was_moved_tells_the_old_date_the_new_one_and_the_document(
    client: httpx2.AsyncClient, service: Service[Policy], who: list[Actor]
) -> None:
    row = await service.database.deliveries.find_one({"partner": QUANG_NGAI.id})
    address = f"/desk/portals/deliveries/{row['_id']}"
    assert "Lịch làm việc thay đổi" not in (await client.get(address)).text
    delivery = await service.edge.desk().load(Delivery, row["_id"])
    heard: Any = moved(f"delivery-{delivery.id}", delivery.clock, NEITHER, source="sync")
    later = heard.event.clock.model_copy(update={"due_at": delivery.clock.due_at + timedelta(days=1)})
    heard = replace(heard, event=heard.event.model_copy(update={"clock": later}))
    await on_deadline_moved(heard, service.edge.desk_for(heard))
    await project(service)
    shown = (await client.get(address)).text
    assert "Lịch làm việc thay đổi. Hạn đồng bộ chuyển từ hết ngày" in shown
    assert DECISION in shown


async def test_a_retry_is_a_form_that_leads_back_to_the_board(
    client: httpx2.AsyncClient, service: Service[Policy], who: list[Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def caught_up(*_: Any, **__: Any) -> None: ...

    monkeypatch.setattr(service.edge, "caught_up", caught_up)
    path = f"/desk/portals/{QUANG_NGAI.id}/retry"
    for _ in range(2):
        sent = await client.post(path, data={"csrf": "csrf", "idempotency_key": "thu-lai-1"})
        assert (sent.status_code, sent.headers["location"]) == (303, "/desk/portals")
    assert await service.database.journal.count_documents({"stream": f"portal-{QUANG_NGAI.id}"}) == 1
    who[0] = AUTHOR
    assert (await client.post(path, data={"csrf": "csrf"})).status_code == 403
