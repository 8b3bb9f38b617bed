"""The operator's command line. Settings as the service's own (``PORTAL_…``); every act goes on record.

python -m shared.cli --service qa dead-letters groups
python -m shared.cli calendar draft 2028
"""

import getpass
from typing import Annotated

import typer

from shared.cli import record
from shared.cli.calendars import calendars
from shared.cli.letters import letters
from shared.cli.relay import relay
from shared.cli.session import Session
from shared.directory import SERVICES

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Vận hành một dịch vụ của tòa soạn.")
app.add_typer(calendars, name="calendar")
app.add_typer(letters, name="dead-letters")
app.add_typer(relay, name="relay")
app.command("rebuild")(record.rebuild_)
app.command("verify")(record.verify)


@app.callback()
def main(
    within: typer.Context,
    service: Annotated[str, typer.Option(envvar="PORTAL_SERVICE", help="content, qa, sync, notifier")] = "",
    by: Annotated[str, typer.Option(help="Người thực hiện, ghi vào sổ.")] = "",
) -> None:
    if within.invoked_subcommand == "calendar":  # of no service's record
        return
    if not service:
        raise typer.BadParameter("Cho biết dịch vụ nào.", param_hint="--service")
    if service not in SERVICES:
        raise typer.BadParameter(f"Không có dịch vụ «{service}»: {', '.join(SERVICES)}.")
    Session.service, Session.by = service, by or f"cli:{getpass.getuser()}"


if __name__ == "__main__":
    app()
