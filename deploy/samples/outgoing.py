"""What a mail server does with a mail that somebody writes to the portal: it hands it over by LMTP, and tells
its writer what the portal said."""

import asyncio
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from deploy.samples.settings import SinkSettings
from shared.desk import utc_now
from shared.errors import InvalidInput, PortalError, Unavailable
from shared.web.forms import Email, Line, OptionalLine, Text

REFUSED: Final = 400


class Refused(PortalError):
    """The portal refused it for good: a server would return it to its writer with these words."""

    status, code = 422, "mail_refused"
    title_vi, title_en = "Cổng không nhận thư", "The portal refused the mail"


class Outgoing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: OptionalLine = ""
    sender: Email
    to: Email
    subject: Line
    text: Text
    answers: OptionalLine = Field("", description="Message-ID of the mail that it answers.")
    once: OptionalLine = Field("", description="Tells two mails of the same words apart.")


class HandedOver(BaseModel):
    message_id: str
    reply: str


async def hand_over(settings: SinkSettings, written: Outgoing) -> HandedOver:
    """What is written the same is the same mail. Raises Refused, Unavailable."""
    if not settings.lmtp_host:
        raise InvalidInput("Máy chủ thư mẫu này không chuyển thư cho ai.", errors=[{"field": "to"}])
    message = EmailMessage(policy=SMTP)
    id = sha256(repr(written).encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{id}@{written.sender.partition('@')[2]}>"
    message["Date"] = format_datetime(utc_now())
    message["From"] = f'"{written.name}" <{written.sender}>' if written.name else written.sender
    message["To"], message["Subject"] = written.to, written.subject
    if written.answers:
        message["In-Reply-To"] = written.answers
    message.set_content(written.text)
    try:
        code, words = await asyncio.to_thread(_dialogue, settings, written, message.as_bytes())
    except (OSError, smtplib.SMTPException) as error:
        raise Unavailable(f"Cổng chưa nhận thư ({type(error).__name__}).", retry_after=1) from error
    if code >= 500:
        raise Refused(words)
    if code >= 400:
        raise Unavailable(words, retry_after=1)
    return HandedOver(message_id=str(message["Message-ID"]), reply=f"{code} {words}")


def _dialogue(settings: SinkSettings, written: Outgoing, content: bytes) -> tuple[int, str]:
    with smtplib.LMTP(settings.lmtp_host, settings.lmtp_port, timeout=30) as client:
        client.ehlo("mail-sink.localhost")
        code, words = client.mail(written.sender)
        if code < REFUSED:
            code, words = client.rcpt(written.to)
        if code < REFUSED:
            code, words = client.data(content)
        return code, words.decode("utf-8", "replace")
