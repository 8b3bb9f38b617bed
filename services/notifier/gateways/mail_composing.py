"""A mail as the bytes that go over the wire: 7 bit, one recipient, and no header but our own. Written by
hand, because the standard library's way takes 7 ms, most of what sending costs; the tests read each one back
with the standard library and find the same."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from functools import lru_cache
from typing import Final

from pydantic import TypeAdapter, ValidationError

from services.notifier.gateways.mail_signing import Signer
from shared.contracts.notifier import Delivery
from shared.web.forms import Email

ONE_ADDRESS: Final[TypeAdapter[str]] = TypeAdapter(Email)
# NUL, CR, LF, every other control character, Unicode's line ends, halves of characters: in no header.
UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
MESSAGE_ID: Final = re.compile(r"<[!#-;=?A-Z^-~]{1,200}@[A-Za-z0-9.-]{1,253}>")
LANGUAGE: Final = re.compile(r"[a-z]{2}(?:-[A-Za-z]{2,8})?")
# Characters that base64 has not: it can't stand in a part.
BOUNDARY: Final = "=_thu-bao-bhxh_="
PLAIN_SUBJECT: Final = 66  # characters of ASCII on one line with its name; anything else is encoded
# Bytes in an encoded word: 75 characters a word, and the first one shares its line with «Subject: ».
FIRST_WORD, NEXT_WORD = 36, 45


@dataclass(frozen=True, slots=True)
class Mail:
    """One message to exactly one address. ``returns_to`` is the envelope's sender, where a mail that can't be
    delivered comes back to; ``reply_to`` where a reader's answer goes; each empty: the sender that the reader
    sees."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    at: datetime
    returns_to: str = ""
    language: str = "vi"
    reply_to: str = ""


class NotSent(Exception):
    """How an attempt ended that no server has accepted."""

    def __init__(self, outcome: Delivery, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


def one_address(text: str) -> str:
    """Raises NotSent for what is not exactly one address."""
    try:
        return ONE_ADDRESS.validate_python(text)
    except ValidationError:
        raise NotSent(Delivery.DEFINITE, "địa chỉ người nhận không hợp lệ") from None


def composed(mail: Mail, sender: tuple[str, str], signer: Signer | None = None) -> bytes:
    """Raises NotSent for an address that is not exactly one, and for a header value that could be more than
    one line."""
    to = one_address(mail.to)
    if UNFIT.search(mail.subject) or not MESSAGE_ID.fullmatch(mail.message_id):
        raise NotSent(Delivery.DEFINITE, "tiêu đề hoặc mã thư có ký tự không được phép")
    if not LANGUAGE.fullmatch(mail.language):
        raise NotSent(Delivery.DEFINITE, "mã ngôn ngữ của thư không hợp lệ")
    answers_go = (("Reply-To", one_address(mail.reply_to)),) if mail.reply_to else ()
    headers = (
        ("From", _sender(sender)),
        ("To", to),
        *answers_go,
        ("Subject", "\r\n ".join(_words(mail.subject.strip()))),
        ("Date", format_datetime(mail.at)),
        ("Message-ID", mail.message_id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ("Content-Language", mail.language),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{BOUNDARY}"'),
    )
    try:
        parts = (_part("plain", mail.text), _part("html", mail.html))
    except UnicodeEncodeError:
        raise NotSent(Delivery.DEFINITE, "lời thư có ký tự không được phép") from None
    body = f"--{BOUNDARY}\r\n{parts[0]}--{BOUNDARY}\r\n{parts[1]}--{BOUNDARY}--\r\n".encode("ascii")
    named = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]
    head = b"".join(b"%b: %b\r\n" % header for header in named)
    return (signer.signature(named, body, mail.at) if signer else b"") + head + b"\r\n" + body


@lru_cache(maxsize=16)
def _sender(sender: tuple[str, str]) -> str:
    """As the standard library folds it: it is the same for every mail."""
    message = EmailMessage(policy=SMTP_POLICY.clone(cte_type="7bit"))
    name, _, host = sender[1].rpartition("@")
    message["From"] = Address(sender[0], name, host)
    folded = message.as_bytes().decode("ascii").partition("\r\n\r\n")[0]
    return folded.removeprefix("From: ").rstrip("\r\n")


def _words(text: str) -> Iterator[str]:
    """A subject as RFC 2047 has it, never cut within a character."""
    if len(text) <= PLAIN_SUBJECT and text.isascii() and "=?" not in text:
        yield text
        return
    word, room = bytearray(), FIRST_WORD
    for character in text:
        encoded = character.encode()
        if len(word) + len(encoded) > room:
            yield _word(word)
            word, room = bytearray(), NEXT_WORD
        word += encoded
    yield _word(word)


def _word(content: bytes | bytearray) -> str:
    return f"=?utf-8?b?{b64encode(content).decode('ascii')}?="


def _part(kind: str, text: str) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
    encoded = b64encode(lines.encode()).decode("ascii")
    rows = "\r\n".join([encoded[at : at + 76] for at in range(0, len(encoded), 76)])
    return (
        f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n{rows}\r\n'
    )
