"""One process of a service: its edges, its inbox, its followers and its jobs, started by role, kept running
through trouble with the database or the broker, and stopped in order."""

import asyncio
import contextlib
import hmac
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import structlog
import uvicorn
import yaml
from fastapi import APIRouter, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from shared import logging
from shared.calendars import Calendars
from shared.calm import calm_collector, give_way
from shared.chain import Anchorer
from shared.contracts.base import Aggregate, Event, Recorded
from shared.desk import Desk
from shared.directory import Directory
from shared.jobs import Job, Jobs
from shared.journal import Commit
from shared.keyring import Keyring
from shared.messaging import asyncapi
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.follower import Follower
from shared.messaging.graves import DeadLetter
from shared.messaging.graves_api import graves_router
from shared.messaging.graves_pages import graves_pages
from shared.messaging.inbox import Inbox, Table
from shared.messaging.relay import Relay
from shared.messaging.replay import Replayer
from shared.messaging.runs import Runs
from shared.mongo import Database, MongoJournal, connect, prepare
from shared.operations import Heartbeat, operations_router
from shared.production import faults
from shared.projections import Projection, Projector
from shared.settings import Role, ServiceSettings
from shared.vault import MongoVault
from shared.web import problems
from shared.web.edge import Edge, RequestFrame
from shared.web.freshness import Freshness, Lists
from shared.web.health import health_router
from shared.web.identity import Verifier
from shared.web.lane import Lane
from shared.web.look import Look, SecurityHeaders, static_app
from shared.web.openapi import described
from shared.web.session import Door, DoorMiddleware, MongoSessions
from shared.web.signin import signin_router
from shared.web.spoken import SHARED, Languages, catalogues_of

log = structlog.get_logger(__name__)

P = TypeVar("P")
Effect = Callable[[Sequence[Commit]], Awaitable[None]]  # bears repetition
STOP_SECONDS = 5.0
KEPT_OPEN: Final = 75  # seconds: a proxy in front lets go of an idle connection first, after 60 as a rule


