"""Dead letters as pages, for operators (bàn thư chết): what the API does, with a dry run before every replay.
The same on every service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ConfigDict, Field, ValidationError, field_validator

from shared.directory import SERVICES
from shared.errors import InvalidInput, PortalError
from shared.messaging import graves as acts
from shared.messaging.dead_letters import Filter, State, brief, full
from shared.messaging.graves_api import EditIn, Which, after_of, all_open, ask_for, followed, operator
from shared.messaging.graves_words import (
    STATES,
    done_so_far,
    errors_of,
    meaning_of,
    trail_of,
    wish_in_words,
)
from shared.messaging.runs import FASTEST, USUAL, AskReplay, Doing, Run, Runs, shown, wish_of
from shared.web.edge import Staff, form_desk, page, see_other
from shared.web.forms import Body, Line, OptionalText, Text, cursor_of
from shared.web.vietnamese import number

if TYPE_CHECKING:
    from shared.service import Service

HOME: Final = "/desk/dead-letters"
SHOWN: Final = 50
RATES: Final = tuple((rate, number(rate)) for rate in (1.0, 10.0, USUAL, 200.0, FASTEST))


class Chosen(Which):
    """What the list shows."""

    model_config = ConfigDict(str_strip_whitespace=True)
    state: Literal["buried", "replayed", "discarded", "all"] = "buried"
    cursor: str = Field("", max_length=500)

    @property
    def wanted(self) -> State | None:
        return None if self.state == "all" else State(self.state)

    @property
    def narrowed(self) -> dict[str, str]:
        return {name: value for name, value in vars(self.filter).items() if value}


class TryForm(Which):
    which: Literal["ids", "filter"]
    ids: tuple[Line, ...] = Field((), max_length=SHOWN)

    @field_validator("ids", mode="before")
    @classmethod
    def _several(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    def ask(self) -> AskReplay:
        return AskReplay("thử trước", self.ids, Filter() if self.ids else self.filter, dry_run=True)


class ReallyForm(Body):
    reason: Line
    rate: float = Field(USUAL, gt=0, le=FASTEST)


class EditForm(Body):
    """The patch as text, and headers as lines: ``name: value``, or ``name:`` to take one away."""

    patch: OptionalText = ""
    headers: OptionalText = ""
    reason: Line

    def edit(self) -> EditIn:
        patch: Any = None
        if self.patch:
            try:
                patch = json.loads(self.patch)
            except (ValueError, RecursionError):
                raise _wrong("patch", "Đây không phải JSON đọc được.") from None
            if not isinstance(patch, dict):
                raise _wrong("patch", "Cần một đối tượng JSON, trong { và }.")
        headers: dict[str, str | None] = {}
        for line in self.headers.splitlines():
            name, colon, value = line.partition(":")
            if not (name.strip() and colon):
                raise _wrong("headers", "Mỗi dòng một tiêu đề, dạng «tên: giá trị».")
            headers[name.strip()] = value.strip() or None
        if patch is None and not headers:
            raise _wrong("patch", "Hãy viết phần cần sửa.")
        return EditIn(patch=patch, headers=headers, reason=self.reason)


class DiscardForm(Body):
    reason: Line
    sure: Text


class NotRehearsed(PortalError):
    """A replay is asked for that nobody has seen the trial of."""

    status, code = 409, "not_rehearsed"
    title_vi, title_en = "Lượt này chưa được thử", "This was not rehearsed"


def _wrong(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(sentence, errors=[{"field": name, "message": sentence}])


@dataclass(frozen=True)
class Tried:
    """A form that could not be done: its errors and what was typed, shown again."""

    act: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, act: str, error: ValidationError | InvalidInput, typed: Mapping[str, Any]) -> "Tried":
        return cls(act, errors_of(error), typed)

    @property
    def status(self) -> int:
        return 422 if self.errors else 200


def readable(letter: dict[str, Any]) -> dict[str, Any]:
    """Bodies as indented text."""

    def written(part: Mapping[str, Any]) -> dict[str, Any]:
        body = part["body"]
        return {
            **part,
            "body": body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, indent=2),
        }

    return {**written(letter), "edits": [written(edit) for edit in letter["edits"]]}


@dataclass(frozen=True)
class Board:
    """The pages over one service's dead letters."""

    service: "Service[Any]"
    runs: Runs

    async def list_(self, request: Request, chosen: Chosen, tried: Tried) -> HTMLResponse:
        graves = self.service.dead_letters
        after = after_of(chosen.cursor)
        rows = await graves.page(chosen.filter, chosen.wanted, after, SHOWN + 1)
        last = rows[SHOWN - 1] if len(rows) > SHOWN else None
        groups = await graves.groups()
        return await page(
            request, "dead_letters.html", status=tried.status, nav_current="operations", services=SERVICES,
            here=self.service.name, chosen=chosen, states=STATES, groups=groups, tried=tried,
            matching=await graves.count(chosen.filter.query()), buried=sum(g["count"] for g in groups),
            rows=[brief(row) for row in rows[:SHOWN]], topics=[(t, t) for t in self.service.inbox.topics],
            next=cursor_of([last["first_seen"].isoformat(), last["_id"]]) if last else "",
            meaning=meaning_of,
        )  # fmt: skip

    async def one(self, request: Request, id: str, tried: Tried, done: str = "") -> HTMLResponse:
        graves, edge = self.service.dead_letters, self.service.edge
        grave = await graves.get(id)
        commits = await edge.journal.read(acts.DeadLetter.stream_of(id))
        waits = grave["state"] == State.BURIED and bool(grave["key"])
        first = await graves.first_of(grave["key"]) if waits else None
        return await page(
            request, "dead_letter.html", status=tried.status, nav_current="operations",
            letter=readable(full(grave)), states=STATES, meaning=meaning_of(grave["error"]),
            tried=tried, done=done,
            first=first["_id"] if first and first["_id"] != id else "",
            queue=await graves.count({"key": {"$eq": grave["key"]}}) - 1 if waits else 0,
            trail=await trail_of(commits, edge.source, edge.directory),
        )  # fmt: skip

    async def run(self, request: Request, run: Run, tried: Tried) -> HTMLResponse:
        wish = wish_of(run)
        return await page(
            request, "dead_letter_run.html", status=tried.status, nav_current="operations", run=shown(run),
            wish=wish, words=wish_in_words(wish), told=done_so_far(run, wish), tried=tried, rates=RATES,
            by=await self.service.edge.directory.person_name(run["by"]),
            open=run["state"] in (Doing.WAITING, Doing.RUNNING),
        )  # fmt: skip

    async def hand_over(self, desk: Any, ask: AskReplay) -> RedirectResponse:
        """To a worker of the service; the page of the run tells what became of it."""
        run = await followed(self.service, self.runs, await ask_for(self.runs, desk, ask))
        return see_other(f"{HOME}/replays/{run['_id']}")


