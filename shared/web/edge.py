"""From a request to a desk: who asks, which request it is (once), and what version they have seen."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar
from uuid import uuid4

import structlog
from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from prometheus_client import Histogram
from starlette.datastructures import FormData
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.calendar import WorkingCalendar
from shared.calendars import Calendars
from shared.contracts.base import Aggregate, Event, Recorded
from shared.desk import Desk, Vault, fingerprint
from shared.directory import SERVICE_ROLE, Directory
from shared.errors import (
    Forbidden,
    IdempotencyKeyMissing,
    InvalidInput,
    PreconditionRequired,
    TooLarge,
    Unauthenticated,
)
from shared.journal import Journal
from shared.mongo import Database
from shared.web.look import Look
from shared.web.problems import respond
from shared.web.session import CSRF_FIELD, csrf_token, principal_of, require_csrf
from shared.workflow import SYSTEM, Actor

log = structlog.get_logger("http")

Policy = TypeVar("Policy")
ANONYMOUS: Final = Actor("anonymous", "Khách")
UNLOGGED: Final = ("/health", "/static", "/metrics", "/v1/operations")
SECONDS: Final = Histogram("http_seconds", "Time per request", ["method", "status"])


@dataclass
class Edge(Generic[Policy]):
    """What a service's edges share; lives in ``app.state.edge``."""

    journal: Journal
    vault: Vault
    calendars: Calendars
    policy: Policy
    kinds: Mapping[str, type[Aggregate]]
    source: str
    directory: Directory
    database: Database
    look: Look
    fingerprint_key: bytes = b""

    @property
    def calendar(self) -> WorkingCalendar:
        """The one that counts now: ask for it anew each time."""
        return self.calendars.current

    def desk(self, by: Actor = SYSTEM, **facts: Any) -> Desk[Policy]:
        return Desk(
            self.journal, self.vault, self.calendar, self.policy, self.kinds, self.source, by, **facts
        )

    def desk_for(self, recorded: Recorded[Event]) -> Desk[Policy]:
        """For work that an event asks for."""
        return self.desk(once=recorded.id, correlation=recorded.correlation, causation=recorded.id)

    async def caught_up(self, collection: str, id: Any, version: int, *, patience: float = 2.0) -> None:
        """Wait until a read model shows at least this version, so that nobody sees their own act missing.
        After ``patience`` seconds the page is shown as it is."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            if await self.database[collection].find_one(
                {"_id": str(id), "version": {"$gte": version}}, {"_id": 1}
            ):
                return
            await asyncio.sleep(0.005)


def edge_of(request: Request) -> Edge[Any]:
    edge: Edge[Any] = request.app.state.edge
    return edge


async def visitor(request: Request) -> Actor:
    """Whoever asks; somebody without a token or session is anonymous."""
    principal = await principal_of(request)
    if principal is None:
        return ANONYMOUS
    request.state.personal = True
    return await edge_of(request).directory.actor(principal)


async def staff(request: Request) -> Actor:
    """Somebody who is signed in. Raises Unauthenticated otherwise."""
    actor = await visitor(request)
    if actor is ANONYMOUS:
        raise Unauthenticated("Vui lòng đăng nhập để tiếp tục.")
    return actor


async def our_service(request: Request) -> Actor:
    """Another of our services, or an operator on call."""
    actor = await staff(request)
    if not actor.roles & {SERVICE_ROLE, "operator"}:
        raise Forbidden
    return actor


Staff = Annotated[Actor, Depends(staff)]
OurService = Annotated[Actor, Depends(our_service)]


def once_key(request: Request, actor: Actor, about: object = "") -> str:
    """What makes a command happen once. Raises IdempotencyKeyMissing."""
    key = request.headers.get("idempotency-key", "").strip()
    if not key:
        raise IdempotencyKeyMissing("Mỗi lệnh cần tiêu đề Idempotency-Key để không bị thực hiện hai lần.")
    if not (8 <= len(key) <= 200 and key.isascii() and key.isprintable()):
        raise InvalidInput("Idempotency-Key dài 8 đến 200 ký tự.", errors=[{"field": "Idempotency-Key"}])
    return f"{actor.subject}:{about}{key}"


def expected_version(request: Request) -> int | None:
    tag = request.headers.get("if-match")
    if tag is None:
        return None
    number = tag.strip().removeprefix("W/").strip('"')
    if not number.isdigit():
        raise InvalidInput('If-Match phải có dạng "<phiên bản>".', errors=[{"field": "If-Match"}])
    return int(number)


async def command_desk(request: Request, actor: Actor, about: object = "") -> Desk[Any]:
    """A command's desk, for whoever a service's own door lets in; ``about`` what it acts on, where its
    address does not say so."""
    edge = edge_of(request)
    what = fingerprint(request.method, request.scope["path"], await request.body(), key=edge.fingerprint_key)
    desk = request.state.desk = edge.desk(
        actor, once=once_key(request, actor, about), fingerprint=what,
        correlation=request.state.correlation, expected=expected_version(request),
    )  # fmt: skip
    return desk


async def staff_desk(request: Request, actor: Staff) -> Desk[Any]:
    return await command_desk(request, actor)


async def public_desk(request: Request) -> Desk[Any]:
    return await command_desk(request, await visitor(request))


async def editing_desk(request: Request, actor: Staff) -> Desk[Any]:
    """For what can be edited: the caller must say which version they have seen."""
    if "if-match" not in request.headers:
        raise PreconditionRequired("Gửi kèm If-Match với phiên bản đang sửa (ETag).")
    return await command_desk(request, actor)


StaffDesk = Annotated[Desk[Any], Depends(staff_desk)]
PublicDesk = Annotated[Desk[Any], Depends(public_desk)]
EditingDesk = Annotated[Desk[Any], Depends(editing_desk)]


def tagged(response: Response, version: int) -> None:
    response.headers["ETag"] = f'"{version}"'
    response.headers["Cache-Control"] = "no-store"


async def form_desk(
    request: Request, actor: Actor, about: object = "", *, form: FormData | None = None
) -> tuple[dict[str, Any], Desk[Any]]:
    """A page's form: its own fields, and the desk for them. Hidden fields carry what headers carry
    elsewhere: the CSRF token, ``idempotency_key`` and ``expected_version``. ``about``: what the form acts
    on, where neither its address nor its fields say so; ``form``: one that was read already."""
    form = await request.form() if form is None else form
    await require_csrf(request, form)
    fields: dict[str, Any] = {}
    for name in form:
        values = form.getlist(name)
        fields[name] = values if len(values) > 1 or name.endswith("[]") else values[0]
    fields = {name.removesuffix("[]"): value for name, value in fields.items()}
    fields.pop(CSRF_FIELD, None)
    key = str(fields.pop("idempotency_key", "")) or uuid4().hex
    expected = str(fields.pop("expected_version", ""))
    edge = edge_of(request)
    what = fingerprint(
        "form", request.url.path, f"{about}", repr(sorted(fields.items())), key=edge.fingerprint_key
    )
    desk = request.state.desk = edge.desk(
        actor, once=f"{actor.subject}:{about}{key}", correlation=request.state.correlation, fingerprint=what,
        expected=int(expected) if expected.isdigit() else None,
    )  # fmt: skip
    return fields, desk


async def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page for whoever asks; staff see their name and unit in the shell."""
    edge = edge_of(request)
    actor = await visitor(request)
    user = None
    if actor is not ANONYMOUS:
        unit_name = await edge.directory.unit_name(actor.unit)
        user = {"name": actor.name, "unit_name": unit_name, "roles": actor.roles, "subject": actor.subject}
    html = edge.look.render(template, request=request, user=user, csrf=await csrf_token(request), **context)
    return HTMLResponse(html, status)


