"""Mails go out in a full SMTP dialogue whose every way to end is told apart."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Final

from aiosmtplib import SMTP
from aiosmtplib.errors import SMTPException, SMTPResponseException
from pydantic import TypeAdapter, ValidationError

from services.notifier.settings import NotifierSettings
from shared.contracts.notifier import Delivery
from shared.web.forms import Email

ONE_ADDRESS: Final[TypeAdapter[str]] = TypeAdapter(Email)
BEFORE_BODY: Final = 4.0  # seconds for the server's greeting and sender, and again for recipient and DATA
IDLE: Final = 20.0  # seconds after which a server may have hung up on an unused connection
START_INPUT, COMPLETED, PERMANENT = 354, 250, 500


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to exactly one address."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    at: datetime


class NotSent(Exception):
    """How an attempt ended that no server has accepted."""

    def __init__(self, outcome: Delivery, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


def composed(mail: Mail, sender: tuple[str, str]) -> bytes:
    """The message as it goes over the wire: 7 bit, so that every server takes it. Raises NotSent for an
    address that is not exactly one."""
    try:
        to = ONE_ADDRESS.validate_python(mail.to)
    except ValidationError:
        raise NotSent(Delivery.DEFINITE, "địa chỉ người nhận không hợp lệ") from None
    message = EmailMessage(policy=SMTP_POLICY.clone(cte_type="7bit"))
    name, _, host = sender[1].rpartition("@")
    message["From"] = Address(sender[0], name, host)
    message["To"] = Address(addr_spec=to)
    message["Subject"] = " ".join(mail.subject.split())
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    message["Content-Language"] = "vi"  # here, because a Content-… header set before goes to the first part
    return message.as_bytes()


def _trouble(error: BaseException) -> str:
    return f"máy chủ thư chưa trả lời ({type(error).__name__})"


@dataclass
class Smtp:
    """A few connections, kept open while there is mail. What goes wrong before the body begins is harmless
    and tried again; a reply is definite; silence after the body began is uncertain."""

    settings: NotifierSettings
    _idle: list[tuple[SMTP, float]] = field(default_factory=list)

    async def send(self, mail: Mail) -> str:
        """The server's words on accepting it. Raises NotSent."""
        sender = self.settings.sender
        content = composed(mail, sender)
        async with self._connection() as client:
            try:
                async with asyncio.timeout(BEFORE_BODY):
                    await self._ready(client)
                    await client.mail(sender[1])
            except (SMTPException, OSError, TimeoutError) as error:
                # Whatever the server has against us is no reason to give up on the asker.
                words = (
                    f"{error.code} {error.message}"
                    if isinstance(error, SMTPResponseException)
                    else _trouble(error)
                )
                raise NotSent(Delivery.TEMPORARY, words) from error
            try:
                async with asyncio.timeout(BEFORE_BODY):
                    await client.rcpt(mail.to)
                    begun = await client.execute_command(b"DATA")
            except SMTPResponseException as error:
                raise NotSent(*_refusal(error.code, error.message)) from error
            except (SMTPException, OSError, TimeoutError) as error:
                raise NotSent(Delivery.TEMPORARY, _trouble(error)) from error
            if begun.code != START_INPUT:
                raise NotSent(*_refusal(begun.code, begun.message))
            return await self._body(client, content)

    async def _body(self, client: SMTP, content: bytes) -> str:
        assert client.protocol is not None  # noqa: S101 (it has just answered)
        dotted = b"\r\n".join(
            b"." + line if line.startswith(b".") else line for line in content.split(b"\r\n")
        )
        try:
            client.protocol.write(dotted.removesuffix(b"\r\n") + b"\r\n.\r\n")
            reply = await client.protocol.read_response(timeout=self.settings.smtp_timeout)
        except (SMTPException, OSError, TimeoutError) as error:
            words = f"đã gửi nội dung nhưng {_trouble(error)}: không rõ thư đã được nhận hay chưa"
            raise NotSent(Delivery.UNCERTAIN, words) from error
        if reply.code != COMPLETED:
            raise NotSent(*_refusal(reply.code, reply.message))
        return f"{reply.code} {reply.message}"[:300]

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SMTP]:
        client = self._take()
        try:
            yield client
        except BaseException:
            client.close()
            raise
        self._idle.append((client, time.monotonic()))

    def _take(self) -> SMTP:
        while self._idle:
            client, since = self._idle.pop()
            if client.is_connected and time.monotonic() - since < IDLE:
                return client
            client.close()
        s = self.settings
        return SMTP(
            hostname=s.smtp_host, port=s.smtp_port, timeout=s.smtp_timeout, start_tls=s.smtp_starttls,
            username=s.smtp_username or None, password=s.smtp_password.get_secret_value() or None,
            local_hostname=s.sender[1].rpartition("@")[2],
        )  # fmt: skip

    async def _ready(self, client: SMTP) -> None:
        """A kept connection may have died unseen: then a new one, before anything is at stake."""
        if client.is_connected:
            try:
                await client.rset()
            except (SMTPException, OSError, TimeoutError):
                client.close()
            else:
                return
        await client.connect()

    async def close(self) -> None:
        while self._idle:
            client, _ = self._idle.pop()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(client.quit(), 1)


def _refusal(code: int, words: str) -> tuple[Delivery, str]:
    """5xx is for good, everything else for now."""
    return Delivery.DEFINITE if code >= PERMANENT else Delivery.TEMPORARY, f"{code} {words}"[:300]
