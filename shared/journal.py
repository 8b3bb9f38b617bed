"""The journal: one append-only record that is history, outbox, inbox mark and audit trail at once.

This file is the seam between handlers and the database: what a commit is, what an append promises."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple, Protocol

from pydantic_core import to_json

from shared.contracts.base import Event, Recorded, parse
from shared.errors import PortalError, TooLarge, VersionConflict

MAX_EVENT_BYTES = 256 * 1024  # far below the broker's 1 MiB: a commit that is appended can be published
MAX_COMMIT_BYTES = 4 * 1024 * 1024  # far below a document's 16 MiB, and others share its insert
MAX_CONTENT_BYTES = 8 * 1024 * 1024  # what lies beside the journal under one ref is one document too
MAX_EVENTS = 100  # in a commit: Recorded.sequence leaves two digits for their index

__all__ = ["AlreadyDone", "Commit", "Feed", "Head", "Journal", "Stored", "VersionConflict", "canonical"]


class AlreadyDone(PortalError):
    """A commit with this once key exists: the same request or event was handled before."""

    status, code = 409, "already_done"
    title_vi, title_en = "Việc này đã được thực hiện", "Already done"


class Head(NamedTuple):
    """Where a stream stands: the version and hash of its last commit."""

    version: int = 0
    hash: str = ""


class Stored(NamedTuple):
    """An event as bytes on record: what is hashed, kept and published is the same to the letter."""

    name: str
    version: int
    data: str

    @classmethod
    def of(cls, event: Event) -> "Stored":
        """Raises TooLarge."""
        stored = cls(event.name, event.version, event.model_dump_json())
        if _more_than(MAX_EVENT_BYTES, stored.data):
            raise TooLarge(f"Một sự kiện ({event.name}) chỉ ghi được tối đa {MAX_EVENT_BYTES // 1024} KB.")
        return stored


def _more_than(limit: int, *texts: str) -> bool:
    """In bytes. They are counted only where the characters, of four at most, leave it open."""
    if 4 * sum([len(text) for text in texts]) <= limit:
        return False
    return sum([len(text.encode()) for text in texts]) > limit


_to_text: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def canonical(content: Mapping[str, Any]) -> str:
    """What lies beside the journal, as the text that is kept and hashed. Raises TooLarge."""
    text = _to_text(content)
    if _more_than(MAX_CONTENT_BYTES, text):
        raise TooLarge(f"Một nội dung chỉ lưu được tối đa {MAX_CONTENT_BYTES // 1024} KB.")
    return text


class Commit(NamedTuple):
    """One decision: its events, who, when, why, and the key that makes it happen once. A tuple, because each
    event makes four of them on its way and a frozen dataclass takes four times as long."""

    key: str
    stream: str
    version: int
    events: tuple[Stored, ...]
    at: datetime  # UTC, milliseconds
    by: str
    correlation: str
    causation: str
    fingerprint: str = ""  # of the HTTP request, so that a key reused for another body is noticed
    previous: str = ""
    hash: str = ""

    def sealed(self, head: Head) -> "Commit":
        """This commit as the next link of its stream's chain. Raises TooLarge."""
        if len(self.events) > MAX_EVENTS or _more_than(MAX_COMMIT_BYTES, *[e.data for e in self.events]):
            most = f"{MAX_EVENTS} sự kiện, {MAX_COMMIT_BYTES // 1024} KB"
            raise TooLarge(f"Một lần ghi vào hồ sơ chỉ gồm tối đa {most}.")
        version, at = head.version + 1, self.at.astimezone(UTC).isoformat(timespec="milliseconds")
        facts = {
            "key": self.key, "stream": self.stream, "by": self.by, "correlation": self.correlation,
            "causation": self.causation, "fingerprint": self.fingerprint,
        }  # fmt: skip
        body = to_json([facts, version, at, head.hash, self.events])
        digest = hashlib.sha256(body).hexdigest()
        return Commit(
            self.key, self.stream, version, self.events, self.at, self.by, self.correlation, self.causation,
            self.fingerprint, head.hash, digest,
        )  # fmt: skip

    @property
    def head(self) -> Head:
        return Head(self.version, self.hash)

    def recorded(self, source: str) -> list[Recorded[Event]]:
        """Its events, parsed and in the newest version of their classes."""

        return [
            Recorded(parse(e.name, e.version, e.data), self.stream, self.version, index, self.at, self.by,
                     self.correlation, source)
            for index, e in enumerate(self.events)
        ]  # fmt: skip


class Journal(Protocol):
    """What handlers may ask of the record. Both implementations pass one contract suite."""

    async def read(self, stream: str, *, upto: int | None = None) -> list[Commit]:
        """The stream's commits in order of version, up to and including ``upto``."""
        ...

    async def find(self, key: str) -> Commit | None:
        """The commit that carries this once key."""
        ...

    async def append(self, commit: Commit) -> None:
        """Acknowledged only when the majority has it. Raises VersionConflict when the stream has moved
        on, AlreadyDone when the once key exists, Unavailable when the outcome is unknown: ask by key."""
        ...

    async def append_all(self, commits: Sequence[Commit]) -> list[Exception | None]:
        """Many at once, of as many streams, each by itself: None where it is on record, else what
        :meth:`append` would raise. A commit that meets itself may be told of as a VersionConflict."""
        ...


async def one_by_one(journal: Journal, commits: Sequence[Commit]) -> list[Exception | None]:
    """:meth:`Journal.append_all` where nothing is gained by sharing a trip."""
    outcomes: list[Exception | None] = []
    for commit in commits:
        try:
            await journal.append(commit)
        except (AlreadyDone, VersionConflict) as refused:
            outcomes.append(refused)
        else:
            outcomes.append(None)
    return outcomes


class Feed(Protocol):
    """Commits of all streams in the order in which the database took them."""

    async def next(self) -> tuple[Sequence[Commit], Any]:
        """The next batch (possibly empty after a wait) and the token to resume behind it."""
        ...

    async def close(self) -> None: ...
