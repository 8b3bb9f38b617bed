"""Fifty at once: a client thin enough not to be what is measured. It writes HTTP/1.1 on kept connections."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

AT_ONCE: Final = 50
ANSWER_SECONDS: Final = 20


@dataclass
class Load:
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return len(self.waits) / self.seconds


async def press(url: str, body: Callable[[], dict[str, Any]], *, seconds: float) -> Load:
    """POST as fast as fifty callers can, each waiting for its answer, for so many seconds."""
    parts = urlsplit(url)
    load, began = Load(), time.perf_counter()
    until = began + seconds

    async def caller() -> None:
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            while (sent := time.perf_counter()) < until:
                writer.write(_request(parts.netloc, parts.path, json.dumps(body()).encode()))
                load.statuses[await _answer(reader)] += 1
                load.waits.append(time.perf_counter() - sent)
        finally:
            writer.close()

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(caller())
    load.seconds = time.perf_counter() - began
    return load


def _request(host: str, path: str, body: bytes) -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Idempotency-Key: {uuid4().hex}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _answer(reader: asyncio.StreamReader) -> int:
    async with asyncio.timeout(ANSWER_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next(int(x.split(b":")[1]) for x in lines if x.lower().startswith(b"content-length:"))
        await reader.readexactly(length)
    return int(lines[0].split()[1])
