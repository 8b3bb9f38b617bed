"""What the public reads and searches: reads, projection, indexes."""

from dataclasses import dataclass
from typing import Any, Final

from services.content import texts
from services.content.domain.body import Body, fold
from services.content.domain.submission import Submission
from services.content.queries.paging import Listed, listed, moment_place, offset_place
from shared.contracts.base import Recorded
from shared.contracts.content import (
    ContentClass,
    SubmissionPublished,
    SubmissionSubmitted,
    SubmissionWithdrawn,
)
from shared.desk import Vault
from shared.errors import NotFound
from shared.mongo import Database, answered
from shared.projections import Fields, Projection
from shared.web.forms import cursor_of

MOST_WORDS: Final = 12


async def _hidden(_: Recorded[SubmissionSubmitted], __: Vault) -> Fields:
    return {"shown": False}


async def _shown(r: Recorded[SubmissionPublished], vault: Vault) -> Fields:
    e = r.event
    try:
        body = Body.of(await vault.get(e.body_ref))
    except NotFound:  # erased since: there is nothing to show
        return {"shown": False}
    folded = {
        "title": fold(body.title),
        "summary": fold(body.summary),
        "text": fold(texts.plain(body.html)),
    }
    return {
        "shown": True, "folded": folded, "words": sorted(set(" ".join(folded.values()).split())),
        "title": body.title, "summary": body.summary, "html": body.html,
        "author_name": body.author_name, "source_name": body.source_name, "quoted": body.quoted,
        "content_class": e.content_class.value, "unit": e.unit, "text_version": e.text_version,
        "published_at": e.published_at, "item_version": r.version,
    }  # fmt: skip


async def _taken_down(r: Recorded[SubmissionWithdrawn], _: Vault) -> Fields:
    """Nothing of its words is left to be read or found."""
    nothing = {"title": "", "summary": "", "html": "", "author_name": "", "source_name": ""}
    return {"shown": False, "withdrawn_at": r.at, "folded": {}, "words": [], **nothing}


ARTICLES: Final = Projection("articles", Submission.KIND, {
    SubmissionSubmitted: _hidden, SubmissionPublished: _shown, SubmissionWithdrawn: _taken_down,
})  # fmt: skip


async def prepare(database: Database) -> None:
    articles, newest = database.articles, [("published_at", -1), ("_id", -1)]
    await articles.create_index([("shown", 1), *newest], name="newest")
    await articles.create_index([("shown", 1), ("content_class", 1), *newest], name="newest_of_class")
    await articles.create_index([("shown", 1), ("unit", 1), *newest], name="newest_of_unit")
    # The words are folded already, so no language's stemming may touch them.
    await articles.create_index(
        [("folded.title", "text"), ("folded.summary", "text"), ("folded.text", "text")],
        name="words", default_language="none", language_override="no_language",
        weights={"folded.title": 8, "folded.summary": 4, "folded.text": 1},
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader looks for."""

    q: str = ""
    content_class: ContentClass | None = None
    unit: str = ""

    def match(self, *without: str) -> dict[str, Any]:
        found: dict[str, Any] = {"shown": True}
        words = fold(self.q[:300]).split()[:MOST_WORDS]
        if words:
            # The text index finds and ranks; every word must be there, whole.
            found |= {"$text": {"$search": " ".join(words)}, "words": {"$all": words}}
        elif self.q.strip():
            found["_id"] = {"$in": []}  # signs alone are in no article
        if self.content_class and "content_class" not in without:
            found["content_class"] = self.content_class.value
        if self.unit and "unit" not in without:
            found["unit"] = {"$eq": self.unit}
        return found


@answered
async def articles(database: Database, wanted: Wanted, *, cursor: str = "", limit: int = 10) -> Listed:
    """The newest first; the best match first when words are looked for."""
    match = wanted.match()
    leave = {"html": 0, "folded": 0, "words": 0}
    if "$text" in match:
        skip = offset_place(cursor)
        best = database.articles.find(match, leave | {"score": {"$meta": "textScore"}})
        rows = await best.sort([("score", {"$meta": "textScore"}), ("_id", 1)]).skip(skip).to_list(limit + 1)
        more = cursor_of([skip + limit]) if len(rows) > limit else None
        return Listed(rows[:limit], more)
    if cursor:
        since, last = moment_place(cursor)
        match["$or"] = [{"published_at": {"$lt": since}}, {"published_at": since, "_id": {"$lt": last}}]
    newest = database.articles.find(match, leave).sort([("published_at", -1), ("_id", -1)])
    rows = await newest.to_list(limit + 1)
    return listed(rows, limit, lambda row: [row["published_at"].isoformat(), row["_id"]])


@answered
async def facets(database: Database, wanted: Wanted) -> dict[str, dict[str, int]]:
    """How many there would be of each class and of each unit, everything else as it is chosen."""
    found = {}
    for name in ("content_class", "unit"):
        grouped = database.articles.aggregate([{"$match": wanted.match(name)}, {"$sortByCount": f"${name}"}])
        found[name] = {row["_id"]: row["count"] async for row in grouped}
    return found


@answered
async def article(database: Database, id: Any) -> dict[str, Any] | None:
    found: dict[str, Any] | None = await database.articles.find_one({"_id": {"$eq": str(id)}})
    return found


@answered
async def newest(database: Database, limit: int) -> list[dict[str, Any]]:
    """With their text, for the feed."""
    found = database.articles.find({"shown": True}, {"folded": 0, "words": 0})
    rows: list[dict[str, Any]] = await found.sort([("published_at", -1), ("_id", -1)]).to_list(limit)
    return rows


@answered
async def newest_by_class(database: Database, each: int) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for kind in ContentClass:
        match = {"shown": True, "content_class": kind.value}
        rows = database.articles.find(match, {"title": 1, "published_at": 1, "unit": 1})
        found[kind.value] = await rows.sort([("published_at", -1), ("_id", -1)]).to_list(each)
    return found


@answered
async def addresses(database: Database, limit: int = 50_000) -> list[dict[str, Any]]:
    """Every article's id and date, for the site map."""
    rows = database.articles.find({"shown": True}, {"published_at": 1}).sort("published_at", -1)
    found: list[dict[str, Any]] = await rows.to_list(limit)
    return found
