"""Who may sign in at the sample issuer: the demo's staff, their passwords kept as argon2 hashes alone, and
guessing slowed down per address."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import yaml
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from pydantic import BaseModel, SecretStr

from shared.errors import TooManyRequests

FAILURES_ALLOWED = 10
FAILURES_WINDOW = 300.0

# OWASP's smaller profile: the passwords are long and random, and a start hashes all of them.
HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


class Person(BaseModel):
    id: str
    username: str
    name: str
    title: str = ""
    unit: str = ""


class People:
    def __init__(self, staff: list[Person], passwords: Mapping[str, SecretStr]) -> None:
        self.all = staff
        self._by_username = {person.username: person for person in staff}
        self._hashes = {
            username: HASHER.hash(password.get_secret_value())
            for username, password in passwords.items()
            if username in self._by_username
        }
        # Checked when the name is unknown, so that both answers take the same time.
        self._nobody = HASHER.hash("")
        self._checking = asyncio.Semaphore(2)
        self._failures: dict[str, deque[float]] = {}

    @classmethod
    def load(cls, directory: Path, passwords: Mapping[str, SecretStr]) -> "People":
        document = yaml.safe_load(directory.read_text(encoding="utf-8"))
        return cls([Person.model_validate(entry) for entry in document["staff"]], passwords)

    def get(self, person_id: str) -> Person | None:
        return next((person for person in self.all if person.id == person_id), None)

    async def check(self, username: str, password: str, address: str) -> Person | None:
        """The person, or None. After too many failures the address waits, whoever it then claims to be."""
        failures = self._failures_of(address)
        if len(failures) >= FAILURES_ALLOWED:
            wait = int(failures[0] + FAILURES_WINDOW - time.monotonic()) + 1
            raise TooManyRequests(f"Sai mật khẩu quá nhiều lần, thử lại sau {wait} giây.", retry_after=wait)
        # Counted before the slow check, so that guesses sent at once count as well as guesses in a row.
        attempt = time.monotonic()
        failures.append(attempt)
        async with self._checking:
            matches = await asyncio.to_thread(_matches, self._hashes.get(username, self._nobody), password)
        if not (matches and username in self._hashes):
            return None
        failures.remove(attempt)
        return self._by_username[username]

    def _failures_of(self, address: str) -> deque[float]:
        now = time.monotonic()
        failures = self._failures.setdefault(address, deque())
        while failures and failures[0] < now - FAILURES_WINDOW:
            failures.popleft()
        return failures


def _matches(hashed: str, password: str) -> bool:
    try:
        return HASHER.verify(hashed, password)
    except VerificationError:
        return False
