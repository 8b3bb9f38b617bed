"""The portal's mailbox, and the address to which letters about one question are answered:
mailbox+token@domain."""

from dataclasses import dataclass, field
from uuid import UUID

from services.qa.domain.codes import Codes


@dataclass(frozen=True, slots=True)
class Addresses:
    mailbox: str
    domain: str
    codes: Codes = field(repr=False)

    @classmethod
    def of(cls, address: str, codes: Codes) -> "Addresses":
        mailbox, _, domain = address.lower().partition("@")
        return cls(mailbox, domain, codes)

    def reply_to(self, question_id: UUID) -> str:
        """Where a letter about this question is answered; empty when the portal takes no mail."""
        return f"{self.mailbox}+{self.codes.thread(question_id)}@{self.domain}" if self.domain else ""

    def ours(self, address: str) -> bool:
        """With any token: what was mistyped is still a letter to us."""
        name, _, domain = address.lower().rpartition("@")
        return bool(self.domain) and (name.partition("+")[0], domain) == (self.mailbox, self.domain)

    def question(self, address: str) -> UUID | None:
        """The question that a token of ours names."""
        return self.codes.thread_of(address.rpartition("@")[0].partition("+")[2])
