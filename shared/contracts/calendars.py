"""Between a calendar as events carry it and as data to count by, and the order of its versions."""

from collections.abc import Iterable, Mapping

from shared.calendar import CalendarData
from shared.contracts.notifier import CalendarYear


def order_of(version: str) -> tuple[str, int]:
    """Versions in the order in which they follow one another: ``.n`` is the n-th of its date."""
    day, _, number = version.partition(".")
    return day, int(number) if number.isdecimal() else 0


def data_of(version: str, documents: Mapping[str, str], years: Iterable[CalendarYear]) -> CalendarData:
    """An event's calendar as data to count by; ``years`` is all of it, not only what changed. Raises
    pydantic's ``ValidationError`` where it contradicts itself."""
    rows = [year.model_dump() for year in years]
    return CalendarData.model_validate({"version": version, "documents": dict(documents), "years": rows})


def years_of(data: CalendarData) -> tuple[CalendarYear, ...]:
    """The way back: a calendar's years as an event carries them."""
    return tuple(CalendarYear.model_validate(year.model_dump(mode="json")) for year in data.years)
