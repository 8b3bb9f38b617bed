"""Deliberate faults in what is done with events: the inbox, dead letters, the notifier and sync. Each is
given the service's name."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from oracle.mutations import later, put
from shared.contracts.notifier import Delivery
from shared.errors import Unavailable
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.inbox import Inbox

Call = Callable[..., Awaitable[Any]]


# The inbox


def offset_first(_: str) -> None:
    def make(take: Call) -> Call:
        async def committed(self: Inbox, message: Any) -> None:
            await self._commit(message.consumer, message.raw_message)
            await take(self, message)

        return committed

    put(Inbox, "take", make)


def argless_commit(_: str) -> None:
    """Whatever was fetched is committed by the clock, as auto-commit does it."""

    def make(handle: Call) -> Call:
        async def with_a_timer(self: Inbox, records: Any) -> None:
            later(self.consumer.commit())
            await asyncio.sleep(0.05)
            await handle(self, records)

        return with_a_timer

    put(Inbox, "handle", make)


def no_rewind(_: str) -> None:
    async def go_on(self: Inbox, message: Any) -> None:
        return

    put(Inbox, "_rewind", lambda _: go_on)


def lost_rebalance(_: str) -> None:
    owned: dict[Inbox, frozenset[Any]] = {}

    def make(take: Call) -> Call:
        async def dropped(self: Inbox, message: Any) -> None:
            now, before = frozenset(message.consumer.assignment()), owned.get(self)
            owned[self] = now
            if before and now != before:
                await self._commit(message.consumer, message.raw_message)
                return
            await take(self, message)

        return dropped

    put(Inbox, "take", make)


def bury_after_commit(_: str) -> None:
    def make(bury: Call) -> Call:
        async def some_time(self: DeadLetters, record: Any, error: BaseException) -> bool:
            later(bury(self, record, error), 2.5)
            return True

        return some_time

    put(DeadLetters, "bury", make)


def bury_dropped(_: str) -> None:
    async def nothing(self: DeadLetters, record: Any, error: BaseException) -> bool:
        return True

    put(DeadLetters, "bury", lambda _: nothing)


def poison_redelivered(_: str) -> None:
    async def again(self: DeadLetters, record: Any, error: BaseException) -> bool:
        raise Unavailable("thử lại", retry_after=1)

    put(DeadLetters, "bury", lambda _: again)


def no_blocking(_: str) -> None:
    def make(bury: Call) -> Call:
        async def holds_up_nothing(self: DeadLetters, record: Any, error: BaseException) -> bool:
            await bury(self, record, error)
            return False

        return holds_up_nothing

    async def none(self: DeadLetters, keys: list[str]) -> set[str]:
        return set()

    put(DeadLetters, "bury", make)
    put(DeadLetters, "blocked", lambda _: none)


# The notifier and sync


def discharge_dropped(service: str) -> None:
    if service != "notifier":
        return

    def make(keep: Call) -> Call:
        async def never_ends(recorded: Any, name: str, clock: Any, ending: Any, desk: Any) -> None:
            if clock is not None:
                await keep(recorded, name, clock, None, desk)

        return never_ends

    put(importlib.import_module("services.notifier.handlers.clocks"), "_keep", make)


def claim_dropped(service: str) -> None:
    """`sending` is not on record when the dialogue begins."""
    if service != "notifier":
        return
    handlers: Any = importlib.import_module("services.notifier.handlers")
    domain = importlib.import_module("services.notifier.domain")

    async def unclaimed(cmd: Any, desk: Any) -> Any:
        return domain.claim(await desk.load(domain.Notice, cmd.notice_id))[0]

    put(handlers, "claim_notice", lambda _: unclaimed)


def outcome_dropped(service: str) -> None:
    """The outcome of an attempt is not on record before the next begins."""
    if service != "notifier":
        return

    async def nothing(self: Any, due: Any, record: Any, outcome: Any) -> None:
        return

    put(importlib.import_module("services.notifier.jobs").Outbox, "_record", lambda _: nothing)


def doubt_forgotten(service: str) -> None:
    """Silence after the body counts as a refusal for now."""
    if service != "notifier":
        return
    gateways: Any = importlib.import_module("services.notifier.gateways")

    def make(body: Call) -> Call:
        async def sure(*given: Any) -> Any:
            try:
                return await body(*given)
            except gateways.NotSent as error:
                raise gateways.NotSent(Delivery.TEMPORARY, error.reason) from error

        return sure

    put(gateways.Smtp, "_body", make)


def confirmed_unasked(service: str) -> None:
    """A push counts as acknowledged once it has left."""
    if service != "sync":
        return
    gateways: Any = importlib.import_module("services.sync.gateways")

    def make(push: Call) -> Call:
        async def optimistic(self: Any, parcel: Any, webhook_id: str, correlation: str) -> Any:
            outcome = await push(self, parcel, webhook_id, correlation)
            got = gateways.Receipt(
                status="accepted", item_id=parcel.item_id, version=parcel.version, hash=parcel.hash
            )
            return replace(outcome, receipt=got, reason="")

        return optimistic

    put(gateways.PortalGateway, "push", make)
