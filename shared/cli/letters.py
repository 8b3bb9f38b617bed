"""Dead letters on the command line: look, rehearse, replay, edit, discard."""

import asyncio
import json
from typing import Annotated, Any
from uuid import uuid4

import typer

from shared.cli.session import OUT, AsJson, Reason, Session, bar, run, table, told
from shared.desk import fingerprint
from shared.messaging import graves as acts
from shared.messaging.dead_letters import Filter, State, brief, full
from shared.messaging.graves import DeadLetterSettled
from shared.messaging.runs import USUAL, AskReplay, Doing, shown

letters = typer.Typer(no_args_is_help=True, help="Thư chết: xem, chạy thử, xử lý lại, sửa, bỏ qua.")

Error = Annotated[str, typer.Option(help="Chỉ lỗi này.")]
EventName = Annotated[str, typer.Option(help="Chỉ sự kiện này.")]
Topic = Annotated[str, typer.Option(help="Chỉ topic này.")]
Key = Annotated[str, typer.Option(help="Chỉ hồ sơ (khóa) này.")]


@letters.command("list")
def list_(
    *,
    error: Error = "", event: EventName = "", topic: Topic = "", key: Key = "",
    state: State = State.BURIED, limit: int = 50, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Thư chết, cũ trước."""
    wanted = Filter(error, event, topic, key)
    rows = [brief(g) for g in run(lambda s: s.graves.page(wanted, state, None, limit))]
    columns = {"id": "Mã", "key": "Hồ sơ", "event": "Sự kiện", "error": "Lỗi", "reason": "Lý do",
               "first_seen": "Lần đầu", "times": "Lần"}  # fmt: skip
    told(rows, as_json, lambda: table(rows, columns, "Không có thư nào."))


@letters.command()
def groups(as_json: AsJson = False) -> None:
    """Theo lỗi và sự kiện."""
    rows = run(lambda s: s.graves.groups())
    columns = {"count": "Số", "error": "Lỗi", "event": "Sự kiện", "topic": "Topic", "reason": "Ví dụ",
               "first_seen": "Lần đầu", "last_seen": "Lần cuối"}  # fmt: skip
    told(rows, as_json, lambda: table(rows, columns, "Không có thư chết nào."))


@letters.command()
def show(id: str, as_json: AsJson = False) -> None:
    """Một thư; thông tin cá nhân được che."""
    letter = full(run(lambda s: s.graves.get(id)))
    told(letter, as_json, lambda: OUT.print_json(json.dumps(letter, default=str)))


@letters.command()
def replay(
    reason: Reason,
    ids: Annotated[list[str] | None, typer.Argument()] = None,
    *,
    error: Error = "", event: EventName = "", topic: Topic = "", key: Key = "",
    everything: Annotated[bool, typer.Option("--all", help="Mọi thư còn nằm lại.")] = False,
    really: Annotated[bool, typer.Option("--really", help="Làm thật; không có thì chạy thử.")] = False,
    rate: Annotated[float, typer.Option(min=0.1, max=1000, help="Thư mỗi giây.")] = USUAL,
    as_json: AsJson = False,
) -> None:  # fmt: skip
    """Xử lý lại. Chạy thử trước, trừ khi có --really."""
    wanted = Filter(error, event, topic, key)
    if [bool(ids), bool(wanted.query()), everything].count(True) != 1:
        raise typer.BadParameter("Chọn một: các mã, một bộ lọc, hoặc --all.")

    async def ask(s: Session) -> dict[str, Any]:
        for id in ids or ():
            state = (await s.graves.get(id))["state"]
            if really and state != State.BURIED:
                raise DeadLetterSettled(f"Thư {id} đã ở trạng thái «{state}».")
        return await _followed(s, AskReplay(reason, tuple(ids or ()), wanted, not really, rate))

    _outcome(run(ask), as_json)


@letters.command()
def edit(id: str, reason: Reason, patch: Annotated[str, typer.Option(help="Merge patch (JSON)")],
         as_json: AsJson = False) -> None:  # fmt: skip
    """Sửa rồi xử lý lại; bản gốc được giữ."""
    try:
        change = acts.Edit(reason, dict(json.loads(patch)))
    except (TypeError, ValueError):
        raise typer.BadParameter("--patch phải là một đối tượng JSON.") from None

    async def work(s: Session) -> dict[str, Any]:
        await acts.edit(s.graves, id, change, s.desk())
        return await _followed(s, AskReplay(reason, (id,)))

    _outcome(run(work), as_json)


@letters.command()
def discard(id: str, reason: Reason, as_json: AsJson = False) -> None:
    """Bỏ qua, có lý do; những thư đứng sau được đi tiếp."""

    async def work(s: Session) -> dict[str, Any]:
        await acts.discard(s.graves, id, reason, s.desk())
        key = (await s.graves.get(id))["key"]
        return await _followed(s, AskReplay(reason, release=key)) if key else {"state": Doing.FINISHED}

    _outcome(run(work), as_json)


async def _followed(s: Session, ask: AskReplay) -> dict[str, Any]:
    """Hand it to a worker of the service and watch."""
    once = uuid4().hex
    asked = await s.runs.ask(ask, once=once, by=s.by, correlation=once, fingerprint=fingerprint(repr(ask)))
    with bar() as progress:
        task = progress.add_task("", total=None)
        while asked["state"] in (Doing.WAITING, Doing.RUNNING):
            await asyncio.sleep(0.1)
            asked = await s.runs.get(asked["_id"])
            done = asked["replayed"] + asked["failed"] + asked["waiting"]
            text = asked["warning"] or ("xử lý" if asked["state"] != Doing.WAITING else "chờ một worker")
            progress.update(task, total=asked["total"] or None, completed=done, description=text)
    return shown(asked)


def _outcome(done: dict[str, Any], as_json: bool) -> None:
    def words() -> None:
        columns = {"id": "Mã", "event": "Sự kiện", "outcome": "Kết quả", "error": "Lỗi", "reason": "Lý do",
                   "behind": "Đứng sau", "events": "Sẽ ghi"}  # fmt: skip
        table(done.get("outcomes", []), columns, "")
        counts = ("total", "replayed", "released", "failed", "waiting")
        OUT.print(done["state"], *(f"{name}={done[name]}" for name in counts if name in done))
        if done.get("warning"):
            OUT.print(f"[yellow]{done['warning']}[/]")

    told(done, as_json, words)
    if done.get("failed") or done["state"] == Doing.HALTED:
        raise typer.Exit(2)
