"""So many requests a second of each kind, all kinds at once, each sent at its time whether or not the last
has been answered: what one waits is counted from that time, so that a stall is not flattered."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

PATIENCE: Final = 30.0
WARM: Final = 3.0  # seconds, not counted


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def written(self, host: str) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(self.body)}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


@dataclass
class Kind:
    """``make`` writes its next request; ``urls``: the same by several processes, each in its turn; ``waits``
    in seconds; a status of 0 is a request that nobody answered."""

    name: str
    urls: Sequence[str]
    make: Callable[[], Request]
    waits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    largest: int = 0


class Line:
    """Connections to one server that are kept for the next request."""

    def __init__(self, url: str) -> None:
        self._parts, self._free = urlsplit(url), list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()

    async def ask(self, request: Request) -> tuple[int, bytes]:
        if self._free:
            reader, writer = self._free.pop()
        else:
            reader, writer = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        async with asyncio.timeout(PATIENCE):
            writer.write(request.written(self._parts.netloc))
            status, body = await _answer(reader)
        self._free.append((reader, writer))
        return status, body

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    if b"transfer-encoding: chunked" not in head:
        length = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
        return status, await reader.readexactly(length)
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        body += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readexactly(2)
    return status, body


async def one_by_one(kind: Kind, count: int) -> None:
    """Nobody else asks: what a request of this kind takes by itself."""
    line = Line(kind.urls[0])
    for _ in range(count):
        sent = time.perf_counter()
        status, body = await line.ask(kind.make())
        kind.waits.append(time.perf_counter() - sent)
        kind.statuses[status] += 1
        kind.largest = max(kind.largest, len(body))
    line.close()


async def at_once(kinds: list[Kind], rate: float, seconds: float) -> None:
    """Fills each kind's ``waits``; the kinds take turns, so as not to knock all in the same instant."""
    lines = {url: Line(url) for kind in kinds for url in kind.urls}
    began = time.perf_counter()

    async def one(kind: Kind, turn: int, due: float) -> None:
        try:
            status, body = await lines[kind.urls[turn % len(kind.urls)]].ask(kind.make())
        except (OSError, EOFError):
            status, body = 0, b""
        if due >= began + WARM:
            kind.waits.append(time.perf_counter() - due)
            kind.statuses[status] += 1
            kind.largest = max(kind.largest, len(body))

    async with asyncio.TaskGroup() as group:
        for turn in range(int(rate * (WARM + seconds))):
            for place, kind in enumerate(kinds):
                due = began + (turn + place / len(kinds)) / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(one(kind, turn, due))
    for line in lines.values():
        line.close()
