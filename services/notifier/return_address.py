"""Where a mail that can't be delivered comes back to: an address that tells which notice and which attempt it
was, proves that we made it, and says nothing of the person (VERP)."""

import hmac
import re
from base64 import b32decode, b32encode
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Final
from uuid import UUID

from services.notifier.domain import ForgedReturn
from services.notifier.settings import NotifierSettings

PROOF: Final = 8  # bytes of the keyed hash: a forger has one chance in 2**64
MOST_ATTEMPTS: Final = 0xFFFF
TOKEN: Final = re.compile(r"[a-z2-7]{42}")


@dataclass(frozen=True, slots=True)
class ReturnAddresses:
    mailbox: str
    domain: str
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, settings: NotifierSettings) -> "ReturnAddresses":
        name, _, domain = settings.bounce_mailbox.partition("@")
        secret = settings.secret_key.get_secret_value().encode()
        return cls(name, domain or settings.mail_domain, hmac.digest(secret, b"returned mail", sha256))

    def address(self, notice: UUID, attempt: int) -> str:
        """``bounce+<token>@domain``; its left part has at most 59 characters."""
        told = notice.bytes + min(attempt, MOST_ATTEMPTS).to_bytes(2, "big")
        token = b32encode(told + self._proof(told)).decode("ascii").rstrip("=").lower()
        return f"{self.mailbox}+{token}@{self.domain}"

    def read(self, address: str) -> tuple[UUID, int]:
        """Notice and attempt. Raises ForgedReturn for an address that we did not make."""
        name, _, domain = address.strip().strip("<>").lower().partition("@")
        mailbox, _, token = name.partition("+")
        ours = (mailbox, domain) == (self.mailbox, self.domain.lower())
        if not ours or not TOKEN.fullmatch(token):
            raise ForgedReturn("Địa chỉ nhận thư trả lại không phải của hệ thống.")
        told = b32decode(token.upper() + "=" * (-len(token) % 8))
        notice, attempt = UUID(bytes=told[:16]), int.from_bytes(told[16:18], "big")
        made = self.address(notice, attempt).partition("@")[0]
        if not hmac.compare_digest(name.encode(), made.encode()):
            raise ForgedReturn("Địa chỉ nhận thư trả lại không phải của hệ thống.")
        return notice, attempt

    def is_ours(self, address: str) -> bool:
        """It looks like one; whether it is, :meth:`read` says."""
        return address.strip().strip("<>").lower().startswith(f"{self.mailbox}+")

    def _proof(self, told: bytes) -> bytes:
        return blake2b(told, key=self.key, digest_size=PROOF).digest()
