"""Which working calendar counts now (lịch đang dùng): the newest that this build packs or the notifier has
applied. Every version ever in force is kept, so that a term counted in it can be explained by it."""

import asyncio
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self

import structlog

from shared.calendar import CALENDAR, CalendarData, WorkingCalendar, load
from shared.calendar_data import packaged
from shared.contracts.base import Aggregate, Event, Recorded, only
from shared.contracts.calendars import data_of, order_of
from shared.contracts.notifier import CalendarApplied, CalendarYear
from shared.contracts.operations import CalendarAdopted
from shared.desk import Desk, Vault
from shared.mongo import Database, answered
from shared.projections import Fields, Projection

log = structlog.get_logger(__name__)

COLLECTION: Final = "calendars"
LOOK_SECONDS: Final = 1.0  # a new version counts in every replica within two seconds of its projection


class Calendars:
    """Reads the projection ``calendars``: ``_id`` (the version), document, documents, years, applied_at.
    A row without ``applied_at`` is a draft, and nobody counts by it."""

    def __init__(self, database: Database | None = None) -> None:
        self._database = database
        self._known: dict[str, WorkingCalendar] = {CALENDAR.version: CALENDAR}
        self.current: WorkingCalendar = CALENDAR

    def of(self, version: str) -> WorkingCalendar | None:
        """The calendar that counted a term; None when neither this build nor this process knows it."""
        if version not in self._known and version in packaged():
            self._known[version] = load(version)
        return self._known.get(version)

    @property
    def versions(self) -> list[str]:
        """Packed or applied, the oldest first."""
        return sorted({*packaged(), *self._known}, key=order_of)

    def take(self, data: CalendarData) -> WorkingCalendar:
        """Keep an applied version, and count by it from here on unless a newer one is known. What a version
        says never changes, so a second telling is passed over."""
        if data.version not in self._known:
            self._known[data.version] = WorkingCalendar(data)
        taken = self._known[data.version]
        self.current = max(self._known.values(), key=lambda each: order_of(each.version))
        return taken

    @answered
    async def refresh(self) -> None:
        """Take what has been applied since the last look."""
        if self._database is None:
            return
        which = {"applied_at": {"$type": "date"}, "_id": {"$nin": list(self._known)}}
        async for row in self._database[COLLECTION].find(which):
            try:
                years = tuple(CalendarYear.model_validate(year) for year in row["years"])
                self.take(data_of(row["_id"], row["documents"], years))
            except (KeyError, TypeError, ValueError) as error:  # the others are counted by all the same
                log.exception("calendar.unreadable", version=row["_id"], error=type(error).__name__)
            else:
                log.info("calendar.taken", version=row["_id"])

    async def run(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(LOOK_SECONDS)


# For the services that hear of calendars; the notifier has the calendar itself.


@dataclass(frozen=True)
class AdoptedCalendar(Aggregate):
    """A calendar that the notifier has applied, as this service has it on record."""

    KIND: ClassVar[str] = "calendar"

    id: str

    @classmethod
    def begin(cls, event: Event) -> Self:
        return cls(only(event, CalendarAdopted).calendar)

    def apply(self, event: Event) -> Self:
        return self


async def adopt(recorded: Recorded[CalendarApplied], desk: Desk[Any]) -> None:
    """Lịch mới có hiệu lực: on our own record, so that what we count by is ours to prove. A calendar that
    contradicts itself is refused here, before anybody counts by it."""
    applied = recorded.event
    data_of(applied.calendar, applied.documents, applied.years)
    if await desk.find(AdoptedCalendar, applied.calendar) is None:
        adopted = CalendarAdopted(**applied.model_dump(), applied_at=recorded.at)
        await desk.append(AdoptedCalendar.starts_with(adopted))


async def _adopted(recorded: Recorded[CalendarAdopted], _: Vault) -> Fields:
    event = recorded.event.model_dump(mode="json", exclude={"calendar", "applied_at"})
    return {**event, "applied_at": recorded.event.applied_at}


ADOPTED: Final = Projection(COLLECTION, AdoptedCalendar.KIND, {CalendarAdopted: _adopted})
