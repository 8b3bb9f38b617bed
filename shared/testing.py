"""Stand-ins that keep the contract: a journal and a vault in memory, and a desk with a clock of its own."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from secrets import token_bytes
from typing import Any

from shared.errors import NotFound
from shared.journal import AlreadyDone, Commit, VersionConflict, canonical, one_by_one


class MemoryJournal:
    """Passes the same contract suite as the one on MongoDB."""

    def __init__(self) -> None:
        self.commits: list[Commit] = []
        self._keys: dict[str, Commit] = {}
        self._places: set[tuple[str, int]] = set()

    async def read(self, stream: str, *, upto: int | None = None) -> list[Commit]:
        found = [c for c in self.commits if c.stream == stream and (upto is None or c.version <= upto)]
        return sorted(found, key=lambda c: c.version)

    async def find(self, key: str) -> Commit | None:
        return self._keys.get(key)

    async def append(self, commit: Commit) -> None:
        if commit.key in self._keys:
            raise AlreadyDone(commit.key)
        if (commit.stream, commit.version) in self._places:
            raise VersionConflict(f"{commit.stream} đã có bản {commit.version}.")
        self._keys[commit.key] = commit
        self._places.add((commit.stream, commit.version))
        self.commits.append(commit)

    async def append_all(self, commits: Sequence[Commit]) -> list[Exception | None]:
        return await one_by_one(self, commits)


class MemoryVault:
    """Passes the same contract suite as the one on MongoDB."""

    def __init__(self) -> None:
        self.contents: dict[str, str] = {}
        self.owners: dict[str, str] = {}  # ref → owner
        self._keys: dict[str, bytes | None] = {}  # None: erased

    async def put(self, ref: str, content: dict[str, Any], *, owner: str = "", stream: str = "") -> str:
        key = self._keys.setdefault(owner, token_bytes()) if owner else b""
        if key is None:
            raise NotFound("Nội dung không còn được lưu.")
        body = self.contents.setdefault(ref, canonical(content))
        owner = self.owners.setdefault(ref, owner)
        if not owner:
            return hashlib.sha256(body.encode()).hexdigest()
        return hmac.digest(self._keys[owner] or b"", body.encode(), "sha256").hex()

    async def erase(self, owner: str) -> int:
        self._keys[owner] = None
        refs = [ref for ref, whose in self.owners.items() if whose == owner]
        for ref in refs:
            del self.owners[ref], self.contents[ref]
        return len(refs)

    async def get(self, ref: str) -> dict[str, Any]:
        if ref not in self.contents:
            raise NotFound("Nội dung không còn được lưu.")
        content: dict[str, Any] = json.loads(self.contents[ref])
        return content


def local(text: str) -> datetime:
    """``2025-04-25T09:00`` read as Vietnamese time."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else datetime.fromisoformat(text + "+07:00")
