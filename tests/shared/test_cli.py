"""The command line does what the edge does, with exit codes that a script can go by."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from shared import logging
from shared.cli.__main__ import app
from shared.journal import Head
from shared.messaging.dead_letters import State
from shared.messaging.runs import Runs
from shared.mongo import MongoJournal
from tests.shared.small_service import SmallService
from tests.shared.test_chain import IDS, extend
from tests.shared.test_dead_letters import POISON, bury, states, working

Portal = Callable[..., Awaitable[Result]]


@pytest.fixture
async def small(mongo_uri: str, database: Any) -> AsyncIterator[SmallService]:
    small = SmallService(mongo_uri, database.name)
    await small.graves.prepare()
    await Runs(small.service.database).prepare()
    yield small
    small.service.database.client.close()


@pytest.fixture
def portal(mongo_uri: str, database: Any, monkeypatch: pytest.MonkeyPatch) -> Portal:
    monkeypatch.setenv("PORTAL_MONGO_URI", mongo_uri)
    monkeypatch.setenv("PORTAL_MONGO_DATABASE", database.name)
    monkeypatch.setenv("PORTAL_SECRET_KEY", "k" * 40)
    monkeypatch.setenv("PORTAL_ENVIRONMENT", "local")
    monkeypatch.setattr(logging, "set_up", lambda *_, **__: None)

    async def call(*words: str, service: str = "notifier") -> Result:
        arguments = ["--service", service, "--by", "u-truc", *words]
        return await asyncio.to_thread(CliRunner().invoke, app, arguments)

    return call


async def test_a_dead_letter_from_the_list_to_its_replay(small: SmallService, portal: Portal) -> None:
    question = uuid4()
    ids = await bury(small, question, 3)
    async with working(small):
        groups = json.loads((await portal("dead-letters", "groups", "--json")).stdout)
        assert {(g["error"], g["count"]) for g in groups} == {("RuntimeError", 1), ("Blocked", 2)}
        listed = json.loads((await portal("dead-letters", "list", "--json")).stdout)
        assert [row["id"] for row in listed] == ids
        assert "answer_ref" in (await portal("dead-letters", "show", ids[0])).stdout
        ask = ("dead-letters", "replay", "--reason", "đã sửa", "--error", "RuntimeError", "--json")
        dry = await portal(*ask)
        assert (dry.exit_code, json.loads(dry.stdout)["replayed"]) == (0, 1)
        assert await small.heard(question) == ()
        real = await portal(*ask, "--really")
        assert (real.exit_code, json.loads(real.stdout)["released"]) == (0, 2)
    assert await small.heard(question) == ("a1", "a2", "a3")
    assert await small.acts(ids[0]) == ["replayed by u-truc"]


async def test_what_fails_again_is_told_by_the_exit_code(small: SmallService, portal: Portal) -> None:
    question = uuid4()
    (id,) = await bury(small, question, 1)
    small.broken[question] = POISON
    async with working(small):
        again = await portal("dead-letters", "replay", id, "--reason", "thử", "--really")
    assert again.exit_code == 2
    assert "nguyên nhân vẫn còn" in again.stdout
    assert await states(small, [id]) == [State.BURIED]


async def test_discarding_and_editing(small: SmallService, portal: Portal) -> None:
    first, second = uuid4(), uuid4()
    (gone,), (mended,) = await bury(small, first, 1), await bury(small, second, 1)
    async with working(small):
        assert (await portal("dead-letters", "discard", gone, "--reason", "thư thử")).exit_code == 0
        twice = await portal("dead-letters", "discard", gone, "--reason", "nữa")
        assert (twice.exit_code, "dead_letter_settled" in twice.stderr) == (1, True)
        patch = json.dumps({"answer_ref": "đã sửa"})
        done = await portal("dead-letters", "edit", mended, "--reason", "sai mã", "--patch", patch)
        assert done.exit_code == 0
    assert await small.heard(second) == ("đã sửa",)
    assert await states(small, [gone, mended]) == [State.DISCARDED, State.REPLAYED]


@pytest.mark.parametrize(
    "words",
    [
        ("dead-letters", "replay", "--reason", "x"),
        ("dead-letters", "replay", "a", "--all", "--reason", "x"),
        ("dead-letters", "edit", "a", "--reason", "x", "--patch", "["),
        ("rebuild", "none"),
    ],
)
async def test_a_slip_is_told_and_nothing_is_done(portal: Portal, words: tuple[str, ...]) -> None:
    slip = await portal(*words, service="qa")
    assert slip.exit_code == 2
    assert slip.stderr


async def test_verify_tells_a_whole_record_from_a_broken_one(database: Any, portal: Portal) -> None:
    await extend(MongoJournal(database), IDS[0], Head(), 3)
    whole = await portal("verify", "--json", service="qa")
    assert (whole.exit_code, json.loads(whole.stdout)["commits"]) == (0, 3)
    await database.journal.update_one({"version": 2}, {"$set": {"by": "khác"}})
    broken = await portal("verify", "--json", service="qa")
    assert (broken.exit_code, json.loads(broken.stdout)["breaks"][0]["what"]) == (2, "edited")


async def test_a_real_service_s_lists_are_rebuilt_and_compared(database: Any, portal: Portal) -> None:
    await database.questions.insert_one({"_id": "ma", "status": "received"})
    odd = await portal("verify", "--lists", "--json", service="qa")
    assert (odd.exit_code, json.loads(odd.stdout)["lists"][0]["what"]) == (2, "surplus")
    done = await portal("rebuild", "all", "--json", service="qa")
    assert {row["collection"] for row in json.loads(done.stdout)} >= {"questions", "answers"}
    assert (await portal("verify", "--lists", service="qa")).exit_code == 0


async def test_the_relay_is_paused_and_goes_on(
    database: Any, kafka: str, portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PORTAL_KAFKA_BOOTSTRAP", kafka)
    paused = await portal("relay", "pause", "--json", service="qa")
    assert (paused.exit_code, json.loads(paused.stdout)["holder"]) == (0, "paused: u-truc")
    status = await portal("relay", "status", service="qa")
    assert (status.exit_code, "paused: u-truc" in status.stdout) == (0, True)
    assert (await portal("relay", "resume", service="qa")).exit_code == 0
    again = await portal("relay", "resume", service="qa")
    assert (again.exit_code, "relay_not_paused" in again.stderr) == (1, True)
