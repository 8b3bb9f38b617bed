"""A mail that came back, read (RFC 3464): returned for good, only delayed, delivered after all, or an
answer of a machine that says nothing of delivery. Nothing of it is kept but the status and some words,
without an address."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.policy import compat32
from enum import StrEnum
from typing import Final

from services.notifier.said import LOOKED_AT, without_addresses
from shared.errors import InvalidInput

STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
REPLY: Final = re.compile(r"(?<!\d)[45]\d\d(?=[ -])")
FOR_GOOD, UNKNOWN = "5", "5.0.0"
MOST_PARTS: Final = 50
DELIVERED: Final = frozenset({"delivered", "relayed", "expanded"})
# Headers by which a machine says that its owner is away (RFC 3834 has one; these came before it).
AUTOMATIC: Final = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoresponse")


class Outcome(StrEnum):
    BOUNCED = "bounced"  # returned: it will not be delivered
    DELAYED = "delayed"  # the server goes on trying
    DELIVERED = "delivered"
    AUTOMATIC = "automatic"  # an out-of-office reply, a receipt, a complaint


class NoReport(InvalidInput):
    """A mail that says nothing of the delivery of ours."""

    code = "no_delivery_report"
    title_vi, title_en = "Không phải thông báo về việc phát thư", "Not a report on delivery"


@dataclass(frozen=True, slots=True)
class Report:
    """``status``: RFC 3463, e.g. 5.1.1; ``permanent``: its first digit is 5, trying again would not help."""

    outcome: Outcome
    status: str = ""
    reason: str = ""

    @property
    def permanent(self) -> bool:
        return self.status.startswith(FOR_GOOD)


def read(raw: bytes) -> tuple[Report, list[str]]:
    """What is reported, and to which addresses the report was sent. Raises NoReport."""
    try:
        message = message_from_bytes(raw, policy=compat32)
        return _report(message), _addressed(message)
    except (ValueError, LookupError, TypeError, RecursionError, AttributeError):
        raise NoReport("Thư không đọc được.") from None


def _addressed(message: Message) -> list[str]:
    """The envelope's recipient as mail servers write it down; a report has no other recipient."""
    found: list[str] = []
    for name in ("x-original-to", "delivered-to", "envelope-to", "to"):
        for value in message.get_all(name, []):
            found += re.findall(r"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+", str(value)[:LOOKED_AT])
    return list(dict.fromkeys(found))


def _report(message: Message) -> Report:
    parts = list(_own_parts(message))
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            blocks = part.get_payload()
            if isinstance(blocks, list):
                return _judged([b for b in blocks if isinstance(b, Message) and b.get("action")])
    if _is_automatic(message):
        return Report(Outcome.AUTOMATIC)
    if _from_a_server(message):
        return _in_plain_words(parts)
    raise NoReport("Thư này không nói gì về việc phát thư của hệ thống.")


def _own_parts(message: Message, depth: int = 0) -> Iterator[Message]:
    """Not those of the mail that is returned: what somebody wrote there is no report."""
    yield message
    if message.get_content_maintype() != "multipart" or depth > 3:
        return
    children = message.get_payload()
    for child in children[:MOST_PARTS] if isinstance(children, list) else ():
        if isinstance(child, Message):
            yield from _own_parts(child, depth + 1)


def _judged(blocks: list[Message]) -> Report:
    """Each mail of ours has one recipient; where a forwarding made several, the worst one counts."""
    reports = [_one(block) for block in blocks[:MOST_PARTS]]
    for outcome in (Outcome.BOUNCED, Outcome.DELAYED, Outcome.DELIVERED):
        for report in reports:
            if report.outcome is outcome:
                return report
    raise NoReport("Thông báo không nói thư đã được phát hay không.")


def _one(block: Message) -> Report:
    action = str(block["action"]).strip().lower()
    diagnostic = str(block.get("diagnostic-code", "")).partition(";")[2].strip()
    known = [
        str(block.get(name, "")).partition(";")[2].strip()
        for name in ("final-recipient", "original-recipient")
    ]
    reason = without_addresses(diagnostic, *filter(None, known))
    if action in DELIVERED:
        return Report(Outcome.DELIVERED)
    if action == "delayed":
        return Report(Outcome.DELAYED, _status(str(block.get("status", "")), "4.0.0"), reason)
    if action != "failed":
        raise NoReport("Thông báo có hành động lạ.")
    status = _status(f"{block.get('status', '')} {diagnostic}", _by_reply(diagnostic))
    return Report(Outcome.BOUNCED, status, reason)


def _in_plain_words(parts: list[Message]) -> Report:
    """An old server's return, with its words and no fields: it counts when they hold a status or a reply."""
    for part in parts:
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            words = (payload if isinstance(payload, bytes) else b"").decode("utf-8", "replace")
            for line in (row[:LOOKED_AT] for row in words.splitlines()):
                status = _status(line, _by_reply(line) if REPLY.search(line) else "")
                if status.startswith(FOR_GOOD):
                    return Report(Outcome.BOUNCED, status, without_addresses(line.strip()))
    raise NoReport("Thư từ máy chủ thư không nói vì sao trả lại.")


def _status(text: str, otherwise: str) -> str:
    found = STATUS.search(text)
    return ".".join(found.groups()) if found else otherwise


def _by_reply(words: str) -> str:
    reply = REPLY.search(words)
    return f"{reply[0][0]}.0.0" if reply else UNKNOWN


def _is_automatic(message: Message) -> bool:
    kind = str(message.get_param("report-type", "") or "").lower()
    said = str(message.get("auto-submitted", "no")).strip().lower()
    return (
        kind in ("disposition-notification", "feedback-report")
        or said.startswith("auto-replied")
        or any(name in message for name in AUTOMATIC)
        or str(message.get("precedence", "")).strip().lower() == "auto_reply"
    )


def _from_a_server(message: Message) -> bool:
    """Returns have an empty envelope sender (RFC 3464, 2)."""
    sender = str(message.get("from", "")).lower()
    empty = str(message.get("return-path", "")).strip() == "<>"
    return empty or "mailer-daemon@" in sender or "postmaster@" in sender
