"""A mail as it came, read: who writes, what they say, what it answers, what is attached. Pure; whatever the
bytes are, they are read within set bounds or refused with a reason that a person can act on."""

import re
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from email.policy import compat32
from email.utils import collapse_rfc2231_value, getaddresses
from enum import StrEnum
from typing import Final

from services.qa.mail.automatic import automatic
from services.qa.mail.texts import (
    LONGEST_HEADER,
    decoded,
    from_html,
    header,
    plain_header,
    raw_headers,
    spoken,
    tidy,
    without_quotes,
    without_signature,
)

# Looked for in the bytes before anything is taken apart: what these bounds let through is read in a second.
MOST_LINES: Final = 250_000
LONGEST_HEAD: Final = 100_000  # bytes
MOST_CONTAINERS: Final = 20  # parts that hold others: as many as may lie within one another
MOST_PARTS: Final = 50
MOST_TEXT: Final = 20_000  # characters that somebody wrote
MOST_MARKUP: Final = 1_000_000  # bytes of HTML
MOST_REFERENCES: Final = 20
LONGEST_SUBJECT, LONGEST_NAME = 300, 120
CONTAINER: Final = re.compile(rb"(?im)^content-type[ \t]*:\s*(?:multipart|message)\s*/")
DESCRIBED: Final = re.compile(rb"(?im)^content-(?:type|disposition)[ \t]*:[^\n]*(?:\n[ \t][^\n]*)*")
SEALS: Final = frozenset({
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
    "application/ms-tnef", "text/calendar", "text/x-amp-html",
})  # fmt: skip
MESSAGE_ID: Final = re.compile(r"<[!-;=?-~]{1,300}>")
ANSWERED: Final = re.compile(
    r"^(?:(?:re|aw|sv|fw|fwd|tr|trả lời|tra loi|chuyển tiếp|chuyen tiep)\s{0,3}(?:\[\d+\])?\s{0,3}:\s{0,3})+",
    re.IGNORECASE,
)
PASSED_ON: Final = re.compile(r"^\s*(?:fw|fwd|tr|chuyển tiếp|chuyen tiep)\s*:", re.IGNORECASE)
BROKEN: Final = (ValueError, LookupError, TypeError, RecursionError, AttributeError, MessageError)


class Trouble(StrEnum):
    """Vì sao một lá thư không thành câu hỏi được."""

    BROKEN = "broken"
    TOO_DEEP = "too_deep"
    TOO_MANY_PARTS = "too_many_parts"
    TOO_LONG = "too_long"
    NO_TEXT = "no_text"
    NO_SENDER = "no_sender"
    TOO_MANY_FILES = "too_many_files"
    FILE_TYPE = "file_type"
    FILE_TOO_LARGE = "file_too_large"


