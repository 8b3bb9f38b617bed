"""What a partner portal takes, drops and refuses, over real HTTP with real signatures."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from deploy.samples.parcel import hash_of
from deploy.samples.portal import portal_app
from deploy.samples.settings import PortalSettings
from deploy.samples.shelf import Shelf
from tests.samples.sample_servers import browser, listening, running

SECRET = "whsec_" + b64encode(b"sample portal secret of 32 bytes").decode()
ARTICLE = {
    "title": "Hướng dẫn hưởng chế độ thai sản",
    "summary": "Những điều cần biết",
    "html": "<h2>Điều kiện</h2><p>Đóng đủ 06 tháng.</p><script>alert(1)</script>",
    "class": "guidance",
    "unit": "Bảo hiểm xã hội tỉnh Quảng Ngãi",
    "author": "Nguyễn Thị Lan",
    "source": None,
    "published_at": "2026-11-23T02:00:00Z",
    "url": "http://127.0.0.1:8001/articles/1",
}


def settings(folder: Path) -> PortalSettings:
    return PortalSettings(id="bhxh-ha-noi", name="Cổng mẫu", secret=SecretStr(SECRET), data=folder)


@pytest.fixture
async def portal(tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    with listening() as (listener, url):
        async with running(portal_app(settings(tmp_path)), listener), browser(url) as client:
            yield client


def parcel(version: int = 1, title: str = "", **changes: Any) -> dict[str, Any]:
    article = {**ARTICLE, **({"title": title} if title else {})}
    usual = {"item_id": "bai-1", "epoch": 1, "version": version, "action": "publish", "article": article}
    return {**usual, "hash": hash_of(article), **changes}


def signed(body: bytes, *, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    at = at or datetime.now(UTC)
    signature = Webhook(secret).sign("msg-1", at, body.decode())
    stamp = str(int(at.timestamp()))
    return {"webhook-id": "msg-1", "webhook-timestamp": stamp, "webhook-signature": signature}


async def push(portal: httpx2.AsyncClient, content: dict[str, Any] | bytes) -> httpx2.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await portal.post("/receive", content=body, headers=signed(body))


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


async def test_a_new_version_is_taken_and_shown(portal: httpx2.AsyncClient) -> None:
    sent = parcel()
    answer = await push(portal, sent)
    assert answer.status_code == 200
    assert answer.json() == {"status": "accepted", "item_id": "bai-1", "version": 1, "hash": sent["hash"]}
    home = (await portal.get("/")).text
    assert "Hướng dẫn hưởng chế độ thai sản" in home
    assert "chữ ký hợp lệ" in home
    page = (await portal.get("/items/bai-1")).text
    assert "<h2>Điều kiện</h2>" in page
    assert "alert(1)" not in page
    [item] = (await portal.get("/items.json")).json()
    assert (item["item_id"], item["version"], item["hash"]) == ("bai-1", 1, sent["hash"])


async def test_versions_never_go_back(portal: httpx2.AsyncClient) -> None:
    await push(portal, parcel(2, "Bản hai"))
    assert (await push(portal, parcel(1, "Bản một"))).json()["status"] == "stale"
    assert (await push(portal, parcel(2, "Bản hai"))).json()["status"] == "unchanged"
    conflict = await push(portal, parcel(2, "Bản khác"))
    assert (conflict.status_code, conflict.json()["status"]) == (409, "conflict")
    assert (await push(portal, parcel(1, "Kỷ nguyên mới", epoch=2))).json()["status"] == "accepted"
    assert (await push(portal, parcel(9, "Kỷ nguyên cũ"))).json()["status"] == "stale"


async def test_a_withdrawal_leaves_a_tombstone(portal: httpx2.AsyncClient) -> None:
    await push(portal, parcel(1))
    gone = parcel(2, action="withdraw", article=None, hash=hash_of(ARTICLE))
    assert (await push(portal, gone)).json()["status"] == "accepted"
    assert (await push(portal, gone)).json()["status"] == "unchanged"
    assert (await push(portal, parcel(2))).json()["status"] == "conflict"
    assert (await push(portal, parcel(1))).json()["status"] == "stale"
    page = (await portal.get("/items/bai-1")).text
    assert "Bài đã gỡ" in page
    assert "Đóng đủ" not in page


async def test_what_was_taken_survives_a_restart(portal: httpx2.AsyncClient, tmp_path: Path) -> None:
    await push(portal, parcel(3))
    held = Shelf(tmp_path).get("bai-1")
    assert held and held.parcel.order == (1, 3)
    assert names_in(tmp_path) == ["bai-1.json"]  # no half-written draft beside it


def _headers_without(name: str, body: bytes) -> dict[str, str]:
    return {key: value for key, value in signed(body).items() if key != name}


BODY = json.dumps(parcel()).encode()


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param(lambda: {}, id="none"),
        pytest.param(lambda: _headers_without("webhook-id", BODY), id="no id"),
        pytest.param(lambda: _headers_without("webhook-timestamp", BODY), id="no time"),
        pytest.param(lambda: _headers_without("webhook-signature", BODY), id="no signature"),
        pytest.param(
            lambda: signed(BODY, secret="whsec_" + b64encode(b"other").decode()), id="another secret"
        ),
        pytest.param(lambda: signed(BODY, at=datetime.now(UTC) - timedelta(minutes=6)), id="too old"),
        pytest.param(lambda: signed(BODY, at=datetime.now(UTC) + timedelta(minutes=6)), id="from the future"),
        pytest.param(lambda: signed(BODY + b" "), id="another body"),
        pytest.param(lambda: {**signed(BODY), "webhook-id": "msg-2"}, id="another id"),
        pytest.param(lambda: {**signed(BODY), "webhook-signature": "v1"}, id="no comma"),
        pytest.param(lambda: {**signed(BODY), "webhook-signature": "v1,a b,c"}, id="not base64"),
        pytest.param(lambda: {**signed(BODY), "webhook-timestamp": "nan"}, id="time is not a number"),
    ],
)
async def test_an_unsigned_push_is_refused(
    portal: httpx2.AsyncClient, headers: Callable[[], dict[str, str]]
) -> None:
    # Signed now, not when the tests were collected: the minutes between would make another case of it.
    answer = await portal.post("/receive", content=BODY, headers=headers())
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_signature")
    assert (await portal.get("/items.json")).json() == []


@pytest.mark.parametrize(
    ("content", "status"),
    [
        pytest.param(parcel(hash="0" * 64), 422, id="wrong hash"),
        pytest.param(parcel(article=None), 422, id="nothing published"),
        pytest.param(parcel(article={"title": ""}), 422, id="no title"),
        pytest.param(parcel(item_id="../../etc/passwd"), 422, id="a path for an id"),
        pytest.param(parcel(action="erase"), 422, id="unknown action"),
        pytest.param(parcel(extra=1), 422, id="unknown field"),
        pytest.param(b"{", 422, id="not JSON"),
        pytest.param(b"[]", 422, id="a list"),
        pytest.param(b" " * (4 * 1024 * 1024 + 1), 413, id="too large"),
    ],
)
async def test_a_malformed_push_is_told(portal: httpx2.AsyncClient, content: Any, status: int) -> None:
    answer = await push(portal, content)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_it_plays_trouble_for_as_long_as_it_is_told(portal: httpx2.AsyncClient) -> None:
    await portal.post("/behave", json={"mode": "error", "times": 2})
    assert [(await push(portal, parcel())).status_code for _ in range(3)] == [500, 500, 200]
    await portal.post("/behave", json={"mode": "down"})
    down = await push(portal, parcel(2))
    assert (down.status_code, down.headers["retry-after"]) == (503, "2")
    await portal.post("/behave", json={"mode": "slow", "seconds": 0.05})
    assert (await push(portal, parcel(2))).status_code == 200
    assert (await portal.post("/behave", json={"mode": "sleepy"})).status_code == 422
    missing = await portal.get("/items/khong-co", headers={"accept": "text/html"})
    assert (missing.status_code, "Không tìm thấy" in missing.text) == (404, True)