def see_other(url: str) -> RedirectResponse:
    return RedirectResponse(url, 303)


class RequestFrame:
    """Around every request: its correlation id, one log line, one measurement. ``uploads``: where a form with
    files may be larger than ``largest_body``, by path."""

    def __init__(self, app: ASGIApp, largest_body: int, uploads: Mapping[str, int] | None = None) -> None:
        self.app, self.largest_body, self._uploads = app, largest_body, uploads or {}
        self._seconds: dict[tuple[str, int], Histogram] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given, size, forms = "", b"0", list[bool]()
        for name, value in scope["headers"]:
            if name == b"x-correlation-id":
                given = value.decode("latin-1")
            elif name == b"content-length":
                size = value
            elif name == b"content-type":
                forms.append(value.lower().startswith(b"multipart/form-data"))
        largest = self.largest_body
        if forms and all(forms):
            largest = self._uploads.get(scope["path"], largest)
        known = 8 <= len(given) <= 64 and given.replace("-", "").isalnum()
        correlation = given if known else os.urandom(16).hex()
        state = scope.setdefault("state", {})
        state["correlation"] = correlation
        structlog.contextvars.bind_contextvars(correlation=correlation)
        began, status, taken = time.perf_counter(), 500, 0

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-correlation-id", correlation.encode("latin-1"))]
                # What somebody is shown by who they are is kept by no cache on the way.
                if "personal" in state and not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        async def bounded() -> Message:
            """What is sent in chunks has no length beforehand."""
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > largest:
                state["too_large"] = True
                raise TooLarge
            return message

        answer: ASGIApp = self.app
        if size.isdigit() and int(size) > largest:
            answer = respond(Request(scope), TooLarge(f"Tối đa {largest // 1024} KB mỗi lần gửi."))
        try:
            await answer(scope, bounded, stamped)
        finally:
            self._note(scope["method"], scope["path"], status, time.perf_counter() - began)

    def _note(self, method: str, path: str, status: int, seconds: float) -> None:
        kind = method, status
        if kind not in self._seconds:  # looking a label up costs more than to count
            self._seconds[kind] = SECONDS.labels(method, str(status))
        self._seconds[kind].observe(seconds)
        if not path.startswith(UNLOGGED):
            log.info("request.answered", method=method, path=path, status=status, seconds=round(seconds, 4))
