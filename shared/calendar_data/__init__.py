"""One version of the working calendar as it is kept and exchanged: the days that differ from Monday to
Friday, each with the document that decided it. A version is a TOML file beside this one, kept for ever."""

import tomllib
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, model_validator

HERE: Final = Path(__file__).parent
SATURDAY: Final = 5


class DayKind(StrEnum):
    HOLIDAY = "holiday"
    SWAP_OFF = "swap_off"
    MAKEUP = "makeup"


class DayRow(BaseModel):
    """One day that differs from Monday to Friday, with the document that decided it (``by``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: date
    kind: DayKind
    vi: str
    en: str
    by: str

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        weekend = self.date.weekday() >= SATURDAY
        if (self.kind is DayKind.MAKEUP and not weekend) or (self.kind is DayKind.SWAP_OFF and weekend):
            raise ValueError(f"{self.date}: {self.kind} changes nothing on this day of the week")
        return self


class YearRows(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    year: int
    provisional: bool = False
    days: tuple[DayRow, ...]


class CalendarData(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    documents: dict[str, str]
    years: tuple[YearRows, ...]

    @model_validator(mode="after")
    def _whole(self) -> Self:
        years = [row.year for row in self.years]
        if not years or years != list(range(years[0], years[0] + len(years))):
            raise ValueError(f"the years must follow one another without a gap: {years}")
        for year in self.years:
            dates = [row.date for row in year.days]
            if len(set(dates)) != len(dates) or any(d.year != year.year for d in dates):
                raise ValueError(f"{year.year}: a day is given twice or lies in another year")
        if unknown := {row.by for y in self.years for row in y.days} - set(self.documents):
            raise ValueError(f"rows decided by no listed document: {sorted(unknown)}")
        return self


@cache
def packaged() -> frozenset[str]:
    """The versions that this build packs."""
    return frozenset(path.stem for path in HERE.glob("*.toml"))


def read(version: str | None = None) -> CalendarData:
    """The newest version, or the one asked for; ``KeyError`` when there is none of that name."""
    files = {path.stem: path for path in HERE.glob("*.toml")}
    return CalendarData.model_validate(tomllib.loads(files[version or max(files)].read_text("utf-8")))
