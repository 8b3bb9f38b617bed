"""Single rows of the read model `questions`: by number, by id, within what somebody may read."""

from collections.abc import Sequence

from services.qa.queries import lists
from services.qa.queries.lists import Row
from services.qa.queries.read_models import QUESTIONS
from shared.mongo import Database, answered
from shared.workflow import Actor


async def numbered(database: Database, number: str, words: Sequence[int], by: Actor) -> Row | None:
    """The question in reach that carries this number, looked for by the marks of its ``words``."""
    page = await lists.questions(database, lists.Wanted(words=tuple(words)), by)
    return next((row for row in page.rows if row["number"] == number.upper()), None)


@answered
async def some(database: Database, ids: Sequence[str], by: Actor) -> dict[str, Row]:
    """Those of these questions that are in reach."""
    where = {"$and": [{"_id": {"$in": list(ids)}}, {"$or": lists.branches(by)}]}
    found = database[QUESTIONS].find(where, lists.HIDDEN).hint("_id_") if ids else None
    return {row["_id"]: row async for row in found} if found else {}


@answered
async def version_of(database: Database, id: str) -> int:
    """Up to which version of its stream a question's row is."""
    row = await database[QUESTIONS].find_one({"_id": {"$eq": id}}, {"version": 1})
    return int(row["version"]) if row else 0
