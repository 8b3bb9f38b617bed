"""Signed messages to other systems (Standard Webhooks). One follows no redirect, takes 15 seconds at most,
and goes to the very address that was checked."""

import asyncio
import ipaddress
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2
import standardwebhooks

SEND_SECONDS: Final = 15.0
LARGEST_ANSWER: Final = 64 * 1024

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unsendable(Exception):
    """The address or the secret may not be used; the sentence says why."""


class SignedSender:
    """To one address; a client of its own, so that a connection is never shared between two names. ``local``:
    on one machine also plain http to that machine."""

    def __init__(self, url: str, secret: str, *, local: bool, tls: ssl.SSLContext) -> None:
        self._url, self._secret, self._local = httpx2.URL(url), secret, local
        self._http = httpx2.AsyncClient(
            trust_env=False, follow_redirects=False, verify=tls, timeout=SEND_SECONDS,
            limits=httpx2.Limits(max_connections=8, max_keepalive_connections=4, keepalive_expiry=30),
        )  # fmt: skip

    async def send(self, id: str, body: str, correlation: str) -> tuple[int, httpx2.Headers, bytes]:
        """Status, headers and the beginning of the answer. Raises Unsendable, TimeoutError, OSError or
        httpx2.HTTPError."""
        headers = self._sealed(id, body) | {"X-Correlation-ID": correlation}
        async with asyncio.timeout(SEND_SECONDS):
            return await self._send(body, headers)

    async def close(self) -> None:
        await self._http.aclose()

    def _sealed(self, webhook_id: str, body: str) -> dict[str, str]:
        now = datetime.now(UTC)
        try:
            seal = standardwebhooks.Webhook(self._secret)
            signature = seal.sign(webhook_id, now, body)
        except Exception as error:  # it lets binascii.Error, RuntimeError and others through
            raise Unsendable("Khóa ký của nơi nhận không dùng được; xem lại cấu hình.") from error
        return {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
            "content-type": "application/json",
        }

    async def _send(self, body: str, headers: dict[str, str]) -> tuple[int, httpx2.Headers, bytes]:
        address = await self._address()
        literal = f"[{address}]" if address.version == 6 else str(address)
        request = self._http.build_request(
            "POST", self._url.copy_with(host=literal), content=body.encode(),
            headers=headers | {"host": self._url.netloc.decode()},
            extensions={"sni_hostname": self._url.host},
        )  # fmt: skip
        response = await self._http.send(request, stream=True)
        try:
            answer = bytearray()
            async for chunk in response.aiter_bytes():
                answer += chunk
                if len(answer) > LARGEST_ANSWER:
                    break
        finally:
            await response.aclose()
        return response.status_code, response.headers, bytes(answer[:LARGEST_ANSWER])

    async def _address(self) -> Address:
        port = self._url.port or (443 if self._url.scheme == "https" else 80)
        found = await asyncio.get_running_loop().getaddrinfo(self._url.host, port, type=1)
        addresses = [ipaddress.ip_address(info[4][0]) for info in found]
        return allowed(self._url.scheme, addresses, local=self._local)


def allowed(scheme: str, addresses: Iterable[Address], *, local: bool) -> Address:
    """The address to connect to, when every address of the name may be used: https to the public Internet;
    on one machine also plain http to that machine and its containers. Raises Unsendable."""
    addresses = [getattr(a, "ipv4_mapped", None) or a for a in addresses]
    if not addresses:
        raise Unsendable("Tên miền của nơi nhận không có địa chỉ.")
    inside = [a for a in addresses if not a.is_global or a.is_multicast]
    if not local and inside:
        raise Unsendable("Địa chỉ của nơi nhận nằm trong mạng nội bộ; không gửi.")
    if scheme != "https" and not (local and len(inside) == len(addresses)):
        raise Unsendable("Địa chỉ của nơi nhận phải dùng https.")
    return addresses[0]


def retry_after(text: str) -> timedelta | None:
    """Seconds, or a date (RFC 9110, 10.2.3)."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text), 7 * 86_400))
    try:
        wait = parsedate_to_datetime(text) - datetime.now(UTC)
    except (ValueError, TypeError):
        return None
    return wait if wait > timedelta() else None
