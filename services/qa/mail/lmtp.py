"""The door at which a mail server hands over (LMTP, RFC 2033). A mail is answered for once it is on record;
one that is too large is dropped while it streams."""

import asyncio
import logging
from typing import AnyStr, Final

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.qa.mail import replies
from services.qa.mail.intake import Intake

log = structlog.get_logger(__name__)

END: Final = b"\r\n.\r\n"
MOST_AT_ONCE: Final = 8  # bodies in memory
SILENT_FOR: Final = 120.0  # seconds after which a connection is closed


class Doorman:
    """What is answered before a body comes; aiosmtpd finds the steps by their names."""

    def __init__(self, intake: Intake) -> None:
        self.intake = intake
        self.too_large = replies.too_large(intake.settings.largest_mail, intake.ask)
        self.bodies = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self.intake.addresses.ours(address):
            return replies.NOT_OURS
        if envelope.rcpt_tos:  # LMTP answers for each recipient; with one there is one answer
            return replies.ONE_BY_ONE
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_exception(self, error: Exception) -> str:
        log.warning("mail.dialogue_broken", error=type(error).__name__)
        return replies.PUT_OFF


class Dialogue(LMTP):
    """aiosmtpd's, but for the body: it comes as one piece, for the library keeps an object a line."""

    def __init__(self, doorman: Doorman) -> None:
        self.line_length_limit = doorman.intake.settings.largest_mail
        self._doorman = doorman
        super().__init__(
            doorman, hostname="qa", ident="LMTP", enable_SMTPUTF8=True, timeout=SILENT_FOR,
            data_size_limit=doorman.intake.settings.largest_mail, loop=asyncio.get_running_loop(),
        )  # fmt: skip

    async def smtp_DATA(self, arg: str) -> None:
        envelope, doorman = self.envelope, self._doorman
        if envelope is None or not envelope.rcpt_tos or arg:
            await self.push("503 5.5.1 RCPT first, and DATA alone")
            return
        if doorman.bodies >= MOST_AT_ONCE:
            await self.push(replies.BUSY)
            return
        doorman.bodies += 1
        try:
            self._reader.feed_data(b"\r\n")  # the end may be its first line
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            body = await self._body()
            reply = doorman.too_large
            if body is not None:
                sender = envelope.mail_from or ""
                reply = await doorman.intake.take(body, sender, envelope.rcpt_tos[0])
        finally:
            doorman.bodies -= 1
        self.envelope = self._create_envelope()
        await self.push(reply)

    async def _body(self) -> bytes | None:
        """None when it is too large."""
        fits = True
        while True:
            try:
                body = await self._reader.readuntil(END)
            except asyncio.LimitOverrunError as more:
                fits = False
                await self._reader.read(more.consumed)
            else:
                return body.replace(b"\r\n..", b"\r\n.")[2 : -len(END) + 2] if fits else None

    async def push(self, status: AnyStr) -> None:
        """A size that the server told beforehand is refused with advice too."""
        if isinstance(status, str) and status.startswith("552 Error"):
            await super().push(self._doorman.too_large)
        else:
            await super().push(status)


async def listen(intake: Intake) -> None:
    """Until cancelled."""
    settings = intake.settings
    # The library's own lines tell addresses, and of a broken dialogue the words of a mail.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    doorman = Doorman(intake)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Dialogue(doorman), settings.lmtp_host, settings.lmtp_port)
    log.info("mail.listening", host=settings.lmtp_host, port=settings.lmtp_port)
    async with server:
        await server.serve_forever()
