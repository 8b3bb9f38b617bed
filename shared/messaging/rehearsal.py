"""A dry run (chạy thử): the real handler on a journal that remembers and writes nothing. Handlers have no
effect but their appends, so what the rehearsal would have appended is what would happen."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from secrets import token_bytes
from typing import Any

from shared.desk import Desk, Vault
from shared.errors import NotFound
from shared.journal import AlreadyDone, Commit, Journal, VersionConflict, canonical, one_by_one


@dataclass
class Rehearsal:
    """Reads what is, and what was rehearsed before on top of it."""

    journal: Journal
    vault: Vault
    commits: list[Commit] = field(default_factory=list)
    contents: dict[str, dict[str, Any]] = field(default_factory=dict)
    key: bytes = field(default_factory=token_bytes)

    def on(self, desk: Desk[Any]) -> Desk[Any]:
        return replace(desk, journal=self, vault=_RehearsedVault(self), heads={})

    async def read(self, stream: str, *, upto: int | None = None) -> list[Commit]:
        ours = [c for c in self.commits if c.stream == stream and (upto is None or c.version <= upto)]
        return [*await self.journal.read(stream, upto=upto), *ours]

    async def find(self, key: str) -> Commit | None:
        return next((c for c in self.commits if c.key == key), None) or await self.journal.find(key)

    async def append(self, commit: Commit) -> None:
        if await self.find(commit.key):
            raise AlreadyDone(commit.key)
        if len(await self.read(commit.stream)) >= commit.version:
            raise VersionConflict(f"{commit.stream} đã có bản {commit.version}.")
        self.commits.append(commit)

    async def append_all(self, commits: Sequence[Commit]) -> list[Exception | None]:
        return await one_by_one(self, commits)


@dataclass
class _RehearsedVault:
    stage: Rehearsal

    async def put(self, ref: str, content: dict[str, Any], *, owner: str = "", stream: str = "") -> str:
        """As the real one: the first content stays, and the hash is of what is kept. Of what has an owner it
        is one of this rehearsal's own, for what is shown of it must tell nothing."""
        try:
            kept = await self.get(ref)
        except NotFound:
            kept = self.stage.contents[ref] = content
        body = canonical(kept).encode()
        plain = hashlib.sha256(body).hexdigest()
        return hmac.digest(self.stage.key, body, "sha256").hex() if owner else plain

    async def get(self, ref: str) -> dict[str, Any]:
        return self.stage.contents[ref] if ref in self.stage.contents else await self.stage.vault.get(ref)
