"""An SMTP server that delivers nowhere: every mail it accepts is kept and can be read on a page. It can
refuse, put off, dawdle, lose its own answer after it took a mail, or return it later. What somebody writes
to the portal it hands over there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response

from deploy.samples.mailbox import Mail, Mailbox
from deploy.samples.outgoing import HandedOver, Outgoing, hand_over
from deploy.samples.returns import Returns
from deploy.samples.serving import Behaviour, Mood, sample_app, sample_look, serve
from deploy.samples.settings import SinkSettings
from shared.errors import NotFound
from shared.web.look import Look

LARGEST_MAIL = 10 * 1024 * 1024

Mode = Literal["ok", "refuse", "tempfail", "slow", "drop_after_data"]
SinkBehaviour = Behaviour[Mode]


class Postman:
    """What the SMTP server does at each step of the dialogue; aiosmtpd finds the steps by their names. The
    answers are ASCII, as SMTP wants them."""

    def __init__(self, mailbox: Mailbox, returns: Returns | None = None) -> None:
        self._mailbox, self._returns = mailbox, returns
        self.mood: Mood[Mode] = Mood(SinkBehaviour(mode="ok"))

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.mood.now.mode == "refuse":
            self.mood.take()
            return "550 5.1.1 No such mailbox here"
        if self.mood.now.mode == "tempfail":
            self.mood.take()
            return "451 4.3.0 Try again later"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        behaviour = self.mood.take()
        if behaviour.mode == "slow":
            await asyncio.sleep(behaviour.seconds)
        content = envelope.original_content or b""
        mail = self._mailbox.keep(envelope.mail_from or "", envelope.rcpt_tos, content)
        if behaviour.mode == "drop_after_data" and isinstance(server.transport, asyncio.WriteTransport):
            # The mail is taken, the sender never learns of it: the case that can't be told from a loss.
            server.transport.abort()
        if self._returns:
            self._returns.consider(envelope.mail_from or "", envelope.rcpt_tos)
        return f"250 2.0.0 Kept as {mail.id}"


def sink_app(settings: SinkSettings) -> FastAPI:
    mailbox = Mailbox(settings.data)
    postman = Postman(mailbox, Returns(settings))

    @asynccontextmanager
    async def smtp_server(_: FastAPI) -> AsyncIterator[None]:
        def dialogue() -> SMTP:
            return SMTP(
                postman,
                hostname="mail-sink.localhost",
                ident="Mail sink",
                enable_SMTPUTF8=True,
                data_size_limit=LARGEST_MAIL,
            )

        server = await asyncio.get_running_loop().create_server(dialogue, settings.host, settings.smtp_port)
        yield
        server.close()

    look = sample_look("Hộp thư chạy thử", "mail")
    app = sample_app("Mail sink", look)
    app.router.lifespan_context = smtp_server
    app.include_router(_pages(mailbox, postman, look))

    @app.post("/outgoing")
    async def outgoing(written: Outgoing) -> HandedOver:
        return await hand_over(settings, written)

    return app


def _pages(mailbox: Mailbox, postman: Postman, look: Look) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    async def home(to: str = "") -> Response:
        return HTMLResponse(look.render("mail_home.html", mails=mailbox.newest_first(to)[:500], to=to))

    @router.get("/mails.json")
    async def mails(to: str = "") -> list[dict[str, Any]]:
        return [_view(mail) for mail in mailbox.newest_first(to)]

    @router.get("/mails/{mail_id}")
    async def mail(mail_id: str) -> Response:
        found = mailbox.get(mail_id)
        if found is None:
            raise NotFound("Không có thư này.")
        return HTMLResponse(look.render("mail_item.html", mail=found))

    @router.post("/behave")
    async def behave(behaviour: SinkBehaviour) -> SinkBehaviour:
        postman.mood.now = behaviour
        return behaviour

    return router


def _view(mail: Mail) -> dict[str, Any]:
    return {
        "id": mail.id,
        "message_id": mail.message_id,
        "to": ", ".join(mail.recipients),
        "subject": mail.subject,
        "text": mail.text,
        "headers": dict(mail.headers),
        "received_at": mail.received_at.isoformat(),
    }


def main() -> None:
    settings = SinkSettings()
    serve(sink_app(settings), settings.host, settings.http_port)


if __name__ == "__main__":
    main()
