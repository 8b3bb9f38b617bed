"""The HTTP edge over real MongoDB: who may do what, and what bad input is told."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import yaml

from services.sync import queries
from services.sync.app import build
from services.sync.domain import delivery_id
from services.sync.handlers import on_published
from services.sync.regulation import Policy
from services.sync.settings import SyncSettings
from shared.contracts.sync import Action
from shared.service import Service
from shared.settings import Role
from shared.web import edge
from tests.edges import by_name, dropped, projecting
from tests.sync.world import AUTHOR, LINKED, OPERATOR, SECRET, published

PEOPLE = {"oanh": OPERATOR, "lan": AUTHOR}


@pytest.fixture(scope="module")
def partners_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    rows = [
        {"id": p.id, "name": p.name, "kind": p.kind.value, "url": "http://127.0.0.1:9", "secret": SECRET}
        for p in LINKED
    ]
    file: Path = tmp_path_factory.mktemp("sync") / "partners.yaml"
    file.write_text(yaml.safe_dump(rows, allow_unicode=True), "utf-8")
    yield file


@pytest.fixture(scope="module")
async def service(mongo_uri: str, partners_file: Path) -> AsyncIterator[Service[Policy]]:
    settings = SyncSettings(
        environment="local", roles=frozenset({Role.API}), mongo_uri=mongo_uri,
        mongo_database=f"sync-{uuid4().hex[:8]}", partners_file=partners_file, log_format="console",
    )  # fmt: skip
    service = build(settings)
    yield service
    await dropped(service, mongo_uri)


@pytest.fixture(scope="module")
async def client(service: Service[Policy]) -> AsyncIterator[httpx2.AsyncClient]:
    app = service.app()
    app.dependency_overrides[edge.staff] = by_name(PEOPLE)
    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app=app)
        async with (
            projecting(service, queries.PROJECTIONS),
            httpx2.AsyncClient(transport=transport, base_url="http://sync") as client,
        ):
            yield client


def as_(who: str, key: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {who}"} | ({"Idempotency-Key": key} if key else {})


async def publish(service: Service[Policy]) -> str:
    event: Any = published(uuid4(), at=datetime.now(UTC))
    await on_published(event, service.edge.desk_for(event))
    for portal in LINKED:
        planned = delivery_id(event.event.submission_id, event.version, Action.PUBLISH, portal.id)
        await service.edge.caught_up("deliveries", planned, 1)
    return str(event.event.submission_id)


async def test_portals_are_shown_to_staff_without_their_secrets(
    client: httpx2.AsyncClient, service: Service[Policy]
) -> None:
    await publish(service)
    answer = await client.get("/v1/portals", headers=as_("lan"))
    assert answer.status_code == 200
    items = answer.json()["items"]
    assert {(p["id"], p["state"]) for p in items} == {(p.id, "ok") for p in LINKED}
    assert all(p["backlog"] >= 1 for p in items)
    assert all(len(p["hours"]) == 24 for p in items)
    everything = answer.text + repr([d async for d in service.database.partners.find()])
    assert SECRET not in everything
    assert (await client.get("/v1/portals")).status_code == 401


async def test_deliveries_are_found_by_item_portal_and_state(
    client: httpx2.AsyncClient, service: Service[Policy]
) -> None:
    item = await publish(service)
    await publish(service)
    found = (await client.get(f"/v1/deliveries?item_id={item}&state=pending", headers=as_("lan"))).json()
    assert {d["partner"] for d in found["items"]} == {p.id for p in LINKED}
    one = found["items"][0]
    shown = await client.get(f"/v1/deliveries/{one['id']}", headers=as_("lan"))
    assert shown.headers["etag"] == '"1"'
    assert shown.json()["explanation"].startswith("Hạn: hết ")
    assert shown.json()["tries"] == []
    none = (await client.get("/v1/deliveries?state=done&partner=bo-noi-vu", headers=as_("lan"))).json()
    assert none == {"items": [], "next": None}


@pytest.mark.parametrize(("path", "status", "code"), [
    ("/v1/deliveries/khong-phai-ma", 404, "not_found"),
    ("/v1/deliveries/6f1c0f5e-6d0a-4d0c-9d4e-2f3f6d1f7c11", 404, "not_found"),
    ("/v1/deliveries?state=lost", 422, "invalid_input"),
    ("/v1/deliveries?item_id=1", 422, "invalid_input"),
    ("/v1/deliveries?cursor=abc", 422, "invalid_input"),
    ("/v1/deliveries?cursor=WzEsMl0", 422, "invalid_input"),
    ("/v1/deliveries?limit=100000", 422, "invalid_input"),
])  # fmt: skip
async def test_what_cannot_be_read_is_told_in_words(
    client: httpx2.AsyncClient, path: str, status: int, code: str
) -> None:
    answer = await client.get(path, headers=as_("lan"))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("who", "path", "body", "status", "code"), [
    ("oanh", "bhxh-ha-noi", {}, 200, ""),
    ("oanh", "bhxh-ha-noi", None, 200, ""),
    ("oanh", "bhxh-ha-noi", {"now": True}, 422, "invalid_input"),
    ("oanh", "khong-co", {}, 404, "not_found"),
    ("lan", "bhxh-ha-noi", {}, 403, "forbidden"),
    ("ai-do", "bhxh-ha-noi", {}, 401, "unauthenticated"),
])  # fmt: skip
async def test_only_an_operator_orders_a_retry(
    client: httpx2.AsyncClient, *, who: str, path: str, body: Any, status: int, code: str
) -> None:
    given = {"json": body} if body is not None else {}
    answer = await client.post(f"/v1/portals/{path}/retry", headers=as_(who, uuid4().hex), **given)
    assert (answer.status_code, answer.json().get("code", "")) == (status, code)


async def test_an_order_is_given_once_and_needs_its_key(
    client: httpx2.AsyncClient, service: Service[Policy]
) -> None:
    path = "/v1/portals/bo-noi-vu/retry"
    assert (await client.post(path, headers=as_("oanh"))).json()["code"] == "idempotency_key_missing"
    for _ in range(2):
        assert (await client.post(path, headers=as_("oanh", "thu-lai-1"))).headers["etag"] == '"1"'
    assert await service.database.journal.count_documents({"stream": "portal-bo-noi-vu"}) == 1
    other = await client.post(path, headers=as_("oanh", "thu-lai-1"), json={})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_the_documents_of_both_edges_are_served(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json()["openapi"].startswith("3.1")
    channels = (await client.get("/asyncapi.json")).json()["channels"]
    assert any("sync.delivery" in name for name in channels)
