"""A column that fails stops its list where it is, says which commit and which column, and skips nothing."""

import asyncio
from typing import Any
from uuid import uuid4

from shared.contracts.base import Recorded
from shared.contracts.qa import AnswerReleased, QuestionClosed
from shared.journal import Head
from shared.messaging.follower import Follower
from shared.mongo import MongoJournal
from shared.operations import TROUBLED, Standing
from shared.projections import Projection, Projector
from shared.testing import MemoryVault
from tests.shared.test_messaging import commit, running

BROKEN = "a2"


async def released(recorded: Recorded[AnswerReleased], _: Any) -> dict[str, Any]:
    if recorded.event.answer_ref == BROKEN:
        raise KeyError("nguyen.van.a@example.vn")
    return {"answer": recorded.event.answer_ref}


async def mended(recorded: Recorded[AnswerReleased], _: Any) -> dict[str, Any]:
    return {"answer": recorded.event.answer_ref}


def follower(database: Any, column: Any) -> Follower:
    lists = [Projection("questions", "question", {AnswerReleased: column})]
    projector = Projector(database, lists, "qa", MemoryVault(), lambda _: None)
    return Follower(database, "projector", uuid4().hex, projector.project)


async def test_the_commit_and_the_column_are_named_and_after_the_cure_nothing_is_missing(
    database: Any,
) -> None:
    journal, id, head = MongoJournal(database), uuid4(), Head()
    for ref in ("a1", BROKEN, "a3"):
        one = commit(id, head, AnswerReleased(question_id=id, answer_ref=ref))
        await journal.append(one)
        head = one.head
        if ref == "a1":
            async with running(follower(database, released).run), asyncio.timeout(10):
                while await database.questions.find_one({"version": 1}) is None:
                    await asyncio.sleep(0.02)
    async with running(follower(database, released).run), asyncio.timeout(10):
        while (trouble := (await Standing.of(database, "projector")).trouble) is None:
            await asyncio.sleep(0.02)
    assert trouble["commit"] == f"question-{id}:2"
    assert trouble["column"] == "questions: qa.question.answer_released → released"
    assert trouble["error"] == "KeyError"
    assert "nguyen.van.a" not in str(trouble)
    assert (await database.questions.find_one({"_id": str(id)}))["version"] == 1  # it stands still
    async with running(follower(database, mended).run), asyncio.timeout(15):
        while (await Standing.of(database, "projector")).trouble is not None:
            await asyncio.sleep(0.05)
    row = await database.questions.find_one({"_id": str(id)})
    assert (row["version"], row["answer"]) == (3, "a3")


async def test_a_database_that_does_not_answer_is_no_fault_of_a_column(database: Any) -> None:
    from shared.errors import Unavailable

    tried = asyncio.Event()

    async def waiting(_: Any, __: Any) -> dict[str, Any]:
        tried.set()
        raise Unavailable("nghỉ")

    id = uuid4()
    one = commit(id, Head(), AnswerReleased(question_id=id, answer_ref="a1"), QuestionClosed(question_id=id))
    await MongoJournal(database).append(one)
    async with running(follower(database, waiting).run):
        await asyncio.wait_for(tried.wait(), 10)
        await asyncio.sleep(0.3)
    assert (await Standing.of(database, "projector")).trouble is None


def test_the_alert_s_metric_is_set_for_each_follower() -> None:
    assert TROUBLED._labelnames == ("service", "follower")
