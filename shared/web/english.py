"""How dates and figures read on an English page: 30 November 2026, 1,284 and 96.4. Instants come in UTC and
show Vietnamese time, as on every page."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from babel.dates import format_date

from shared.web import vietnamese as vn


def _written(value: date, pattern: str) -> str:
    day = vn.local(value).date() if isinstance(value, datetime) else value
    return _formatted(day, pattern)


@lru_cache(maxsize=4096)
def _formatted(day: date, pattern: str) -> str:
    """A page names the same few days again and again."""
    return format_date(day, pattern, locale="en")


def en_date(value: date) -> str:
    """30 November 2026"""
    return _written(value, "d MMMM y")


def en_short(value: date) -> str:
    """30 Nov"""
    return _written(value, "d MMM")


def en_day(value: date) -> str:
    """Mon 30 Nov"""
    return _written(value, "EEE d MMM")


def en_full_day(value: date) -> str:
    """Monday 30 November 2026"""
    return _written(value, "EEEE d MMMM y")


def en_datetime(value: datetime) -> str:
    """Monday 30 November 2026, 09:44"""
    return f"{en_full_day(value)}, {vn.vn_time(value)}"


def number(value: float | Decimal, digits: int | None = None) -> str:
    """1,284 and 96.4"""
    return vn.number(value, digits).translate(str.maketrans(",.", ".,"))


def file_size(size: int) -> str:
    return vn.file_size(size).translate(str.maketrans(",.", ".,"))


def dates_written_out(sentence: str) -> str:
    """A sentence of the calendar, which names days as 30/11/2026 or 24/11, with them as 30 November 2026."""

    def written(found: re.Match[str]) -> str:
        day, month, year = found.groups()
        pattern = "d MMMM y" if year else "d MMMM"
        return _written(date(int(year or 2000), int(month), int(day)), pattern)

    return re.sub(r"\b(\d\d)/(\d\d)(?:/(\d{4}))?\b", written, sentence)


def as_it_is(words: str) -> str:
    return words


# What stands in place of a Vietnamese filter; the others read alike in both languages.
FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "vn_date": en_date, "vn_day": en_day, "vn_full_day": en_full_day, "vn_datetime": en_datetime,
    "in_sentence": as_it_is, "number": number, "file_size": file_size,
}  # fmt: skip
