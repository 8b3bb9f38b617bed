"""The working calendar on the command line: a new year's draft, for a person to confirm."""

from pathlib import Path
from typing import Annotated

import typer

from shared.calendar_data.draft import as_toml, draft_year
from shared.cli.session import ERR
from shared.errors import PortalError

calendars = typer.Typer(no_args_is_help=True, help="Lịch ngày làm việc.")


@calendars.callback()
def _group() -> None:
    """Keeps ``draft`` a word of its own while it is the only one."""


@calendars.command("draft")
def draft(
    year: Annotated[int, typer.Argument(help="Năm dương lịch, ví dụ 2028.")],
    out: Annotated[Path | None, typer.Option(help="Ghi vào tệp này; tệp đã có thì không ghi đè.")] = None,
) -> None:
    """Bản thảo các ngày nghỉ của một năm theo luật và âm lịch; người giữ lịch phải đối chiếu, xác nhận."""
    try:
        text = as_toml(draft_year(year))
    except PortalError as error:
        ERR.print(f"[red]{error.title_vi}[/]: {error.detail} ({error.code})")
        raise typer.Exit(1) from None
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        ERR.print(f"[red]Không ghi được {out}[/]: {error.strerror}")
        raise typer.Exit(1) from None
    ERR.print(f"Đã ghi bản thảo vào {out}. Đây mới là bản thảo: cần đối chiếu với thông báo chính thức.")
