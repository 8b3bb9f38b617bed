"""The relay on the command line: where it stands, and the pause in which a topic may grow."""

import asyncio
from dataclasses import asdict
from time import monotonic
from typing import Annotated, Any, Final

import typer

from shared.cli.session import OUT, AsJson, Session, run, table, told
from shared.directory import SERVICES
from shared.messaging.dead_letters import FRESH
from shared.messaging.topology import pause, resume, topics_of, waiting
from shared.operations import Standing
from shared.settings import ServiceSettings

COLUMNS: Final = {"group": "Dịch vụ nhận", "topic": "Topic", "waiting": "Chưa xử lý"}

relay = typer.Typer(no_args_is_help=True, help="Relay: tình trạng, tạm dừng, chạy tiếp.")


@relay.command()
def status(as_json: AsJson = False) -> None:
    """Ai đang giữ, chậm bao lâu, các dịch vụ nhận còn bao nhiêu chưa xử lý."""

    async def look(s: Session) -> dict[str, Any]:
        return {**asdict(await Standing.of(s.database, "relay")), "waiting": await _rows(s.service)}

    _show(run(look), as_json)


@relay.command("pause")
def pause_(
    within: Annotated[float, typer.Option(min=0, help="Chờ các dịch vụ nhận tối đa bấy nhiêu giây.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Tạm dừng, rồi chờ đến khi các dịch vụ nhận đã xử lý hết. Mã thoát 2 nếu chưa hết; relay vẫn dừng."""

    async def stop(s: Session) -> dict[str, Any]:
        await pause(s.database, s.by)
        until, rows = monotonic() + within, await _rows(s.service)
        while _left(rows) and monotonic() < until:
            await asyncio.sleep(1)
            rows = await _rows(s.service)
        await asyncio.sleep(FRESH)  # by now each replica knows of every key that holds something buried
        return {**asdict(await Standing.of(s.database, "relay")), "waiting": rows}

    stood = run(stop)
    _show(stood, as_json)
    if _left(stood["waiting"]):
        raise typer.Exit(2)


@relay.command("resume")
def resume_(as_json: AsJson = False) -> None:
    """Chạy tiếp từ chỗ đã dừng."""

    async def go(s: Session) -> dict[str, Any]:
        await resume(s.database, s.by)
        return {**asdict(await Standing.of(s.database, "relay")), "waiting": []}

    _show(run(go), as_json)


async def _rows(service: str) -> list[dict[str, Any]]:
    left = await waiting(ServiceSettings().kafka_bootstrap, topics_of(service), SERVICES)
    return [{"group": group, "topic": topic, "waiting": count} for (group, topic), count in left.items()]


def _left(rows: list[dict[str, Any]]) -> bool:
    return any(row["waiting"] for row in rows)


def _show(stood: dict[str, Any], as_json: bool) -> None:
    def words() -> None:
        OUT.print(f"{stood['holder'] or '—'}, chậm {stood['seconds']:.1f} giây")
        table(stood["waiting"], COLUMNS, "")

    told(stood, as_json, words)
