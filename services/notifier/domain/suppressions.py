"""An address that is not written to (ngừng gửi): known by a keyed hash alone, with who decided it and why."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from typing import ClassVar

from services.notifier.regulation import SUPPRESSIONS, SuppressionStatus
from shared.contracts.base import Aggregate, Decision, Event, only
from shared.contracts.notifier import AddressReleased, AddressSuppressed
from shared.errors import InvalidInput
from shared.workflow import Actor


def mark_of(address: str, key: bytes) -> str:
    """The keyed hash of an address, however it is written: without the key nobody can try addresses."""
    return hmac.new(key, address.strip().casefold().encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Suppression(Aggregate):
    KIND: ClassVar[str] = "suppression"

    id: str  # the mark
    status: SuppressionStatus = SuppressionStatus.SUPPRESSED
    reason: str = ""

    @classmethod
    def begin(cls, event: Event) -> "Suppression":
        first = only(event, AddressSuppressed)
        return cls(first.mark, reason=first.reason)

    def apply(self, event: Event) -> "Suppression":
        match event:
            case AddressSuppressed():
                return replace(self, status=SuppressionStatus.SUPPRESSED, reason=event.reason)
            case AddressReleased():
                return replace(self, status=SuppressionStatus.RELEASED, reason=event.reason)
            case _:
                return self


def suppress(known: Suppression | None, mark: str, reason: str, *, by: Actor) -> Decision[Suppression]:
    """Ngừng gửi tới địa chỉ này; a second time adds nothing."""
    status = known.status if known else SuppressionStatus.RELEASED
    after = SUPPRESSIONS.after(status, "suppress", by)
    if known is not None and known.status is after:
        return known.then()
    suppressed = AddressSuppressed(mark=mark, reason=_given(reason))
    return Suppression.starts_with(suppressed) if known is None else known.then(suppressed)


def release(known: Suppression, reason: str, *, by: Actor) -> Decision[Suppression]:
    """Gửi lại được."""
    SUPPRESSIONS.after(known.status, "release", by)
    return known.then(AddressReleased(mark=known.id, reason=_given(reason)))


def _given(reason: str) -> str:
    words = " ".join(reason.split())
    if not 3 <= len(words) <= 300 or "@" in words:
        message = "Ghi lý do, 3 đến 300 ký tự, không ghi địa chỉ."
        raise InvalidInput(message, errors=[{"field": "reason", "message": message}])
    return words
