"""The mail that was accepted: kept as .eml files, so that it is still there after a restart."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as MODERN
from functools import cached_property
from pathlib import Path

from deploy.samples.serving import write_whole

# The envelope is not part of a mail; it is written above it as a relay would.
SENDER, RECIPIENT, RECEIVED_AT = "X-Envelope-From", "X-Envelope-To", "X-Received-At"


@dataclass(frozen=True)
class Mail:
    id: str
    raw: bytes

    @cached_property
    def message(self) -> EmailMessage:
        message = message_from_bytes(self.raw, policy=MODERN)
        assert isinstance(message, EmailMessage)  # noqa: S101 - what this policy always makes
        return message

    @property
    def recipients(self) -> list[str]:
        return [str(value) for value in self.message.get_all(RECIPIENT, [])]

    @property
    def subject(self) -> str:
        return str(self.message.get("Subject", ""))

    @property
    def message_id(self) -> str:
        return str(self.message.get("Message-ID", "")).strip()

    @property
    def received_at(self) -> datetime:
        return datetime.fromisoformat(str(self.message[RECEIVED_AT]))

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, str(value)) for name, value in self.message.items()]

    @cached_property
    def text(self) -> str:
        body = self.message.get_body(("plain", "html"))
        return str(body.get_content()).replace("\r\n", "\n") if body else ""


class Mailbox:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._mails = {file.stem: Mail(file.stem, file.read_bytes()) for file in sorted(folder.glob("*.eml"))}
        self._numbers = itertools.count(1)

    def keep(self, sender: str, recipients: Sequence[str], content: bytes) -> Mail:
        now = datetime.now(UTC)
        envelope = [
            (SENDER, sender),
            *((RECIPIENT, one) for one in recipients),
            (RECEIVED_AT, now.isoformat()),
        ]
        head = "".join(f"{name}: {value}\r\n" for name, value in envelope).encode()
        # Names sort by time of arrival, and no two are the same.
        mail = Mail(f"{now:%Y%m%dT%H%M%S%f}-{next(self._numbers):06}", head + content)
        write_whole(self._folder / f"{mail.id}.eml", mail.raw, durable=False)
        self._mails[mail.id] = mail
        return mail

    def get(self, mail_id: str) -> Mail | None:
        return self._mails.get(mail_id)

    def newest_first(self, to: str = "") -> list[Mail]:
        wanted = to.strip().lower()
        mails = reversed(self._mails.values())
        return [mail for mail in mails if not wanted or wanted in map(str.lower, mail.recipients)]
