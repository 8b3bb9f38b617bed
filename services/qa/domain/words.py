"""Chữ: how two spellings of one text are recognised as the same, with or without diacritics."""

import re
import unicodedata
from typing import Final

SEPARATORS: Final = re.compile(r"[^0-9a-z]+")


def fold(text: str) -> str:
    """«Rút BHXH một lần?» → «rut bhxh mot lan»: what search and likeness compare."""
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return SEPARATORS.sub(" ", bare).strip()
