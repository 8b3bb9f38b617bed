"""The qa service, wired: the only place that puts its parts together."""

from pathlib import Path

from services.qa import (
    api,
    api_asker,
    api_files,
    api_settings,
    api_systems,
    figures,
    jobs,
    jobs_files,
    jobs_webhooks,
    pages_answers,
    pages_ask,
    pages_desk,
    pages_desk_bulk,
    pages_desk_live,
    pages_files,
    pages_track,
)
from services.qa.consumers import TABLE
from services.qa.domain import Question
from services.qa.domain.codes import Codes
from services.qa.domain.settings import Leave, Route, Template
from services.qa.domain.subscriptions import Subscription
from services.qa.files import uploads
from services.qa.mail.intake import Intake
from services.qa.mail.lmtp import listen
from services.qa.queries.files import FileStore
from services.qa.queries.indexes import prepare
from services.qa.queries.read_models import projections
from services.qa.queries.settings import SETTINGS
from services.qa.queries.subscriptions import SUBSCRIBED
from services.qa.queries.threads import threads
from services.qa.regulation import Policy
from services.qa.settings import QaSettings
from shared.calendars import ADOPTED, AdoptedCalendar
from shared.contracts import notifier, qa
from shared.service import Service

FOLDER = Path(__file__).parent


def build(settings: QaSettings) -> Service[Policy]:
    codes = Codes(settings.secret_key.get_secret_value())

    async def mail_in(service: Service[Policy]) -> None:
        store = FileStore(service.database, service.keyring)
        await listen(Intake(service.edge, settings, codes, store))

    return Service(
        name="qa",
        title="Hỏi – đáp với người dân",
        settings=settings,
        policy=settings.policy(),
        kinds=[Question, Subscription, Template, Route, Leave, AdoptedCalendar],
        folder=FOLDER,
        published=[qa.TOPIC],
        consumers=TABLE,
        in_background=[notifier.DEADLINE, qa.TOPIC],
        routers=[
            api.router,
            api_asker.router,
            api_files.router,
            api_systems.router,
            api_settings.router,
            figures.router,
            pages_ask.router,
            pages_track.router,
            pages_answers.router,
            pages_files.router,
            figures.pages,
            api_settings.pages,
            pages_desk_live.router,
            pages_desk_bulk.router,
            pages_desk.router,
        ],
        projections=(*projections(codes), threads(codes), SUBSCRIBED, *SETTINGS, ADOPTED),
        prepare=prepare,
        jobs=lambda service: [
            *jobs.jobs(service),
            *jobs_files.jobs(settings, service),
            *jobs_webhooks.jobs(service),
        ],
        followers=lambda service: {"webhooks": jobs_webhooks.Enqueuer(service).take},
        uploads=uploads(settings.largest_file),
        doors={"lmtp": mail_in} if settings.lmtp_host else {},
    )


if __name__ == "__main__":
    build(QaSettings()).serve()
