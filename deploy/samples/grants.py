"""What the issuer remembers between two requests, each thing for a short time and most of them for one use:
asked sign-ins, codes, and who is signed in at the issuer itself."""

import hashlib
import hmac
import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
CALLBACK_PATH = "/signin/callback"
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")

T = TypeVar("T")


class OAuthError(Exception):
    """An error code of RFC 6749 with its sentence."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status


@dataclass(frozen=True)
class SignInRequest:
    """A request of `/authorize` that was found in order."""

    client_id: str
    redirect_uri: str
    state: str
    challenge: str
    nonce: str | None
    ask_again: bool

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> "SignInRequest":
        if query.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "Only response_type=code is offered.")
        if "openid" not in query.get("scope", "").split():
            raise OAuthError("invalid_scope", "The scope must contain openid.")
        if not query.get("state"):
            raise OAuthError("invalid_request", "state is required.")
        challenge = query.get("code_challenge", "")
        if query.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(challenge):
            raise OAuthError("invalid_request", "PKCE with S256 is required.")
        return cls(
            client_id=query["client_id"],
            redirect_uri=query["redirect_uri"],
            state=query["state"],
            challenge=challenge,
            nonce=query.get("nonce"),
            ask_again="login" in query.get("prompt", "").split(),
        )


@dataclass(frozen=True)
class Pending:
    """A login form that was shown, and the browser it was shown in."""

    request: SignInRequest
    browser: str


@dataclass(frozen=True)
class Code:
    request: SignInRequest
    person_id: str

    def redeem(self, client_id: str, redirect_uri: str, verifier: str) -> str:
        """The person, when the one who redeems is the one who asked."""
        asked = self.request
        if (client_id, redirect_uri) != (asked.client_id, asked.redirect_uri):
            raise OAuthError("invalid_grant", "The code was given to another client or address.")
        proof = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if not VERIFIER.fullmatch(verifier) or not hmac.compare_digest(proof, asked.challenge):
            raise OAuthError("invalid_grant", "The code verifier does not match.")
        return self.person_id


class Drawer(Generic[T]):
    """Things under random names, each kept for ``seconds``; when full, the oldest goes."""

    def __init__(self, seconds: float, *, room: int = 10_000, clock: Callable[[], float] = time.monotonic):
        self._seconds = seconds
        self._room = room
        self._clock = clock
        self._kept: dict[str, tuple[float, T]] = {}

    def put(self, thing: T) -> str:
        if len(self._kept) >= self._room:
            del self._kept[next(iter(self._kept))]
        name = secrets.token_urlsafe(32)
        self._kept[name] = (self._clock() + self._seconds, thing)
        return name

    def get(self, name: str) -> T | None:
        until, thing = self._kept.get(name, (0.0, None))
        return thing if until > self._clock() else None

    def take(self, name: str) -> T | None:
        thing = self.get(name)
        self._kept.pop(name, None)
        return thing


def is_registered(redirect_uri: str) -> bool:
    """Every client of this issuer runs on this machine and comes back to `/signin/callback`."""
    return is_loopback_page(redirect_uri) and redirect_uri == origin_of(redirect_uri) + CALLBACK_PATH


def is_loopback_page(address: str) -> bool:
    try:
        url = urlsplit(address)
        url.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and url.hostname in LOOPBACK and "@" not in url.netloc


def origin_of(address: str) -> str:
    url = urlsplit(address)
    return f"{url.scheme}://{url.netloc}"
