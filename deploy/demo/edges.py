"""The day's hands: HTTP as any user has it, with tokens got by the real code flow. A command is repeated
under the same Idempotency-Key until it is answered, so a service that falls and returns changes nothing."""

import base64
import hashlib
import html
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx2

CLIENT: Final = "portal-cli"
PATIENCE: Final = 90.0
AGAIN: Final = frozenset({429, 502, 503, 504})
TICKET: Final = re.compile(r'name="ticket"[^>]*value="([^"]+)"')

T = TypeVar("T")


class DayStopped(Exception):
    """The day cannot go on; its words say where and why."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    etag: str = ""

    @property
    def code(self) -> str:
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class Edges:
    def __init__(self, urls: Mapping[str, str], passwords: Mapping[str, str], salt: str) -> None:
        self.urls = urls
        self._passwords = passwords
        self._salt = salt
        self._tokens: dict[str, str] = {}
        self._http = httpx2.Client(timeout=15.0, follow_redirects=False, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def get(self, place: str, path: str, by: str = "", **params: str) -> Answer:
        return self._patiently("GET", place, path, by, params=params)

    def post(self, place: str, path: str, body: Any, once: str, by: str = "", *, etag: str = "") -> Answer:
        return self._patiently("POST", place, path, by, body=body, once=once, etag=etag)

    def put(self, place: str, path: str, body: Any, once: str, by: str, *, etag: str) -> Answer:
        return self._patiently("PUT", place, path, by, body=body, once=once, etag=etag)

    def _patiently(
        self,
        method: str,
        place: str,
        path: str,
        by: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        once: str = "",
        etag: str = "",
    ) -> Answer:
        address = self.urls[place] + path
        until = time.monotonic() + PATIENCE
        while True:
            headers = {"Accept": "application/json"}
            if by:
                headers["Authorization"] = f"Bearer {self.token(by)}"
            if once:
                headers["Idempotency-Key"] = f"day-{self._salt}-{once}"
            if etag:
                headers["If-Match"] = etag
            wait = 0.5
            trouble = ""
            try:
                response = self._http.request(method, address, params=params, json=body, headers=headers)
            except httpx2.TransportError as error:
                trouble = type(error).__name__
            else:
                if response.status_code not in AGAIN:
                    return _read(response)
                trouble = str(response.status_code)
                wait = min(float(response.headers.get("Retry-After", "0.5")), 5.0)
            if time.monotonic() > until:
                raise DayStopped(f"{method} {address}: không có trả lời sau {PATIENCE:.0f} giây ({trouble})")
            time.sleep(wait)

    def token(self, username: str) -> str:
        until = time.monotonic() + PATIENCE
        while username not in self._tokens:
            try:
                self._tokens[username] = self._sign_in(username)
            except httpx2.TransportError as error:
                if time.monotonic() > until:
                    raise DayStopped(f"{self.urls['issuer']}: không đăng nhập được ({error})") from error
                time.sleep(0.5)
        return self._tokens[username]

    def _sign_in(self, username: str) -> str:
        """The code flow with PKCE, as a browser goes through it, down to the form with its hidden ticket."""
        issuer = self.urls["issuer"]
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        back = f"{self.urls['content']}/signin/callback"
        with httpx2.Client(timeout=15.0, follow_redirects=False, trust_env=False) as browser:
            asked = {
                "client_id": CLIENT,
                "redirect_uri": back,
                "response_type": "code",
                "scope": "openid profile",
                "state": state,
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
            form = browser.get(f"{issuer}/authorize", params=asked)
            ticket = TICKET.search(form.text)
            if ticket is None:
                raise DayStopped(f"{issuer}/authorize: không có biểu mẫu đăng nhập ({form.status_code})")
            password = self._passwords[username]
            fields = {"ticket": html.unescape(ticket[1]), "username": username, "password": password}
            sent = browser.post(f"{issuer}/login", data=fields)
            answer = parse_qs(urlsplit(sent.headers.get("location", "")).query)
            if "code" not in answer or answer.get("state") != [state]:
                raise DayStopped(f"{issuer}/login: {username} không đăng nhập được ({sent.status_code})")
            grant = {
                "grant_type": "authorization_code",
                "client_id": CLIENT,
                "redirect_uri": back,
                "code": answer["code"][0],
                "code_verifier": verifier,
            }
            return str(browser.post(f"{issuer}/token", data=grant).json()["access_token"])


def _read(response: httpx2.Response) -> Answer:
    is_json = "json" in response.headers.get("content-type", "")
    body = response.json() if is_json and response.content else {}
    return Answer(response.status_code, body, response.headers.get("etag", ""))


def eventually(what: str, look: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """What follows a command travels by events: look until it is there."""
    until = time.monotonic() + patience
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if time.monotonic() > until:
            raise DayStopped(f"Chờ {patience:.0f} giây vẫn chưa thấy: {what}")
        time.sleep(0.1)
