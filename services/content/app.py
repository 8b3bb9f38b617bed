"""The only place that wires anything: ``python -m services.content.app`` serves."""

from pathlib import Path

from services.content import api, pages, pages_compose, pages_desk, queries
from services.content.consumers import TABLE
from services.content.domain.placement import Placement
from services.content.domain.submission import Submission
from services.content.regulation import Policy
from services.content.settings import ContentSettings
from shared.calendars import ADOPTED, AdoptedCalendar
from shared.contracts import content, notifier
from shared.service import Service


def build(settings: ContentSettings) -> Service[Policy]:
    return Service(
        name="content",
        title="Tin, bài: cung cấp, biên tập, duyệt, đăng",
        settings=settings,
        policy=settings.policy(),
        kinds=[Submission, Placement, AdoptedCalendar],
        routers=[api.staff, api.public, pages.router, pages_compose.router, pages_desk.router],
        folder=Path(__file__).parent,
        published=[content.SUBMISSION, content.PLACEMENT],
        consumers=TABLE,
        in_background=[notifier.DEADLINE],
        projections=(*queries.PROJECTIONS, ADOPTED),
        prepare=queries.prepare,
    )


if __name__ == "__main__":
    build(ContentSettings()).serve()