class TellingJournal(MongoJournal):
    """Tells this process at once of each commit that it has put on record itself, before any list shows it:
    a hint, which dies with the process."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.hearers: list[Callable[[Commit], None]] = []

    async def append(self, commit: Commit) -> None:
        await super().append(commit)
        for hearer in self.hearers:
            hearer(commit)


@dataclass
class Service(Generic[P]):
    """What app.py wires. ``jobs`` builds them from the running service; ``prepare`` makes indexes; ``doors``
    are what its edges listen at besides HTTP. What is done on the ``edge`` waits behind nothing that is done
    ``in_bulk``: each has a journal of its own."""

    name: str
    title: str
    settings: ServiceSettings
    policy: P
    kinds: Sequence[type[Aggregate]]
    routers: Sequence[APIRouter]
    folder: Path
    published: Sequence[str]  # topics that this service owns
    consumers: Table = field(default_factory=dict)
    in_background: Sequence[str] = ()  # of the consumers' topics: what may wait, and may be much
    projections: Sequence[Projection] = ()
    prepare: Callable[[Database], Awaitable[None]] | None = None
    jobs: Callable[["Service[P]"], Sequence[Job]] = lambda _: ()
    followers: Callable[["Service[P]"], Mapping[str, Effect]] = lambda _: {}  # of the journal, by name
    doors: Mapping[str, Callable[["Service[P]"], Awaitable[None]]] = field(default_factory=dict)
    look_globals: Mapping[str, Any] = field(default_factory=dict)
    uploads: Mapping[str, int] = field(default_factory=dict)  # path → bytes of a form with files, at most

    def __post_init__(self) -> None:
        s = self.settings
        self.replica = s.instance or f"{socket.gethostname()}-{os.getpid()}"
        logging.set_up(self.name, self.replica, style=s.log_format, level=s.log_level)
        self.database: Database = connect(s.mongo_uri, s.mongo_database or self.name)
        self.directory = Directory(self.database, self.name)
        self.dead_letters = DeadLetters(self.database)
        shown = {"environment": s.environment, "urls": s.urls, "service": self.name, **self.look_globals}
        own_words = self.folder / "locale"
        catalogues = catalogues_of(SHARED, own_words) if own_words.is_dir() else {}
        look = Look(
            [self.folder / "templates"], shown, static_folders=self._own_static, catalogues=catalogues
        )
        kinds: list[type[Aggregate]] = [*self.kinds, DeadLetter]
        self.calendars = Calendars(self.database)
        journal = TellingJournal(self.database)
        self.hearers = journal.hearers
        secret = s.secret_key.get_secret_value()
        self.keyring = Keyring(self.database, secret)
        self.vault = MongoVault(self.database, self.keyring)
        self.edge: Edge[P] = Edge(
            journal, self.vault, self.calendars, self.policy,
            {kind.KIND: kind for kind in kinds}, self.name, self.directory, self.database, look,
            hmac.digest(secret.encode(), b"fingerprints of requests", "sha256") if secret else b"",
        )  # fmt: skip
        self.in_bulk = replace(self.edge, journal=MongoJournal(self.database))
        self.inbox = Inbox(
            self.name, self.consumers, self._desk_for, self.dead_letters, self.in_background
        )  # fmt: skip
        self.broker = asyncapi.broker_for(s.kafka_bootstrap, self.name, self.published)
        self.listens = self.inbox.attach(self.broker, s.instance, s.roles)
        self.replayer = Replayer(
            self.database, self.dead_letters, self.inbox,
            lambda by, correlation: self.edge.desk(by, correlation=correlation), self.replica,
        )  # fmt: skip
        anchorer = Anchorer(self.database, self.name, self.replica)
        own = (Job("replays", 1, self.replayer.work), Job("anchor", 60, anchorer.work))
        self._jobs = Jobs([*self.jobs(self), *own])
        self.relay: Follower | None = None
        self.heartbeat = Heartbeat(self.database, self.name, self.replica, s.roles, self.inbox)
        self.started: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    def _desk_for(self, recorded: Recorded[Event]) -> Desk[P]:
        edge = self.in_bulk if recorded.event.topic in self.in_background else self.edge
        return edge.desk_for(recorded)

    @property
    def _own_static(self) -> list[Path]:
        own = self.folder / "static"
        return [own] if own.is_dir() else []

    def wake(self, job: str) -> None:
        self._jobs.wake(job)

    def app(self) -> FastAPI:
        s = self.settings
        app = FastAPI(
            title=self.title, version="1", lifespan=self._lifespan, docs_url=None, redoc_url=None,
        )  # fmt: skip
        verifier = Verifier(s.issuer_url, s.audience, backchannel_url=s.issuer_backchannel_url or None)
        door = Door(self.name, s.urls[self.name], verifier, MongoSessions(self.database.sessions),
                    s.client_id, s.client_secret.get_secret_value())  # fmt: skip
        self._sessions = door.sessions
        app.state.edge, app.state.look, app.state.service = self.edge, self.edge.look, self
        problems.install(app)
        interfaces = [router for router in self.routers if router.include_in_schema]
        pages = [router for router in self.routers if not router.include_in_schema]
        common = (
            health_router(self), operations_router(self), graves_router(self), signin_router(door)
        )  # fmt: skip
        # Looked through in this order for every request; a service's pages may claim all of /desk.
        for router in (*interfaces, graves_pages(self), *pages, *common):
            app.include_router(router)
        asyncapi.mount(app, self.broker, self.title)
        app.mount("/static", static_app(*self._own_static))
        described(app)
        app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
        app.add_middleware(Lane, api=app)
        app.add_middleware(Freshness, lists=Lists(self.database, self.projections, self.edge.kinds))
        app.add_middleware(DoorMiddleware, door=door)
        app.add_middleware(Languages, catalogues=self.edge.look.catalogues)
        app.add_middleware(SecurityHeaders, form_action=(s.issuer_url,))
        app.add_middleware(RequestFrame, largest_body=s.largest_body, uploads=self.uploads)
        return app

    def serve(self) -> None:
        """Until SIGTERM or SIGINT. Production refuses what is safe on one machine only."""
        s = self.settings
        if found := faults(s):
            log.error("service.refused_to_start", error=" ".join(found))
            raise SystemExit("\n".join([f"{self.name} refuses to start in production:", *found]))
        if s.roles == {Role.BULK}:
            give_way()
        app = self.app()
        calm_collector()
        uvicorn.run(
            app, host=s.http_host, port=s.http_port, log_config=None, access_log=False,
            loop="uvloop", http="httptools", timeout_graceful_shutdown=2, timeout_keep_alive=KEPT_OPEN,
            server_header=False, lifespan="on",
        )  # fmt: skip

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        await self._prepare()
        keep = self._keep
        keep("heartbeat", self.heartbeat.run)
        keep("calendars", self.calendars.run)
        roles = self.settings.roles
        if self.listens:
            keep("inbox", self._run_inbox)
        if Role.API in roles:
            for name, listen in self.doors.items():
                keep(name, partial(listen, self))
        if Role.WORKER in roles:
            keep("jobs", lambda: self._jobs.run(awaited=True))
        if Role.BULK in roles:
            projector = Projector(self.database, self.projections, self.name, self.edge.vault, self.wake)
            keep("projector", Follower(self.database, "projector", self.replica, projector.project).run)
            for name, effect in self.followers(self).items():
                keep(name, Follower(self.database, name, self.replica, effect).run)
            keep("bulk", lambda: self._jobs.run(awaited=False))
        if Role.RELAY in roles:
            keep("relay", self._run_relay)
        log.info("service.started", roles=sorted(roles), port=self.settings.http_port)
        try:
            yield
        finally:
            await self._stop()

    async def _prepare(self) -> None:
        """Waits for the database as long as it takes."""
        while True:
            try:
                await prepare(self.database)
                await self.keyring.prove()
                await self.dead_letters.prepare()
                await Runs(self.database).prepare()
                await self._sessions.ensure_indexes()  # type: ignore[attr-defined]
                if self.prepare:
                    await self.prepare(self.database)
                if self.settings.directory_file:
                    content = await asyncio.to_thread(self.settings.directory_file.read_text, "utf-8")
                    await self.directory.load(yaml.safe_load(content))
                await self.calendars.refresh()
            except Exception as error:
                log.warning("service.waiting_for_database", error=logging.spoken(error))
                await asyncio.sleep(1)
            else:
                self.started.add("database")
                return

    def _keep(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """A part that is started again, after a wait, whenever it fails."""

        async def kept() -> None:
            wait = 0.5
            while True:
                try:
                    await run()
                except Exception as error:
                    log.warning("part.failed", kind=name, error=logging.spoken(error), wait=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 10.0)

        self._tasks.append(asyncio.create_task(kept(), name=name))

    async def _run_inbox(self) -> None:
        try:
            await self.broker.start()
            self.started.add("inbox")
            await asyncio.Event().wait()
        finally:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(self.broker.stop(), STOP_SECONDS)

    async def _run_relay(self) -> None:
        async with Relay(self.settings.kafka_bootstrap, self.name) as relay:
            self.started.add("relay")
            self.relay = Follower(self.database, "relay", self.replica, relay.publish, relay.begin)
            await self.relay.run()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks, timeout=STOP_SECONDS + 1)
        with contextlib.suppress(Exception):
            await self.heartbeat.farewell()
        self.database.client.close()
        log.info("service.stopped")
