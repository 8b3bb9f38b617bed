"""How an item is told to those who ask: to staff with what they may do, to the public without."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import Request
from pydantic import BaseModel

from services.content.domain import decisions
from services.content.domain.body import Body
from services.content.domain.submission import Submission
from services.content.queries import submissions as desk_queries
from services.content.regulation import STATUS_NAMES, Status
from shared.contracts.base import Clock
from shared.contracts.content import ContentClass
from shared.directory import Directory
from shared.mongo import Database
from shared.web.edge import Edge, edge_of
from shared.workflow import Actor


class PlacementOut(BaseModel):
    """One linked portal: ``confirmed``, it shows ``text_version``; ``withdrawn``, it has taken it down."""

    partner: str
    partner_name: str
    status: str
    text_version: int
    acknowledged_at: datetime


class SubmissionOut(BaseModel):
    id: UUID
    version: int
    status: Status
    status_vi: str
    content_class: ContentClass
    unit: str
    unit_name: str
    author: str
    title: str
    summary: str
    html: str
    author_name: str
    source_name: str
    quoted: bool
    text_version: int
    editor: str
    attestations: list[str]
    event_at: datetime | None
    permitted_at: datetime | None
    submitted_at: datetime | None
    published_at: datetime | None
    clock: Clock | None
    supply_owed: bool
    acts: list[str]
    placements: list[PlacementOut]
    url: str


class SubmissionRow(BaseModel):
    id: UUID
    version: int
    status: Status
    content_class: ContentClass
    unit: str
    author: str
    editor: str
    title: str
    text_version: int
    submitted_at: datetime
    stage_since: datetime
    published_at: datetime | None = None
    due_at: datetime | None = None


class ArticleRow(BaseModel):
    id: UUID
    version: int
    text_version: int
    content_class: ContentClass
    unit: str
    unit_name: str
    title: str
    summary: str
    author: str
    source: str
    published_at: datetime
    url: str


class ArticleOut(ArticleRow):
    html: str


class Submissions(BaseModel):
    items: list[SubmissionRow]
    next: str | None


class Articles(BaseModel):
    items: list[ArticleRow]
    next: str | None


def address(request: Request, id: Any) -> str:
    """The article's public address."""
    return f"{request.app.state.service.settings.content_url.rstrip('/')}/articles/{id}"


async def partner_name(database: Database, directory: Directory, partner: str) -> str:
    """A partner portal by the name of its unit or, for a ministry's, of its source."""
    units = await directory.units()
    if partner in units:
        return str(units[partner]["name"])
    return (await desk_queries.source_names(database)).get(partner, partner)


async def placements(edge: Edge[Any], id: Any) -> list[PlacementOut]:
    return [
        PlacementOut(
            partner=row["partner"], text_version=row["text_version"], acknowledged_at=row["acknowledged_at"],
            partner_name=await partner_name(edge.database, edge.directory, row["partner"]),
            status="confirmed" if row["action"] == "publish" else "withdrawn",
        )
        for row in await desk_queries.placements(edge.database, id)
    ]  # fmt: skip


async def submission_view(
    request: Request, submission: Submission, body: Body, version: int, by: Actor
) -> SubmissionOut:
    edge = edge_of(request)
    s = submission
    return SubmissionOut(
        id=s.id, version=version, status=s.status, status_vi=STATUS_NAMES[s.status],
        content_class=s.content_class, unit=s.unit, unit_name=await edge.directory.unit_name(s.unit),
        author=s.author, title=body.title, summary=body.summary, html=body.html, author_name=body.author_name,
        source_name=body.source_name, quoted=body.quoted, text_version=s.text_version, editor=s.editor,
        attestations=list(s.attestations), event_at=s.event_at, permitted_at=s.permitted_at,
        submitted_at=s.submitted_at, published_at=s.published_at, clock=s.clock,
        supply_owed=s.supplied_at is None, acts=decisions.acts(s, by),
        placements=await placements(edge, s.id), url=address(request, s.id),
    )  # fmt: skip


async def article_view(
    request: Request, submission: Submission, body: Body, version: int, published_at: datetime
) -> ArticleOut:
    """As it stands in the journal, so that a portal told of it a moment ago finds it."""
    s = submission
    return ArticleOut(
        id=s.id, version=version, text_version=s.text_version, content_class=s.content_class, unit=s.unit,
        unit_name=await edge_of(request).directory.unit_name(s.unit), title=body.title, summary=body.summary,
        html=body.html, author=body.author_name, source=body.source_name,
        published_at=published_at, url=address(request, s.id),
    )  # fmt: skip


async def article_row(request: Request, row: dict[str, Any]) -> ArticleRow:
    return ArticleRow(
        id=row["_id"], version=row["item_version"], text_version=row["text_version"],
        content_class=row["content_class"], unit=row["unit"],
        unit_name=await edge_of(request).directory.unit_name(row["unit"]), title=row["title"],
        summary=row["summary"], author=row["author_name"], source=row["source_name"],
        published_at=row["published_at"], url=address(request, row["_id"]),
    )  # fmt: skip
