"""Fifty callers at once on raw sockets, in a process of their own: a client thin enough not to be what is
measured. ``python -m bench.core.client URL SECONDS`` prints one line of JSON."""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import uvloop

AT_ONCE: Final = 50
WARM: Final = 1.0  # seconds, not counted


@dataclass
class Press:
    host: str
    path: str
    begin: float
    end: float
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    def request(self) -> bytes:
        item = {"item_id": str(uuid4()), "unit": "ban-thu", "title": "Cấp đổi sổ bảo hiểm", "words": 320}
        body = json.dumps(item).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {self.host}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {item['item_id']}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class Caller(asyncio.Protocol):
    """Sends the next request when the answer to the last is whole."""

    def __init__(self, press: Press, done: asyncio.Future[None]) -> None:
        self._press, self._done = press, done
        self._buffer = b""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._send()

    def _send(self) -> None:
        self._sent = time.perf_counter()
        self._transport.write(self._press.request())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r")[0]
        if len(rest) < int(length):
            return
        now, self._buffer = time.perf_counter(), b""
        if now >= self._press.begin:
            self._press.statuses[int(head[9:12])] += 1
            self._press.waits.append(now - self._sent)
        if now < self._press.end:
            self._send()
        else:
            self._done.set_result(None)
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_exception(error or ConnectionError("closed by the server"))


async def main(url: str, seconds: float) -> None:
    parts, now = urlsplit(url), time.perf_counter()
    press = Press(parts.netloc, parts.path, now + WARM, now + WARM + seconds)
    loop = asyncio.get_running_loop()
    all_done: list[asyncio.Future[None]] = [loop.create_future() for _ in range(AT_ONCE)]
    for done in all_done:
        make = partial(Caller, press, done)
        await loop.create_connection(make, parts.hostname or "127.0.0.1", parts.port or 80)
    await asyncio.gather(*all_done)
    waits = sorted(press.waits)
    print(json.dumps({
        "rate": len(waits) / seconds, "statuses": press.statuses,
        "p50_ms": waits[len(waits) // 2] * 1000, "p99_ms": waits[len(waits) * 99 // 100] * 1000,
    }))  # fmt: skip


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2])))
