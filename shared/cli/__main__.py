"""The operator's command line. Settings as the service's own (``PORTAL_…``); every act goes on record.

python -m shared.cli --service qa dead-letters groups
"""

import getpass
from typing import Annotated

import typer

from shared.cli import record
from shared.cli.letters import letters
from shared.cli.relay import relay
from shared.cli.session import Session
from shared.directory import SERVICES

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Vận hành một dịch vụ của tòa soạn.")
app.add_typer(letters, name="dead-letters")
app.add_typer(relay, name="relay")
app.command("rebuild")(record.rebuild_)
app.command("verify")(record.verify)


@app.callback()
def main(
    service: Annotated[str, typer.Option(envvar="PORTAL_SERVICE", help="content, qa, sync, notifier")],
    by: Annotated[str, typer.Option(help="Người thực hiện, ghi vào sổ.")] = "",
) -> None:
    if service not in SERVICES:
        raise typer.BadParameter(f"Không có dịch vụ «{service}»: {', '.join(SERVICES)}.")
    Session.service, Session.by = service, by or f"cli:{getpass.getuser()}"


if __name__ == "__main__":
    app()
