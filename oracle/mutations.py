"""Deliberate faults in the record and in what follows it, laid into the seams of one process. Each is given
the service's name."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
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
from shared.messaging.follower import Follower
from shared.messaging.relay import Relay
from shared.mongo import Lease, MongoJournal, to_document
from shared.projections import Projection
from shared.vault import MongoVault

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
            other = commit._replace(key=f"{commit.key}~{uuid4().hex}")
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
        async def some_time(self: MongoVault, ref: str, content: dict[str, Any], **whose: str) -> str:
            later(put_words(self, ref, content, **whose), 0.5)
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
            await self._begin()
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
