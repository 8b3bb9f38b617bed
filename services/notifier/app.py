"""Wires the notifier: the register of deadlines, the notices, the operations board."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from services.notifier import jobs, queries
from services.notifier.api import calendar, calendar_drafts, deadlines, mail, notices
from services.notifier.consumers import TABLE
from services.notifier.domain import Deadline, Notice, Suppression
from services.notifier.domain.calendars import Calendar
from services.notifier.gateways import Chat, Services, Signals, SmsGateway, Smtp
from services.notifier.pages import calendar as calendar_pages
from services.notifier.pages import calendar_desk as calendar_desk_pages
from services.notifier.pages import deadlines as deadline_pages
from services.notifier.pages import notices as notice_pages
from services.notifier.pages import operations as operations_pages
from services.notifier.regulation import Lane, Policy
from services.notifier.return_address import ReturnAddresses
from services.notifier.settings import NotifierSettings
from shared.clocks_agree import Clocks
from shared.contracts import notifier as contract
from shared.jobs import Job
from shared.service import Service

ROUTERS: Final = tuple(
    edge.router
    for edge in (
        calendar,
        calendar_drafts,
        deadlines,
        mail,
        notices,
        calendar_pages,
        calendar_desk_pages,
        deadline_pages,
        notice_pages,
        operations_pages,
    )
)


def build(settings: NotifierSettings) -> Service[Policy]:
    policy = settings.policy()
    services, returns = Services(settings), ReturnAddresses.of(settings)
    # Letters are fetched for some while others have the connections.
    places = 2 * settings.smtp_connections

    def all_jobs(service: Service[Policy]) -> Sequence[Job]:
        edge, database = service.edge, service.database
        clocks = Clocks(database, service.name, service.replica)
        urgent, others = (
            jobs.Outbox(edge, services, Smtp(settings), lanes, places, returns)
            for lanes in ((Lane.URGENT,), (Lane.STATUTORY, Lane.COURTESY, Lane.INTERNAL))
        )
        signals = jobs.Outbox(edge, services, _signals(settings), (Lane.SIGNAL,), 4)
        return (
            Job("fire_due", 1.0, jobs.Sweeper(edge, clocks=clocks, replica=service.replica).run),
            Job("move_deadlines", 2.0, jobs.Mover(edge, service.replica).run),
            Job("send_urgent", 1.0, urgent.run),
            Job("send_notices", 1.0, others.run),
            Job("send_signals", 1.0, signals.run),
            Job("write_digests", 20.0, jobs.Digests(edge).run),
            Job("poll_services", 2.0, lambda: jobs.poll_services(database, services)),
            Job("measure", 10.0, lambda: jobs.measure(database)),
        )

    service = Service(
        name="notifier", title="BHXH: hạn và thư báo (notifier)", settings=settings, policy=policy,
        kinds=(Deadline, Notice, Suppression, Calendar), routers=ROUTERS, folder=Path(__file__).parent,
        published=(contract.DEADLINE, contract.NOTICE, contract.CALENDAR), consumers=TABLE,
        projections=queries.projections(policy, lambda: service.calendars.current),
        prepare=queries.prepare, jobs=all_jobs,
    )  # fmt: skip
    return service


def _signals(settings: NotifierSettings) -> Signals:
    chat, sms = settings.chat_url, settings.sms_url
    return Signals(
        chat=Chat(chat, settings.chat_secret.get_secret_value()) if chat else None,
        sms=SmsGateway(sms, settings.sms_token.get_secret_value()) if sms else None,
    )


if __name__ == "__main__":
    build(NotifierSettings()).serve()
