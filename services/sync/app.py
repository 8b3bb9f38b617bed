"""sync: the only place where its parts are put together."""

from functools import partial
from pathlib import Path

from services.sync import api, jobs, pages, queries
from services.sync.backlog import load_partners
from services.sync.consumers import TABLE
from services.sync.domain import Delivery, Portal
from services.sync.regulation import Policy
from services.sync.settings import SyncSettings
from shared.calendars import ADOPTED, AdoptedCalendar
from shared.contracts import notifier, sync
from shared.mongo import Database
from shared.service import Service


def build(settings: SyncSettings) -> Service[Policy]:
    partners = settings.partners()

    async def prepare(database: Database) -> None:
        await queries.prepare(database)
        await load_partners(database, partners)

    return Service(
        name="sync",
        title="Đồng bộ cổng liên kết",
        settings=settings,
        policy=settings.policy(),
        kinds=[Delivery, Portal, AdoptedCalendar],
        routers=[api.router, pages.router],
        folder=Path(__file__).parent,
        published=[sync.TOPIC],
        consumers=TABLE,
        in_background=[notifier.DEADLINE],
        projections=(*queries.PROJECTIONS, ADOPTED),
        prepare=prepare,
        jobs=partial(jobs.jobs, partners),
    )


if __name__ == "__main__":
    build(SyncSettings()).serve()
