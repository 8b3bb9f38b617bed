"""The short way of a command: which route it takes and what its handler is given is worked out once, not for
each request. Whatever is unusual (a query, a form, a body that does not fit) goes FastAPI's own way."""

import gzip
import inspect
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.utils import get_dependant
from fastapi.params import Body
from fastapi.routing import APIRoute, iter_route_contexts, serialize_response
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMMANDS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
COMPRESSED_FROM: Final = 1000  # bytes
NOTHING_TO_SAY: Final = frozenset({204, 205, 304})  # statuses without a body
NOT_HERE: Final = (  # what a dependency may ask for and the short way does not give
    "query_params", "header_params", "cookie_params", "background_tasks_param_name",
    "websocket_param_name", "http_connection_param_name", "security_scopes_param_name",
    "own_oauth_scopes", "concurrency",
)  # fmt: skip
WAYS_TO_LEAVE_OUT: Final = ("include", "exclude", "exclude_unset", "exclude_defaults", "exclude_none")
REQUEST, RESPONSE, BODY = "request", "response", "body"  # values that are there before the first step


class Unusual(Exception):
    """This route, or this request, is not for the short way."""


@dataclass(frozen=True, slots=True)
class Step:
    """A dependency, or at last the endpoint: called with values that are there already."""

    key: Hashable  # of its result, for the steps after it
    call: Callable[..., Any]
    given: tuple[tuple[str, Hashable], ...]  # its parameter's name, the value's key
    awaited: bool


@dataclass(frozen=True, slots=True)
class Plan:
    status: int
    body: type[BaseModel] | None
    from_path: tuple[tuple[str, Any], ...]  # name in the path, its field
    steps: tuple[Step, ...]
    answer: Any  # the response's field


Way = tuple[re.Pattern[str], frozenset[str], Plan | None]  # None: FastAPI's


