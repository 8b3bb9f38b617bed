"""The mail servers that we hand our mail to: a few connections to each, kept open while there is mail."""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Final

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPResponseException

from services.notifier.settings import NotifierSettings

IDLE: Final = 20.0  # seconds after which a server may have hung up on an unused connection
AVOIDED: Final = 30.0  # seconds in which another server is asked before one that was in trouble
CLOSING: Final = 421  # the service is not available, or there are too many connections
NONSENSE: Final = -1  # as the library calls what is no reply
TROUBLE: Final = (SMTPException, OSError, TimeoutError)


def answered(error: BaseException) -> bool:
    """The server has said no, in words that have a meaning, and goes on listening."""
    return isinstance(error, SMTPResponseException) and error.code not in (CLOSING, NONSENSE)


@dataclass
class Line:
    """One connection. ``clean``: no mail was begun on it and left."""

    client: SMTP
    clean: bool = True
    since: float = 0.0  # unused since

    @property
    def kept(self) -> bool:
        return self.client.is_connected and time.monotonic() - self.since < IDLE

    async def begin(self, sender: str) -> None:
        if not self.client.is_connected:
            await self.client.connect()
        elif not self.clean:
            await self.client.rset()
        await self.client.mail(sender)
        self.clean = False


@dataclass
class Relay:
    """At most ``limit`` connections; for a while fewer when the server says that they are too many."""

    host: str
    port: int
    limit: int
    settings: NotifierSettings
    in_use: int = 0
    avoided_until: float = float("-inf")
    idle: list[Line] = field(default_factory=list)
    _narrowed: tuple[int, float] = (0, float("-inf"))  # to so many, until then
    _seat: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def room(self) -> int:
        narrowed, until = self._narrowed
        return narrowed if time.monotonic() < until else self.limit

    @property
    def avoided(self) -> bool:
        return time.monotonic() < self.avoided_until

    async def line_from(self, sender: str) -> Line:
        """A connection on which ``sender`` has been accepted, to be given back by :meth:`release`. A kept one
        may have died unseen: then a new one, for nothing is at stake yet. Raises what the server raises."""
        async with self._seat:
            await self._seat.wait_for(lambda: self.in_use < self.room)
            self.in_use += 1
        try:
            if line := self._kept():
                try:
                    return await self._begun(line, sender)
                except TROUBLE as error:
                    if answered(error):
                        raise
            return await self._begun(Line(self._client()), sender)
        except BaseException:
            await self._leave()
            raise

    async def _begun(self, line: Line, sender: str) -> Line:
        try:
            await line.begin(sender)
        except BaseException as error:
            line.client.close()
            if not answered(error):
                self.avoided_until = time.monotonic() + AVOIDED
            if isinstance(error, SMTPResponseException) and error.code == CLOSING and self.in_use > 1:
                self._narrowed = (self.in_use - 1, time.monotonic() + AVOIDED)
            raise
        self.avoided_until = float("-inf")
        return line

    def _kept(self) -> Line | None:
        while self.idle:
            line = self.idle.pop()
            if line.kept:
                return line
            line.client.close()
        return None

    def _client(self) -> SMTP:
        s = self.settings
        return SMTP(
            hostname=self.host, port=self.port, timeout=s.smtp_timeout, start_tls=s.smtp_starttls,
            username=s.smtp_username or None, password=s.smtp_password.get_secret_value() or None,
            local_hostname=s.sender[1].rpartition("@")[2],
        )  # fmt: skip

    async def release(self, line: Line, *, keep: bool) -> None:
        for old in [other for other in self.idle if not other.kept]:
            self.idle.remove(old)
            old.client.close()
        if keep and line.client.is_connected:
            line.since = time.monotonic()
            self.idle.append(line)
        else:
            line.client.close()
        await self._leave()

    async def _leave(self) -> None:
        async with self._seat:
            self.in_use -= 1
            self._seat.notify()

    async def close(self) -> None:
        while self.idle:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.idle.pop().client.quit(), 1)
