"""Where our own people are reached, looked up in the directory at the moment of sending and kept nowhere."""

from dataclasses import dataclass
from typing import Any, Final

from services.notifier.gateways import LetterUnavailable
from services.notifier.letters import LANGUAGES, Language
from services.notifier.regulation import Policy
from shared.directory import Directory

ON_CALL_VI: Final = "Trực vận hành"


class NoNumber(Exception):
    """Nobody has given a telephone number there: an SMS is not to be sent."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """``to``: one mail address, a telephone number, or ``chat:<room>``; ``name``: how they are addressed."""

    to: str
    name: str
    language: Language = "vi"


async def addressee_of(directory: Directory, recipient: str, policy: Policy) -> Addressee:
    """``recipient`` as a notice names it. Raises LetterUnavailable for a unit that is not in the directory or
    has no address (somebody may add it), NoNumber for an SMS to nobody's telephone."""
    if recipient.startswith("chat:"):
        return Addressee(recipient, ON_CALL_VI)
    who = recipient.removeprefix("sms:")
    role, _, id = who.partition(":")
    unit = policy.leadership_unit if role == "leadership" else id
    row = (await directory.units()).get(unit)
    if row is None:
        raise LetterUnavailable(f"danh bạ chưa có đơn vị {unit}")
    headed = role in ("head", "leadership")
    if recipient != who:
        if not row.get("head_phone"):
            raise NoNumber
        return Addressee(str(row["head_phone"]), _name(role, row), _language(row))
    address = (row.get("head_email") if headed else "") or row.get("email")
    if not address:
        raise LetterUnavailable(f"danh bạ chưa có địa chỉ thư của đơn vị {unit}")
    return Addressee(str(address), _name(role, row), _language(row))


def _name(role: str, row: dict[str, Any]) -> str:
    english = _language(row) == "en"
    if role == "head":
        return f"{'Head of' if english else 'Thủ trưởng'} {row['name']}"
    if role == "leadership":
        return "Leadership of Vietnam Social Security" if english else "Lãnh đạo Bảo hiểm xã hội Việt Nam"
    return str(row["name"])


def _language(row: dict[str, Any]) -> Language:
    return next((each for each in LANGUAGES if each == row.get("language")), "vi")
