"""A list rebuilt from the journal is the list that grew with it, and nobody meets an empty one on the way."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.contracts.base import Recorded
from shared.contracts.qa import AnswerReleased, QuestionClosed
from shared.journal import Commit, Head
from shared.messaging.follower import Follower
from shared.mongo import Lease, MongoJournal
from shared.projections import ColumnFailed, Projection, Projector
from shared.rebuild import RebuildRunning, differences, rebuild
from shared.testing import MemoryVault
from tests.shared.test_messaging import commit, running

VAULT = MemoryVault()


async def released(recorded: Recorded[AnswerReleased], _: Any) -> dict[str, Any]:
    ref = recorded.event.answer_ref
    return {"answer": ref, f"seen.{ref}": recorded.at, "tags": (ref,)}


LIST = Projection("questions", "question", {AnswerReleased: released}, heads=True)


async def ask(journal: MongoJournal, *refs: str, id: UUID | None = None) -> tuple[UUID, Head]:
    """A question with one commit a ref; each but the first carries two events."""
    id, head = id or uuid4(), Head()
    for ref in refs:
        one = AnswerReleased(question_id=id, answer_ref=ref)
        made = commit(id, head, one, *([QuestionClosed(question_id=id)] if head.version else []))
        await journal.append(made)
        head = made.head
    return id, head


@contextlib.asynccontextmanager
async def projecting(database: Any, holder: str = "live") -> AsyncIterator[None]:
    projector = Projector(database, [LIST], "qa", VAULT, lambda _: None)
    async with running(Follower(database, "projector", holder, projector.project).run):
        yield


async def settled(database: Any, count: int) -> None:
    async with asyncio.timeout(15):
        while await database.questions.count_documents({}) < count:
            await asyncio.sleep(0.02)


@pytest.fixture
async def journal(database: Any) -> MongoJournal:
    await database.questions.create_index([("answer", 1)], name="by_answer", unique=False)
    await database.questions.create_index(
        [("answer", "text")], name="words", default_language="none", weights={"answer": 3}
    )
    await database.questions.create_index(
        [("version", -1)], name="some", partialFilterExpression={"version": {"$exists": True}}
    )
    return MongoJournal(database)


async def test_a_rebuilt_list_is_the_one_that_grew(database: Any, journal: MongoJournal) -> None:
    async with projecting(database):
        for number in range(30):
            await ask(journal, *(f"r{n}" for n in range(number % 4 + 1)))
        await settled(database, 30)
        await asyncio.sleep(0.3)
        grown = await database.questions.find().sort("_id", 1).to_list(None)
        told: list[tuple[int, int]] = []
        done = await rebuild(
            database, LIST, "qa", VAULT, by="test", progress=lambda *place: told.append(place)
        )
    assert await database.questions.find().sort("_id", 1).to_list(None) == grown
    assert (done.documents, done.commits) == (30, 73)
    assert told[0] == (0, 73)
    assert told[-1] == (73, 73)
    assert "questions.rebuild" not in await database.list_collection_names()


async def test_what_was_damaged_by_hand_is_named_and_made_good(database: Any, journal: MongoJournal) -> None:
    ids = [str((await ask(journal, "a", "b"))[0]) for _ in range(4)]
    await rebuild(database, LIST, "qa", VAULT, by="test")
    assert await differences(database, LIST, "qa", VAULT) == []
    await database.questions.update_one({"_id": ids[0]}, {"$set": {"answer": "sai", "thừa": 1}})
    await database.questions.delete_one({"_id": ids[1]})
    await database.questions.insert_one({"_id": str(UUID(int=7)), "answer": "ma"})
    found = {d.id: d.what for d in await differences(database, LIST, "qa", VAULT)}
    assert found == {ids[0]: "answer, thừa", ids[1]: "missing", str(UUID(int=7)): "surplus"}
    await rebuild(database, LIST, "qa", VAULT, by="test")
    assert await differences(database, LIST, "qa", VAULT) == []


async def test_what_a_job_may_move_on_by_itself_is_no_damage(database: Any, journal: MongoJournal) -> None:
    id = str((await ask(journal, "a"))[0])
    hinting = replace(LIST, hints=frozenset({"look_at"}))
    await rebuild(database, hinting, "qa", VAULT, by="test")
    await database.questions.update_one({"_id": id}, {"$set": {"look_at": "mai"}})
    assert await differences(database, hinting, "qa", VAULT) == []
    assert [d.what for d in await differences(database, LIST, "qa", VAULT)] == ["look_at"]
    await database.questions.update_one({"_id": id}, {"$set": {"answer": "sai"}})
    assert [d.what for d in await differences(database, hinting, "qa", VAULT)] == ["answer"]


async def test_indexes_come_along(database: Any, journal: MongoJournal) -> None:
    await ask(journal, "cau-hoi")
    before = await database.questions.index_information()
    await rebuild(database, LIST, "qa", VAULT, by="test")
    assert await database.questions.index_information() == before
    assert await database.questions.count_documents({"$text": {"$search": "cau-hoi"}}) == 1


async def test_the_list_is_never_empty_and_never_goes_back_while_commands_go_on(
    database: Any, journal: MongoJournal
) -> None:
    """Writers and readers at work; the list is rebuilt three times under them."""
    async with projecting(database):
        for _ in range(40):
            await ask(journal, "r0")
        await settled(database, 40)
        watched, head = await ask(journal, "w1")
        await settled(database, 41)
        stop, counts, versions, written = False, [], [], 1  # type: ignore[var-annotated]

        async def write() -> None:
            nonlocal head, written
            while not stop:
                await ask(journal, "n")
                made = commit(watched, head, AnswerReleased(question_id=watched, answer_ref="w"))
                await journal.append(made)
                head, written = made.head, written + 1

        async def read() -> None:
            while not stop:
                counts.append(await database.questions.count_documents({}))
                row = await database.questions.find_one({"_id": str(watched)})
                versions.append(row["version"] if row else 0)

        work = asyncio.gather(write(), read())
        for _ in range(3):
            done = await rebuild(database, LIST, "qa", VAULT, by="test")
            await asyncio.sleep(0.2)
        stop = True
        await work
        assert done.caught_up > 0
        assert min(counts) >= 41
        assert versions == sorted(versions)
        async with asyncio.timeout(20):
            while (await database.questions.find_one({"_id": str(watched)}))["version"] < written:
                await asyncio.sleep(0.02)
        assert await differences(database, LIST, "qa", VAULT) == []


async def test_the_live_projector_takes_its_work_up_again_at_once(
    database: Any, journal: MongoJournal
) -> None:
    async with projecting(database):
        await ask(journal, "a")
        await settled(database, 1)
        await rebuild(database, LIST, "qa", VAULT, by="test")
        await ask(journal, "b")
        async with asyncio.timeout(3):
            await settled(database, 2)


async def test_two_rebuilds_of_one_list_do_not_meet(database: Any, journal: MongoJournal) -> None:
    from datetime import timedelta

    other = Lease(database, "rebuild-questions", "someone", ttl=timedelta(seconds=30))
    assert await other.acquire()
    with pytest.raises(RebuildRunning):
        await rebuild(database, LIST, "qa", VAULT, by="test")


async def test_a_rebuild_that_breaks_off_leaves_the_live_list_alone(
    database: Any, journal: MongoJournal
) -> None:
    await ask(journal, "a")
    await rebuild(database, LIST, "qa", VAULT, by="test")

    async def broken(_: Recorded[AnswerReleased], __: Any) -> dict[str, Any]:
        raise RuntimeError("cột hỏng")

    with pytest.raises(ColumnFailed, match=r"questions: .*broken ở question-.*, bản 1: RuntimeError"):
        await rebuild(
            database, Projection("questions", "question", {AnswerReleased: broken}), "qa", VAULT, by="x"
        )
    assert await database.questions.count_documents({"answer": "a"}) == 1
    assert await differences(database, LIST, "qa", VAULT) == []


async def test_a_list_is_built_where_none_was_and_only_from_its_own_kind(database: Any) -> None:
    journal = MongoJournal(database)
    id, _ = await ask(journal, "a")
    stray: Commit = commit(id, Head(), QuestionClosed(question_id=id))

    await journal.append(stray._replace(stream=f"questionnaire-{id}").sealed(Head()))
    done = await rebuild(database, LIST, "qa", VAULT, by="test")
    assert (done.documents, done.commits) == (1, 1)
