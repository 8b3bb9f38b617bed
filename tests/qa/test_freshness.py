"""A reader who says what they wrote gets a list at least as new, over real HTTP, behind a slow projector."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI

from deploy.local.ports import free_ports
from services.qa.regulation import Policy
from shared.journal import Commit
from shared.messaging.follower import Follower
from shared.projections import Projector
from shared.service import Service
from tests.edges import SignedIn
from tests.qa.world import question_in

Slow = Callable[[float], contextlib.AbstractAsyncContextManager[None]]


@pytest.fixture
async def http(running: tuple[Service[Policy], FastAPI]) -> AsyncIterator[httpx2.AsyncClient]:
    """The service behind a real server and socket."""
    _, app = running
    (port,) = free_ports(1)
    config = uvicorn.Config(SignedIn(app), port=port, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        yield client
    server.should_exit = True
    await serving


@pytest.fixture
async def slow(running: tuple[Service[Policy], FastAPI]) -> AsyncIterator[Slow]:
    """A projector that needs so many seconds for whatever comes."""
    service, _ = running
    await service.database.leases.delete_many({})

    @contextlib.asynccontextmanager
    async def projecting(seconds: float) -> AsyncIterator[None]:
        projector = Projector(service.database, service.projections, "qa", service.edge.vault, lambda _: None)

        async def show(commits: Sequence[Commit]) -> None:
            await asyncio.sleep(seconds)
            await projector.project(commits)

        task = asyncio.create_task(Follower(service.database, "projector", "slow", show).run())
        await asyncio.sleep(0.3)
        yield
        task.cancel()
        await asyncio.wait([task])

    yield projecting
    for name in ("journal", "vault", "leases", "questions", "answers"):
        await service.database[name].delete_many({})


def by(subject: str, **headers: str) -> dict[str, str]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = {"Authorization": f"Bearer {subject}"} if subject else {}
    return {"Idempotency-Key": uuid4().hex} | signed | given


async def asked(http: httpx2.AsyncClient, **headers: str) -> httpx2.Response:
    answer = await http.post("/v1/questions", json=question_in(), headers=by("", **headers))
    assert answer.status_code == 201, answer.text
    return answer


async def statuses(http: httpx2.AsyncClient, **headers: str) -> dict[str, str]:
    answer = await http.get("/v1/questions", headers=by("u-ha", **headers))
    assert answer.status_code == 200, answer.text
    return {item["id"]: item["status"] for item in answer.json()["items"]}


async def test_a_clerk_sees_their_own_act_in_the_next_list(http: httpx2.AsyncClient, slow: Slow) -> None:
    async with slow(0.4):
        receipt = await asked(http)
        id, token = receipt.json()["id"], receipt.headers["Written"]
        assert token == f"question-{id}:1"
        assert id not in await statuses(http)  # who does not ask gets the list as it is
        assert (await statuses(http, wait_for=token))[id] == "received"
        refusal = {"ground": "out_of_scope", "explanation": "Thuộc cơ quan khác.",
                   "referral": "advised_asker", "agency": "Ủy ban nhân dân cấp xã"}  # fmt: skip
        path = f"/v1/questions/{id}/refusal"
        refused = await http.post(path, json=refusal, headers=by("u-ha"))
        assert refused.status_code == 200, refused.text
        assert (await statuses(http, wait_for=refused.headers["Written"]))[id] == "refused"


async def test_the_same_command_again_answers_the_same_token(http: httpx2.AsyncClient, slow: Slow) -> None:
    key, body = uuid4().hex, question_in()
    tokens = set()
    for _ in range(2):
        answer = await http.post("/v1/questions", json=body, headers=by("", Idempotency_Key=key))
        tokens.add(answer.headers["Written"])
    assert len(tokens) == 1


async def test_what_is_not_shown_in_two_seconds_is_said_and_not_hidden(
    http: httpx2.AsyncClient, slow: Slow
) -> None:
    token = (await asked(http)).headers["Written"]
    began = monotonic()
    answer = await http.get("/v1/questions", headers=by("u-ha", wait_for=token))
    assert (answer.status_code, answer.json()["code"]) == (503, "not_yet_visible")
    assert answer.headers["Retry-After"] == "1"
    assert 1.9 < monotonic() - began < 3
    async with slow(0):
        await asyncio.sleep(0.5)
        assert len(await statuses(http, wait_for=token)) == 1


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("x", id="no token at all"),
        pytest.param("question-1:", id="no version"),
        pytest.param("submission-1:1", id="another service's"),
        pytest.param("question-1:-1", id="a negative version"),
        pytest.param(", ".join(f"question-{n}:1" for n in range(21)), id="too many"),
    ],
)
async def test_what_no_command_answered_is_refused(http: httpx2.AsyncClient, token: str) -> None:
    answer = await http.get("/v1/questions", headers=by("u-ha", wait_for=token))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_a_crowd_that_waits_for_nothing_holds_up_nobody(http: httpx2.AsyncClient) -> None:
    """Waiting costs a look now and then; who does not wait is served as ever."""
    nothing = by("u-ha", wait_for=f"question-{uuid4()}:1")

    async def wait() -> float:
        began = monotonic()
        assert (await http.get("/v1/questions", headers=nothing)).status_code == 503
        return monotonic() - began

    crowd = asyncio.gather(*(wait() for _ in range(40)))
    await asyncio.sleep(0.5)
    began = monotonic()
    assert (await http.get("/v1/questions", headers=by("u-ha"))).status_code == 200
    assert monotonic() - began < 1.5
    assert min(await crowd) > 1.9


async def test_both_headers_are_described(http: httpx2.AsyncClient) -> None:
    document: Any = (await http.get("/openapi.json")).json()["paths"]["/v1/questions"]
    assert "Wait-For" in {parameter["name"] for parameter in document["get"]["parameters"]}
    assert "Written" in document["post"]["responses"]["201"]["headers"]
