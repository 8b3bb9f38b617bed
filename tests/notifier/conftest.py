"""A mail server that can play trouble, in this process."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP

from deploy.samples.mail_sink import Mode, Postman, SinkBehaviour
from deploy.samples.mailbox import Mailbox
from services.notifier.settings import NotifierSettings


@dataclass
class Sink:
    port: int
    mailbox: Mailbox
    postman: Postman
    connections: int = 0

    def behave(self, mode: Mode, *, times: int | None = None, seconds: float = 20.0) -> None:
        self.postman.mood.now = SinkBehaviour(mode=mode, times=times, seconds=seconds)

    def settings(self, **facts: object) -> NotifierSettings:
        return NotifierSettings(smtp_port=self.port, smtp_timeout=0.4, environment="local", **facts)  # type: ignore[arg-type]


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[Sink]:
    mailbox = Mailbox(tmp_path / "mail")
    found = Sink(0, mailbox, Postman(mailbox))

    def dialogue() -> SMTP:
        found.connections += 1
        return SMTP(found.postman, hostname="sink.localhost", enable_SMTPUTF8=True)

    server = await asyncio.get_running_loop().create_server(dialogue, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()
