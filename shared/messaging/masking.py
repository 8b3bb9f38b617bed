"""Personal data masked (che thông tin cá nhân): what an operator sees of an event that went wrong. Addresses,
phone and identity numbers never show, and no citizen's words beyond their first few."""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from pydantic import ValidationError

from shared.messaging.records import shown

LONGEST: Final = 80  # characters of one text; an id, a date or a code is shorter
SHOWN: Final = 40  # of a longer one
REASON: Final = 500
HIDDEN: Final = "•••"

_FOUND: Final = re.compile(
    r"(?P<keep>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # an id
    r"|\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?)"  # a date, a moment
    r"|(?P<email>[^\s@<>\"',;:()\[\]]+@[^\s@<>\"',;:()\[\]]+)"
    r"|(?P<number>(?<!\w)\+?\(?\d(?:[ .()\-]{0,2}\d){8,18}(?!\w))",  # a phone, CCCD, BHXH or card number
    re.IGNORECASE,
)
_PERSONAL: Final = frozenset({
    "address", "asker", "asker_name", "birth_date", "email", "full_name", "identity_number",
    "insurance_number", "phone", "recipient",
})  # fmt: skip


def mask_text(text: str) -> str:
    return _FOUND.sub(lambda found: found["keep"] or HIDDEN, text)


def mask(value: Any) -> Any:
    """The same shape, with nothing personal in it."""
    match value:
        case str():
            masked = mask_text(value)
            cut = len(masked) - SHOWN
            return masked if len(masked) <= LONGEST else f"{masked[:SHOWN]}… (+{cut} ký tự)"
        case bool() | None | float():
            return value
        case int():
            return HIDDEN if len(str(abs(value))) >= 9 else value
        case dict():
            return {
                mask_text(str(k)): HIDDEN if str(k).lower() in _PERSONAL and v else mask(v)
                for k, v in value.items()
            }
        case list():
            return [mask(each) for each in value]
    return HIDDEN


def mask_body(raw: bytes) -> Any:
    """A record's body: JSON as JSON, anything else as a few masked characters."""
    try:
        return mask(json.loads(raw))
    except (ValueError, RecursionError):
        return mask(raw.decode(errors="replace"))


def mask_headers(headers: Iterable[tuple[str, bytes | None]]) -> list[list[str]]:
    return [[mask(shown(name)), mask((raw or b"").decode(errors="replace"))] for name, raw in headers]


def reason_of(error: BaseException) -> str:
    """Why something was buried, in words that quote none of it: pydantic's own sentence shows the input."""
    if isinstance(error, ValidationError):
        details = error.errors(include_url=False, include_input=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['type']}" for each in details)
    else:
        text = str(error)
    return mask_text(text)[:REASON]
