"""Read models, jobs and logs: what runs beside the commands."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
import structlog

from shared import logging
from shared.contracts.base import Recorded
from shared.contracts.qa import AnswerReleased, QuestionClosed
from shared.desk import Vault
from shared.jobs import Job, Jobs
from shared.journal import Head
from shared.projections import Projection, Projector
from shared.testing import MemoryVault
from tests.shared.test_messaging import commit


async def released(recorded: Recorded[AnswerReleased], _: Vault) -> dict[str, Any]:
    return {"answer": recorded.event.answer_ref}


QUESTIONS = Projection("questions", "question", {AnswerReleased: released}, wakes=("tell",))


async def test_a_read_model_never_goes_backwards_and_repeating_changes_nothing(database: Any) -> None:
    id, woken = uuid4(), []  # type: ignore[var-annotated]
    projector = Projector(database, [QUESTIONS], "qa", MemoryVault(), woken.append)
    first = commit(id, Head(), QuestionClosed(question_id=id))
    second = commit(id, first.head, *(AnswerReleased(question_id=id, answer_ref=ref) for ref in "ab"))
    third = commit(id, second.head, AnswerReleased(question_id=id, answer_ref="c"))
    await projector.project([first, second, third])
    await projector.project([second, first])
    found = await database.questions.find_one({"_id": str(id)})
    assert (found["answer"], found["version"]) == ("c", 3)
    assert "tell" in woken


async def test_a_job_that_fails_is_tried_again_and_a_woken_one_runs_at_once() -> None:
    runs: list[str] = []

    async def failing() -> int:
        runs.append("failing")
        raise RuntimeError("chưa được")

    async def sleeping() -> int:
        runs.append("sleeping")
        return 0

    jobs = Jobs([Job("failing", 0.05, failing), Job("sleeping", 3600, sleeping)])
    task = asyncio.create_task(jobs.run(awaited=False))
    await asyncio.sleep(0.05)
    jobs.wake("sleeping")
    await asyncio.sleep(1.3)
    task.cancel()
    await asyncio.wait([task])
    assert runs.count("sleeping") == 2
    assert runs.count("failing") >= 2


def test_a_log_line_carries_only_what_is_on_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    logging.set_up("qa", "qa-1", style="json", level="INFO")
    try:
        structlog.get_logger().info(
            "question.received", id="1", text="Tôi tên là Nguyễn Văn A", email="a@b.vn"
        )
        line = json.loads(capsys.readouterr().out)
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
    assert line["event"] == "question.received"
    assert {"text", "email"}.isdisjoint(line)
