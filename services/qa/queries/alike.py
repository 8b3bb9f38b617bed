"""Gần giống: questions and published answers on the same matter, found by their rarest words and ranked by
how much they share and how alike their subjects read."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from rapidfuzz import fuzz

from services.qa.domain.permits import CENTRE
from services.qa.domain.terms import EMPTY, terms_of
from services.qa.domain.words import fold
from services.qa.queries.lists import branches
from services.qa.queries.rarity import COUNTED_UP_TO, rarity_of
from services.qa.queries.read_models import ANSWERS, QUESTIONS
from services.qa.regulation import Status
from shared.mongo import Database, answered
from shared.workflow import Actor

SEEDS: Final = 8  # of the rarest terms, by which others are looked for
LOOKED_AT: Final = 500  # of what has one of them, the newest
COMPARED: Final = 30  # of these, what shares most
SAME_ASKER: Final = 20  # of the same person's questions, the newest
BY_SUBJECT, BY_TERMS = 0.35, 0.65  # what each likeness counts for
SHOWN: Final = 0.3  # the least likeness that is shown
ENDED: Final = [Status.SET_ASIDE.value, Status.SPLIT.value]  # no question to join another to

Row = dict[str, Any]


def subject_of(text: str) -> str:
    return " ".join(word for word in fold(text).split() if word not in EMPTY)


def weights(counts: Mapping[Any, int], of: int) -> dict[Any, float]:
    """What a shared term says: the rarer, the more; nothing counts for nothing."""
    return {term: math.log((of + 2) / (min(count, of) + 1)) for term, count in counts.items()}


def likeness(subject: str, weight: Mapping[Any, float], other: str, terms: Iterable[Any]) -> float:
    """0 to 1: the asked terms that the other has too, by weight, and how alike the subjects read."""
    whole = sum(weight.values()) or 1.0
    shared = sum(weight[term] for term in set(terms) & weight.keys()) / whole
    return BY_TERMS * shared + BY_SUBJECT * float(fuzz.token_set_ratio(subject, other)) / 100


class Shelf(NamedTuple):
    """Where others lie: their collection, its index by word, and what tells the newest."""

    collection: str
    hint: str
    newest: str


ASKED: Final = Shelf(QUESTIONS, "words", "arrival")
PUBLISHED: Final = Shelf(ANSWERS, "by_word", "published_at")


async def _near(
    database: Database, shelf: Shelf, terms: Sequence[Any], where: Row
) -> tuple[list[Row], dict[Any, float]]:
    """What has most of ``terms``, of the newest that have one of the rarest; and what each term weighs."""
    collection, hint, newest = shelf
    counts = await rarity_of(database, collection, hint).of(terms)
    known = [term for term, count in counts.items() if count][:SEEDS]
    size = await database[collection].estimated_document_count()
    told = dict.fromkeys(
        ("terms", newest, "status", "erased", "reader", "consulted", "complex", "entered_by"), 1
    )
    stages: list[Row] = [
        {"$match": {"terms": {"$in": known}}}, {"$sort": {newest: -1}}, {"$limit": LOOKED_AT},
        {"$project": told}, {"$match": where},
        {"$set": {"shared": {"$size": {"$setIntersection": ["$terms", list(terms)]}}}},
        {"$sort": {"shared": -1, newest: -1}}, {"$limit": COMPARED},
        {"$project": {"_id": 1}},
    ]  # fmt: skip
    ids = [row["_id"] async for row in database[collection].aggregate(stages, hint=hint)] if known else []
    found = database[collection].find({"_id": {"$in": ids}}, {"folded": 0, "question": 0, "code_mark": 0})
    rows = await found.to_list(None) if ids else []
    return rows, weights(counts, min(size, COUNTED_UP_TO * 10))


def _ranked(subject: str, weight: Mapping[Any, float], rows: Iterable[Row]) -> list[Row]:
    asked = subject_of(subject)
    scored = [
        {**row, "share": likeness(asked, weight, subject_of(row["subject"]), row["terms"])} for row in rows
    ]
    return sorted(scored, key=lambda row: -row["share"])


@answered
async def others(database: Database, id: str, by: Actor, *, limit: int = 5) -> list[Row]:
    """Nghi trùng: other questions in reach on the same matter, the same person's first. Each row has its
    ``share`` of likeness, and whether it is the ``same_asker``'s."""
    row = await database[QUESTIONS].find_one(
        {"_id": {"$eq": id}}, {"subject": 1, "terms": 1, "asker_mark": 1, "erased": 1}
    )
    if row is None or row.get("erased"):
        return []
    mark, own = row["asker_mark"], list[Row]()
    where = {"_id": {"$ne": id}, "status": {"$nin": ENDED}, "erased": {"$ne": True}}
    if not by.roles & CENTRE:
        where["$or"] = branches(by)
    if mark:
        same = database[QUESTIONS].find({"$and": [{"asker_mark": {"$eq": mark}}, where]})
        own = await same.sort("arrival", -1).limit(SAME_ASKER).to_list(None)
    near, weight = await _near(database, ASKED, row["terms"], where)
    by_id = {each["_id"]: each for each in (*near, *own)}
    ranked = [
        {**each, "same_asker": bool(mark) and each["asker_mark"] == mark}
        for each in _ranked(row["subject"], weight, by_id.values())
    ]
    shown = [each for each in ranked if each["share"] >= SHOWN or each["same_asker"]]
    return sorted(shown, key=lambda each: (not each["same_asker"], -each["share"]))[:limit]


@answered
async def published(
    database: Database, subject: str, text: str = "", *, limit: int = 3, besides: str = "",
    at_least: float = SHOWN,
) -> list[Row]:  # fmt: skip
    """Published answers on the same matter, the nearest first."""
    terms = terms_of(subject, text)
    if not terms:
        return []
    where = {"_id": {"$ne": besides}}
    rows, weight = await _near(database, PUBLISHED, terms, where)
    return [row for row in _ranked(subject, weight, rows) if row["share"] >= at_least][:limit]


def voted_field(near: Iterable[Row]) -> str:
    """The field that likeness speaks for most, among questions and answers whose field is decided."""
    votes: dict[str, float] = {}
    for row in near:
        if row.get("field"):
            votes[row["field"]] = votes.get(row["field"], 0.0) + row["share"]
    return max(votes, key=lambda field: votes[field], default="")
