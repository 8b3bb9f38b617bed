"""A unit's own system by its own credentials: it asks on behalf of an asker, answers, and is told of its
questions in order, once each as far as it lets us."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import standardwebhooks
from fastapi import FastAPI, Request, Response

from services.qa.jobs.webhooks import Enqueuer, Teller
from services.qa.queries import subscriptions as queries
from services.qa.queries.subscriptions import MESSAGES, SUBSCRIPTIONS
from shared.mongo import from_document
from tests.qa.conftest import Edges
from tests.samples.sample_servers import listening, running

SYSTEM = "sys-bhxh-ha-noi"


class Receiver:
    """A unit's system that keeps what it accepts; ``answers`` are given first, then 204 for ever."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.asked = 0
        self.answers: list[int] = []
        self.secret = ""

    async def __call__(self, request: Request) -> Response:
        self.asked += 1
        body = (await request.body()).decode()
        standardwebhooks.Webhook(self.secret).verify(body, dict(request.headers))
        status = self.answers.pop(0) if self.answers else 204
        if status < 300:
            self.got.append((request.headers["webhook-id"], json.loads(body)))
        return Response(status_code=status)


@asynccontextmanager
async def told(edges: Edges, as_: str = SYSTEM) -> AsyncIterator[tuple[Receiver, dict[str, Any]]]:
    receiver, app = Receiver(), FastAPI()
    app.add_api_route("/in", receiver, methods=["POST"])
    with listening() as (listener, url):
        async with running(app, listener):
            answer = await edges.post("/v1/subscriptions", {"url": f"{url}/in"}, as_)
            assert answer.status_code == 201, answer.text
            receiver.secret = answer.json()["secret"]
            await project(edges)
            yield receiver, answer.json()


async def project(edges: Edges) -> None:
    await edges.project()


async def tell(edges: Edges) -> None:
    """What the follower and the job do, until nothing is left that may be sent now."""
    await project(edges)
    found = edges.service.database.journal.find().sort("at", 1)
    await Enqueuer(edges.service).take([from_document(row) async for row in found])
    while await Teller(edges.service.edge, uuid4().hex, local=True).run():
        pass


async def at_once(edges: Edges) -> None:
    """What waits for its next try need not wait."""
    due = {"$set": {"next_at": datetime.now(UTC) - timedelta(seconds=1)}}
    await edges.service.database[SUBSCRIPTIONS].update_many({}, due)


@pytest.fixture(autouse=True)
async def cleared(edges: Edges) -> AsyncIterator[None]:
    yield
    for name in (MESSAGES, SUBSCRIPTIONS, "leases"):
        await edges.service.database[name].delete_many({})


async def test_a_system_asks_on_behalf_of_an_asker_and_sees_what_it_sent(edges: Edges) -> None:
    body = {
        "name": "Trần Văn Bình", "email": "binh@hopthu.example.vn", "subject": "Chốt sổ", "consent": True,
        "text": "Công ty cũ chưa chốt sổ cho tôi.",
    }  # fmt: skip
    asked = await edges.post("/v1/questions", body, SYSTEM)
    assert asked.status_code == 201
    path = f"/v1/questions/{asked.json()['id']}"
    assert (await edges.get(path, SYSTEM)).json()["subject"] == "Chốt sổ"
    await edges.project()
    rows = (await edges.get("/v1/questions", SYSTEM)).json()["items"]
    assert [row["id"] for row in rows] == [asked.json()["id"]]
    assert (await edges.get(path, "u-nga")).status_code == 403


async def test_a_system_answers_in_its_units_name_alone(edges: Edges) -> None:
    asked = await edges.forwarded()
    other = await edges.forwarded("bhxh-can-tho", subject="Việc khác")
    done = await edges.done(asked, "answer", {"text": "Được."}, SYSTEM)
    assert (done["status"], done["answered_unit"]) == ("answered", "bhxh-ha-noi")
    refused = await edges.post(f"{other['path']}/answer", {"text": "Được."}, SYSTEM)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_your_unit")


async def test_a_system_is_told_of_its_questions_in_order_signed_and_without_words(edges: Edges) -> None:
    async with told(edges) as (receiver, _):
        asked = await edges.answered(subject="Điều không ai được đọc")
        await edges.forwarded("bhxh-can-tho", subject="Việc của đơn vị khác")
        await tell(edges)
    types = [body["type"] for _, body in receiver.got]
    assert types == ["qa.question.forwarded", "qa.question.answered"]
    assert {body["subject"] for _, body in receiver.got} == {f"question-{asked['id']}"}
    assert "Điều không ai được đọc" not in json.dumps(receiver.got, ensure_ascii=False)


