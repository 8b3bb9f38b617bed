"""The deliberate faults themselves, laid into the seams of one process. Each is given the service's name."""

import asyncio
import contextlib
import importlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import UpdateOne

import shared.service
import shared.web.edge
from shared.errors import Unavailable
from shared.feed import MongoFeed
from shared.journal import Commit, Head, VersionConflict
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.follower import Follower
from shared.messaging.inbox import Inbox
from shared.messaging.relay import Relay
from shared.mongo import Lease, MongoJournal, MongoVault, to_document
from shared.projections import Projection

Call = Callable[..., Awaitable[Any]]
_later: set[asyncio.Task[Any]] = set()


def put(owner: Any, name: str, make: Callable[[Call], Callable[..., Any]]) -> None:
    setattr(owner, name, make(getattr(owner, name)))


def later(work: Awaitable[Any], seconds: float = 0.0) -> None:
    """Some time, if this process lives so long; whatever becomes of it."""

    async def carried_out() -> None:
        await asyncio.sleep(seconds)
        await work

    task = asyncio.ensure_future(carried_out())
    _later.add(task)
    task.add_done_callback(_forgotten)


def _forgotten(task: asyncio.Task[Any]) -> None:
    _later.remove(task)
    if not task.cancelled():
        task.exception()


# The journal


def no_once_key(_: str) -> None:
    def make(append: Call) -> Call:
        async def any_key(self: MongoJournal, commit: Commit) -> None:
            other = replace(commit, key=f"{commit.key}~{uuid4().hex}")
            await append(self, other.sealed(Head(commit.version - 1, commit.previous)))

        return any_key

    put(MongoJournal, "append", make)


def swallowed_error(_: str) -> None:
    def make(append: Call) -> Call:
        async def content_with_anything(self: MongoJournal, commit: Commit) -> None:
            try:
                await append(self, commit)
            except (Unavailable, VersionConflict):
                return

        return content_with_anything

    put(MongoJournal, "append", make)


def ack_before_append(_: str) -> None:
    def make(append: Call) -> Call:
        async def trusting(self: MongoJournal, commit: Commit) -> None:
            later(append(self, commit))

        return trusting

    put(MongoJournal, "append", make)


def deaf_group(_: str) -> None:
    async def insert(self: MongoJournal, batch: Sequence[tuple[Commit, asyncio.Future[None]]]) -> None:
        with contextlib.suppress(Exception):
            await self._collection.insert_many([to_document(c) for c, _ in batch], ordered=False)
        for _, outcome in batch:
            if not outcome.done():
                outcome.set_result(None)

    put(MongoJournal, "_insert", lambda _: insert)


def no_majority(_: str) -> None:
    def connect(uri: str, name: str) -> Any:
        client: Any = AsyncIOMotorClient(uri, w=1, serverSelectionTimeoutMS=3000, tz_aware=True)
        return client[name]

    put(shared.service, "connect", lambda _: connect)


def words_later(_: str) -> None:
    def make(put_words: Call) -> Call:
        async def some_time(self: MongoVault, ref: str, content: dict[str, Any]) -> str:
            later(put_words(self, ref, content), 0.5)
            return ""

        return some_time

    put(MongoVault, "put", make)


def key_of_its_own(_: str) -> None:
    def fresh(_: Any, actor: Any) -> str:
        return f"{actor.subject}:{uuid4().hex}"

    put(shared.web.edge, "_key", lambda _: fresh)


# The relay and the projector


def token_first(_: str) -> None:
    async def follow(self: Follower) -> None:
        mark = await self._lease.facts()
        feed = MongoFeed(self._database)
        try:
            await feed.open(mark.get("token"), mark.get("marked_at"))
            while True:
                commits, token = await feed.next()
                if token is not None:
                    at = {"marked_at": commits[-1].at} if commits else {}
                    await self._lease.renew(token=token, **at)
                if commits:
                    await self._effect(commits)
        finally:
            await feed.close()

    put(Follower, "_follow", lambda _: follow)


def two_relays(_: str) -> None:
    def take(acquire: Call) -> Call:
        async def mine(self: Lease, **how: Any) -> bool:
            return True if self.name == "relay" else bool(await acquire(self, **how))

        return mine

    def keep(renew: Call) -> Call:
        async def mine(self: Lease, **facts: Any) -> None:
            if self.name == "relay":
                await self._collection.update_one({"_id": "relay"}, {"$set": facts}, upsert=True)
            else:
                await renew(self, **facts)

        return mine

    put(Lease, "acquire", take)
    put(Lease, "renew", keep)


def no_fence(_: str) -> None:
    """A former holder goes on as if it still were one."""

    def keep(renew: Call) -> Call:
        async def deaf(self: Lease, **facts: Any) -> None:
            if self.name == "relay":
                await self._collection.update_one({"_id": self.name}, {"$set": facts})
            else:
                await renew(self, **facts)

        return deaf

    put(Lease, "renew", keep)


def ack_unawaited(_: str) -> None:
    def make(send: Call) -> Call:
        async def handed_over(self: AIOKafkaProducer, *args: Any, **kwargs: Any) -> Any:
            await send(self, *args, **kwargs)
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            return done

        return handed_over

    put(AIOKafkaProducer, "send", make)


def backwards(_: str) -> None:
    def make(publish: Call) -> Call:
        async def reversed_(self: Relay, commits: Sequence[Commit]) -> None:
            await publish(self, commits[::-1])

        return reversed_

    put(Relay, "publish", make)


def no_version_guard(_: str) -> None:
    async def updates(self: Projection, commit: Commit, source: str, vault: Any) -> list[UpdateOne]:
        steps = await self._steps(commit, source, vault)
        return [UpdateOne({"_id": r.subject_id}, {"$set": fields}, upsert=True) for r, fields in steps]

    put(Projection, "updates", lambda _: updates)


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
    def make(take: Call) -> Call:
        async def dropped(self: Inbox, message: Any) -> None:
            now = frozenset(message.consumer.assignment())
            if self._places and now != self._places:
                self._places = now
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

    put(importlib.import_module("services.notifier.handlers"), "_keep", make)


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
        async def sure(self: Any, client: Any, content: bytes) -> Any:
            try:
                return await body(self, client, content)
            except gateways.NotSent as error:
                raise gateways.NotSent(gateways.Delivery.TEMPORARY, error.reason) from error

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
