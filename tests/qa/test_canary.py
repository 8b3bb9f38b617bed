"""A citizen's words come back in no error, whichever way their request fails."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from shared.desk import fingerprint
from tests.edges import SignedIn
from tests.qa.conftest import Edges
from tests.qa.world import question_in

CANARY = f"hoàng yến {uuid4().hex}"


@pytest.fixture
def letter() -> dict[str, Any]:
    mark = CANARY.rsplit(" ", 1)[1]
    return question_in(
        name=CANARY, email=f"{mark}@canary.example.vn", phone="0912 345 678", subject=f"Hỏi {CANARY}",
        text=f"Tôi là {CANARY}. " * 3,
    )  # fmt: skip


@pytest.fixture
def broken(edges: Edges, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What keeps a letter stumbles over it, and says so in its own words."""

    async def put(ref: str, content: dict[str, Any], **_: Any) -> str:
        raise ValueError(f"cannot keep {content}")

    monkeypatch.setattr(edges.service.vault, "put", put)
    yield


WRONG: list[Any] = [
    pytest.param({"consent": "hoàng yến"}, id="another type"),
    pytest.param({"phone": CANARY}, id="no telephone number"),
    pytest.param({"name": f"{CANARY}\x00"}, id="a character that no name has"),
    pytest.param({"email": CANARY}, id="no address"),
    pytest.param({"subject": CANARY * 50}, id="too long"),
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_refused_is_named_by_its_field_and_not_repeated(
    edges: Edges, letter: dict[str, Any], wrong: dict[str, Any]
) -> None:
    answer = await edges.post("/v1/questions", letter | wrong)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == list(wrong)
    assert "hoàng yến" not in answer.text


@pytest.mark.usefixtures("broken")
async def test_what_breaks_inside_says_nothing_outside(
    running: tuple[Any, FastAPI], letter: dict[str, Any]
) -> None:
    calm = httpx2.ASGITransport(app=SignedIn(running[1]), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=calm, base_url="http://qa") as http:
        answer = await http.post("/v1/questions", json=letter, headers={"Idempotency-Key": uuid4().hex})
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert "hoàng yến" not in answer.text


async def test_what_the_journal_keeps_of_a_request_nobody_can_guess_at(
    edges: Edges, letter: dict[str, Any]
) -> None:
    """Whoever has the database alone can't try whether it was these words."""
    answer = await edges.post("/v1/questions", letter)
    row = await edges.service.database.journal.find_one({})
    guessed = fingerprint("POST", "/v1/questions", answer.request.content)
    assert len(row["fingerprint"]) == len(guessed)
    assert row["fingerprint"] != guessed
    again = fingerprint(
        "POST", "/v1/questions", answer.request.content, key=edges.service.edge.fingerprint_key
    )
    assert row["fingerprint"] == again
