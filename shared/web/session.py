"""Staff sessions: kept on the server under the hash of a random id, so that neither the cookie nor a copy of
the database alone opens one. Every form post proves that it comes from a page of ours (CSRF)."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import Forbidden, Unauthenticated
from shared.mongo import answered
from shared.web.identity import Principal, Verifier

SESSION_LIFETIME = timedelta(hours=8)
CSRF_FIELD = "csrf"

Record = dict[str, Any]


def utc_now() -> datetime:
    return datetime.now(UTC)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class CsrfFailed(Forbidden):
    """The form does not carry the token of the page it claims to come from."""

    code = "csrf_failed"
    title_vi, title_en = "Biểu mẫu đã cũ hoặc không phải của trang này", "The form's token does not match"


class Sessions(Protocol):
    """Where records live. A record is found by its id until it expires; an expired one is never given out."""

    async def create(self, record: Mapping[str, Any], lifetime: timedelta) -> str: ...

    async def get(self, session_id: str) -> Record | None: ...

    async def delete(self, session_id: str) -> Record | None:
        """Remove and give back, in one step: of two takers, one gets it."""
        ...


class MemorySessions:
    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._records: dict[str, Record] = {}

    async def create(self, record: Mapping[str, Any], lifetime: timedelta) -> str:
        session_id = secrets.token_urlsafe(32)
        self._records[digest(session_id)] = {**record, "expires_at": self._clock() + lifetime}
        return session_id

    async def get(self, session_id: str) -> Record | None:
        return self._living(self._records.get(digest(session_id)))

    async def delete(self, session_id: str) -> Record | None:
        return self._living(self._records.pop(digest(session_id), None))

    def _living(self, record: Record | None) -> Record | None:
        return record if record and record["expires_at"] > self._clock() else None


class MongoSessions:
    """``collection`` is an asynchronous MongoDB collection."""

    def __init__(self, collection: Any, clock: Callable[[], datetime] = utc_now) -> None:
        self._collection = collection
        self._clock = clock

    @answered
    async def ensure_indexes(self) -> None:
        await self._collection.create_index("expires_at", expireAfterSeconds=0)

    @answered
    async def create(self, record: Mapping[str, Any], lifetime: timedelta) -> str:
        session_id = secrets.token_urlsafe(32)
        expires_at = self._clock() + lifetime
        await self._collection.insert_one({**record, "_id": digest(session_id), "expires_at": expires_at})
        return session_id

    # The TTL sweep runs once a minute, so each read looks at the clock itself.
    @answered
    async def get(self, session_id: str) -> Record | None:
        record: Record | None = await self._collection.find_one(self._living(session_id))
        return record

    @answered
    async def delete(self, session_id: str) -> Record | None:
        record: Record | None = await self._collection.find_one_and_delete(self._living(session_id))
        return record

    def _living(self, session_id: str) -> Record:
        return {"_id": {"$eq": digest(session_id)}, "expires_at": {"$gt": self._clock()}}


@dataclass(frozen=True)
class Door:
    """How one service lets people in. ``base_url`` is the address that browsers use for it."""

    service: str
    base_url: str
    verifier: Verifier
    sessions: Sessions
    client_id: str
    client_secret: str = field(default="", repr=False)

    @property
    def secure(self) -> bool:
        return urlsplit(self.base_url).scheme == "https"

    @property
    def session_cookie(self) -> str:
        # Browsers accept `__Host-` on https alone; on loopback http all ports share cookies, hence the name.
        return f"__Host-{self.service}" if self.secure else f"{self.service}_session"

    @property
    def form_cookie(self) -> str:
        return f"__Host-{self.service}-form" if self.secure else f"{self.service}_form"

    def set_cookie(
        self, response: Response, name: str, value: str, lifetime: timedelta | None = None
    ) -> None:
        age = int(lifetime.total_seconds()) if lifetime else None
        response.set_cookie(
            name, value, max_age=age, path="/", secure=self.secure, httponly=True, samesite="lax"
        )

    def clear_session_cookie(self, response: Response) -> None:
        response.delete_cookie(
            self.session_cookie, path="/", secure=self.secure, httponly=True, samesite="lax"
        )


class DoorMiddleware:
    """Gives each request its door, and sets the form cookie on a page that was given an anonymous token."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["door"] = self._door

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and "new_form_token" in state:
                cookie = Response()
                self._door.set_cookie(cookie, self._door.form_cookie, state["new_form_token"])
                MutableHeaders(scope=message).append("set-cookie", cookie.headers["set-cookie"])
            await send(message)

        await self._app(scope, receive, send_with_cookie)


def door_of(request: Request) -> Door:
    door: Door = request.state.door
    return door


async def session_of(request: Request) -> Record | None:
    """The session that the cookie opens, read at most once a request."""
    if "cookie" not in request.headers:
        return None
    if not hasattr(request.state, "session"):
        door = door_of(request)
        session_id = request.cookies.get(door.session_cookie)
        record = await door.sessions.get(session_id) if session_id else None
        request.state.session = record if record and record["kind"] == "session" else None
    session: Record | None = request.state.session
    return session


async def principal_of(request: Request) -> Principal | None:
    """Who asks, by bearer token or by session; None for an anonymous visit. A wrong token is an error, and a
    token outranks a cookie."""
    authorization = request.headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Cần mã truy cập kiểu Bearer.")
        if not hasattr(request.state, "principal"):
            request.state.principal = await door_of(request).verifier.verify(token.strip())
        principal: Principal = request.state.principal
        return principal
    session = await session_of(request)
    return Principal(session["subject"], session["name"], "person") if session else None


async def require_principal(request: Request) -> Principal:
    principal = await principal_of(request)
    if principal is None:
        raise Unauthenticated("Vui lòng đăng nhập để tiếp tục.")
    return principal


async def csrf_token(request: Request) -> str:
    """The token for a page's forms: the session's own, or an anonymous visitor's, kept in the form cookie."""
    session = await session_of(request)
    return str(session["csrf"]) if session else form_token(request)


async def require_csrf(request: Request, form: Mapping[str, Any]) -> None:
    """Refuse a form post that no page of ours made. A bearer token needs no such proof: no browser adds one
    by itself."""
    if "authorization" in request.headers:
        return
    session = await session_of(request)
    expected = session["csrf"] if session else request.cookies.get(door_of(request).form_cookie, "")
    given = form.get(CSRF_FIELD)
    if not (expected and isinstance(given, str) and hmac.compare_digest(given.encode(), expected.encode())):
        raise CsrfFailed("Vui lòng tải lại trang rồi gửi lại.")


def form_token(request: Request) -> str:
    """The anonymous token that ties a form to the browser it was shown in."""
    known = request.cookies.get(door_of(request).form_cookie) or getattr(
        request.state, "new_form_token", None
    )
    if known:
        return str(known)
    request.state.new_form_token = secrets.token_urlsafe(32)
    return str(request.state.new_form_token)


def own_path(next_path: str | None) -> str:
    """``next`` when it is a path of this site, else the home page: a sign-in never leads to a stranger."""
    if not next_path or not next_path.startswith("/") or next_path.startswith(("//", "/signin")):
        return "/"
    # A browser drops control characters and reads a backslash as a slash.
    if "\\" in next_path or any(ord(character) <= 0x20 for character in next_path):
        return "/"
    return next_path


def signin_path(request: Request) -> str:
    """Where to send a person who must sign in first, and who then comes back here."""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return "/signin?next=" + quote(own_path(path if request.method == "GET" else "/"), safe="")
