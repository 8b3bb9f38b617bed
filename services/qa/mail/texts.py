"""Words of a mail as a person reads them: decoded whatever their charset claims, without markup, signature
and what is quoted, and the language they are in."""

import codecs
import re
import unicodedata
from collections.abc import Mapping
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from typing import Any, Final

from lxml.etree import HTMLParser

from shared.web.forms import CONTROL

LONGEST_HEADER: Final = 2_000
# Tried in turn when a text is not in the charset it claims: the last takes any byte.
CHARSETS: Final = ("utf-8", "cp1258")
# Python takes these for charsets; no mail is in them, and some take for ever.
NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined"})
BLOCKS: Final = frozenset({
    "p", "br", "div", "li", "ul", "ol", "tr", "table", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6",
    "pre", "hr", "section", "article", "header", "footer",
})  # fmt: skip
SILENT: Final = frozenset({"script", "style", "head", "title", "template", "noscript"})
BLANK_LINES: Final = re.compile(r"\n{3,}")
# «On Mon, … wrote:», «Vào Th 2, … đã viết:», and the line above a block of headers.
QUOTING: Final = re.compile(
    r"^(?:on\b.{5,300}\bwrote|(?:vào|ngày)\b.{5,300}\b(?:đã )?viết)\s*:\s*$", re.IGNORECASE
)  # fmt: skip
ORIGINAL: Final = re.compile(
    r"^-{3,}\s*(?:original message|original appointment|thư gốc|tin nhắn gốc|reply message)\s*-{3,}$",
    re.IGNORECASE,
)
HEADED: Final = re.compile(r"^\**(?:from|từ|người gửi)\**\s*:\**\s*\S", re.IGNORECASE)
HEADER: Final = re.compile(
    r"^\**(?:sent|date|to|cc|subject|đã gửi|ngày|ngày gửi|đến|tới|người nhận|chủ đề|tiêu đề)\**\s*:",
    re.IGNORECASE,
)
PASSED_ON: Final = re.compile(
    r"^(?:-{3,}\s*(?:forwarded message|thư được chuyển tiếp|chuyển tiếp)"
    r"|begin forwarded message|bắt đầu thư được chuyển tiếp)", re.IGNORECASE,
)  # fmt: skip
SENT_FROM: Final = re.compile(
    r"^(?:sent from (?:my|mail for|yahoo|outlook)|get outlook for|đã gửi từ|gửi từ (?:iphone|ipad|điện thoại|"
    r"outlook|yahoo|samsung))", re.IGNORECASE,
)  # fmt: skip
# Words that one language uses all the time, and the other, written without its marks, does not.
ENGLISH: Final = re.compile(
    r"\b(?:the|is|are|was|my|of|and|how|what|please|for|you|have|do|does|with|about|when|where|which|not"
    r"|would|should|could|am|in|on|it|this|that|from|your|dear)\b"
)
VIETNAMESE: Final = re.compile(
    r"\b(?:toi|hoi|duoc|khong|la|va|co|cua|khi|nao|bao|hiem|xa|ban|anh|chi|muon|xin|nhu|nay|da|chua|nghi|viec"
    r"|lam|thi|neu|den|tu)\b"
)
MARKED: Final = re.compile(
    r"[đơưăâêôạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.IGNORECASE
)  # fmt: skip


def decoded(content: bytes, charset: str) -> str:
    """By its charset, else by those that mail in Vietnam is in; what is none of them is replaced."""
    for name in dict.fromkeys((charset, *CHARSETS)):
        try:
            if codecs.lookup(name).name not in NO_CHARSETS:
                return content.decode(name)
        except (LookupError, ValueError):
            pass
    return content.decode("utf-8", "replace")


def plain_header(value: str) -> str:
    """On one line, whatever it claims to be encoded in, without control characters."""
    known = value[:LONGEST_HEADER].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    try:
        parts = decode_header(known)
    except HeaderParseError:
        parts = [(known, None)]
    words = []
    for part, charset in parts:
        words.append(decoded(part, charset or "utf-8") if isinstance(part, bytes) else part)
    return " ".join(tidy("".join(words)).split())


