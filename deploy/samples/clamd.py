"""A scanner that knows one virus, the EICAR test file, and speaks as clamd does (zPING, zVERSION, zINSTREAM).
It keeps nothing of what it is shown, and can be slow, silent, broken off, in error, or talk nonsense."""

import asyncio
import struct
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from deploy.samples.serving import Behaviour, Mood, sample_app, sample_look, serve
from deploy.samples.settings import ScannerSettings
from shared.web.look import Look

Mode = Literal["ok", "slow", "hang", "die", "error", "garbage"]
ScannerBehaviour = Behaviour[Mode]

# In two halves, so that no scanner of this machine takes this file for it.
EICAR: Final = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD" + rb"-ANTIVIRUS-TEST-FILE!$H+H*"
LARGEST: Final = 25 * 1024 * 1024  # bytes of a stream, clamd's own default


@dataclass
class Seen:
    size: int
    reply: str
    at: datetime


@dataclass
class Scanner:
    mood: Mood[Mode] = field(default_factory=lambda: Mood(ScannerBehaviour(mode="ok")))
    seen: deque[Seen] = field(default_factory=lambda: deque(maxlen=500))

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            command = await reader.readuntil(b"\0")
            await self._answer(command.rstrip(b"\0"), reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass  # whoever asked is gone
        finally:
            writer.close()

    async def _answer(
        self, command: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match command:
            case b"zPING":
                writer.write(b"PONG\0")
            case b"zVERSION":
                writer.write(b"ClamAV sample\0")
            case b"zINSTREAM":
                behaviour = self.mood.take()
                if behaviour.mode == "die":
                    return
                size, reply = await self._scan(reader)
                if behaviour.mode in ("slow", "hang"):
                    await asyncio.sleep(behaviour.seconds)
                if behaviour.mode == "hang":
                    return
                reply = {"error": "stream: Can't allocate memory ERROR", "garbage": "Xin chào"}.get(
                    behaviour.mode, reply
                )
                self.seen.appendleft(Seen(size, reply, datetime.now(UTC)))
                writer.write(reply.encode() + b"\0")
            case _:
                writer.write(b"UNKNOWN COMMAND\0")
        await writer.drain()

    async def _scan(self, reader: asyncio.StreamReader) -> tuple[int, str]:
        size, tail, infected = 0, b"", False
        while length := struct.unpack(">I", await reader.readexactly(4))[0]:
            size += length
            if size > LARGEST:
                return size, "INSTREAM size limit exceeded. ERROR"
            window = tail + await reader.readexactly(length)
            infected = infected or EICAR in window
            tail = window[-len(EICAR) :]
        return size, f"stream: {'Eicar-Test-Signature FOUND' if infected else 'OK'}"


def scanner_app(settings: ScannerSettings, scanner: Scanner) -> FastAPI:
    look = sample_look("Máy quét chạy thử", "shield-check")
    app = sample_app("Scanner", look)

    @asynccontextmanager
    async def listening(_: FastAPI) -> AsyncIterator[None]:
        server = await asyncio.start_server(scanner.talk, settings.host, settings.clamd_port)
        yield
        server.close()

    app.router.lifespan_context = listening
    app.include_router(_edges(scanner, look))
    return app


def _edges(scanner: Scanner, look: Look) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    async def home() -> HTMLResponse:
        return HTMLResponse(look.render("scanner_home.html", seen=list(scanner.seen)))

    @router.get("/seen.json")
    async def seen() -> list[dict[str, Any]]:
        return [{"size": s.size, "reply": s.reply, "at": s.at.isoformat()} for s in scanner.seen]

    @router.post("/behave")
    async def behave(behaviour: ScannerBehaviour) -> ScannerBehaviour:
        scanner.mood.now = behaviour
        return behaviour

    return router


def main() -> None:
    settings = ScannerSettings()
    serve(scanner_app(settings, Scanner()), settings.host, settings.http_port)


if __name__ == "__main__":
    main()
