"""Mails go out in a full SMTP dialogue whose every way to end is told apart: what goes wrong before the body
begins is harmless and tried again, a reply is definite, silence after the body began is uncertain."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPResponseException

from services.notifier.gateways.mail_composing import Mail, NotSent, composed, one_address
from services.notifier.gateways.mail_relays import NONSENSE, TROUBLE, Line, Relay
from services.notifier.gateways.mail_signing import Signer
from services.notifier.said import without_addresses
from services.notifier.settings import NotifierSettings
from shared.contracts.notifier import Delivery

BEFORE_BODY: Final = 4.0  # seconds for the server's greeting and sender, and again for recipient and DATA
START_INPUT, TEMPORARY, PERMANENT = 354, 400, 500
ACCEPTED: Final = range(200, 300)


def _trouble(error: BaseException) -> str:
    return f"máy chủ thư chưa trả lời ({type(error).__name__})"


class Taken(str):
    """The server's words on accepting a mail, and which server it was (host:port)."""

    relay: str = ""


@dataclass
class Smtp:
    """Our mail servers, in the order in which they are asked. Another one is asked as long as none has
    accepted the sender; from the recipient on, a mail stays with its server."""

    settings: NotifierSettings
    relays: list[Relay] = field(init=False)
    signer: Signer | None = field(init=False)
    sender: tuple[str, str] = field(init=False)  # parsed once

    def __post_init__(self) -> None:
        s = self.settings
        self.sender = s.sender
        self.relays = [Relay(host, port, s.smtp_connections, s) for host, port in s.smtp_relays]
        self.signer = (
            Signer.of_file(s.dkim_selector, s.dkim_domain or s.mail_domain, s.dkim_key_file)
            if s.dkim_key_file
            else None
        )

    @property
    def signed_by(self) -> str:
        """``d=`` and ``s=`` of the signature; empty: unsigned."""
        return f"{self.signer.domain}, {self.signer.selector}" if self.signer else ""

    async def send(self, mail: Mail) -> Taken:
        """Raises NotSent."""
        to, content = one_address(mail.to), composed(mail, self.sender, self.signer)
        relay, line = await self._line_from(mail.returns_to or self.sender[1])
        keep = False
        try:
            reply = Taken(await self._told(line, to, content))
            reply.relay = f"{relay.host}:{relay.port}"
            keep = True
        except NotSent as failure:
            keep = failure.outcome is not Delivery.UNCERTAIN
            raise
        finally:
            await relay.release(line, keep=keep)
        return reply

    async def _line_from(self, sender: str) -> tuple[Relay, Line]:
        """Each server in turn, those in trouble last; none may take all of the time."""
        until, words = time.monotonic() + BEFORE_BODY, ""
        waiting = sorted(self.relays, key=lambda relay: relay.avoided)
        while waiting:
            relay, left = waiting.pop(0), until - time.monotonic()
            try:
                async with asyncio.timeout(left / 2 if waiting else left):
                    return relay, await relay.line_from(sender)
            except TROUBLE as error:
                # Whatever the server has against us is no reason to give up on the asker.
                words = _words(error) if isinstance(error, SMTPResponseException) else _trouble(error)
        raise NotSent(Delivery.TEMPORARY, words)

    async def _told(self, line: Line, to: str, content: bytes) -> str:
        try:
            async with asyncio.timeout(BEFORE_BODY):
                await line.client.rcpt(to)
                begun = await line.client.execute_command(b"DATA")
        except SMTPResponseException as error:
            raise _refusal(error.code, error.message, to) from error
        except TROUBLE as error:
            line.client.close()
            raise NotSent(Delivery.TEMPORARY, _trouble(error)) from error
        if begun.code != START_INPUT:
            raise _refusal(begun.code, begun.message, to)
        return await self._body(line, to, content)

    async def _body(self, line: Line, to: str, content: bytes) -> str:
        client: SMTP = line.client
        assert client.protocol is not None  # noqa: S101 (it has just answered)
        dotted = b"\r\n".join(b"." + row if row.startswith(b".") else row for row in content.split(b"\r\n"))
        try:
            client.protocol.write(dotted.removesuffix(b"\r\n") + b"\r\n.\r\n")
            reply = await client.protocol.read_response(timeout=self.settings.smtp_timeout)
        except TROUBLE as error:
            words = f"đã gửi nội dung nhưng {_trouble(error)}: không rõ thư đã được nhận hay chưa"
            raise NotSent(Delivery.UNCERTAIN, words) from error
        line.clean = True  # whichever way it answered, this mail is over
        if reply.code in ACCEPTED:
            return without_addresses(f"{reply.code} {reply.message}", to)
        if reply.code < TEMPORARY:
            raise NotSent(Delivery.UNCERTAIN, _words(SMTPResponseException(NONSENSE, "")))
        raise _refusal(reply.code, reply.message, to)

    async def close(self) -> None:
        for relay in self.relays:
            await relay.close()


def _words(error: SMTPResponseException) -> str:
    return (
        "máy chủ thư trả lời không theo giao thức SMTP"
        if error.code == NONSENSE
        else without_addresses(f"{error.code} {error.message}")
    )


def _refusal(code: int, words: str, to: str) -> NotSent:
    """5xx is for good, everything else for now."""
    if code == NONSENSE:
        return NotSent(Delivery.TEMPORARY, "máy chủ thư trả lời không theo giao thức SMTP")
    outcome = Delivery.DEFINITE if code >= PERMANENT else Delivery.TEMPORARY
    return NotSent(outcome, without_addresses(f"{code} {words}", to))