async def test_what_is_taken_from_a_unit_is_told_to_it_too(edges: Edges) -> None:
    async with told(edges) as (receiver, _):
        asked = await edges.forwarded()
        again = {"unit": "bhxh-can-tho", "field": "bhxh-mot-lan"}
        await edges.done(asked, "forwarding", again, "u-ha")
        await tell(edges)
    assert [body["data"]["unit"] for _, body in receiver.got] == ["bhxh-ha-noi", "bhxh-can-tho"]


async def test_nothing_is_passed_over_while_a_system_refuses_and_nothing_is_told_twice_after(
    edges: Edges,
) -> None:
    async with told(edges) as (receiver, _):
        receiver.answers = [503, 500]
        await edges.answered()
        await tell(edges)
        assert receiver.got == []
        (row,) = (await edges.get("/v1/subscriptions", SYSTEM)).json()["items"]
        assert (row["waiting"], row["failures"], row["trouble"]) == (2, 1, "Trả lời 503.")
        for _ in range(2):
            await at_once(edges)
            await tell(edges)
        await tell(edges)
    assert [body["type"] for _, body in receiver.got] == ["qa.question.forwarded", "qa.question.answered"]
    assert receiver.asked == 4


async def test_a_journal_that_is_read_again_tells_nothing_twice(edges: Edges) -> None:
    async with told(edges) as (receiver, _):
        await edges.forwarded()
        await tell(edges)
        await tell(edges)
    assert len(receiver.got) == 1


async def test_who_has_closed_its_subscription_is_told_no_more(edges: Edges) -> None:
    async with told(edges) as (receiver, subscription):
        closed = await edges.post(f"/v1/subscriptions/{subscription['id']}/closing", {}, SYSTEM)
        assert closed.json()["open"] is False
        await edges.forwarded()
        await tell(edges)
    assert receiver.asked == 0


async def test_a_subscription_is_told_after_what_no_commit_names_was_swept(edges: Edges) -> None:
    async with told(edges) as (receiver, _):
        await edges.service.vault.sweep(datetime.now(UTC) + timedelta(minutes=1), edges.service.edge.journal)
        await edges.forwarded()
        await tell(edges)
        assert [body["type"] for _, body in receiver.got] == ["qa.question.forwarded"]


async def test_a_secret_that_is_lost_is_told_as_what_hinders(edges: Edges) -> None:
    async with told(edges) as (receiver, subscription):
        await edges.service.vault.erase(subscription["id"])
        await edges.forwarded()
        await tell(edges)
        shown = (await edges.get("/v1/subscriptions", SYSTEM)).json()["items"]
        assert [(each["waiting"], "Khóa ký" in each["trouble"]) for each in shown] == [(1, True)]
        assert receiver.asked == 0


async def test_the_same_request_twice_is_one_subscription_with_one_secret(edges: Edges) -> None:
    body, key = {"url": "https://he-thong.example.vn/in"}, uuid4().hex
    first, again = [
        (await edges.post("/v1/subscriptions", body, SYSTEM, Idempotency_Key=key)).json() for _ in range(2)
    ]
    assert first == again
    assert base64.b64decode(first["secret"].removeprefix("whsec_"))


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example.vn", "https://", "https://u:p@a.example.vn/", "https://a.example.vn/#x", "không", ""],
)
async def test_an_address_that_is_none_is_refused_by_name(edges: Edges, url: str) -> None:
    answer = await edges.post("/v1/subscriptions", {"url": url}, SYSTEM)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "url")


@pytest.mark.parametrize("who", ["u-tuan", "u-ha", "svc-notifier"])
async def test_nobody_subscribes_but_a_units_system_or_its_head(edges: Edges, who: str) -> None:
    answer = await edges.post("/v1/subscriptions", {"url": "https://a.example.vn/in"}, who)
    assert answer.status_code == 403


async def test_a_unit_neither_sees_nor_closes_anothers_subscription(edges: Edges) -> None:
    async with told(edges) as (_, subscription):
        assert (await edges.get("/v1/subscriptions", "u-nga")).json()["items"] == []
        closed = await edges.post(f"/v1/subscriptions/{subscription['id']}/closing", {}, "u-nga")
        assert closed.status_code == 403


async def test_a_private_address_is_not_called_in_production(edges: Edges) -> None:
    async with told(edges) as (receiver, _):
        await edges.forwarded()
        await project(edges)
        found = edges.service.database.journal.find().sort("at", 1)
        await Enqueuer(edges.service).take([from_document(row) async for row in found])
        assert await Teller(edges.service.edge, "r", local=False).run() == 0
        (row,) = await queries.open_subscriptions(edges.service.database)
    assert "mạng nội bộ" in row["trouble"]
    assert receiver.asked == 0