class Lane:
    """``api`` is the application; ``app`` the rest of its middlewares, for what is unusual. A dependency
    that is not async is called on the loop, so it may not block."""

    def __init__(self, app: ASGIApp, api: FastAPI) -> None:
        self.app, self.api = app, api
        self._ways: list[Way] | None = None
        self._overrides: dict[Any, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        plan, found = self._plan(scope) if scope["type"] == "http" else (None, {})
        if plan is None:
            await self.app(scope, receive, send)
            return
        taken: list[Message] = []
        answer: ASGIApp
        try:
            answer = await self._run(plan, scope, found, _kept(receive, taken))
        except Unusual:
            answer, receive = self.app, _replayed(taken, receive)
        except Exception as error:
            answer = await self._refused(error, Request(scope, receive))
        await answer(scope, receive, send)

    def _plan(self, scope: Scope) -> tuple[Plan | None, dict[str, str]]:
        method, path = scope["method"], scope["path"]
        if method not in COMMANDS or scope.get("root_path"):
            return None, {}
        if self._ways is None or self._overrides != self.api.dependency_overrides:
            self._overrides = dict(self.api.dependency_overrides)
            self._ways = [way for way in _ways(self.api, self._overrides) if way[1] & COMMANDS]
        for pattern, methods, plan in self._ways:
            if method in methods and (match := pattern.match(path)):
                return plan, match.groupdict()
        return None, {}

    async def _run(self, plan: Plan, scope: Scope, found: dict[str, str], receive: Receive) -> Response:
        request, told = Request(scope, receive), Response()
        told.status_code = 0  # until the endpoint sets one
        values: dict[Hashable, Any] = {REQUEST: request, RESPONSE: told}
        if plan.body is not None:
            kind, _, _ = request.headers.get("content-type", "").partition(";")
            if kind.strip().lower() != "application/json":
                raise Unusual
            try:
                values[BODY] = plan.body.model_validate_json(await request.body())
            except (ValidationError, ClientDisconnect):
                raise Unusual from None
        for name, field in plan.from_path:
            values[name], errors = field.validate(found[name])
            if errors:
                raise Unusual
        scope["path_params"] = found
        result: Any = None
        for step in plan.steps:
            result = step.call(**{name: values[key] for name, key in step.given})
            if step.awaited:
                result = await result
            values[step.key] = result
        if isinstance(result, Response):
            return result
        content = await serialize_response(field=plan.answer, response_content=result, dump_json=True)
        return _answer(request, told, told.status_code or plan.status, content)

    async def _refused(self, error: Exception, request: Request) -> Response:
        """As FastAPI does: the handler of the error's class, or of the nearest one above it."""
        handlers: Mapping[Any, Any] = self.api.exception_handlers
        for kind in type(error).__mro__:
            if kind is Exception:
                break
            if kind in handlers:
                refused: Response = await handlers[kind](request, error)
                return refused
        raise error


def _answer(request: Request, told: Response, status: int, content: bytes) -> Response:
    if status in NOTHING_TO_SAY:
        content = b""
    headers = [pair for pair in told.raw_headers if pair[0] != b"content-length"]
    if len(content) >= COMPRESSED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        content = gzip.compress(content, 5, mtime=0)
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
    told.status_code, told.body = status, content
    told.raw_headers = [
        (b"content-length", b"%d" % len(content)), (b"content-type", b"application/json"), *headers
    ]  # fmt: skip
    return told


def _kept(receive: Receive, taken: list[Message]) -> Receive:
    async def kept() -> Message:
        message = await receive()
        taken.append(message)
        return message

    return kept


def _replayed(taken: list[Message], receive: Receive) -> Receive:
    first = iter(taken)

    async def replayed() -> Message:
        for message in first:
            return message
        return await receive()

    return replayed


def _ways(api: FastAPI, overrides: Mapping[Any, Any]) -> Sequence[Way]:
    """Every route in the order in which FastAPI looks through them: the first that fits has it."""
    found: list[Way] = []
    for context in iter_route_contexts(api.routes):
        pattern = getattr(context, "path_regex", None)
        if pattern is not None and context.methods:
            found.append((pattern, frozenset(context.methods), _plan_of(context, overrides)))
    return found


def _plan_of(context: Any, overrides: Mapping[Any, Any]) -> Plan | None:
    if not isinstance(context.original_route, APIRoute) or context.response_field is None:
        return None
    status, model = context.status_code or 200, context.body_field
    body = model.field_info.annotation if model else None
    usual = (
        isinstance(context.response_class, DefaultPlaceholder)
        and inspect.iscoroutinefunction(context.endpoint)
        and status not in NOTHING_TO_SAY
        and (body is None or (inspect.isclass(body) and issubclass(body, BaseModel)))
        and (model is None or type(model.field_info) is Body)
        and not context._embed_body_fields
        and not any(getattr(context, f"response_model_{way}") for way in WAYS_TO_LEAVE_OUT)
    )
    fields: dict[str, Any] = {}
    steps: list[Step] = []
    try:
        _add(context.dependant, overrides, fields, steps)
    except Unusual:
        usual = False
    return Plan(status, body, tuple(fields.items()), tuple(steps), context.response_field) if usual else None


def _add(needed: Any, overrides: Mapping[Any, Any], fields: dict[str, Any], steps: list[Step]) -> None:
    """The steps that a dependency needs, and then its own, each function once. Raises Unusual."""
    if any(getattr(needed, name) for name in NOT_HERE) or not needed.use_cache:
        raise Unusual
    if not (inspect.isfunction(needed.call) or inspect.isclass(needed.call)):
        raise Unusual  # an object that is called: whether it must be awaited does not show
    if inspect.isgeneratorfunction(needed.call) or inspect.isasyncgenfunction(needed.call):
        raise Unusual
    given: list[tuple[str, Hashable]] = []
    for other in needed.dependencies:
        replaced = overrides.get(other.call)
        inner = get_dependant(path=other.path, call=replaced) if replaced else other
        if all(step.key is not inner.call for step in steps):
            _add(inner, overrides, fields, steps)
        if other.name is not None:
            given.append((other.name, inner.call))
    for field in needed.path_params:
        if repr(fields.setdefault(field.alias, field).field_info) != repr(field.field_info):
            raise Unusual  # two that ask for the same part of the path, each in its own way
        given.append((field.name, field.alias))
    given += [(field.name, BODY) for field in needed.body_params]
    given += [(needed.request_param_name, REQUEST)] if needed.request_param_name else []
    given += [(needed.response_param_name, RESPONSE)] if needed.response_param_name else []
    call: Any = needed.call
    steps.append(Step(call, call, tuple(given), inspect.iscoroutinefunction(call)))
