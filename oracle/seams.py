"""The named points, laid around the product's seams from outside: each wrapper passes its points and is
otherwise the call itself."""

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import AIOKafkaProducer
from pymongo.errors import OperationFailure

from oracle.points import Passer
from shared.chain import Anchorer
from shared.feed import MongoFeed
from shared.messaging import replay
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.inbox import Inbox
from shared.messaging.relay import Relay
from shared.mongo import Lease, MongoJournal
from shared.projections import Projector
from shared.vault import MongoVault

GONE = 286  # MongoDB's ChangeStreamHistoryLost
UNANSWERED = 0.002  # seconds between a write and the death of who sent it
Call = Callable[..., Awaitable[Any]]


def around(owner: Any, name: str, before: str | None, after: str | None, at: Passer) -> None:
    """Pass ``before`` and ``after`` at each call of ``owner.name``."""
    original: Call = getattr(owner, name)

    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        if before:
            at(before)
        result = await original(*args, **kwargs)
        if after:
            at(after)
        return result

    setattr(owner, name, wrapped)


def unanswered(owner: Any, name: str, point: str, at: Passer) -> None:
    """Die after the call has left and before its answer is read."""
    original: Call = getattr(owner, name)

    async def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not at.armed(point):
            return await original(*args, **kwargs)
        call = asyncio.ensure_future(original(*args, **kwargs))
        await asyncio.sleep(UNANSWERED)
        at(point)
        return await call

    setattr(owner, name, wrapped)


def _tokens(at: Passer) -> None:
    original: Call = Lease.renew

    async def renew(self: Lease, **facts: Any) -> None:
        kind = {"relay": "token", "projector": "mark"}.get(self.name) if "token" in facts else None
        if kind == "token":
            at("token.before")
        await original(self, **facts)
        if kind:
            at(f"{kind}.after")

    setattr(Lease, "renew", renew)  # noqa: B010


def _history_lost(at: Passer) -> None:
    """«history.lost» is armed like a point: the place to resume at is gone from the oplog."""
    original: Call = MongoFeed._follow

    async def follow(self: MongoFeed, token: Any) -> None:
        if token and at.take("history.lost"):
            raise OperationFailure("the resume point may no longer be in the oplog", GONE)
        await original(self, token)

    setattr(MongoFeed, "_follow", follow)  # noqa: B010


def _project_write(at: Passer) -> None:
    """Between a projector's reading and its writing lies nothing of ours but the driver's call."""
    original: Call = Projector.project

    async def project(self: Projector, commits: Any) -> None:
        plain = self._database
        if at.armed("project.write"):
            self._database = _Watched(plain, lambda: at("project.write"))
        try:
            await original(self, commits)
        finally:
            self._database = plain

    setattr(Projector, "project", project)  # noqa: B010


class _Watched:
    """A database whose next bulk write passes a point first."""

    def __init__(self, database: Any, passing: Callable[[], None]) -> None:
        self._database, self._passing = database, passing

    def __getitem__(self, name: str) -> Any:
        return _WatchedCollection(self._database[name], self._passing)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


class _WatchedCollection:
    """Whatever is done to it passes the point first."""

    def __init__(self, collection: Any, passing: Callable[[], None]) -> None:
        self._collection, self._passing = collection, passing

    def __getattr__(self, name: str) -> Any:
        self._passing()
        return getattr(self._collection, name)


def wrap(service: str, at: Passer) -> None:
    around(MongoJournal, "append", "journal.before", "journal.after", at)
    unanswered(MongoJournal, "_insert", "journal.sent", at)
    around(MongoVault, "put", None, "vault.after", at)
    around(Relay, "publish", "publish.before", "publish.acked", at)
    around(AIOKafkaProducer, "send", None, "publish.sent", at)
    _tokens(at)
    _history_lost(at)
    _project_write(at)
    around(Projector, "project", "project.before", "project.after", at)
    around(Inbox, "_commit", "offset.before", "offset.after", at)
    around(DeadLetters, "bury", "bury.before", "bury.after", at)
    around(replay, "_recorded", "replay.unrecorded", None, at)
    around(Anchorer, "_set", "anchor.before", "anchor.after", at)
    if service == "notifier":
        gateways = importlib.import_module("services.notifier.gateways")
        jobs = importlib.import_module("services.notifier.jobs")
        handlers = importlib.import_module("services.notifier.handlers")
        around(MongoJournal, "append_all", "fire.before", "fire.after", at)
        unanswered(MongoJournal, "append_all", "fire.sent", at)
        around(handlers, "claim_notice", None, "mail.claimed", at)
        around(gateways.Smtp, "send", "mail.before", None, at)
        around(gateways.Smtp, "_body", "mail.body", "mail.accepted", at)
        around(jobs.Outbox, "_record", "mail.unrecorded", "mail.recorded", at)
    if service == "sync":
        gateways = importlib.import_module("services.sync.gateways")
        handlers = importlib.import_module("services.sync.handlers")
        around(gateways.PortalGateway, "push", "push.before", None, at)
        around(importlib.import_module("shared.webhooks").SignedSender, "_send", None, "push.answered", at)
        around(handlers, "confirm_delivery", "push.unrecorded", "push.recorded", at)
