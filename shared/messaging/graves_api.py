"""Dead letters over HTTP, for operators: look, rehearse, replay, edit, discard. The same on every service."""

import asyncio
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, model_validator

from shared.desk import Desk, fingerprint
from shared.errors import Forbidden, InvalidInput
from shared.messaging import graves as acts
from shared.messaging.dead_letters import DeadLetters, Filter, State, brief, full
from shared.messaging.graves import DeadLetterSettled
from shared.messaging.runs import FASTEST, USUAL, AskReplay, Doing, Run, Runs, shown
from shared.web.edge import Staff, StaffDesk
from shared.web.forms import Body, Line, cursor_of, place_of
from shared.workflow import Actor

if TYPE_CHECKING:
    from shared.service import Service

ROLE: Final = "operator"
OPEN: Final = (Doing.WAITING, Doing.RUNNING)
PATIENCE: Final = 5.0  # seconds that a request waits for its replay to end; then 202, and look again


async def operator(actor: Staff) -> Actor:
    """Người trực vận hành."""
    if ROLE not in actor.roles:
        raise Forbidden("Việc này dành cho người trực vận hành.")
    return actor


class Which(Body):
    """Lọc thư chết; a field left out asks for nothing."""

    error: str = Field("", max_length=300, examples=["ValidationError"])
    event: str = Field("", max_length=300, examples=["qa.question.closed"])
    topic: str = Field("", max_length=300)
    key: str = Field("", max_length=300)

    @property
    def filter(self) -> Filter:
        return Filter(self.error, self.event, self.topic, self.key)


class Wanted(Which):
    state: State | None = None
    cursor: str = Field("", max_length=500)
    limit: int = Field(50, ge=1, le=200)


class ReplayIn(Body):
    """Either ``ids`` or ``filter``; an empty filter is everything that is buried."""

    ids: tuple[Line, ...] = Field((), max_length=500)
    filter: Which | None = None
    dry_run: bool = Field(True, description="Chạy thử: cho biết sẽ ra sao, không ghi gì.")
    rate: float = Field(USUAL, gt=0, le=FASTEST, description="Thư mỗi giây.")
    reason: Line

    @model_validator(mode="after")
    def _one_of_both(self) -> "ReplayIn":
        if bool(self.ids) == (self.filter is not None):
            raise ValueError("Chọn ids hoặc filter, một trong hai (either ids or filter).")
        return self


class EditIn(Body):
    patch: dict[str, Any] | None = Field(None, description="Merge patch (RFC 7396) cho nội dung sự kiện.")
    headers: dict[str, str | None] = Field(default_factory=dict, description="Đặt, hoặc bỏ bằng null.")
    reason: Line

    @model_validator(mode="after")
    def _something(self) -> "EditIn":
        if self.patch is None and not self.headers:
            raise ValueError("Cần patch hoặc headers (nothing to edit).")
        return self


class DiscardIn(Body):
    reason: Line


def graves_router(service: "Service[Any]") -> APIRouter:
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"], dependencies=[Depends(operator)])
    graves, runs = service.dead_letters, Runs(service.database)

    @router.get("", summary="Danh sách thư chết")
    async def listed(wanted: Annotated[Wanted, Query()]) -> dict[str, Any]:
        """In the order in which they were first seen; nothing of their bodies."""
        limit = wanted.limit
        rows = await graves.page(wanted.filter, wanted.state, after_of(wanted.cursor), limit + 1)
        last = rows[limit - 1] if len(rows) > limit else None
        following = cursor_of([last["first_seen"].isoformat(), last["_id"]]) if last else None
        return {"items": [brief(row) for row in rows[:limit]], "next": following}

    @router.get("/groups", summary="Nhóm theo lỗi và sự kiện")
    async def groups() -> dict[str, Any]:
        return {"items": await graves.groups()}

    @router.get("/replays/{id}", summary="Một lượt xử lý lại")
    async def replay_run(id: str) -> dict[str, Any]:
        return shown(await runs.get(id))

    @router.get("/{id}", summary="Một thư, thông tin cá nhân được che")
    async def one(id: str) -> dict[str, Any]:
        return full(await graves.get(id))

    @router.post("/replay", summary="Xử lý lại một thư, một nhóm hoặc theo bộ lọc")
    async def replay(body: ReplayIn, desk: StaffDesk, response: Response) -> dict[str, Any]:
        """A dry run by default: what would happen, with nothing written. Order per key is kept either way."""
        if body.ids and not body.dry_run:
            await all_open(graves, runs, body.ids, desk)
        filter = body.filter.filter if body.filter else Filter()
        run = await ask_for(runs, desk, AskReplay(body.reason, body.ids, filter, body.dry_run, body.rate))
        return await _answer(service, runs, run, response)

    @router.post("/{id}/edit-replay", summary="Sửa rồi xử lý lại; bản gốc được giữ")
    async def edit_replay(id: str, body: EditIn, desk: StaffDesk, response: Response) -> dict[str, Any]:
        """The edit is checked before it is kept."""
        await acts.edit(graves, id, acts.Edit(body.reason, body.patch, body.headers), desk)
        run = await ask_for(runs, desk, AskReplay(body.reason, (id,)))
        return await _answer(service, runs, run, response)

    @router.post("/{id}/discard", summary="Bỏ qua, có lý do; hồ sơ được đi tiếp")
    async def discard(id: str, body: DiscardIn, desk: StaffDesk, response: Response) -> dict[str, Any]:
        """It will never be handled; what waited behind it on its key is."""
        await acts.discard(graves, id, body.reason, desk)
        grave = await graves.get(id)
        if grave["key"]:
            run = await ask_for(runs, desk, AskReplay(body.reason, release=grave["key"]))
            await _answer(service, runs, run, response)
        return full(grave)

    return router


def after_of(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    try:
        at, id = place_of(cursor)
        return datetime.fromisoformat(at), id
    except (TypeError, ValueError):
        raise InvalidInput("Con trỏ trang không hợp lệ.", errors=[{"field": "cursor"}]) from None


async def all_open(graves: DeadLetters, runs: Runs, ids: tuple[str, ...], desk: Desk[Any]) -> None:
    """A second replay of the same letter is refused; the same request again is not a second one."""
    if await runs.known(desk.once):
        return
    for id in ids:
        grave = await graves.get(id)
        if grave["state"] != State.BURIED:
            raise DeadLetterSettled(f"Thư {id} đã ở trạng thái «{grave['state']}».", state=grave["state"])


async def ask_for(runs: Runs, desk: Desk[Any], ask: AskReplay) -> Run:
    return await runs.ask(
        ask, once=desk.once, by=desk.by.subject, correlation=desk.correlation,
        fingerprint=desk.fingerprint or fingerprint(repr(ask)),
    )  # fmt: skip


async def followed(service: "Service[Any]", runs: Runs, run: Run) -> Run:
    """The run when it has ended, or as far as it came within our patience."""
    service.wake("replays")
    until = monotonic() + PATIENCE
    while run["state"] in OPEN and monotonic() < until:
        await asyncio.sleep(0.05)
        run = await runs.get(run["_id"])
    return run


async def _answer(service: "Service[Any]", runs: Runs, run: Run, response: Response) -> dict[str, Any]:
    run = await followed(service, runs, run)
    response.headers["Cache-Control"] = "no-store"
    if run["state"] in OPEN:
        response.status_code = 202
        response.headers["Location"] = f"/v1/dead-letters/replays/{run['_id']}"
    return shown(run)
