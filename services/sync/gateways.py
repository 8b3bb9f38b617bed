"""What leaves the building: articles are fetched from content and pushed, signed, to the linked portals.

How a push is signed and where it may go: ``shared/webhooks.py``."""

import asyncio
import hashlib
import json
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from services.sync.domain import Acknowledgement
from services.sync.settings import Partner
from shared.contracts.sync import Action
from shared.webhooks import SEND_SECONDS, SignedSender, Unsendable, retry_after

EPOCH: Final = 1  # grows only if item versions should ever have to start anew
FETCH_SECONDS: Final = 8.0
KEPT_ANSWER: Final = 300
ABOUT_THE_ITEM: Final = frozenset({400, 409, 413, 415, 422})  # the portal lives, and refuses this one


# From content


class Article(BaseModel):
    """What content shows to everybody, as far as a portal needs it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: UUID
    text_version: int
    content_class: str
    unit: str
    unit_name: str = ""
    title: str
    summary: str = ""
    html: str = ""
    author: str | None = None
    source: str | None = None
    published_at: datetime
    url: str = ""

    def for_portals(self) -> dict[str, Any]:
        return {
            "title": self.title, "summary": self.summary, "html": self.html, "class": self.content_class,
            "unit": self.unit_name or self.unit, "author": self.author, "source": self.source,
            "published_at": self.published_at.astimezone(UTC).isoformat(timespec="milliseconds"),
            "url": self.url,
        }  # fmt: skip


class Gone(Exception):
    """Content no longer lets this item be shown (410)."""


class NotYet(Exception):
    """Content does not answer, or does not show the item yet: ask again soon."""


class ContentGateway:
    def __init__(self, url: str, http: httpx2.AsyncClient | None = None) -> None:
        self._url = url.rstrip("/")
        self._http = http or httpx2.AsyncClient(trust_env=False, timeout=FETCH_SECONDS)

    async def article(self, item_id: UUID, correlation: str) -> Article:
        """Asked for when the push fires, so that permission to publish is checked once more."""
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                answer = await self._http.get(
                    f"{self._url}/v1/articles/{item_id}", headers={"X-Correlation-ID": correlation}
                )
        except (httpx2.HTTPError, TimeoutError) as error:
            raise NotYet(f"Dịch vụ nội dung chưa trả lời ({type(error).__name__}).") from error
        if answer.status_code == 410:
            raise Gone
        if answer.status_code != 200:
            raise NotYet(f"Dịch vụ nội dung chưa đưa bài ra ({answer.status_code}).")
        try:
            return Article.model_validate_json(answer.content)
        except ValidationError as error:
            raise NotYet("Không đọc được bài từ dịch vụ nội dung.") from error

    async def close(self) -> None:
        await self._http.aclose()


# To the portals


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one portal is sent: an item at a version with its article, or its withdrawal."""

    item_id: str
    version: int
    action: Action
    article: dict[str, Any] | None = None

    @property
    def hash(self) -> str:
        return hashlib.sha256(canonical(self.article or {"withdrawn": self.item_id}).encode()).hexdigest()

    @property
    def sent(self) -> Acknowledgement:
        return Acknowledgement(self.item_id, self.version, self.hash)

    def body(self) -> str:
        parts: dict[str, Any] = {
            "item_id": self.item_id, "epoch": EPOCH, "version": self.version, "hash": self.hash,
            "action": self.action.value,
        }  # fmt: skip
        return canonical(parts if self.article is None else parts | {"article": self.article})


def canonical(content: dict[str, Any]) -> str:
    """One spelling of one content, so that both sides hash the same bytes."""
    return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class Receipt(BaseModel):
    """A portal's confirmation."""

    model_config = ConfigDict(extra="ignore")

    status: Literal["accepted", "unchanged", "stale"]
    item_id: str
    version: int
    hash: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one push ended, and its facts for the people on call. ``receipt`` or else ``reason`` is set;
    ``of_the_item``: the portal itself is well."""

    webhook_id: str
    size: int
    milliseconds: int = 0
    http_status: int | None = None
    answer: str = ""
    receipt: Receipt | None = None
    reason: str = ""
    of_the_item: bool = False
    conflict: bool = False
    retry_after: timedelta | None = None


class PortalGateway:
    """One portal; a client of its own, so that a connection is never shared between two names."""

    def __init__(self, partner: Partner, *, local: bool, tls: ssl.SSLContext) -> None:
        self._sender = SignedSender(
            partner.url.rstrip("/") + "/receive", partner.secret.get_secret_value(), local=local, tls=tls
        )  # fmt: skip

    async def push(self, parcel: Parcel, webhook_id: str, correlation: str) -> Outcome:
        body = parcel.body()
        facts: dict[str, Any] = {"webhook_id": webhook_id, "size": len(body.encode())}
        began = time.perf_counter()
        try:
            status, answered, answer = await self._sender.send(webhook_id, body, correlation)
        except Unsendable as error:
            return Outcome(**facts, reason=str(error))
        except (TimeoutError, httpx2.TimeoutException):
            return Outcome(
                **facts,
                milliseconds=_since(began),
                reason=f"Cổng không trả lời trong {SEND_SECONDS:.0f} giây.",
            )
        except (httpx2.HTTPError, OSError) as error:
            return Outcome(
                **facts,
                milliseconds=_since(began),
                reason=f"Không kết nối được tới cổng ({type(error).__name__}).",
            )
        facts |= {"milliseconds": _since(began), "http_status": status}
        return judge(status, answered, answer, facts)

    async def close(self) -> None:
        await self._sender.close()


def judge(status: int, headers: httpx2.Headers, answer: bytes, facts: dict[str, Any]) -> Outcome:
    """What an answer means. Only a readable confirmation under 200 is one."""
    facts = facts | {"answer": answer[:KEPT_ANSWER].decode(errors="replace")}
    if status == 200:
        try:
            return Outcome(**facts, receipt=Receipt.model_validate_json(answer))
        except ValidationError:
            return Outcome(**facts, reason="Cổng trả lời 200 nhưng không phải lời xác nhận đọc được.")
    conflict = status == 409 and b'"conflict"' in answer
    reason = (
        "Cổng đang giữ nội dung khác dưới cùng phiên bản." if conflict
        else f"Cổng chuyển hướng sang địa chỉ khác ({status}); không đi theo." if 300 <= status < 400
        else "Cổng không nhận chữ ký (401)." if status == 401
        else f"Cổng không nhận bài này ({status})." if status in ABOUT_THE_ITEM
        else f"Cổng báo lỗi ({status})."
    )  # fmt: skip
    return Outcome(
        **facts, reason=reason, of_the_item=status in ABOUT_THE_ITEM, conflict=conflict,
        retry_after=retry_after(headers.get("retry-after", "")),
    )  # fmt: skip


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