class MailRefused(Exception):
    """The one refusal: this mail cannot be made a question, and its sender has to be told why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Attached:
    """``adorns``: a picture within the text or a seal; nobody misses it."""

    name: str
    adorns: bool
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mail:
    """``text``: all that is written, ``reply``: without what it quotes. ``automatic``: which kind of machine
    wrote it, empty for a person."""

    sender: str
    name: str
    subject: str
    text: str
    reply: str
    language: str
    message_id: str
    answers: tuple[str, ...] = ()  # Message-IDs, the nearest first
    attached: tuple[Attached, ...] = ()
    automatic: str = ""


def read(raw: bytes, envelope_sender: str | None, own_domain: str) -> Mail:
    """``envelope_sender``: None or empty for the null return path; ``own_domain``: that of our Message-IDs.
    Raises MailRefused."""
    try:
        lines = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        _bounded(lines)
        message = message_from_bytes(lines, policy=compat32)
        machine = automatic(message, envelope_sender or "", own_domain)
        return _by_machine(message, machine) if machine else _by_person(message)
    except BROKEN:
        raise MailRefused(Trouble.BROKEN) from None


def _bounded(raw: bytes) -> None:
    if raw.count(b"\n") > MOST_LINES or len(raw.partition(b"\n\n")[0]) > LONGEST_HEAD:
        raise MailRefused(Trouble.TOO_LONG)
    if len(CONTAINER.findall(raw)) > MOST_CONTAINERS:
        raise MailRefused(Trouble.TOO_DEEP)
    described = [len(header) for header in DESCRIBED.findall(raw)]
    if len(described) > 4 * MOST_PARTS:  # both headers of a part, and as many in what is passed on
        raise MailRefused(Trouble.TOO_MANY_PARTS)
    if max(described, default=0) > LONGEST_HEADER:
        raise MailRefused(Trouble.BROKEN)


def _by_machine(message: Message, machine: str) -> Mail:
    """Nothing more is read of what becomes no question."""
    return Mail("", "", "", "", "", "vi", _message_id(message), automatic=machine)


def _by_person(message: Message) -> Mail:
    name, sender = _sender(message)
    body = _Body()
    body.add(message, 0)
    text = without_signature(tidy("\n\n".join(body.texts)))
    if not text:
        raise MailRefused(Trouble.NO_TEXT)
    answers = _references(message)
    subject = header(message, "subject")
    reply = without_quotes(text) if not PASSED_ON.match(subject) else text
    said = reply if answers else text
    if len(said) > MOST_TEXT:
        raise MailRefused(Trouble.TOO_LONG)
    subject = ANSWERED.sub("", subject).strip()[:LONGEST_SUBJECT] or _first_words(said)
    return Mail(
        sender, name[:LONGEST_NAME], subject, text[:MOST_TEXT], reply[:MOST_TEXT],
        spoken(f"{subject}\n{said}"), _message_id(message), answers, tuple(body.attached),
    )  # fmt: skip


def _sender(message: Message) -> tuple[str, str]:
    """Exactly one mailbox: an answer goes to one person."""
    written = raw_headers(message, "from")
    found = [(name, address) for name, address in getaddresses(written) if "@" in address]
    if len(found) != 1 or len(written) != 1:
        raise MailRefused(Trouble.NO_SENDER)
    name, address = found[0]
    # Nothing that reads as an address or a link: the name opens the letters that we send.
    return " ".join(re.sub(r"[<>\"@:/\\]+", " ", plain_header(name)).split()).strip(".,;'"), address.strip()


def _message_id(message: Message) -> str:
    found = MESSAGE_ID.search("".join(raw_headers(message, "message-id")[:1]))
    return found[0] if found else ""


def _references(message: Message) -> tuple[str, ...]:
    near, far = (
        MESSAGE_ID.findall("".join(raw_headers(message, name)[:1])) for name in ("in-reply-to", "references")
    )
    return tuple(dict.fromkeys([*near, *reversed(far)]))[:MOST_REFERENCES]


def _first_words(text: str) -> str:
    line = next(iter(text.split("\n")), "")
    return line if len(line) <= 80 else line[:80].rsplit(" ", 1)[0] + "…"


@dataclass
class _Body:
    """What the parts hold, in their order; of several forms of one text, the plainest that says something."""

    texts: list[str] = field(default_factory=list)
    attached: list[Attached] = field(default_factory=list)
    parts: int = 0

    def add(self, part: Message, depth: int) -> None:
        self.parts += 1
        if depth > MOST_CONTAINERS:
            raise MailRefused(Trouble.TOO_DEEP)
        if self.parts > MOST_PARTS:
            raise MailRefused(Trouble.TOO_MANY_PARTS)
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            self._inside(part, [each for each in part.get_payload() if isinstance(each, Message)], depth)
        elif part.get_content_type() in ("text/plain", "text/html") and not _is_file(part):
            self._say(part)
        else:
            self.attached.append(Attached(_file_name(part), _adorns(part), _content(part)))

    def _inside(self, part: Message, children: list[Message], depth: int) -> None:
        before = len(self.texts)
        forms = []
        for child in children:
            self.add(child, depth + 1)
            forms.append((child.get_content_type() == "text/plain", self.texts[before:]))
            if part.get_content_subtype() == "alternative":
                del self.texts[before:]
        if part.get_content_subtype() == "alternative":
            saying = [(plain, texts) for plain, texts in forms if any(text.strip() for text in texts)]
            self.texts += min(saying, key=lambda form: not form[0])[1] if saying else []

    def _say(self, part: Message) -> None:
        content, marked_up = _content(part), part.get_content_subtype() == "html"
        if len(content) > (MOST_MARKUP if marked_up else 10 * MOST_TEXT):  # quoted more than said
            raise MailRefused(Trouble.TOO_LONG)
        text = decoded(content, part.get_content_charset() or "utf-8")
        text = from_html(text) if marked_up else text
        if len(text) > 10 * MOST_TEXT:
            raise MailRefused(Trouble.TOO_LONG)
        self.texts.append(text)


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _adorns(part: Message) -> bool:
    within = part.get_content_disposition() != "attachment" and "content-id" in part
    return part.get_content_type() in SEALS or (within and part.get_content_maintype() == "image")


def _file_name(part: Message) -> str:
    name = part.get_filename()
    return plain_header(str(collapse_rfc2231_value(name))[:LONGEST_HEADER])[:LONGEST_SUBJECT] if name else ""


def _content(part: Message) -> bytes:
    if part.is_multipart():  # a mail within the mail
        return b"\r\n".join(child.as_bytes() for child in part.get_payload() if isinstance(child, Message))
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
