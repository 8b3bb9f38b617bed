"""The qa service, wired: the only place that puts its parts together."""

from pathlib import Path

from services.qa import api, figures, jobs
from services.qa.api import asker as api_asker
from services.qa.api import files as api_files
from services.qa.api import settings as api_settings
from services.qa.api import systems as api_systems
from services.qa.consumers import TABLE
from services.qa.domain import Question
from services.qa.domain.codes import Codes
from services.qa.domain.settings import Leave, Route, Template
from services.qa.domain.subscriptions import Subscription
from services.qa.files import uploads
from services.qa.jobs import files as jobs_files
from services.qa.jobs import webhooks as jobs_webhooks
from services.qa.mail.intake import Intake
from services.qa.mail.lmtp import listen
from services.qa.pages import answers as pages_answers
from services.qa.pages import ask as pages_ask
from services.qa.pages import desk as pages_desk
from services.qa.pages import desk_bulk as pages_desk_bulk
from services.qa.pages import desk_live as pages_desk_live
from services.qa.pages import files as pages_files
from services.qa.pages import track as pages_track
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
