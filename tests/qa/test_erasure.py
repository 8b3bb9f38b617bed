"""What is erased is gone everywhere, once and for good; what was decided stays on record, whole."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from bson import encode

from services.qa.jobs import UNNAMED_FOR, Erasures, Rows, holders, jobs
from services.qa.queries.read_models import ERASED, QUESTIONS
from shared.chain import verify
from shared.desk import utc_now
from shared.keyring import REMEMBERED_FOR, Keyring
from shared.vault import MongoVault
from tests.qa.conftest import SECRET, Edges
from tests.qa.test_asker_pages import heard

WITHIN = 60.0  # seconds
COUNTED = ("number", "unit", "field", "received_at", "counted_from", "month", "answered_on", "channel")


class Canary:
    """Someone whose every word can be told from all others."""

    def __init__(self) -> None:
        mark = uuid4().hex[:12]
        self.name, self.email = f"Hoàng Yến-{mark}", f"{mark}@canary.example.vn"
        self.phone = f"09{int(mark, 16) % 10**8:08}"
        self.subject, self.text = f"Hỏi về chế độ {mark}", f"Tôi là chim hoàng yến {mark}, xin hỏi. " * 2
        self.words = (self.name, self.email, self.phone, mark)

    def letter(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("name", "email", "phone", "subject", "text")}


async def traces(database: Any, words: Sequence[str]) -> set[str]:
    """The collections in whose bytes any of these words lies."""
    found = set()
    for name in await database.list_collection_names():
        async for row in database[name].find():
            data = encode(row)
            if any(word.encode() in data for word in words):
                found.add(name)
    return found


def erasures(edges: Edges, *others: Any) -> Erasures:
    return Erasures(edges.service.database, [*holders(edges.service), *others])


def timers(edges: Edges) -> dict[str, Any]:
    return {job.name: job for job in jobs(edges.service)}


def another_process(edges: Edges) -> MongoVault:
    """One that remembers no key."""
    return MongoVault(edges.service.database, Keyring(edges.service.database, SECRET))


async def lived(edges: Edges, canary: Canary) -> dict[str, Any]:
    """A question that went all the way, with its asker's words in many an act."""
    asked = await edges.forwarded(**canary.letter())
    await edges.done(asked, "notes", {"words": f"Xem {canary.email}"}, "u-ha")
    await edges.done(asked, "answer", {"text": f"Kính gửi {canary.name}"}, "u-tuan")
    await edges.done(asked, "notes", {"words": f"{canary.name} đã gọi lại."}, "u-ha")
    await edges.project()
    return asked


async def erased(edges: Edges, asked: dict[str, Any]) -> None:
    answer = await edges.post(f"{asked['path']}/erasure", {}, "u-yen")
    assert answer.status_code == 200, answer.text
    await edges.project()


async def test_within_a_minute_nothing_of_an_asker_is_found_anywhere(edges: Edges) -> None:
    canary, database = Canary(), edges.service.database
    asked = await lived(edges, canary)
    assert await traces(database, canary.words) == {QUESTIONS}  # the subject, while the question lives
    before = await database[QUESTIONS].find_one({"_id": asked["id"]})
    await erased(edges, asked)
    assert await erasures(edges).run() == 1
    assert await traces(database, canary.words) == set()
    assert await database.vault.count_documents({"owner": asked["id"]}) == 0
    assert (await verify(database, "qa")).whole
    after = await database[QUESTIONS].find_one({"_id": asked["id"]})
    assert (after["subject"], after["asker"], after["status"]) == (ERASED, ERASED, "closed")
    assert {name: after[name] for name in COUNTED} == {name: before[name] for name in COUNTED}
    assert after["outcome"] == "withdrawn"
    letter = await edges.get(f"/v1/letters/{asked['id']}/acknowledgement", "svc-notifier")
    assert (letter.status_code, letter.json()["code"]) == (410, "letter_erased")
    file = await edges.get(asked["path"], "u-ha")
    assert not any(word in file.text for word in canary.words)


async def test_the_timers_keep_the_minute(edges: Edges) -> None:
    erasing = timers(edges)["erasures"]
    assert erasing.every + REMEMBERED_FOR < WITHIN
    assert erasing.awaited  # nothing that may be much stands before it


async def test_nothing_is_done_with_the_question_of_an_asker_who_is_gone(edges: Edges) -> None:
    asked = await edges.answered()
    await erased(edges, asked)
    for act, body in (("notes", {"words": "Đã gọi"}), ("release", {}), ("answer", {"text": "Lại"})):
        answer = await edges.post(f"{asked['path']}/{act}", body, "u-ha")
        assert answer.status_code == 409, (act, answer.text)
    again = await edges.post(f"{asked['path']}/erasure", {}, "u-yen")
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    assert (await edges.get(asked["path"], "u-ha")).json()["acts"] == []


