"""One contract, two journals: the one in memory and the one on MongoDB must be the same to a handler."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from bson import DatetimeMS
from bson.errors import InvalidBSON
from fastapi import FastAPI

from shared.contracts.content import SubmissionWithdrawn
from shared.contracts.qa import QuestionClosed
from shared.errors import TooLarge, Unavailable
from shared.journal import (
    MAX_EVENT_BYTES,
    MAX_EVENTS,
    AlreadyDone,
    Commit,
    Head,
    Journal,
    Stored,
    VersionConflict,
)
from shared.mongo import MongoJournal, connect
from shared.testing import MemoryJournal
from shared.web.problems import install

AT = datetime(2026, 11, 23, 2, 0, 0, 123000, tzinfo=UTC)


@pytest.fixture(params=["memory", "mongo"])
def journal(request: pytest.FixtureRequest, database: Any) -> Journal:
    return MemoryJournal() if request.param == "memory" else MongoJournal(database)


def commit(stream: str, head: Head = Head(), *, key: str = "") -> Commit:  # noqa: B008 (frozen)
    event = Stored.of(QuestionClosed(question_id=UUID(int=7)))
    return Commit(
        key=key or uuid4().hex, stream=stream, version=0, events=(event,), at=AT, by="u-ha",
        correlation="c-1", causation="", fingerprint="f",
    ).sealed(head)  # fmt: skip


async def test_what_was_appended_is_read_back_whole_and_in_order(journal: Journal) -> None:
    first = commit("question-1")
    second = commit("question-1", first.head)
    await journal.append(first)
    await journal.append(second)
    await journal.append(commit("question-2"))
    assert await journal.read("question-1") == [first, second]
    assert await journal.read("question-1", upto=1) == [first]
    assert await journal.read("question-3") == []


async def test_of_two_writers_who_saw_the_same_version_one_is_told_so(journal: Journal) -> None:
    await journal.append(commit("question-1"))
    with pytest.raises(VersionConflict):
        await journal.append(commit("question-1"))


async def test_a_once_key_is_taken_once_even_on_another_stream(journal: Journal) -> None:
    first = commit("question-1", key="event-1")
    await journal.append(first)
    with pytest.raises(AlreadyDone):
        await journal.append(commit("question-2", key="event-1"))
    assert await journal.find("event-1") == first
    assert await journal.find("event-2") is None


async def test_the_same_commit_again_is_already_done_and_not_a_conflict(journal: Journal) -> None:
    once = commit("question-1", key="event-1")
    await journal.append(once)
    with pytest.raises(AlreadyDone):
        await journal.append(once)


async def test_of_many_at_once_each_caller_hears_of_its_own_commit(journal: Journal) -> None:
    taken = commit("question-0", key="taken")
    await journal.append(taken)
    commits = [commit(f"question-{n}") for n in range(1, 200)]
    doomed = [commit("question-0"), commit("question-x", key="taken")]
    answers = await asyncio.gather(*(journal.append(c) for c in [*commits, *doomed]), return_exceptions=True)
    assert answers[:199] == [None] * 199
    assert isinstance(answers[199], VersionConflict)
    assert isinstance(answers[200], AlreadyDone)


async def test_what_is_written_in_one_go_stands_or_falls_each_by_itself(journal: Journal) -> None:
    stood, taken = commit("question-1"), commit("question-2", key="taken")
    await journal.append(stood)
    await journal.append(taken)
    fresh, late = commit("question-3"), commit("question-1")
    many = [fresh, late, commit("question-4", key="taken"), commit("question-5")]
    outcomes = await journal.append_all(many)
    assert [type(outcome) for outcome in outcomes] == [
        type(None), VersionConflict, AlreadyDone, type(None),
    ]  # fmt: skip
    assert await journal.read("question-3") == many[:1]
    assert await journal.read("question-1") == [stood]
    assert await journal.append_all([]) == []


async def test_fifty_writers_of_one_stream_leave_one_chain(journal: Journal) -> None:
    answers = await asyncio.gather(
        *(journal.append(commit("question-1")) for _ in range(50)), return_exceptions=True
    )
    assert answers.count(None) == 1
    assert sum(isinstance(a, VersionConflict) for a in answers) == 49


def test_each_commit_seals_the_one_before_it() -> None:
    first = commit("question-1", key="a")
    second = commit("question-1", first.head, key="b")
    assert (second.version, second.previous) == (2, first.hash)
    forged = first._replace(by="u-someone-else").sealed(Head())
    assert forged.hash != first.hash


def withdrawn(reason: str) -> SubmissionWithdrawn:
    return SubmissionWithdrawn(submission_id=UUID(int=8), text_version=1, reason=reason)


@pytest.mark.parametrize("reason", ["x" * MAX_EVENT_BYTES, "ế" * 90_000, "😀" * 262_000])
def test_an_event_too_large_for_the_broker_is_refused_before_it_is_written(reason: str) -> None:
    """In bytes, as the broker counts. Whoever sent it is told so; it is no fault of the house."""
    with pytest.raises(TooLarge, match="256 KB") as refused:
        Stored.of(withdrawn(reason))
    assert refused.value.status == 413


async def test_a_command_that_would_write_too_much_is_answered_by_a_413_in_words() -> None:
    app = FastAPI()
    install(app)

    @app.post("/v1/withdraw")
    async def withdraw() -> None:
        Stored.of(withdrawn("😀" * 262_000))

    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://small") as http:
        answer = await http.post("/v1/withdraw")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.json()["detail"] == "Một sự kiện (content.submission.withdrawn) chỉ ghi được tối đa 256 KB."


@pytest.mark.parametrize("letter", ["x", "ế", "😀"])
def test_an_event_may_be_as_large_as_the_limit(letter: str) -> None:
    size = len(letter.encode())
    room = MAX_EVENT_BYTES - len(withdrawn("").model_dump_json())
    assert Stored.of(withdrawn(letter * (room // size)))
    with pytest.raises(TooLarge):
        Stored.of(withdrawn(letter * (room // size + 1)))


@pytest.mark.parametrize(
    ("enough", "reason"), [(MAX_EVENTS, ""), (16, "x" * 261_000), (16, "ế" * 87_000), (16, "😀" * 65_000)]
)
def test_a_commit_of_too_much_is_refused_before_it_is_written(enough: int, reason: str) -> None:
    """Past a hundred the order within a commit would run into the next one's; past 16 MiB others fail too."""
    event = Stored.of(withdrawn(reason))
    assert commit("s-1")._replace(events=(event,) * enough).sealed(Head()).version == 1
    with pytest.raises(TooLarge, match="tối đa 100 sự kiện, 4096 KB"):
        commit("s-1")._replace(events=(event,) * (enough + 1)).sealed(Head())


