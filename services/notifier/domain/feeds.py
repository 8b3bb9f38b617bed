"""The address of a unit's calendar of due dates (địa chỉ lịch hạn): whoever has it may read it, so it can be
revoked; the next generation has another one."""

from dataclasses import dataclass, replace
from typing import ClassVar

from services.notifier.regulation import FEEDS, FeedStatus
from shared.contracts.base import Aggregate, Decision, Event, only
from shared.contracts.notifier import DeadlineFeedRevoked
from shared.workflow import Actor

FIRST = 1


@dataclass(frozen=True, slots=True)
class Feed(Aggregate):
    KIND: ClassVar[str] = "feed"

    id: str  # the unit
    generation: int = FIRST
    status: FeedStatus = FeedStatus.GIVEN

    @classmethod
    def begin(cls, event: Event) -> "Feed":
        revoked = only(event, DeadlineFeedRevoked)
        return cls(revoked.unit).apply(revoked)

    def apply(self, event: Event) -> "Feed":
        match event:
            case DeadlineFeedRevoked():
                return replace(self, generation=event.generation)
            case _:
                return self


def revoke_feed(known: Feed | None, unit: str, reason: str, *, by: Actor) -> Decision[Feed]:
    """Thu hồi: the address that was given counts no more. Raises Forbidden."""
    feed = known or Feed(unit)
    FEEDS.after(feed.status, "revoke", by)
    return feed.then(DeadlineFeedRevoked(unit=unit, generation=feed.generation + 1, reason=reason))
