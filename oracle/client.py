"""The client outside: sends commands with their own keys, writes down what was acknowledged, and repeats what
had no answer under the same key until it has one."""

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from deploy.demo.edges import Edges

AGAIN: Final = frozenset({401, 429, 500, 502, 503, 504})
PATIENCE: Final = 120.0  # seconds after which a command that nobody answers counts as stuck
TIMEOUT: Final = 7.0
TWICE: Final = 0.18
SUBJECTS: Final = {name: f"u-{name}" for name in ("ha", "khoi", "lan", "minh", "phuong", "tuan", "oanh")}


@dataclass
class Command:
    """One line of the ledger."""

    key: str
    life: str  # its correlation id: everything that follows from it carries this
    act: str
    service: str
    method: str
    path: str
    body: Mapping[str, Any]
    by: str = ""
    etag: str = ""
    refused: frozenset[int] = frozenset()  # statuses that are right; empty: it must be accepted
    on_record: bool = True  # False: a request for work, kept elsewhere than in the journal
    status: int = 0  # 0: never answered
    answer: dict[str, Any] = field(default_factory=dict)
    tag: str = ""
    unknown: int = 0  # attempts whose outcome the client did not learn
    attempts: int = 0
    disagreed: str = ""
    acknowledged_at: float = 0.0
    log: list[str] = field(default_factory=list)

    @property
    def once(self) -> str:
        """The key under which the journal must have it."""
        return f"{SUBJECTS[self.by] if self.by else 'anonymous'}:{self.key}"

    @property
    def acknowledged(self) -> bool:
        return 200 <= self.status < 300


class Gone(Exception):
    """A life cannot go on: a command was refused or never answered. The ledger says which."""


class Client:
    """``replicas`` says who may be asked for a service just now; ``twice``: how many of the commands are sent
    a second time, half of them at the same moment."""

    def __init__(
        self, edges: Edges, urls: Mapping[str, str], replicas: Any, seed: int, *, twice: float = TWICE
    ) -> None:
        self._edges, self._urls, self._replicas = edges, urls, replicas
        self._draw, self._twice = random.Random(f"client:{seed}"), twice
        self._salt = f"oracle-{seed}-{int(time.time())}"
        self.ledger: list[Command] = []
        self.began = time.monotonic()
        self._http: dict[str, httpx2.AsyncClient] = {}  # a pool a place: one for all is looked through whole

    def _to(self, place: str) -> httpx2.AsyncClient:
        if place not in self._http:
            self._http[place] = httpx2.AsyncClient(
                base_url=self._urls[place], timeout=TIMEOUT, trust_env=False, follow_redirects=False,
                limits=httpx2.Limits(max_connections=80, max_keepalive_connections=8, keepalive_expiry=5),
            )  # fmt: skip
        return self._http[place]

    async def close(self) -> None:
        for http in self._http.values():
            await http.aclose()

    async def do(
        self, life: str, act: str, service: str, path: str, body: Mapping[str, Any], *, by: str = "",
        method: str = "POST", etag: str = "", refused: frozenset[int] = frozenset(), on_record: bool = True,
    ) -> Command:  # fmt: skip
        """One command, until it is answered; sometimes twice, which must make no difference."""
        key = f"{self._salt}-{len(self.ledger)}"
        command = Command(key, life, act, service, method, path, body, by, etag, refused, on_record)
        self.ledger.append(command)
        dice = self._draw.random()
        if dice < self._twice / 2:
            first, second = await asyncio.gather(self._until_answered(command), self._until_answered(command))
        else:
            first = await self._until_answered(command)
            second = await self._until_answered(command) if dice < self._twice else first
        if first is None:
            raise Gone(act)
        command.status, command.answer, command.tag = first
        command.acknowledged_at = time.monotonic() - self.began
        if second is not None and _gist(first) != _gist(second):
            command.disagreed = f"{_gist(first)} and then {_gist(second)}"
        if not command.acknowledged and not command.refused:
            raise Gone(act)
        return command

    async def _until_answered(self, command: Command) -> tuple[int, dict[str, Any], str] | None:
        until, wait = time.monotonic() + PATIENCE, 0.1
        while time.monotonic() < until:
            command.attempts += 1
            place = self._draw.choice(self._replicas(command.service))
            try:
                response = await self._to(place).request(
                    command.method, command.path, json=dict(command.body),
                    headers=await self._headers(command),
                )  # fmt: skip
                outcome = str(response.status_code)
            except (httpx2.HTTPError, OSError) as error:
                response, outcome = None, type(error).__name__
            command.log.append(f"{time.monotonic() - self.began:6.2f}s {place} {outcome}")
            if response is not None and response.status_code not in AGAIN:
                body = response.json() if response.content else {}
                return response.status_code, body, response.headers.get("etag", "")
            command.unknown += 1
            await asyncio.sleep(wait * self._draw.uniform(0.5, 1.5))
            wait = min(wait * 1.7, 2.0)
        return None

    async def _headers(self, command: Command) -> dict[str, str]:
        headers = {
            "Idempotency-Key": command.key,
            "X-Correlation-ID": command.life,
            "Accept": "application/json",
        }
        if command.by:
            token = await asyncio.to_thread(self._edges.token, command.by)
            headers["Authorization"] = f"Bearer {token}"
        if command.etag:
            headers["If-Match"] = command.etag
        return headers

    async def get(self, service: str, path: str, by: str = "oanh") -> dict[str, Any] | None:
        """A look; None when nobody answers just now."""
        token = await asyncio.to_thread(self._edges.token, by)
        place = self._draw.choice(self._replicas(service))
        try:
            response = await self._to(place).get(path, headers={"Authorization": f"Bearer {token}"})
        except (httpx2.HTTPError, OSError):
            return None
        return dict(response.json()) if response.status_code == 200 else None


def _gist(answer: tuple[int, dict[str, Any], str]) -> tuple[int, Any, str]:
    """What two answers to the same request must share."""
    status, body, tag = answer
    status = 200 if status == 202 else status  # done, or still being done
    return status, body.get("id") or body.get("code"), tag