async def test_a_stream_that_cannot_be_read_is_told_to_those_who_asked_for_it_alone(database: Any) -> None:
    journal = MongoJournal(database)
    commits = [commit(f"question-{n}") for n in range(50)]
    await asyncio.gather(*(journal.append(c) for c in commits))
    await database.journal.update_one({"stream": "question-7"}, {"$set": {"of_a_newer_build": 1}})
    await database.journal.update_one({"stream": "question-8"}, {"$set": {"at": DatetimeMS(2**60)}})
    answers = await asyncio.gather(
        *(journal.read(f"question-{n}") for n in range(50)), return_exceptions=True
    )
    assert [n for n, answer in enumerate(answers) if answer != [commits[n]]] == [7, 8]
    assert (type(answers[7]), type(answers[8])) == (TypeError, InvalidBSON)


async def test_a_commit_that_cannot_be_encoded_fails_alone(database: Any) -> None:
    journal = MongoJournal(database)
    commits = [commit(f"question-{n}") for n in range(50)]
    commits[7] = commits[7]._replace(by="\ud800")
    commits[8] = commits[8]._replace(version=2**70)
    answers = await asyncio.gather(*(journal.append(c) for c in commits), return_exceptions=True)
    assert [n for n, answer in enumerate(answers) if answer is not None] == [7, 8]
    assert (type(answers[7]), type(answers[8])) == (UnicodeEncodeError, OverflowError)
    assert await database.journal.count_documents({}) == 48


async def test_a_database_that_does_not_answer_is_a_503_and_not_a_guess() -> None:
    database = connect("mongodb://127.0.0.1:1/?replicaSet=rs0&serverSelectionTimeoutMS=200", "nowhere")
    journal = MongoJournal(database)
    with pytest.raises(Unavailable):
        await journal.append(commit("question-1"))
    with pytest.raises(Unavailable):
        await journal.read("question-1")
    database.client.close()


async def test_too_many_waiting_writers_are_turned_away_at_once(database: Any) -> None:
    journal = MongoJournal(database, most_waiting=3)
    answers = await asyncio.gather(
        *(journal.append(commit(f"question-{n}")) for n in range(6)), return_exceptions=True
    )
    assert answers.count(None) == 3
    assert sum(isinstance(a, Unavailable) for a in answers) == 3
