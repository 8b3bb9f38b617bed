"""Every read of content's database, with its projections and indexes."""

from typing import Final

from services.content.queries import articles, submissions
from shared.mongo import Database

PROJECTIONS: Final = (submissions.SUBMISSIONS, submissions.PLACEMENTS, articles.ARTICLES)


async def prepare(database: Database) -> None:
    await submissions.prepare(database)
    await articles.prepare(database)
