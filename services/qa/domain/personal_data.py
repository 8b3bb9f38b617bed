"""Dữ liệu cá nhân: what must not stand in a published answer, found and masked by rule. A help to the person
who publishes, and a last check; it does not replace reading."""

import re
from dataclasses import dataclass
from typing import Final

from services.qa.domain.words import fold

DIGITS: Final = r"(?<![\d/.,])\+?\d(?:[ .\-]?\d){8,12}(?![\d/])"
EMAIL: Final = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
NUMBERS: Final = re.compile(DIGITS)
CARD: Final = re.compile(
    r"\b[A-Za-z]{2}[ .\-]?\d(?:[ .\-]?\d){12}\b"
)  # DN 4 79 7916123456: the card of 15 signs
HOTLINE: Final = re.compile(r"^(1900|1800)")
CALLED: Final = (
    r"(?P<called>\b(?:ông|bà|anh|chị|cô|chú|bác|em|bạn|cháu|tên(?: là)?|ten(?: la)?|tôi là|em là)\s+)"
)

EMAIL_MASK: Final = "[địa chỉ thư]"
PHONE_MASK: Final = "[số điện thoại]"
CITIZEN_MASK: Final = "[số căn cước]"
INSURANCE_MASK: Final = "[mã số BHXH]"
CARD_MASK: Final = "[mã thẻ BHYT]"
NAME_MASK: Final = "[người hỏi]"
LABELS: Final = {
    EMAIL_MASK: "địa chỉ thư điện tử", PHONE_MASK: "số điện thoại", CITIZEN_MASK: "số căn cước công dân",
    INSURANCE_MASK: "mã số bảo hiểm xã hội", CARD_MASK: "mã thẻ bảo hiểm y tế", NAME_MASK: "họ tên người hỏi",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Masked:
    """The text with each find replaced, and what kinds were found."""

    text: str
    kinds: tuple[str, ...]


def _kind_of_number(written: str) -> str | None:
    digits = re.sub(r"\D", "", written)
    if HOTLINE.match(digits):
        return None
    if written.startswith("+84") or (digits.startswith("84") and len(digits) == 11):
        return PHONE_MASK
    if len(digits) == 12:
        return CITIZEN_MASK if digits.startswith("0") else None  # it begins with the province, 001 to 096
    if len(digits) == 10:
        return PHONE_MASK if re.match(r"0[235789]", digits) else INSURANCE_MASK
    return PHONE_MASK if len(digits) in (9, 11) and digits.startswith(("0", "9")) else None


def mask(text: str, name: str) -> Masked:
    """Replace addresses, phone and register numbers, and the asker's full name."""
    kinds: list[str] = []

    def found(kind: str) -> str:
        kinds.append(kind)
        return kind

    text = EMAIL.sub(lambda _: found(EMAIL_MASK), text)
    text = CARD.sub(lambda _: found(CARD_MASK), text)

    def number(match: re.Match[str]) -> str:
        kind = _kind_of_number(match[0])
        return found(kind) if kind else match[0]

    text = NUMBERS.sub(number, text)
    for start, end in reversed(_spans(text, name)):
        text = text[:start] + found(NAME_MASK) + text[end:]
    return Masked(text, tuple(dict.fromkeys(kinds)))


def suggest(text: str, name: str) -> str:
    """A first draft for publication: masked, and without the asker's given name after a form of address."""
    masked = mask(text, name).text
    given = name.rsplit(maxsplit=1)[-1] if name.split() else ""
    if not given:
        return masked
    spellings = "|".join(re.escape(each) for each in dict.fromkeys((given, fold(given))))
    return re.sub(rf"(?i){CALLED}(?:{spellings})\b", rf"\g<called>{NAME_MASK}", masked)


def _spans(text: str, name: str) -> list[tuple[int, int]]:
    """Where the full name stands, with or without diacritics and in any case. One given name alone is left:
    Hoa, Lành, An are words too."""
    wanted = fold(name).split()
    if len(wanted) < 2:
        return []
    words = [(match.start(), match.end(), fold(match[0])) for match in re.finditer(r"\w+", text)]
    size = len(wanted)
    return [
        (words[at][0], words[at + size - 1][1])
        for at in range(len(words) - size + 1)
        if [folded for _, _, folded in words[at : at + size]] == wanted
    ]
