"""How dates, numbers and addresses read on a Vietnamese page; instants come in UTC, show Vietnamese time."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

VIETNAM: Final = ZoneInfo("Asia/Ho_Chi_Minh")
WEEKDAYS: Final = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ nhật")


def local(instant: datetime) -> datetime:
    """The same instant on a clock in Vietnam. A naive one is refused: nobody knows what it means."""
    if instant.tzinfo is None:
        raise ValueError("an instant must carry its time zone")
    return instant.astimezone(VIETNAM)


def _day(value: date) -> date:
    return local(value).date() if isinstance(value, datetime) else value


def vn_date(value: date) -> str:
    """23/11/2026"""
    return f"{_day(value):%d/%m/%Y}"


def vn_short(value: date) -> str:
    """23/11"""
    return f"{_day(value):%d/%m}"


def vn_day(value: date) -> str:
    """Thứ Hai 23/11"""
    day = _day(value)
    return f"{WEEKDAYS[day.weekday()]} {day:%d/%m}"


def vn_full_day(value: date) -> str:
    """Thứ Hai 23/11/2026"""
    day = _day(value)
    return f"{WEEKDAYS[day.weekday()]} {day:%d/%m/%Y}"


def in_sentence(words: str) -> str:
    """thứ Hai 23/11/2026: a day within a sentence; «Chủ nhật» keeps its capital."""
    return f"t{words[1:]}" if words.startswith("Thứ ") else words


def vn_time(value: datetime) -> str:
    """09:44"""
    return f"{local(value):%H:%M}"


def vn_datetime(value: datetime) -> str:
    """Thứ Hai 23/11/2026, 09:44"""
    return f"{vn_full_day(value)}, {vn_time(value)}"


def iso(value: date) -> str:
    """For the machine-readable half of a ``<time>``."""
    return local(value).isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()


def _span(seconds: float) -> str:
    minutes = int(seconds // 60)
    if minutes < 1:
        return f"{max(int(seconds), 1)} giây"
    if minutes < 60:
        return f"{minutes} phút"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} giờ {minutes} phút" if hours < 6 and minutes else f"{hours} giờ"


def ago(value: datetime, now: datetime) -> str:
    """2 giờ trước; hôm qua; 3 ngày trước; after a month, the date itself."""
    seconds = (now - value).total_seconds()
    if seconds < 45:
        return "vừa xong"
    days = (_day(now) - _day(value)).days
    if seconds < 86_400 or days < 1:
        return f"{_span(seconds)} trước"
    if days == 1:
        return "hôm qua"
    return f"{days} ngày trước" if days <= 30 else vn_date(value)


def due_in(value: date, now: datetime) -> str:
    """còn 2 giờ; còn 3 ngày; quá hạn 1 ngày. A plain date runs to the end of that day in Vietnam.

    Days here are calendar days: the working days of a legal term are the calendar's to count.
    """
    if not isinstance(value, datetime):
        midnight = datetime(value.year, value.month, value.day, tzinfo=VIETNAM)
        value = (midnight + timedelta(days=1)).astimezone(UTC)
    seconds = (value - now).total_seconds()
    # An exclusive end at midnight belongs to the day before it.
    days = abs((_day(value - timedelta(microseconds=1)) - _day(now)).days)
    size = f"{days} ngày" if abs(seconds) >= 86_400 and days else _span(abs(seconds))
    return f"còn {size}" if seconds > 0 else f"quá hạn {size}"


def number(value: float | Decimal, digits: int | None = None) -> str:
    """1.284 and 96,4: a dot groups thousands, a comma marks decimals. A whole number shows none."""
    if digits is None:
        digits = 0 if isinstance(value, int) or value == int(value) else 1
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def file_size(size: int) -> str:
    """412 KB; 1,5 MB"""
    if size < 1_000_000:
        return f"{number(max(1, round(size / 1000)))} KB"
    return f"{number(size / 1_000_000)} MB"


def mask_email(address: str) -> str:
    """n•••h@gmail.com: enough to know one's own address, too little to learn another's."""
    name, at, host = address.rpartition("@")
    if not at or not name:
        return "•••"
    return f"{name[0]}•••{name[-1] if len(name) > 2 else ''}@{host}"


def initials(name: str) -> str:
    """TH for Trần Thu Hà: Vietnamese people are told apart by their last two words."""
    return "".join(word[0] for word in name.split()[-2:]).upper()


def paragraphs(text: str) -> Markup:
    """Escaped text as paragraphs: a blank line parts two, a single line end is kept."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")) if block.strip()]
    return Markup().join(
        Markup("<p>{}</p>").format(Markup("<br>").join(escape(line) for line in block.split("\n")))
        for block in blocks
    )


def filters(clock: Callable[[], datetime]) -> Mapping[str, Callable[..., Any]]:
    """Every filter a template may use, by name; those that need the present ask ``clock``."""
    plain = (
        vn_date, vn_day, vn_full_day, in_sentence, vn_time, vn_datetime, iso, number, file_size, mask_email,
        initials,
    )  # fmt: skip
    return {
        **{each.__name__: each for each in plain},
        "paragraphs": paragraphs,
        "ago": lambda value: ago(value, clock()),
        "due_in": lambda value: due_in(value, clock()),
    }
