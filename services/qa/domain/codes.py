"""Mã: the receipt number anybody may see, and the tracking code only the asker has. A code is derived from a
secret, so it is stored nowhere; look-ups keep only its keyed mark."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import date
from typing import Final
from uuid import UUID, uuid5

from services.qa.domain.words import fold

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford: no I, L, O, U to misread
NAMESPACE: Final = UUID("6f0a2f0e-6c1c-5b1e-9a55-3d9f0c1c7a10")
CODE_LETTERS: Final = 26  # 130 bits
NUMBER_LETTERS: Final = 7  # 35 bits: a number is not met twice in a month
THREAD_LETTERS: Final = 42  # 128 bits of the question, 82 of the keyed hash
MISREAD: Final = str.maketrans("ILO", "110")


def base32(digest: bytes, letters: int) -> str:
    value = int.from_bytes(digest, "big") >> (len(digest) * 8 - letters * 5)
    return "".join(ALPHABET[value >> 5 * place & 31] for place in reversed(range(letters)))


def number_letters(question_id: UUID) -> str:
    """7K3QZ4M: what tells one number from another."""
    return base32(hashlib.sha256(b"number" + question_id.bytes).digest(), NUMBER_LETTERS)


def number_of(question_id: UUID, received_on: date) -> str:
    """Số tiếp nhận, HD-2026-11-7K3QZ4M: no sequence to wait for, and nothing to count the others by."""
    return f"HD-{received_on:%Y-%m}-{number_letters(question_id)}"


def question_id_of(same_letter: str, day: date, again: int = 0) -> UUID:
    """The same letter on the same day is the same stream, so that writing it twice collides with itself.
    ``again``: how often its asker has taken it back on that day and sent it anew."""
    return uuid5(NAMESPACE, f"{same_letter}:{day.isoformat()}" + (f":{again}" if again else ""))


def question_going_on(earlier: UUID, *, resubmitted: bool) -> UUID:
    """What goes on from a question, which happens once each way: asked for twice, it meets itself."""
    return uuid5(NAMESPACE, f"{earlier}:{'resubmission' if resubmitted else 'follow-up'}")


class Codes:
    """Everything derived from the service's secret; each use has a key of its own."""

    SHORTEST_SECRET: Final = 32

    def __init__(self, secret: str) -> None:
        if len(secret) < self.SHORTEST_SECRET:
            raise ValueError(f"the secret key needs at least {self.SHORTEST_SECRET} characters")
        self._secret = secret.encode()
        self._keyed: dict[str, hmac.HMAC] = {}  # by use: to set a key costs ten times what a text costs

    def _mac(self, use: str, *parts: str) -> bytes:
        if use not in self._keyed:
            self._keyed[use] = hmac.new(hmac.digest(self._secret, use.encode(), "sha256"), digestmod="sha256")
        mac = self._keyed[use].copy()
        mac.update("\0".join(parts).encode())
        return mac.digest()

    def tracking_code(self, question_id: UUID) -> str:
        """Mã tra cứu, 130 bits in five groups: 7K3QZ-…-9XW2TA."""
        code = base32(self._mac("tracking code", str(question_id)), CODE_LETTERS)
        return "-".join((code[:5], code[5:10], code[10:15], code[15:20], code[20:]))

    def mark(self, code: str) -> str:
        """What is kept to find a question by its code, however the code was typed."""
        letters = re.sub(r"[^0-9A-Z]", "", code.upper()).translate(MISREAD)
        return self._mac("tracking mark", letters).hex()

    def same_letter(self, email: str, subject: str, text: str, *files: str) -> str:
        """Equal for the same words and files (:meth:`same_file`) from the same address, and telling nothing
        about any."""
        return self._mac("same letter", email.casefold(), fold(subject), fold(text), *sorted(files)).hex()

    def same_file(self, digest: bytes) -> str:
        """Equal for the same content, by its SHA-256, and telling nothing about it."""
        return self._mac("same file", digest.hex()).hex()[:32]

    def asker(self, email: str) -> str:
        """Equal for the same address, and telling nothing about it; none for none."""
        return self._mac("asker", email.casefold()).hex()[:32] if email else ""

    def words(self, words: Iterable[str]) -> list[int]:
        """What is kept of the words of a letter so that it can be found by them: 48 bits of a keyed hash."""
        return [int.from_bytes(self._mac("word", word)[:6], "big") for word in words]

    def visitor(self, address: str) -> str:
        """A network address as the limiter counts it."""
        return self._mac("visitor", address).hex()[:32]

    def mail(self, *parts: str) -> str:
        """A mail, or its Message-ID, as look-ups keep it: telling nothing of who wrote it."""
        return self._mac("mail", *parts).hex()[:40]

    def thread(self, question_id: UUID) -> str:
        """What stands in the address to which letters about a question are answered: it names the question,
        proves that we made it, and bears being written in small letters."""
        proof = self._mac("mail thread", str(question_id))
        return base32(question_id.bytes + proof, THREAD_LETTERS).lower()

    def thread_of(self, token: str) -> UUID | None:
        """The question that :meth:`thread` named; None for anything else."""
        letters = token.upper()
        if len(letters) != THREAD_LETTERS or not set(letters) <= set(ALPHABET):
            return None
        value = 0
        for letter in letters:
            value = value << 5 | ALPHABET.index(letter)
        question_id = UUID(int=value >> 5 * THREAD_LETTERS - 128)
        good = self.thread(question_id)
        return question_id if hmac.compare_digest(letters.encode(), good.upper().encode()) else None

    def sealed(self, what: str, until: int) -> str:
        """A value that a visitor may carry (a cookie) and cannot change."""
        return f"{what}.{until}.{self._mac('sealed', what, str(until)).hex()}"

    def unsealed(self, value: str, now: float) -> str | None:
        what, _, rest = value.partition(".")
        until, _, seal = rest.partition(".")
        if not (until.isdecimal() and len(until) < 12 and int(until) > now):
            return None
        good = self._mac("sealed", what, until).hex()
        return what if hmac.compare_digest(seal.encode(), good.encode()) else None
