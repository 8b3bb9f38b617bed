"""The short way of a command answers as FastAPI's own way does, and leaves to it what is unusual."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx2
import pytest
from fastapi import Depends, FastAPI, Form, Query, Request, Response
from pydantic import BaseModel, ConfigDict
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.errors import Forbidden, TooLarge
from shared.web import problems
from shared.web.edge import RequestFrame
from shared.web.lane import Lane


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: UUID
    words: str


class Told(BaseModel):
    id: UUID
    by: str
    words: str = ""


async def who(request: Request) -> str:
    if request.headers.get("who") == "nobody":
        raise Forbidden
    return request.headers.get("who", "anonymous")


def twice(name: Annotated[str, Depends(who)], response: Response) -> str:
    response.headers["twice"] = name * 2
    return name


Who = Annotated[str, Depends(who)]
Twice = Annotated[str, Depends(twice)]


class Guard:
    """A dependency that is an object."""

    async def __call__(self) -> None:
        raise Forbidden


async def opened() -> AsyncIterator[str]:
    yield "opened"


def application() -> FastAPI:
    api = FastAPI()
    problems.install(api)

    @api.post("/v1/things", status_code=201)
    async def make(body: Thing, by: Who, again: Twice, response: Response) -> Told:
        response.headers["ETag"] = '"1"'
        return Told(id=body.id, by=f"{by} {again}", words=body.words)

    @api.put("/v1/things/{id}")
    async def change(id: UUID, body: Thing, request: Request) -> dict[str, Any]:
        return {"id": id, "path": request.path_params["id"], "length": len(await request.body())}

    @api.post("/v1/things/all")  # after one that takes any word in its place
    async def act(response: Response) -> dict[str, str]:
        response.status_code = 202
        return {}

    @api.post("/v1/asked")
    async def asked(body: Thing, q: Annotated[str, Query()] = "none") -> dict[str, str]:
        return {"q": q, "words": body.words}

    @api.post("/v1/opened")
    async def with_exit(by: Annotated[str, Depends(opened)]) -> dict[str, str]:
        return {"by": by}

    @api.post("/v1/guarded", dependencies=[Depends(Guard())])
    async def guarded() -> dict[str, str]:
        return {}

    @api.post("/v1/form")
    async def form(body: Annotated[Thing, Form()]) -> dict[str, str]:
        return {"words": body.words}

    @api.post("/v1/nothing-new")
    async def nothing_new(response: Response) -> dict[str, str]:
        response.status_code = 204
        return {}

    @api.delete("/v1/things/{id}", status_code=204)
    async def remove(id: UUID) -> None:
        return None

    return api


class Watched:
    """Counts what is left to FastAPI's own way."""

    def __init__(self, app: FastAPI) -> None:
        self.app, self.seen = app, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen += 1
        await self.app(scope, receive, send)


async def ask(app: Any, method: str, path: str, **request: Any) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://lane") as client:
        return await client.request(method, path, headers=request.pop("headers", {}), **request)


