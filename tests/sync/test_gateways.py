"""What may be sent where, what an answer means, and that the two sides hash alike."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import SecretStr, ValidationError

from deploy.samples.parcel import hash_of
from services.sync import gateways
from services.sync.gateways import Article, Outcome, Parcel, PortalGateway, judge
from services.sync.settings import Partner, SyncSettings
from shared import webhooks
from shared.contracts.sync import Action
from shared.webhooks import Unsendable, allowed
from tests.samples.sample_servers import free_port, listening, running
from tests.sync.world import HA_NOI, Content, partner

PARCEL = Parcel("bai-1", 3, Action.PUBLISH, {"title": "Đăng ký", "html": "<p>ố</p>"})
OK = {"status": "accepted", "item_id": "bai-1", "version": 3, "hash": PARCEL.hash}


def gateway(url: str) -> PortalGateway:
    return PortalGateway(partner(HA_NOI, url), local=True, tls=ssl.create_default_context())


@asynccontextmanager
async def portal(answer: Any) -> AsyncIterator[PortalGateway]:
    app = FastAPI()
    app.post("/receive")(answer)
    with listening() as (listener, url):
        async with running(app, listener):
            there = gateway(url)
            yield there
            await there.close()


async def push(portal: PortalGateway) -> Outcome:
    return await portal.push(PARCEL, "msg-1", "c-12345678")


@pytest.mark.parametrize(("scheme", "address", "local", "ok"), [
    ("https", "203.162.0.181", False, True),
    ("http", "203.162.0.181", False, False),
    ("https", "10.0.0.5", False, False),
    ("https", "127.0.0.1", False, False),
    ("https", "169.254.169.254", False, False),
    ("https", "::ffff:10.0.0.5", False, False),
    ("https", "fd00::1", False, False),
    ("https", "224.0.0.1", False, False),
    ("https", "203.162.0.181", True, True),
    ("http", "127.0.0.1", True, True),
    ("http", "172.18.0.4", True, True),
    ("http", "203.162.0.181", True, False),
])  # fmt: skip
def test_only_https_to_the_internet_is_allowed_and_on_one_machine_that_machine(
    scheme: str, address: str, local: bool, ok: bool
) -> None:
    if ok:
        allowed(scheme, [ip_address(address)], local=local)
    else:
        with pytest.raises(Unsendable):
            allowed(scheme, [ip_address(address)], local=local)


def test_one_inside_address_among_many_is_enough_to_refuse_a_name() -> None:
    with pytest.raises(Unsendable):
        allowed("https", [ip_address("203.162.0.181"), ip_address("10.0.0.5")], local=False)


def test_our_hash_is_the_portals_hash() -> None:
    content = Content()
    content.show(item := uuid4())
    article = Article.model_validate(content.articles[str(item)]).for_portals()
    assert Parcel("bai-1", 1, Action.PUBLISH, article).hash == hash_of(article)
    assert article["class"] == "guidance"
    assert article["unit"] == "Bảo hiểm xã hội tỉnh Quảng Ngãi"


async def test_a_push_is_confirmed_by_what_the_portal_echoes() -> None:
    async def answer() -> Any:
        return OK

    async with portal(answer) as there:
        outcome = await push(there)
    assert outcome.receipt is not None
    assert (outcome.reason, outcome.http_status, outcome.receipt.hash) == ("", 200, PARCEL.hash)
    assert outcome.size == len(PARCEL.body().encode())


async def test_a_redirect_is_a_failure_and_is_not_followed() -> None:
    async def answer() -> Any:
        return RedirectResponse("http://127.0.0.1:9/elsewhere", 307)

    async with portal(answer) as there:
        outcome = await push(there)
    assert (outcome.receipt, outcome.http_status) == (None, 307)
    assert "không đi theo" in outcome.reason


async def test_a_silent_portal_costs_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "SEND_SECONDS", 0.2)

    async def answer() -> Any:
        await asyncio.sleep(1)

    async with portal(answer) as there:
        outcome = await push(there)
    assert outcome.reason.startswith("Cổng không trả lời trong")
    assert outcome.milliseconds < 900


async def test_a_portal_that_is_not_there_is_named_so() -> None:
    outcome = await push(gateway(f"http://127.0.0.1:{free_port()}"))
    assert "Không kết nối được" in outcome.reason
    assert not outcome.of_the_item


async def test_an_endless_answer_is_cut_off() -> None:
    async def answer() -> Any:
        return JSONResponse({"x": "y" * 1_000_000}, 500)

    async with portal(answer) as there:
        outcome = await push(there)
    assert outcome.http_status == 500
    assert len(outcome.answer) <= gateways.KEPT_ANSWER


@pytest.mark.parametrize(("status", "answer", "of_the_item", "conflict"), [
    (200, b"ok", False, False),
    (200, b'{"status": "accepted"}', False, False),
    (204, b"", False, False),
    (401, b"", False, False),
    (404, b"", False, False),
    (409, b'{"status":"conflict"}', True, True),
    (409, b"", True, False),
    (422, b"", True, False),
    (503, b"", False, False),
])  # fmt: skip
def test_anything_but_a_confirmation_is_a_failure(
    status: int, answer: bytes, of_the_item: bool, conflict: bool
) -> None:
    outcome = judge(status, httpx2.Headers(), answer, {"webhook_id": "m", "size": 1, "http_status": status})
    assert outcome.receipt is None
    assert outcome.reason
    assert (outcome.of_the_item, outcome.conflict) == (of_the_item, conflict)


@pytest.mark.parametrize(("text", "seconds"), [
    ("120", 120), ("Wed, 21 Oct 2015 07:28:00 GMT", None), ("soon", None), ("-1", None), ("", None),
])  # fmt: skip
def test_retry_after_is_read_in_both_its_forms(text: str, seconds: int | None) -> None:
    facts = {"webhook_id": "m", "size": 1, "http_status": 503}
    wait = judge(503, httpx2.Headers({"retry-after": text}), b"", facts).retry_after
    assert (wait.total_seconds() if wait else None) == seconds


async def test_a_secret_that_cannot_sign_is_told_without_showing_it() -> None:
    broken = Partner(id="x", name="x", kind=HA_NOI.kind, url="http://127.0.0.1:9", secret=SecretStr("whsec_"))
    outcome = await push(PortalGateway(broken, local=True, tls=ssl.create_default_context()))
    assert "Khóa ký" in outcome.reason


def test_a_broken_partners_file_is_refused_without_quoting_the_secret(tmp_path: Path) -> None:
    file = tmp_path / "partners.yaml"
    file.write_text("- {id: a, kind: province, url: 'http://x', secret: whsec_very-secret}\n", "utf-8")
    with pytest.raises(ValidationError) as refused:
        SyncSettings(partners_file=file).partners()
    assert "very-secret" not in str(refused.value)
    rows = "- {id: a, name: A, kind: province, url: 'http://x', secret: s}\n"
    file.write_text(rows * 2, "utf-8")
    with pytest.raises(ValueError, match="share an id"):
        SyncSettings(partners_file=file).partners()
