"""A service's edges in this process: people by name, commands with a key, read models brought up to date."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Unauthenticated
from shared.messaging.follower import Follower
from shared.mongo import connect, from_document
from shared.projections import Projection, Projector
from shared.service import Service
from shared.web.identity import Principal
from shared.workflow import Actor


class SignedIn:
    """`Authorization: Bearer u-lan` is u-lan: what the issuer vouches for elsewhere is given here."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        asked = scope["type"] == "http"  # a server also sends its start and its end this way
        token = Headers(scope=scope).get("authorization", "").removeprefix("Bearer ") if asked else ""
        if token.startswith(("u-", "svc-", "sys-")):
            kind = "person" if token.startswith("u-") else "service"
            scope.setdefault("state", {})["principal"] = Principal(token, token, kind)
        await self.app(scope, receive, send)


def by_name(people: Mapping[str, Actor]) -> Callable[[Request], Awaitable[Actor]]:
    """Stands where the directory is asked: the token is one of these names."""

    async def who(request: Request) -> Actor:
        name = request.headers.get("authorization", "").removeprefix("Bearer ")
        if name not in people:
            raise Unauthenticated
        return people[name]

    return who


@dataclass
class Caller:
    """The service as people reach it: ``as_`` names who asks."""

    http: httpx2.AsyncClient
    service: Service[Any]

    async def get(self, path: str, as_: str = "", **headers: str) -> httpx2.Response:
        return await self.http.get(path, headers=self.headers(as_) | headers)

    async def send(self, method: str, path: str, body: Any, as_: str = "", **more: str) -> httpx2.Response:
        headers = {"Idempotency-Key": uuid4().hex} | self.headers(as_)
        headers |= {name.replace("_", "-"): value for name, value in more.items()}
        return await self.http.request(method, path, json=body, headers=headers)

    async def post(self, path: str, body: Any, as_: str = "", **more: str) -> httpx2.Response:
        return await self.send("POST", path, body, as_, **more)

    def headers(self, as_: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {as_}"} if as_ else {}

    async def catch_up(self, projections: Sequence[Projection]) -> None:
        """What the projector does as commits come, for all of them at once."""
        service = self.service
        commits = [from_document(d) async for d in service.database.journal.find().sort("at", 1)]
        projector = Projector(
            service.database, projections, service.edge.source, service.edge.vault, lambda _: None
        )
        await projector.project(sorted(commits, key=lambda c: (c.stream, c.version)))


@asynccontextmanager
async def projecting(service: Service[Any], projections: Sequence[Projection]) -> AsyncIterator[None]:
    """The projector at work, without the service's timers."""
    edge = service.edge
    projector = Projector(service.database, projections, edge.source, edge.vault, lambda _: None)
    following = asyncio.create_task(Follower(service.database, "projector", "t", projector.project).run())
    yield
    following.cancel()
    await asyncio.wait([following])


async def dropped(service: Service[Any], mongo_uri: str) -> None:
    """By a connection of its own: the service may have closed its."""
    database = connect(mongo_uri, service.database.name)
    await database.client.drop_database(database.name)
    database.client.close()
