"""The qa service, wired: the only place that puts its parts together."""

from functools import partial
from pathlib import Path

from services.qa import (
    api,
    api_asker,
    api_files,
    figures,
    jobs_files,
    pages_answers,
    pages_ask,
    pages_desk,
    pages_files,
    pages_track,
)
from services.qa.consumers import TABLE
from services.qa.domain import Question
from services.qa.domain.codes import Codes
from services.qa.files import uploads
from services.qa.queries.indexes import prepare
from services.qa.queries.read_models import projections
from services.qa.regulation import Policy
from services.qa.settings import QaSettings
from shared.calendars import ADOPTED, AdoptedCalendar
from shared.contracts import notifier, qa
from shared.service import Service

FOLDER = Path(__file__).parent


def build(settings: QaSettings) -> Service[Policy]:
    codes = Codes(settings.secret_key.get_secret_value())
    return Service(
        name="qa", title="Hỏi – đáp với người dân", settings=settings, policy=settings.policy(),
        kinds=[Question, AdoptedCalendar], folder=FOLDER, published=[qa.TOPIC], consumers=TABLE,
        in_background=[notifier.DEADLINE, qa.TOPIC],
        routers=[
            api.router, api_asker.router, api_files.router, figures.router, pages_ask.router,
            pages_track.router, pages_answers.router, pages_files.router, figures.pages,
            pages_desk.router,
        ],
        projections=(*projections(codes), ADOPTED), prepare=prepare,
        jobs=partial(jobs_files.jobs, settings), uploads=uploads(settings.largest_file),
    )  # fmt: skip


if __name__ == "__main__":
    build(QaSettings()).serve()
