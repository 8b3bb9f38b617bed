"""Máy quét mã độc: clamd by its own protocol, INSTREAM over TCP. Called by a job alone."""

import asyncio
import contextlib
import re
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from shared.contracts.qa import FileVerdict
from shared.errors import Unavailable

PATIENCE: Final = 120.0  # seconds for one file, as clamd's own limit for a scan
LONGEST_REPLY: Final = 1000  # bytes
REPLY: Final = re.compile(r"stream: (?:(?P<finding>[!-~][ -~]{0,199}) FOUND|(?P<clean>OK))")
ITS_FAULT: Final = re.compile(r"(?:[ -~]{0,200}: )?[ -~]{1,200} ERROR")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``finding`` is what the scanner calls it."""

    verdict: FileVerdict
    finding: str = ""


class ScannerFailed(Unavailable):
    """The scanner says that it could not read this file; another time it may."""

    code = "scanner_failed"


class Clamd:
    def __init__(self, address: str, *, patience: float = PATIENCE) -> None:
        host, _, port = address.rpartition(":")
        self._host, self._port, self._patience = host, int(port), patience

    async def scan(self, content: AsyncIterator[bytes]) -> Verdict:
        """Raises Unavailable when it does not answer as clamd does, ScannerFailed when it gives an error."""
        try:
            async with asyncio.timeout(self._patience):
                reply, whole = await self._ask(content)
        except (OSError, EOFError, asyncio.LimitOverrunError) as error:  # TimeoutError is an OSError
            raise Unavailable(f"Máy quét chưa trả lời ({type(error).__name__}).") from error
        text = reply.decode("ascii", "replace").rstrip("\0\n")
        said = REPLY.fullmatch(text)
        if said and (whole or not said["clean"]):  # nobody knows of what they have not seen that it is clean
            infected = said["finding"] is not None
            return Verdict(FileVerdict.INFECTED if infected else FileVerdict.CLEAN, said["finding"] or "")
        if ITS_FAULT.fullmatch(text):
            raise ScannerFailed(f"Máy quét báo lỗi: {text}")
        raise Unavailable("Máy quét trả lời không đúng giao thức.")

    async def _ask(self, content: AsyncIterator[bytes]) -> tuple[bytes, bool]:
        """The reply, and whether the scanner took all of the content."""
        reader, writer = await asyncio.open_connection(self._host, self._port, limit=LONGEST_REPLY)
        # It may answer and hang up before the end, so its answer is waited for from the beginning.
        answer = asyncio.create_task(reader.readuntil(b"\0"))
        try:
            with contextlib.suppress(ConnectionError):
                writer.write(b"zINSTREAM\0")
                async for piece in content:
                    if answer.done():
                        return await answer, False
                    writer.write(struct.pack(">I", len(piece)) + piece)
                    await writer.drain()
                writer.write(struct.pack(">I", 0))
                await writer.drain()
                return await answer, True
            return await answer, False
        finally:
            writer.close()
            answer.cancel()
            await asyncio.gather(answer, return_exceptions=True)
