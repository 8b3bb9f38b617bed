"""Waiting for what you wrote: a command's answer names it (``Written``); a reader who sends that back
(``Wait-For``) gets lists at least as new, or is told after two seconds that they are not there yet."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic
from typing import ClassVar, Final
from urllib.parse import quote, unquote

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import InvalidInput, PortalError
from shared.mongo import Database, answered
from shared.projections import Projection
from shared.web.problems import respond

WRITTEN: Final = "Written"
WAIT_FOR: Final = "Wait-For"
PATIENCE: Final = 2.0  # seconds
FIRST_LOOK, LONGEST_LOOK = 0.005, 0.1  # seconds between two looks at a list
MOST_MARKS: Final = 20  # in one request
MOST_WAITING: Final = 200  # readers at once; one more is not waited for, so that waiting can't be an attack

Marks = Mapping[str, int]  # stream → version


class NotYetVisible(PortalError):
    """The lists do not show yet what the reader wrote; what was written is safe."""

    status, code = 503, "not_yet_visible"
    title_vi: ClassVar[str] = "Danh sách chưa kịp hiện việc vừa làm"
    title_en: ClassVar[str] = "The lists do not show this yet"


def written(marks: Marks) -> str:
    """``question-4f…:3, submission-9a…:7``"""
    return ", ".join(f"{quote(stream, safe='-:')}:{version}" for stream, version in marks.items())


def marks_in(header: str, kinds: Iterable[str]) -> dict[str, int]:
    """Raises InvalidInput for what no command of this service has answered."""
    known, marks = frozenset(kinds), dict[str, int]()
    for part in header.split(","):
        stream, _, version = part.strip().rpartition(":")
        kind, _, id = stream.partition("-")
        if not (id and kind in known and version.isascii() and version.isdigit() and len(version) < 10):
            raise InvalidInput(
                f"{WAIT_FOR} là nội dung tiêu đề {WRITTEN} của một lệnh trước đó.",
                errors=[{"field": WAIT_FOR}],
            )
        marks[unquote(stream)] = max(int(version), marks.get(unquote(stream), 0))
    if len(marks) > MOST_MARKS:
        raise InvalidInput(f"Tối đa {MOST_MARKS} mốc mỗi lần đọc.", errors=[{"field": WAIT_FOR}])
    return marks


class Lists:
    """The read models of a service, by the kind of stream that they show."""

    def __init__(
        self, database: Database, projections: Sequence[Projection], kinds: Iterable[str],
        *, patience: float = PATIENCE,
    ) -> None:  # fmt: skip
        self.kinds = frozenset(kinds)
        self._database, self._patience = database, patience
        self._collections: dict[str, list[str]] = {}
        for projection in projections:
            self._collections.setdefault(projection.kind, []).append(projection.collection)
        self._waiting = 0

    async def show(self, marks: Marks) -> None:
        """Returns when every list of these streams shows them. Raises NotYetVisible after a while."""
        missing = {
            (collection, stream, version)
            for stream, version in marks.items()
            for collection in self._collections.get(stream.partition("-")[0], ())
        }
        until = monotonic() + (self._patience if self._waiting < MOST_WAITING else 0)
        self._waiting += 1
        try:
            pause = FIRST_LOOK
            while missing := {m for m in missing if not await self._shows(*m)}:
                if monotonic() >= until:
                    raise NotYetVisible("Việc vừa làm đã được ghi; vui lòng tải lại sau ít giây.",
                                        retry_after=1)  # fmt: skip
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, LONGEST_LOOK)
        finally:
            self._waiting -= 1

    @answered
    async def _shows(self, collection: str, stream: str, version: int) -> bool:
        newer = {"_id": stream.partition("-")[2], "version": {"$gte": version}}
        return await self._database[collection].find_one(newer, {"_id": 1}) is not None


class Freshness:
    def __init__(self, app: ASGIApp, lists: Lists) -> None:
        self.app, self.lists = app, lists

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD"):
            await (await self._view(scope))(scope, receive, send)
        else:
            await self.app(scope, receive, _telling(scope, send))

    async def _view(self, scope: Scope) -> ASGIApp:
        wish = Headers(scope=scope).get(WAIT_FOR)
        if wish:
            try:
                await self.lists.show(marks_in(wish, self.lists.kinds))
            except PortalError as error:
                return respond(Request(scope), error)
        return self.app


def _telling(scope: Scope, send: Send) -> Send:
    async def telling(message: Message) -> None:
        desk = scope["state"].get("desk") if message["type"] == "http.response.start" else None
        if desk is not None and desk.written:
            told = (WRITTEN.lower().encode(), written(desk.written).encode("latin-1"))
            message["headers"] = [*message.get("headers", ()), told]
        await send(message)

    return telling
