"""Mails as people and machines write them, and the dialogue in which a mail server hands them over."""

import asyncio
import smtplib
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import uuid4

MAILBOX = "hoi@bhxh.example.vn"
HOA = "hoa@hopthu.example.vn"
SUBJECT = "Điều kiện rút BHXH một lần"
TEXT = "Tôi nghỉ việc 14 tháng, có được rút một lần không?"


def mail(text: str = TEXT, **headers: str) -> bytes:
    """By Hoa, to the portal; ``Message_ID`` is the header Message-ID, an empty one is left out."""
    message = EmailMessage(policy=SMTP)
    given = {
        "From": f"Nguyễn Thị Hoa <{HOA}>", "To": MAILBOX, "Subject": SUBJECT,
        "Message-ID": f"<{uuid4().hex}@hopthu.example.vn>",
    } | {name.replace("_", "-"): value for name, value in headers.items()}  # fmt: skip
    for name, value in given.items():
        if value:
            message[name] = value
    message.set_content(text)
    return message.as_bytes()


async def listening(port: int, patience: float = 20.0) -> None:
    """The service opens this door once its database has answered."""
    async with asyncio.timeout(patience):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return


async def hand_over(
    port: int, raw: bytes, *, sender: str = HOA, to: str = MAILBOX, told: int = 0
) -> tuple[int, str]:
    """The reply to the first step that is not accepted, or to the whole mail; ``told``: the size that is
    announced."""
    return await asyncio.to_thread(_dialogue, port, raw, sender, to, told)


def _dialogue(port: int, raw: bytes, sender: str, to: str, told: int) -> tuple[int, str]:
    with smtplib.LMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo("mx.example.vn")
        steps: list[Any] = [
            lambda: client.mail(sender, [f"size={told}"] if told else []),
            lambda: client.rcpt(to),
            lambda: client.data(raw),
        ]
        for step in steps:
            code, words = step()
            if code >= 400:
                break
        return code, words.decode()
