"""Addresses that are not written to, and are again."""

from dataclasses import dataclass

from services.notifier import domain
from services.notifier.domain import Suppression
from services.notifier.handlers.clocks import Register


@dataclass(frozen=True, slots=True)
class SuppressAddress:
    """``mark`` is the keyed hash: the address itself stays with whoever typed it."""

    mark: str
    reason: str


async def suppress_address(cmd: SuppressAddress, desk: Register) -> Suppression:
    known = await desk.find(Suppression, cmd.mark)
    return await desk.append(domain.suppress(known, cmd.mark, cmd.reason, by=desk.by))


@dataclass(frozen=True, slots=True)
class ReleaseAddress:
    mark: str
    reason: str


async def release_address(cmd: ReleaseAddress, desk: Register) -> Suppression:
    known = await desk.load(Suppression, cmd.mark)
    return await desk.append(domain.release(known, cmd.reason, by=desk.by))
