"""Chỉ mục: what the lists, the search and the look-ups of qa stand on. Each costs a write, so each says which
list would otherwise be a scan."""

from typing import Any, Final

from pymongo import IndexModel

from services.qa.queries import due, files, settings, subscriptions
from services.qa.queries.drafts import DRAFTS
from services.qa.queries.presence import PRESENCE
from services.qa.queries.read_models import ANSWERS, ATTEMPTS, COUNTED, MONTHS, QUESTIONS
from services.qa.queries.threads import THREADS
from shared.mongo import Database, answered

Keys = list[tuple[str, int]]

OF_QUESTIONS: Final[dict[str, Keys]] = {
    # Work by what ends first, all of it and a unit's; the unit at the end counts each unit's load.
    "by_due": [("status", 1), ("due_at", 1), ("arrival", 1), ("reader", 1)],
    "of_unit_by_due": [("reader", 1), ("status", 1), ("due_at", 1), ("arrival", 1)],
    # What is over, and everything, by what came last.
    "newest": [("status", 1), ("arrival", -1)],
    "of_unit": [("reader", 1), ("status", 1), ("arrival", -1), ("field", 1)],
    "of_field": [("field", 1), ("status", 1), ("arrival", -1)],
    # A word, then by what came last; a unit's are told apart without reading the rows.
    "words": [("terms", 1), ("arrival", -1), ("reader", 1)],
    "code_mark": [("code_mark", 1)],
    "asker_mark": [("asker_mark", 1), ("arrival", -1)],
}
# The few questions that reach a unit otherwise than by being forwarded to it.
CONSULTED: Final[Keys] = [("consulted", 1), ("status", 1), ("arrival", -1), ("field", 1)]
ENTERED: Final[Keys] = [("entered_by", 1), ("status", 1), ("due_at", 1), ("arrival", 1)]
# What members of staff have on their desks.
OF_PERSON: Final[Keys] = [("assignee", 1), ("status", 1), ("due_at", 1), ("arrival", 1)]
OF_ANSWERS: Final[dict[str, Keys]] = {
    "published": [("published_at", -1), ("_id", -1)],
    "of_field": [("field", 1), ("published_at", -1), ("_id", -1)],
    "of_unit": [("unit", 1), ("published_at", -1), ("_id", -1)],
    "facets": [("field", 1), ("unit", 1), ("year", 1)],
}
BY_WORD: Final[Keys] = [("terms", 1), ("published_at", -1), ("_id", -1)]


Wanted = dict[str, tuple[Keys, dict[str, Any]]]  # by name: the keys, and which documents alone


async def _keep(collection: Any, wanted: Wanted) -> None:
    """These and no others: one that nothing asks for any more would still cost each write."""
    there = await collection.index_information()
    for name, index in there.items():
        if name != "_id_" and (name not in wanted or index["key"] != wanted[name][0]):
            await collection.drop_index(name)
    await collection.create_indexes(
        [IndexModel(keys, name=name, **only) for name, (keys, only) in wanted.items()]
    )


def _only(condition: dict[str, Any]) -> dict[str, Any]:
    return {"partialFilterExpression": condition}


@answered
async def prepare(database: Database) -> None:
    """Indexes; safe to repeat."""
    await subscriptions.prepare(database)
    await settings.prepare(database)
    of_questions: Wanted = {name: (keys, {}) for name, keys in OF_QUESTIONS.items()}
    of_questions[MONTHS] = ([(name, 1) for name in COUNTED], {})
    of_questions["consulted"] = (CONSULTED, _only({"complex": True}))
    of_questions["entered"] = (ENTERED, _only({"entered_by": {"$gt": ""}}))
    of_questions["of_person"] = (OF_PERSON, _only({"assignee": {"$gt": ""}}))
    of_questions["to_scan"] = ([("scan_at", 1)], _only({"scan_at": {"$type": "date"}}))
    of_questions |= {name: (keys, _only(rows)) for name, (keys, rows) in due.INDEXES.items()}
    published = _only({"published_at": {"$exists": True}})
    of_answers: Wanted = {name: (keys, published) for name, keys in OF_ANSWERS.items()}
    of_answers["by_word"] = (BY_WORD, _only({"terms": {"$exists": True}}))
    await _keep(database[QUESTIONS], of_questions)
    await _keep(database[ANSWERS], of_answers)
    await files.prepare(database)
    await _keep(database[THREADS], {"marks": ([("marks.$**", 1)], {})})
    await database[DRAFTS].create_index("owner", name="owner")
    for name in (ATTEMPTS, DRAFTS, PRESENCE):
        await database[name].create_index("until", expireAfterSeconds=0, name="until")
