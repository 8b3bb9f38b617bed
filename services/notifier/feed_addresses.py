"""The signed address of a unit's calendar of due dates: no login, nothing to guess, and revocable."""

import hmac
from base64 import b32encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

PROOF: Final = 20  # bytes of the HMAC


@dataclass(frozen=True, slots=True)
class FeedAddresses:
    """``key`` empty: nobody has an address."""

    key: bytes = field(repr=False)

    def path(self, unit: str, generation: int) -> str:
        """Empty when there is no key. The token stands in the path, where proxies log no query of it."""
        return f"/lich-han/{unit}/{self._token(unit, generation)}.ics" if self.key else ""

    def opens(self, token: str, unit: str, generation: int) -> bool:
        """Whether the token is that of this unit's address which counts now."""
        return bool(self.key) and hmac.compare_digest(token.encode(), self._token(unit, generation).encode())

    def _token(self, unit: str, generation: int) -> str:
        told = f"{unit}#{generation}".encode()
        return b32encode(hmac.digest(self.key, told, sha256)[:PROOF]).decode().lower()
