"""The words of an item, their hash, and the rule of Điều 8 khoản 3: what is quoted names its author and comes
from an official source."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

from services.content.regulation import JOINING, NOT_A_NAME
from shared.errors import RuleBroken

DOMAIN: Final = re.compile(r"(?:https?://)?(?:[a-z0-9-]+\.)+[a-z]{2,}(?:[/:?#]\S*)?", re.IGNORECASE)
AFTER_THE_NAME: Final = re.compile(r"[,;(]")


class AuthorMissing(RuleBroken):
    """An item that quotes must name its author (Điều 8 khoản 3)."""

    code = "author_missing"
    title_vi, title_en = "Bài trích dẫn chưa ghi tác giả", "A quoted item must name its author"


class SourceMissing(RuleBroken):
    """An item that quotes must name its source (Điều 8 khoản 3)."""

    code = "source_missing"
    title_vi, title_en = "Bài trích dẫn chưa ghi nguồn", "A quoted item must name its source"


class SourceNotOfficial(RuleBroken):
    """What is quoted must come from an official source (Điều 8 khoản 3)."""

    code = "source_not_official"
    title_vi, title_en = (
        "Nguồn trích dẫn không phải nguồn tin chính thức",
        "The source is not an official one",
    )


@dataclass(frozen=True, slots=True)
class Body:
    """One version of the words. Large, so it lies beside the journal, known there by reference and hash."""

    title: str
    summary: str
    html: str
    author_name: str = ""
    source_name: str = ""
    quoted: bool = False

    @property
    def content(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, content: dict[str, Any]) -> Self:
        return cls(**{name: content[name] for name in cls.__slots__ if name in content})

    @property
    def hash(self) -> str:
        """The same as the vault's: SHA-256 of the canonical JSON."""
        canonical = json.dumps(self.content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def fold(text: str) -> str:
    """Lower case, without diacritics and punctuation: «Đóng BHXH» and «dong bhxh» are one."""
    plain = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    letters = (c for c in plain if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in letters).casefold().split())


@dataclass(frozen=True, slots=True)
class SourceRegister:
    """Nguồn tin chính thức: by name, other names and internet domains."""

    names: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        every = list(names)
        return cls(
            frozenset(fold(name) for name in every),
            frozenset(name.lower() for name in every if DOMAIN.fullmatch(name)),
        )

    def __contains__(self, source: str) -> bool:
        """«Báo Nhân Dân, số ra ngày 02/9» is Báo Nhân Dân; «https://baochinhphu.vn/…» is baochinhphu.vn."""
        source = source.strip()
        if DOMAIN.fullmatch(source):
            host = urlsplit(source if "//" in source else f"//{source}").hostname or ""
            return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)
        return fold(AFTER_THE_NAME.split(source)[0]) in self.names


def says_nothing(name: str) -> bool:
    """«Sưu tầm», «Sưu tầm trên Internet», blanks and dashes count as missing."""
    left = f" {fold(name)} "
    for nothing in NOT_A_NAME:
        left = left.replace(f" {nothing} ", " ")
    emptied = left.strip() != fold(name)
    return len(left.strip()) < 2 or (emptied and JOINING.issuperset(left.split()))


def _instead(written: str, what: str) -> str:
    return f"; «{written.strip()}» không phải là {what}" if written.strip() else ""


def require_sources(body: Body, register: SourceRegister) -> None:
    if not body.quoted:
        return
    if says_nothing(body.author_name):
        raise AuthorMissing(
            f"Bài trích dẫn phải ghi rõ tác giả{_instead(body.author_name, 'tên tác giả')} (Điều 8 khoản 3).",
            errors=[{"field": "author_name", "message": "Ghi rõ tác giả của bài được trích dẫn."}],
        )
    if says_nothing(body.source_name):
        raise SourceMissing(
            f"Bài trích dẫn phải ghi rõ nguồn{_instead(body.source_name, 'nguồn')} (Điều 8 khoản 3).",
            errors=[{"field": "source_name", "message": "Ghi rõ nguồn của bài được trích dẫn."}],
        )
    if body.source_name not in register:
        raise SourceNotOfficial(
            f"«{body.source_name}» không có trong danh mục nguồn tin chính thức (Điều 8 khoản 3).",
            errors=[{"field": "source_name", "message": "Chỉ dẫn lại từ nguồn tin chính thức."}],
        )