def raw_headers(message: Message, name: str) -> list[str]:
    """As they came; what is not ASCII in them, as surrogates."""
    items = message.raw_items()
    return [str(value)[: 10 * LONGEST_HEADER] for each, value in items if each.lower() == name]


def header(message: Message, name: str) -> str:
    return plain_header(next(iter(raw_headers(message, name)), ""))


def tidy(text: str) -> str:
    """Composed letters, plain line ends, no control character, no more than one blank line in a row."""
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    spaced = composed.replace("\t", " ").replace("\u00a0", " ")
    cleaned = "\n".join(CONTROL.sub("", line).rstrip() for line in spaced.split("\n"))
    return BLANK_LINES.sub("\n\n", cleaned).strip()


class _Words:
    """What lxml tells of, kept as rows: a block begins one, what is quoted begins with «> »."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self._row: list[str] = []
        self._quoted = self._silent = 0

    def start(self, tag: str | bytes, attrib: Mapping[Any, Any]) -> None:
        self._silent += tag in SILENT
        if tag in BLOCKS:
            self._end_row()
        self._quoted += tag == "blockquote"

    def end(self, tag: str | bytes) -> None:
        if tag in BLOCKS:
            self._end_row()
        if tag == "p":
            self.rows.append("")
        self._silent -= tag in SILENT and self._silent > 0
        self._quoted -= tag == "blockquote" and self._quoted > 0

    def data(self, data: str | bytes) -> None:
        if not self._silent:
            self._row.append(str(data))

    def comment(self, text: str | bytes) -> None:
        """Says nothing."""

    def close(self) -> str:
        self._end_row()
        return tidy("\n".join(self.rows))

    def _end_row(self) -> None:
        row = " ".join("".join(self._row).split())
        self._row.clear()
        if row:
            self.rows.append("> " * (self._quoted > 0) + row)


def from_html(markup: str) -> str:
    """Its words; scripts, styles and all that is not text are gone. No tree is made: a cleaner that makes one
    takes minutes for what is nested a hundred thousand deep."""
    parser = HTMLParser(target=_Words(), encoding="utf-8", no_network=True, huge_tree=False)
    parser.feed(CONTROL.sub(" ", markup).encode("utf-8", "replace"))
    return str(parser.close())


def without_signature(text: str) -> str:
    """Not what stands below «-- », nor what a telephone adds."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if line == "--" and at > 0 and len(lines) - at <= 12:
            lines = lines[:at]
            break
    while lines and (not lines[-1].strip() or SENT_FROM.match(lines[-1].strip())):
        lines.pop()
    return "\n".join(lines) if lines else text


def without_quotes(text: str) -> str:
    """What a reply says itself: the letter it answers, quoted below or between, is left out. A mail that is
    passed on stays; so does a reply that would have nothing left."""
    lines = text.split("\n")
    for at, line in enumerate(lines):
        if PASSED_ON.match(line.strip()):
            break
        if _begins_quote(lines, at):
            lines = lines[:at]
            break
    kept = [line for line in lines if not line.startswith(">")]
    return without_signature(tidy("\n".join(kept))) if any(line.strip() for line in kept) else text


def _begins_quote(lines: list[str], at: int) -> bool:
    line = lines[at].strip()
    if ORIGINAL.match(line):
        return True
    if HEADED.match(line):
        return sum(bool(HEADER.match(row.strip())) for row in lines[at + 1 : at + 6]) >= 2
    # A client breaks that line where it likes; below it stands what is quoted.
    for words, next in ((line, at + 1), (f"{line} {_line(lines, at + 1)}", at + 2)):
        if len(words) < 400 and QUOTING.match(words):
            below = [row for row in lines[next : next + 4] if row.strip()]
            return "@" in words or not below or any(row.startswith(">") for row in below)
    return False


def _line(lines: list[str], at: int) -> str:
    return lines[at].strip() if at < len(lines) else ""


def spoken(text: str) -> str:
    """``vi`` unless it is clearly English."""
    if MARKED.search(text):
        return "vi"
    english, vietnamese = (set(words.findall(text.lower())) for words in (ENGLISH, VIETNAMESE))
    return "en" if len(english) >= 4 and len(english) > len(vietnamese) else "vi"
