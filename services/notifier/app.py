"""Wires the notifier: the register of deadlines, the notices, the operations board."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import structlog

from services.notifier import jobs, queries
from services.notifier.api import (
    alarms,
    calendar,
    calendar_drafts,
    deadlines,
    exports,
    feeds,
    figures,
    mail,
    notices,
    suppressions,
)
from services.notifier.consumers import TABLE
from services.notifier.domain import Deadline, Notice, Suppression
from services.notifier.domain.calendars import Calendar
from services.notifier.domain.feeds import Feed
from services.notifier.gateways import Chat, Services, Signals, SmsGateway, Smtp
from services.notifier.pages import calendar as calendar_pages
from services.notifier.pages import calendar_desk as calendar_desk_pages
from services.notifier.pages import deadline_board as deadline_board_pages
from services.notifier.pages import deadlines as deadline_pages
from services.notifier.pages import ledger as ledger_pages
from services.notifier.pages import notices as notice_pages
from services.notifier.pages import operations as operations_pages
from services.notifier.pages import suppressions as suppression_pages
from services.notifier.pages import templates as template_pages
from services.notifier.regulation import Lane, Policy
from services.notifier.return_address import ReturnAddresses
from services.notifier.settings import NotifierSettings
from shared.clocks_agree import Clocks, while_they_agree
from shared.contracts import notifier as contract
from shared.jobs import Job
from shared.service import Service
from shared.settings import Role

log = structlog.get_logger(__name__)

ROUTERS: Final = tuple(
    edge.router
    for edge in (
        calendar,
        calendar_drafts,
        exports,
        figures,
        feeds,
        deadlines,
        mail,
        notices,
        suppressions,
        alarms,
        calendar_pages,
        calendar_desk_pages,
        deadline_board_pages,
        deadline_pages,
        notice_pages,
        ledger_pages,
        suppression_pages,
        operations_pages,
    )
)


def build(settings: NotifierSettings) -> Service[Policy]:
    policy = settings.policy()
    services, returns = Services(settings), ReturnAddresses.of(settings)
    previewed = template_pages.router_for(jobs.Previews(services))
    # Letters are fetched for some while others have the connections.
    places = 2 * settings.smtp_connections

    def all_jobs(service: Service[Policy]) -> Sequence[Job]:
        edge, database = service.in_bulk, service.database
        clocks = Clocks(database, service.name, service.replica)
        urgent = jobs.Outbox(
            service.edge, services, Smtp(settings), (Lane.URGENT,), places, returns,
            wake=lambda: service.wake("send_urgent"), clocks=clocks,
        )  # fmt: skip
        rest = (Lane.STATUTORY, Lane.COURTESY, Lane.INTERNAL)
        others = jobs.Outbox(edge, services, Smtp(settings), rest, places, returns, clocks=clocks)
        signals = jobs.Outbox(
            service.edge, services, _signals(settings), (Lane.SIGNAL,), 4,
            wake=lambda: service.wake("send_signals"), clocks=clocks,
        )  # fmt: skip
        mover = jobs.Mover(edge, service.replica, clocks)
        if Role.WORKER in settings.roles:
            service.hearers += [urgent.hear, signals.hear]
        return (
            Job("fire_due", 0.2, jobs.Sweeper(edge, clocks=clocks, replica=service.replica).run),
            Job("move_deadlines", 2.0, while_they_agree(clocks, mover.run)),
            Job("send_urgent", 1.0, urgent.run, awaited=True),
            Job("send_notices", 1.0, others.run),
            Job("send_signals", 1.0, signals.run, awaited=True),
            Job("write_digests", 20.0, while_they_agree(clocks, jobs.Digests(edge).run)),
            Job("poll_services", 2.0, lambda: jobs.poll_services(database, services)),
            Job("measure", 10.0, lambda: jobs.measure(database)),
        )

    service = Service(
        name="notifier", title="BHXH: hạn và thư báo (notifier)", settings=settings, policy=policy,
        kinds=(Deadline, Notice, Suppression, Calendar, Feed), routers=(*ROUTERS, previewed),
        folder=Path(__file__).parent,
        published=(contract.DEADLINE, contract.NOTICE, contract.CALENDAR), consumers=TABLE,
        in_background=(contract.DEADLINE,),
        projections=queries.projections(policy, lambda: service.calendars.current),
        prepare=queries.prepare, jobs=all_jobs,
    )  # fmt: skip
    for said in settings.warnings:
        log.warning("settings.warned", reason=said)
    return service


def _signals(settings: NotifierSettings) -> Signals:
    chat, sms = settings.chat_url, settings.sms_url
    return Signals(
        chat=Chat(chat, settings.chat_secret.get_secret_value()) if chat else None,
        sms=SmsGateway(sms, settings.sms_token.get_secret_value()) if sms else None,
    )


if __name__ == "__main__":
    build(NotifierSettings()).serve()
