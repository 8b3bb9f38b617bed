"""Revoking the address of a unit's calendar of due dates."""

from dataclasses import dataclass

from services.notifier.domain import feeds
from services.notifier.domain.feeds import Feed
from services.notifier.handlers.clocks import Register


@dataclass(frozen=True, slots=True)
class RevokeFeed:
    unit: str
    reason: str


async def revoke_feed(cmd: RevokeFeed, desk: Register) -> Feed:
    known = await desk.find(Feed, cmd.unit)
    return await desk.append(feeds.revoke_feed(known, cmd.unit, cmd.reason, by=desk.by))