ID = "6f0a2f0e-6c1c-5b1e-9a55-3d9f0c1c7a10"
GOOD = {"id": ID, "words": "Điều kiện rút một lần"}
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(("method", "path", "request_", "short"), [
    pytest.param("POST", "/v1/things", {"json": GOOD}, True, id="a command"),
    pytest.param("POST", "/v1/things", {"json": GOOD, "headers": {"who": "lan"}}, True, id="by somebody"),
    pytest.param("POST", "/v1/things", {"json": GOOD, "headers": {"who": "nobody"}}, True, id="refused"),
    pytest.param("POST", "/v1/things", {"json": GOOD | {"words": "ạ" * 2000}}, True, id="a long answer"),
    pytest.param("PUT", f"/v1/things/{ID}", {"json": GOOD}, True, id="an id in the path"),
    pytest.param("POST", "/v1/things/all", {}, True, id="no body, a status of its own"),
    pytest.param("POST", "/v1/things", {"json": GOOD | {"more": 1}}, False, id="a field too many"),
    pytest.param("POST", "/v1/things", {"content": b"{", "headers": JSON}, False, id="no JSON"),
    pytest.param("POST", "/v1/things", {"content": b"\xff", "headers": JSON}, False, id="no UTF-8"),
    pytest.param("POST", "/v1/things", {"data": {"a": "b"}}, False, id="a form"),
    pytest.param(
        "POST", "/v1/things", {"content": json.dumps(GOOD), "headers": {"content-type": "application/jsonx"}},
        False, id="another content type",
    ),
    pytest.param(
        "POST", "/v1/things", {"content": json.dumps(GOOD),
                               "headers": {"content-type": "Application/JSON; charset=utf-8"}},
        True, id="the content type at length",
    ),
    pytest.param("POST", "/v1/guarded", {}, False, id="a dependency that is an object"),
    pytest.param("POST", "/v1/form", {"json": GOOD}, False, id="JSON where a form is asked for"),
    pytest.param("POST", "/v1/nothing-new", {}, True, id="a status that has no body"),
    pytest.param("POST", "/v1/things", {"content": json.dumps(GOOD)}, False, id="no content type"),
    pytest.param("POST", "/v1/things", {}, False, id="nothing at all"),
    pytest.param("PUT", "/v1/things/7", {"json": GOOD}, False, id="no id in the path"),
    pytest.param("POST", "/v1/asked?q=1", {"json": GOOD}, False, id="a query"),
    pytest.param("POST", "/v1/opened", {}, False, id="something to close afterwards"),
    pytest.param("DELETE", f"/v1/things/{ID}", {}, False, id="an answer without a body"),
    pytest.param("PATCH", "/v1/things", {"json": GOOD}, False, id="a method that is not there"),
    pytest.param("POST", "/v1/other", {"json": GOOD}, False, id="a path that is not there"),
])  # fmt: skip
async def test_both_ways_answer_alike(method: str, path: str, request_: dict[str, Any], short: bool) -> None:
    api = application()
    rest = Watched(api)
    ours = await ask(_with_app(Lane(rest, api), api), method, path, **dict(request_))
    theirs = await ask(_with_app(api, api), method, path, **dict(request_))
    assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
    plain = {"content-encoding", "vary", "content-length"}
    assert {k: v for k, v in ours.headers.items() if k not in plain} == {
        k: v for k, v in theirs.headers.items() if k not in plain
    }
    assert rest.seen == (0 if short else 1)


def _with_app(first: ASGIApp, api: FastAPI) -> Any:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await first({**scope, "app": api, "state": {}}, receive, send)

    return app


async def test_a_long_answer_is_compressed_for_who_can_read_that() -> None:
    api = application()
    app = _with_app(Lane(api, api), api)
    body = GOOD | {"words": "ạ" * 2000}
    packed = await ask(app, "POST", "/v1/things", json=body, headers={"accept-encoding": "gzip"})
    plain = await ask(app, "POST", "/v1/things", json=body, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()


async def test_a_dependency_that_is_replaced_is_replaced_here_too() -> None:
    api = application()
    app = _with_app(Lane(api, api), api)
    assert (await ask(app, "POST", "/v1/things", json=GOOD)).json()["by"] == "anonymous anonymous"
    api.dependency_overrides[who] = lambda: "stand-in"
    assert (await ask(app, "POST", "/v1/things", json=GOOD)).json()["by"] == "stand-in stand-in"
    api.dependency_overrides.clear()
    assert (await ask(app, "POST", "/v1/things", json=GOOD)).json()["by"] == "anonymous anonymous"


async def test_a_body_that_grows_too_large_on_its_way_is_told_so() -> None:
    api = application()
    frame = RequestFrame(_with_app(Lane(api, api), api), largest_body=1000)

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b'{"words": "' + b"x" * 400

    answer = await ask(frame, "POST", "/v1/things", content=chunks(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, TooLarge.code)


async def test_who_leaves_in_the_middle_is_told_what_fastapi_tells_them() -> None:
    api, sent = application(), list[Any]()
    said = [{"type": "http.request", "body": b'{"wor', "more_body": True}, {"type": "http.disconnect"}]

    async def receive() -> Any:
        return said.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/v1/things", "raw_path": b"/v1/things", "root_path": "",
        "headers": [(b"content-type", b"application/json")], "query_string": b"", "scheme": "http",
        "server": ("lane", 80), "client": ("c", 1), "http_version": "1.1",
    }  # fmt: skip
    await _with_app(Lane(api, api), api)(scope, receive, send)
    assert sent[0]["status"] == 400


async def test_an_error_that_nobody_expected_is_left_to_who_answers_for_those() -> None:
    api = application()

    @api.post("/v1/broken")
    async def broken() -> dict[str, str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ask(_with_app(Lane(api, api), api), "POST", f"/v1/broken?{uuid4()}")
