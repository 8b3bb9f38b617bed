"""A desk is where one piece of work is done: who works, since when, why, and what makes it happen once.
Handlers load, decide and append on it; they know neither HTTP nor Kafka nor MongoDB."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import uuid4

from shared.calendar import WorkingCalendar
from shared.contracts.base import Aggregate, Decision
from shared.errors import IdempotencyKeyReused, NotFound, PortalError, PreconditionFailed
from shared.journal import AlreadyDone, Commit, Head, Journal, Stored, VersionConflict
from shared.workflow import SYSTEM, Actor

A = TypeVar("A", bound=Aggregate)
C = TypeVar("C")
Policy = TypeVar("Policy")

TRIES = 5  # against others who write to the same stream at the same moment


class Vault(Protocol):
    """What must be erasable or is large: beside the journal, by id and hash. ``owner``: to whom it belongs,
    and with whom it is erased; ``stream``: the one whose commit will name it."""

    async def put(self, ref: str, content: dict[str, Any], *, owner: str = "", stream: str = "") -> str: ...

    async def get(self, ref: str) -> dict[str, Any]: ...


def utc_now() -> datetime:
    """Now, in UTC, cut to the milliseconds that the database keeps."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)


@dataclass
class Desk(Generic[Policy]):
    """``policy`` holds the service's own settings of the law; ``once`` is the idempotency key or the
    incoming event's id; ``kinds`` tells which aggregate a stream belongs to."""

    journal: Journal
    vault: Vault
    calendar: WorkingCalendar
    policy: Policy
    kinds: Mapping[str, type[Aggregate]]
    source: str
    by: Actor = SYSTEM
    now: datetime = field(default_factory=utc_now)
    once: str = ""
    fingerprint: str = ""
    correlation: str = field(default_factory=lambda: uuid4().hex)
    causation: str = ""
    expected: int | None = None  # the version that `If-Match` names
    heads: dict[str, Head] = field(default_factory=dict)
    written: dict[str, int] = field(default_factory=dict)  # stream → version, to be seen in lists

    async def find(self, kind: type[A], id: Any, *, upto: int | None = None) -> A | None:
        stream = kind.stream_of(id)
        commits = await self.journal.read(stream, upto=upto)
        self.heads[stream] = commits[-1].head if commits else Head()
        if not commits:
            return None
        return kind.fold(r.event for commit in commits for r in commit.recorded(self.source))

    async def load(self, kind: type[A], id: Any) -> A:
        found = await self.find(kind, id)
        if found is None:
            raise NotFound(f"Không có hồ sơ {kind.KIND} mang mã này.")
        if self.expected is not None and self.version(found) != self.expected:
            raise PreconditionFailed(current=self.version(found))
        return found

    async def append(self, decision: Decision[A], *, key: str = "") -> A:
        """Put the decision on record, once. A decision without events leaves no trace."""
        state, events = decision
        if not events:
            return state
        stream = state.stream_of(state.id)
        commit = Commit(
            key=key or (f"{self.once}>{stream}" if self._incoming else self.once or uuid4().hex),
            stream=stream, version=0, events=tuple(Stored.of(e) for e in events), at=self.now,
            by=self.by.subject, correlation=self.correlation, causation=self.causation,
            fingerprint=self.fingerprint,
        ).sealed(self.heads.get(stream, Head()))  # fmt: skip
        await self.journal.append(commit)
        self.heads[stream] = commit.head
        self.written[stream] = commit.version
        return state

    @property
    def _incoming(self) -> bool:
        """Work asked for by an event may touch several streams, each once."""
        return bool(self.causation)

    def version(self, state: Aggregate) -> int:
        return self.heads[state.stream_of(state.id)].version

    async def run(self, handler: Callable[[C, "Desk[Policy]"], Awaitable[A]], command: C) -> A:
        """Execute a command from outside, once per idempotency key: a repetition gets the answer that
        the first one had, whatever has happened since."""
        for attempt in range(1, TRIES + 1):
            try:
                state = await handler(command, self)
                # Nothing decided, perhaps because this very request decided it before.
                done = await self.journal.find(self.once) if self.once and not self.written else None
                return self._told(state) if done is None else await self._answer_again(done)
            except PortalError as error:
                done = await self.journal.find(self.once) if self.once else None
                if done is not None:
                    again: A = await self._answer_again(done)
                    return again
                retriable = isinstance(error, VersionConflict) and self.expected is None
                if not retriable or attempt == TRIES:
                    raise
        raise AssertionError("unreachable")

    def _told(self, state: A) -> A:
        """A decision without events has written nothing; what it answers with is on record all the same."""
        stream = state.stream_of(state.id)
        if stream in self.heads:
            self.written.setdefault(stream, self.heads[stream].version)
        return state

    async def _answer_again(self, done: Commit) -> Any:
        if done.fingerprint != self.fingerprint:
            raise IdempotencyKeyReused
        self.written[done.stream] = done.version
        kind, _, id = done.stream.partition("-")
        return await self.find(self.kinds[kind], id, upto=done.version)

    def at(self, now: datetime) -> "Desk[Policy]":
        return replace(self, now=now, heads={})


async def once(work: Awaitable[Any]) -> None:
    """Work whose repetition is no error: somebody has already done it."""
    try:
        await work
    except AlreadyDone:
        return


def fingerprint(*parts: bytes | str, key: bytes = b"") -> str:
    """The journal keeps it for ever: of what a citizen sent, only with a ``key`` that no database holds."""
    digest = hmac.new(key, digestmod="sha256") if key else hashlib.sha256()
    for part in parts:
        digest.update(part.encode() if isinstance(part, str) else part)
        digest.update(b"\0")
    return digest.hexdigest()
