"""One invocation of the command line: which service, who acts, and how answers are shown."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final, TypeVar
from uuid import uuid4

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from shared.calendar import CALENDAR
from shared.desk import Desk
from shared.errors import PortalError
from shared.messaging.dead_letters import DeadLetters
from shared.messaging.graves import DeadLetter
from shared.messaging.runs import Runs
from shared.mongo import Database, MongoJournal, connect
from shared.settings import ServiceSettings
from shared.vault import MongoVault
from shared.workflow import Actor

R = TypeVar("R")
OUT: Final = Console()
ERR: Final = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="In JSON, cho chương trình khác đọc.")]
Reason = Annotated[str, typer.Option(help="Lý do, ghi vào sổ.")]


class Session:
    """One invocation: which service, its database, who acts."""

    service = ""
    by = ""

    def __init__(self) -> None:
        s = ServiceSettings()
        self.database: Database = connect(s.mongo_uri, s.mongo_database or self.service)
        self.graves, self.runs = DeadLetters(self.database), Runs(self.database)

    def desk(self) -> Desk[None]:
        return Desk(
            MongoJournal(self.database), MongoVault(self.database), CALENDAR, None,
            {DeadLetter.KIND: DeadLetter}, self.service, Actor(self.by), once=uuid4().hex,
        )  # fmt: skip


def run(work: Callable[[Session], Coroutine[Any, Any, R]]) -> R:
    async def within() -> R:
        session = Session()
        try:
            return await work(session)
        finally:
            session.database.client.close()

    return finished(within())


def finished(work: Coroutine[Any, Any, R]) -> R:
    """Its answer; an error of ours as a sentence, and exit code 1."""
    try:
        return asyncio.run(work)
    except PortalError as error:
        ERR.print(f"[red]{error.title_vi}[/]: {error.detail} ({error.code})")
        raise typer.Exit(1) from None


def told(value: Any, as_json: bool, otherwise: Callable[[], None]) -> None:
    if as_json:
        typer.echo(json.dumps(value, ensure_ascii=False, default=str, indent=2))
    else:
        otherwise()


def table(rows: list[dict[str, Any]], columns: dict[str, str], empty: str) -> None:
    shown = Table(*columns.values())
    for row in rows:
        shown.add_row(*(str(row.get(name, "")) for name in columns))
    if rows or empty:
        OUT.print(shown if rows else empty)


def bar() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal)