def graves_pages(service: "Service[Any]") -> APIRouter:
    router = APIRouter(prefix=HOME, include_in_schema=False, dependencies=[Depends(operator)])
    graves, runs = service.dead_letters, Runs(service.database)
    board = Board(service, runs)

    @router.get("")
    async def listed(request: Request, chosen: Annotated[Chosen, Query()]) -> HTMLResponse:
        return await board.list_(request, chosen, Tried())

    @router.post("/replays", response_model=None)
    async def rehearse(request: Request, by: Staff) -> HTMLResponse | RedirectResponse:
        """Nothing is written: what would happen to one letter, to those ticked, or to all that a filter
        describes."""
        fields, desk = await form_desk(request, by)
        form = TryForm.model_validate(fields)
        if form.which == "ids" and not form.ids:
            chosen = Chosen(**{name: getattr(form, name) for name in ("error", "event", "topic", "key")})
            nothing = _wrong("ids", "Hãy đánh dấu ít nhất một thư.")
            return await board.list_(request, chosen, Tried.of("ids", nothing, fields))
        return await board.hand_over(desk, form.ask())

    @router.get("/replays/{id}")
    async def replay_run(request: Request, id: str) -> HTMLResponse:
        return await board.run(request, await runs.get(id), Tried())

    @router.post("/replays/{id}/really", response_model=None)
    async def really(request: Request, id: str, by: Staff) -> HTMLResponse | RedirectResponse:
        """What was rehearsed, now with effect; what was buried since was not rehearsed."""
        fields, desk = await form_desk(request, by)
        rehearsed = await runs.get(id)
        wish = wish_of(rehearsed)
        if not (wish.dry_run and rehearsed["state"] == Doing.FINISHED and rehearsed["replayed"]):
            raise NotRehearsed("Hãy thử trước, rồi xử lý lại từ trang kết quả của lần thử.")
        try:
            form = ReallyForm.model_validate(fields)
        except ValidationError as error:
            return await board.run(request, rehearsed, Tried.of("really", error, fields))
        if wish.ids:
            await all_open(graves, runs, wish.ids, desk)
        ask = AskReplay(form.reason, wish.ids, wish.filter, rate=form.rate, before=rehearsed["requested_at"])
        return await board.hand_over(desk, ask)

    @router.get("/{id}")
    async def one(request: Request, id: str, done: str = "") -> HTMLResponse:
        return await board.one(request, id, Tried(), done)

    @router.post("/{id}/edit", response_model=None)
    async def edit(request: Request, id: str, by: Staff) -> HTMLResponse | RedirectResponse:
        """The edit is kept beside the original, then rehearsed."""
        fields, desk = await form_desk(request, by)
        try:
            body = EditForm.model_validate(fields).edit()
            await acts.edit(graves, id, acts.Edit(body.reason, body.patch, body.headers), desk)
        except (ValidationError, InvalidInput) as error:
            return await board.one(request, id, Tried.of("edit", error, fields))
        return await board.hand_over(desk, AskReplay("thử bản sửa", (id,), dry_run=True))

    @router.post("/{id}/discard", response_model=None)
    async def discard(request: Request, id: str, by: Staff) -> HTMLResponse | RedirectResponse:
        """Never to be handled; what waited behind it on its key is."""
        fields, desk = await form_desk(request, by)
        try:
            form = DiscardForm.model_validate(fields)
        except ValidationError as error:
            return await board.one(request, id, Tried.of("discard", error, fields))
        await acts.discard(graves, id, form.reason, desk)
        key = (await graves.get(id))["key"]
        if not key or await graves.count({"key": {"$eq": key}}) == 0:
            return see_other(f"{HOME}/{id}?done=discarded")
        return await board.hand_over(desk, AskReplay(form.reason, release=key))

    return router
