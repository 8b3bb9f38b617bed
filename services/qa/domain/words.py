"""Chữ: how two spellings of one text are recognised as the same, with or without diacritics."""

import re
import unicodedata
from typing import Final

SEPARATORS: Final = re.compile(r"[^0-9a-z]+")


class Bare(dict[int, int | None]):
    """What becomes of each letter: a combining mark falls away. Filled as letters are met."""

    def __missing__(self, letter: int) -> int | None:
        self[letter] = None if unicodedata.combining(chr(letter)) else letter
        return self[letter]


BARE: Final = Bare()


def fold(text: str) -> str:
    """«Rút BHXH một lần?» → «rut bhxh mot lan»: what search and likeness compare."""
    decomposed = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return SEPARATORS.sub(" ", decomposed.translate(BARE)).strip()