async def test_only_the_asker_and_the_protection_officer_may_have_it_erased(edges: Edges) -> None:
    asked = await edges.answered()
    for who in ("u-ha", "u-khoi", "u-tuan", "u-thao"):
        assert (await edges.post(f"{asked['path']}/erasure", {}, who)).status_code == 403


async def test_an_erasure_that_broke_off_is_finished_by_whoever_comes_next(edges: Edges) -> None:
    class Broken:
        async def erase(self, owner: str) -> int:
            raise ConnectionError

        async def holding(self, owners: Sequence[str]) -> set[str]:
            return set()

    asked = await edges.answered()
    await erased(edges, asked)
    with pytest.raises(ConnectionError):
        await erasures(edges, Broken()).run()
    database = edges.service.database
    await database.drafts.insert_one({"_id": "d-1", "owner": asked["id"], "words": "…"})
    assert await erasures(edges, Rows(database, "drafts")).run() == 1
    assert await database.drafts.count_documents({}) == 0
    assert await erasures(edges).run() == 0


async def test_what_a_restored_backup_brings_back_is_erased_again(edges: Edges) -> None:
    canary, database = Canary(), edges.service.database
    asked, other = await lived(edges, canary), await edges.answered()
    keep = [(name, {field: asked["id"]}) for name, field in (("keys", "_id"), ("vault", "owner"))]
    backup = {name: await database[name].find(rows).to_list(None) for name, rows in keep}
    await erased(edges, asked)
    await erasures(edges).run()
    assert await erasures(edges).look() == 0
    for name, rows in keep:
        await database[name].delete_many(rows)
        await database[name].insert_many(backup[name])
    restored = another_process(edges)
    assert await restored.get(backup["vault"][0]["_id"])  # it could be read again
    await erasures(edges).look()
    assert await restored.holding([asked["id"]]) == set()
    assert await database.vault.count_documents({"owner": other["id"]}) > 0  # and nobody else's


async def test_a_row_built_anew_is_looked_at_again_and_says_nothing(edges: Edges) -> None:
    canary, database = Canary(), edges.service.database
    asked = await lived(edges, canary)
    await erased(edges, asked)
    await erasures(edges).run()
    await database[QUESTIONS].delete_many({})
    await edges.project()
    assert await traces(database, canary.words) == set()
    assert await erasures(edges).run() == 1


async def test_the_parts_of_a_question_go_with_it(edges: Edges) -> None:
    canary, service = Canary(), edges.service
    asked = await edges.asked(**canary.letter())
    parts = [{"subject": f"Việc {n}", "text": f"{canary.name} hỏi việc {n}"} for n in (1, 2)]
    await edges.done(asked, "splitting", {"parts": parts}, "u-ha")
    await heard(edges)
    await erased(edges, asked)
    await heard(edges)
    await edges.project()
    assert await erasures(edges).run() == 3
    assert await traces(service.database, canary.words) == set()
    assert await service.database.vault.count_documents({"owner": {"$gt": ""}}) == 0


async def test_words_that_no_commit_came_to_name_are_swept_after_a_day(edges: Edges) -> None:
    asked = await edges.answered()
    service = edges.service
    lost = uuid4().hex
    await service.vault.put(lost, {"words": "…"}, owner=asked["id"], stream=f"question-{asked['id']}")
    sweep = timers(edges)["unnamed_swept"]
    assert await sweep.run() == 0
    old = {"$set": {"at": utc_now() - UNNAMED_FOR - timedelta(minutes=1)}}
    await service.database.vault.update_many({}, old)
    kept = await service.database.vault.count_documents({}) - 1
    assert await sweep.run() == kept + 1
    assert await service.database.vault.count_documents({}) == kept
    assert await service.database.vault.find_one({"_id": lost}) is None
    assert (await edges.get(asked["path"], "u-ha")).json()["answer"].startswith("Kính gửi")


async def test_what_is_to_be_erased_is_found_by_an_index_that_holds_nothing_else(edges: Edges) -> None:
    asked = [await edges.asked() for _ in range(4)]
    await erased(edges, asked[0])
    plan = await edges.service.database[QUESTIONS].find({"forgotten": False}).limit(200).explain()
    assert plan["executionStats"]["totalDocsExamined"] == 1
    await asyncio.gather(erasures(edges).run(), erasures(edges).run())  # two replicas
    plan = await edges.service.database[QUESTIONS].find({"forgotten": False}).limit(200).explain()
    assert plan["executionStats"]["totalKeysExamined"] == 0
