"""The record on the command line: lists rebuilt from the journal, and proof that it is as it was written."""

import importlib
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar, get_type_hints

import typer
from rich.progress import Progress

from shared.chain import verify as verify_chain
from shared.cli.session import OUT, AsJson, Session, bar, finished, run, table, told
from shared.rebuild import differences, rebuild

R = TypeVar("R")


def _service() -> Any:
    """The service as its own app wires it: only that knows its read models."""
    build = importlib.import_module(f"services.{Session.service}.app").build
    settings = get_type_hints(build)["settings"]
    return build(settings(log_level="ERROR"))


def _beside(work: Callable[[Any, Any, Progress], Awaitable[R]], name: str) -> R:
    async def within() -> R:
        service = _service()
        found = [p for p in service.projections if name in ("all", p.collection)]
        if not found:
            known = ", ".join(p.collection for p in service.projections)
            raise typer.BadParameter(f"Không có danh sách «{name}»: {known}, all.")
        try:
            with bar() as progress:
                return await work(service, found, progress)
        finally:
            service.database.client.close()

    return finished(within())


def rebuild_(name: str, as_json: AsJson = False) -> None:
    """Dựng lại một danh sách (hoặc «all») từ sổ, trong khi dịch vụ vẫn chạy."""

    async def work(service: Any, found: Any, progress: Progress) -> list[dict[str, Any]]:
        done = []
        for projection in found:
            task = progress.add_task(projection.collection)
            made = await rebuild(
                service.database, projection, service.name, service.edge.vault, by=f"cli-{os.getpid()}",
                progress=lambda n, total, task=task: progress.update(task, completed=n, total=total),  # type: ignore[misc]
            )  # fmt: skip
            done.append(asdict(made))
        return done

    rows = _beside(work, name)
    columns = {"collection": "Danh sách", "documents": "Hồ sơ", "commits": "Lần ghi", "caught_up": "Bổ sung",
               "seconds": "Giây"}  # fmt: skip
    told(rows, as_json, lambda: table(rows, columns, ""))


def verify(
    expect: Annotated[str, typer.Option(help="Mốc đã ghi ở nơi khác: số:mã.")] = "",
    lists: Annotated[bool, typer.Option("--lists", help="So cả các danh sách với sổ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Kiểm tra sổ còn nguyên: từng chuỗi, từng mốc. Mã thoát 2 khi có chỗ hỏng."""

    async def chains(s: Session) -> dict[str, Any]:
        with bar() as progress:
            task = progress.add_task("đọc sổ", total=await s.database.journal.estimated_document_count())
            report = await verify_chain(
                s.database, s.service, expect=expect, progress=lambda n: progress.update(task, completed=n)
            )
        return {**asdict(report), "whole": report.whole}

    async def compare(service: Any, found: Any, _: Progress) -> list[dict[str, Any]]:
        return [
            {"list": p.collection, **asdict(odd)}
            for p in found
            for odd in await differences(service.database, p, service.name, service.edge.vault)
        ]

    report = run(chains)
    report["lists"] = _beside(compare, "all") if lists else []

    def words() -> None:
        names = ("streams", "commits", "anchors", "leaves", "newest_anchor")
        OUT.print(*(f"{name}={report[name]}" for name in names))
        table(report["breaks"], {"stream": "Chuỗi", "version": "Bản", "what": "Hỏng", "detail": "Vì"}, "")
        if lists:
            columns = {"list": "Danh sách", "id": "Hồ sơ", "what": "Khác"}
            table(report["lists"], columns, "Danh sách khớp với sổ.")
        OUT.print("[green]Sổ còn nguyên.[/]" if report["whole"] else f"[red]{report['broken']} chỗ hỏng.[/]")

    told(report, as_json, words)
    if not report["whole"] or report["lists"]:
        raise typer.Exit(2)
