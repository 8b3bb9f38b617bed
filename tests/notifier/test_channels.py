"""Chat and SMS, each against a server that behaves so: what every end of an exchange means."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
import standardwebhooks
from fastapi import FastAPI, Request, Response
from pydantic import ValidationError

from deploy.samples.parcel import Seal
from deploy.samples.sms_gateway import Gateway, SmsBehaviour, sms_app
from services.notifier.gateways import Chat, NotSent, Signal, Signals, SmsGateway, signals
from services.notifier.jobs import Outbox
from services.notifier.regulation import Lane
from services.notifier.settings import NotifierSettings
from shared.contracts.notifier import DeadlineBreached, Delivery
from shared.desk import utc_now
from shared.testing import local
from shared.web import edge
from shared.workflow import Actor
from tests.notifier.office import NoAsker, Office, office
from tests.notifier.world import same_day_clock
from tests.samples.sample_servers import listening, running

KEY = "whsec_" + "c2VjcmV0" * 6
SIGNAL = Signal(
    "chat:on-call",
    "Quá hạn: Báo người hỏi\nhttp://x/1",
    "Quá hạn http://x/1",
    "<n1@bhxh.example.vn>",
    utc_now(),
)
SMS = Signal("+84 900.000.001", "dài", "ngắn http://x/1", "<n2@bhxh.example.vn>", utc_now())


@dataclass
class Room:
    """An operations chat."""

    status: int = 200
    said: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hangs: bool = False

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/hooks/{path:path}")
        async def hook(request: Request) -> Response:
            body = await request.body()
            standardwebhooks.Webhook(KEY).verify(body, dict(request.headers))
            self.said.append(json.loads(body))
            self.headers.append(dict(request.headers))
            if self.hangs:
                await asyncio.sleep(30)
            return Response('{"id": "post-1"}', self.status, {"Location": "/elsewhere"})

        return app


@pytest.fixture
async def room() -> AsyncIterator[tuple[Room, str]]:
    room = Room()
    with listening() as (listener, base):
        async with running(room.app(), listener):
            yield room, f"{base}/hooks/on-call"


@pytest.fixture
async def sms() -> AsyncIterator[tuple[Gateway, str]]:
    gateway = Gateway("a-token")
    with listening() as (listener, base):
        async with running(sms_app(gateway), listener):
            yield gateway, base


async def refused(sending: Any) -> NotSent:
    with pytest.raises(NotSent) as found:
        await sending
    return found.value


async def test_the_chat_gets_a_signed_line_and_its_answer_is_the_proof(room: tuple[Room, str]) -> None:
    chat, url = room
    assert await Chat(url, KEY).send(SIGNAL) == "200 post-1"
    assert chat.said == [{"text": SIGNAL.text}]
    assert chat.headers[0]["webhook-id"] == "n1@bhxh.example.vn"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(500, Delivery.TEMPORARY), (503, Delivery.TEMPORARY), (429, Delivery.TEMPORARY),
     (408, Delivery.TEMPORARY), (302, Delivery.DEFINITE), (307, Delivery.DEFINITE),
     (400, Delivery.DEFINITE), (410, Delivery.DEFINITE)],
)  # fmt: skip
async def test_what_an_answer_means(room: tuple[Room, str], status: int, outcome: Delivery) -> None:
    """A redirect is a failure, and nobody is followed."""
    chat, url = room
    chat.status = status
    error = await refused(Chat(url, KEY).send(SIGNAL))
    assert (error.outcome, error.reason) == (outcome, f"kênh đáp {status}")
    assert len(chat.said) == 1


async def test_silence_of_the_chat_is_uncertain(
    room: tuple[Room, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chat, url = room
    monkeypatch.setattr(signals, "SECONDS", 1.5)
    chat.hangs = True
    assert (await refused(Chat(url, KEY).send(SIGNAL))).outcome is Delivery.UNCERTAIN
    assert len(chat.said) == 1


async def test_nobody_there_is_for_now() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/hooks/x"
    assert (await refused(Chat(url, KEY).send(SIGNAL))).outcome is Delivery.TEMPORARY


@pytest.mark.parametrize("secret", ["", "whsec_x", "not base64 ☃", "whsec_☃"])
async def test_a_key_that_is_none_is_told_and_sends_nothing(room: tuple[Room, str], secret: str) -> None:
    """The library lets bare ValueErrors and others through."""
    chat, url = room
    error = await refused(Chat(url, secret).send(SIGNAL))
    assert (error.outcome, error.reason) == (Delivery.TEMPORARY, "khóa ký của kênh trực không dùng được")
    assert chat.said == []


async def test_an_sms_is_taken_once_however_often_it_is_sent(sms: tuple[Gateway, str]) -> None:
    gateway, base = sms
    line = SmsGateway(base, "a-token")
    first, again = await line.send(SMS), await line.send(SMS)
    assert first == again
    assert first.startswith("202 sms-")
    (taken,) = gateway.taken.values()
    assert (taken.message.to, taken.message.text) == ("+84900000001", "ngắn http://x/1")


@pytest.mark.parametrize(
    ("mode", "outcome"),
    [("busy", Delivery.TEMPORARY), ("refuse", Delivery.DEFINITE), ("redirect", Delivery.DEFINITE)],
)
async def test_what_the_gateway_says_counts(sms: tuple[Gateway, str], mode: Any, outcome: Delivery) -> None:
    gateway, base = sms
    gateway.mood.now = SmsBehaviour(mode=mode, times=1)
    assert (await refused(SmsGateway(base, "a-token").send(SMS))).outcome is outcome
    assert gateway.taken == {}


async def test_silence_of_the_gateway_is_answered_by_the_same_message_and_one_sms(
    sms: tuple[Gateway, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, base = sms
    monkeypatch.setattr(signals, "SECONDS", 1.5)
    gateway.mood.now = SmsBehaviour(mode="slow", seconds=5, times=1)
    assert (await refused(SmsGateway(base, "a-token").send(SMS))).outcome is Delivery.TEMPORARY
    await SmsGateway(base, "a-token").send(SMS)
    assert len(gateway.taken) == 1


@pytest.mark.parametrize(
    "number",
    ["", "an@example.vn", "+84 900", "+84900000001;+84900000002", "0900\n000001", "１２３４５６７８９"],
)
async def test_one_number_exactly(sms: tuple[Gateway, str], number: str) -> None:
    gateway, base = sms
    error = await refused(SmsGateway(base, "a-token").send(Signal(number, "x", "x", "<n@x>", utc_now())))
    assert error.outcome is Delivery.DEFINITE
    assert number not in error.reason or not number
    assert gateway.taken == {}


async def test_the_sample_chat_shows_what_it_was_told_once_and_only_by_whoever_has_its_key() -> None:
    gateway = Gateway("a-token", Seal(KEY))
    with listening() as (listener, base):
        async with running(sms_app(gateway), listener):
            chat = f"{base}/chat"
            first, again = await Chat(chat, KEY).send(SIGNAL), await Chat(chat, KEY).send(SIGNAL)
            other = await refused(Chat(chat, "whsec_" + "b3RoZXIh" * 6).send(SIGNAL))
            async with httpx2.AsyncClient(base_url=base) as client:
                page = await client.get("/")
    assert first == again
    assert first.startswith("200 chat-")
    assert other.outcome is Delivery.DEFINITE
    assert [each.text for each in gateway.said.values()] == [SIGNAL.text]
    assert "Quá hạn: Báo người hỏi" in page.text


async def test_a_wrong_token_takes_nothing(sms: tuple[Gateway, str]) -> None:
    gateway, base = sms
    assert (await refused(SmsGateway(base, "other").send(SMS))).outcome is Delivery.DEFINITE
    assert gateway.taken == {}


async def test_the_sample_gateway_keeps_its_contract(sms: tuple[Gateway, str]) -> None:
    _, base = sms
    headers = {"authorization": "Bearer a-token", "idempotency-key": "n2@bhxh.example.vn"}
    async with httpx2.AsyncClient(base_url=base, headers=headers) as client:
        taken = await client.post("/v1/messages", json={"to": "0900000001", "text": "một"})
        other = await client.post("/v1/messages", json={"to": "0900000001", "text": "hai"})
        blank = await client.post("/v1/messages", json={"to": "0900000001", "text": ""})
        page = await client.get("/")
    assert (taken.status_code, other.status_code, blank.status_code) == (202, 409, 422)
    assert other.headers["content-type"] == "application/problem+json"
    assert "0900000001" in page.text


@pytest.mark.parametrize(("to", "what"), [("chat:on-call", "kênh trực"), ("0900000001", "cổng SMS")])
async def test_a_channel_that_nobody_set_up_waits_for_somebody(to: str, what: str) -> None:
    error = await refused(Signals().send(Signal(to, "x", "x", "<n@x>", utc_now())))
    assert (error.outcome, error.reason) == (Delivery.TEMPORARY, f"chưa cấu hình {what}")


@pytest.mark.parametrize("url", ["ftp://x", "chat.example.vn", "https://", "http://a b"])
def test_an_address_that_is_none_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ValidationError):
        NotifierSettings(chat_url=url)


def test_production_signals_on_https_alone() -> None:
    with pytest.raises(ValidationError, match="PORTAL_SMS_URL must be on https"):
        NotifierSettings(environment="production", sms_url="http://sms.example.vn")


async def test_a_missed_day_is_told_in_the_chat_with_its_proof(
    mongo_uri: str, room: tuple[Room, str]
) -> None:
    chat, url = room
    async with office(mongo_uri, chat_url=url, chat_secret=KEY) as desk:
        await _missed(desk)
        carrier = Signals(chat=Chat(url, KEY))
        await Outbox(desk.edge, NoAsker(), carrier, (Lane.SIGNAL,), 2).run()
        (line,) = chat.said
        assert line["text"].startswith("Quá hạn: Báo người hỏi ngay trong ngày, HD-1\n")
        (notice,) = [due for due in await desk.notices("breach") if due.recipient == "chat:on-call"]
        await desk.edge.caught_up("notices", notice.id, 3)
        (proof,) = [d async for d in desk.edge.database.notices.find({"recipient": "chat:on-call"})]
        assert (proof["status"], proof["reply"]) == ("sent", "200 post-1")


async def _missed(desk: Office) -> None:
    clock = same_day_clock(local("2026-11-20T09:00"))
    stream = await desk.open(clock, at=local("2026-11-20T09:00"))
    found = await desk.deadline(stream)
    event = DeadlineBreached(deadline_id=found.id, subject=found.subject, duty="same_day_notice",
                             due_at=clock.due_at, unit="tt-cskh")  # fmt: skip
    await desk.hears(await desk.puts(stream, event, at=utc_now()))
    await desk.notice("breach", 2)


def alert(fingerprint: str = "0a1b2c3d4e5f6071", **facts: Any) -> dict[str, Any]:
    known = {
        "status": "firing", "labels": {"alertname": "ClocksDisagree", "severity": "page"},
        "annotations": {"summary": "Clocks disagree by 41 s", "action": "Ask oncall@example.vn"},
        "startsAt": "2026-11-24T01:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": fingerprint,
        "generatorURL": "http://prometheus/x",
    }  # fmt: skip
    return known | facts


def posted(*alerts: dict[str, Any]) -> dict[str, Any]:
    """As Alertmanager posts it, format 4."""
    return {
        "version": "4", "groupKey": '{}:{alertname="ClocksDisagree"}', "truncatedAlerts": 0,
        "status": "firing", "receiver": "operations-chat",
        "groupLabels": {"alertname": "ClocksDisagree"},
        "commonLabels": {"alertname": "ClocksDisagree", "severity": "page"}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": list(alerts),
    }  # fmt: skip


async def test_an_alarm_is_told_once_from_its_beginning_to_its_end(
    mongo_uri: str, room: tuple[Room, str]
) -> None:
    chat, url = room
    async with office(mongo_uri, chat_url=url, chat_secret=KEY) as desk:
        app = desk.service.app()
        app.dependency_overrides[edge.our_service] = lambda: Actor("svc-watch")
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://notifier") as client:

            async def sounds(*alerts: dict[str, Any]) -> httpx2.Response:
                return await client.post("/v1/alarms", json=posted(*alerts))

            assert (await sounds(alert(), alert("ffffffffffffffff", status="resolved"))).json() == {
                "asked": 1
            }
            assert (await sounds(alert())).json() == {"asked": 0}
            assert (await sounds(alert(startsAt="2026-11-24T02:00:00Z"))).json() == {"asked": 1}
            assert (await sounds(alert(fingerprint="x"))).status_code == 422
        await desk.notice("alarm", 2)
        await Outbox(desk.edge, NoAsker(), Signals(chat=Chat(url, KEY)), (Lane.SIGNAL,), 2).run()
        assert len(chat.said) == 2
        assert chat.said[0]["text"] == "Báo động: Clocks disagree by 41 s. Ask ‹địa chỉ›"
