"""A visit to a working page: whose page it is, who comes, what the address says beside the question."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Depends, Query, Request

from services.qa import views
from services.qa.asking import codes_of
from services.qa.desk.places import PLACES, Place, View
from services.qa.domain.terms import searched
from services.qa.queries.drafts import Drafts
from services.qa.queries.file import File
from services.qa.queries.lists import Wanted
from services.qa.queries.moments import Moments
from services.qa.queries.settings import deputies
from services.qa.regulation import Policy, Role
from shared.errors import Forbidden, NotFound
from shared.web.edge import Edge, Staff, edge_of
from shared.workflow import Actor


@dataclass(frozen=True, slots=True)
class Asked:
    """The tab, the words searched for, the page of the list; what was ``done`` just now, and to which
    question that ``was``."""

    view: Annotated[str, Query(max_length=20)] = ""
    q: Annotated[str, Query(max_length=200)] = ""
    cursor: Annotated[str, Query(max_length=500)] = ""
    done: Annotated[str, Query(max_length=40)] = ""
    was: Annotated[str, Query(max_length=40)] = ""
    use: Annotated[str, Query(max_length=40)] = ""

    def query(self, place: Place, **more: str) -> str:
        """The same list again."""
        named = {"view": place.view(self.view).key, "q": self.q, "cursor": self.cursor, **more}
        return "?" + urlencode({name: value for name, value in named.items() if value})

    def url(self, place: Place, id: str = "", **more: str) -> str:
        """The same list, with a question open beside it."""
        return f"/desk/{place.key}{f'/{id}' if id else ''}{self.query(place, **more)}"

    def live(self, place: Place, file: File | None) -> str:
        """The stream that keeps this page up to date."""
        open = {"question": str(file.question.id), "version": str(file.version)} if file else {}
        return f"/desk/{place.key}/live{self.query(place, **open)}"

    def first(self, place: Place) -> str:
        return replace(self, cursor="").url(place)

    def onward(self, place: Place, cursor: str) -> str:
        return replace(self, cursor=cursor).url(place)


def moments_of(request: Request) -> Moments:
    """One for all requests of this process."""
    state = request.app.state
    if not hasattr(state, "moments"):
        state.moments = Moments()
        state.service.hearers.append(state.moments.hear)
    moments: Moments = state.moments
    return moments


@dataclass(frozen=True, slots=True)
class Visit:
    request: Request
    place: Place
    by: Actor
    asked: Asked
    absent: tuple[str, ...] = ()  # whose deputy this person is today

    @property
    def edge(self) -> Edge[Policy]:
        return edge_of(self.request)

    @property
    def moments(self) -> Moments:
        return moments_of(self.request)

    @property
    def view(self) -> View:
        return self.place.view(self.asked.view)

    @property
    def drafts(self) -> Drafts:
        service = self.request.app.state.service
        return Drafts(self.edge.database, service.keyring)

    @property
    def bulk(self) -> bool:
        """Whether several questions may be sorted at once here."""
        return self.place.key == "triage" and Role.TRIAGE in self.by.roles

    def wanted(self, now: datetime) -> Wanted:
        """What the list shows: the tab, or what was searched for."""
        if self.asked.q:
            return self.place.found(codes_of(self.request).words(searched(self.asked.q)), self.by)
        return self.place.wanted(self.view, self.by, now, self.absent)

    async def file(self, id: UUID) -> File:
        """Raises Forbidden when the question is not for this person, or not on this page."""
        file = await views.file_in_reach(self.edge, id, self.by)
        question = file.question
        units = {question.unit, question.answered_unit, *question.consulted}
        if self.place.own_unit and self.by.unit not in units:
            raise Forbidden("Câu hỏi này được giao cho đơn vị khác.")
        return file


AskedOf = Annotated[Asked, Depends()]


async def visit(key: str, request: Request, by: Staff, asked: AskedOf) -> Visit:
    place = PLACES.get(key)
    if place is None:
        raise NotFound("Không có trang này.")
    if not by.roles & place.roles:
        raise Forbidden(f"Trang «{place.name}» dành cho người được giao việc này.")
    edge = edge_of(request)
    today = edge.calendar.day_of(datetime.now(UTC))
    away = await moments_of(request).shared(
        ("deputies", today), lambda: deputies(edge.database, today), anew=bool(asked.done)
    )
    absent = tuple(person for person, deputy in away.items() if deputy == by.subject)
    return Visit(request, place, by, asked, absent)


VisitOf = Annotated[Visit, Depends(visit)]
