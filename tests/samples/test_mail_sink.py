"""The mail sink through a real SMTP dialogue: what it keeps, and each trouble it can play."""

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx2
import pytest
from fastapi import FastAPI, Request, Response

from deploy.samples.mail_sink import sink_app
from deploy.samples.mailbox import Mailbox
from deploy.samples.returns import Returns
from deploy.samples.settings import SinkSettings
from services.notifier.returned import Outcome, read
from tests.samples.sample_servers import browser, free_port, listening, running


class Sink:
    def __init__(self, page: httpx2.AsyncClient, smtp_port: int) -> None:
        self.page = page
        self._smtp_port = smtp_port

    async def send(self, to: str = "an@example.vn", subject: str = "Câu hỏi đã được tiếp nhận") -> str:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "cskh@bhxh.example.vn", to, subject
        message["Message-ID"] = f"<{abs(hash((to, subject)))}@bhxh.example.vn>"
        message.set_content("Kính gửi ông An,\n\nCâu hỏi của ông đã đến.\n.\nTrân trọng.")
        await aiosmtplib.send(message, hostname="127.0.0.1", port=self._smtp_port, timeout=2, start_tls=False)
        return str(message["Message-ID"])

    async def behave(self, mode: str, **more: float) -> None:
        assert (await self.page.post("/behave", json={"mode": mode, **more})).status_code == 200


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[Sink]:
    with listening() as (listener, url):
        settings = SinkSettings(smtp_port=free_port(), data=tmp_path)
        async with running(sink_app(settings), listener), browser(url) as page:
            yield Sink(page, settings.smtp_port)


async def test_a_mail_can_be_read_as_it_was_sent(sink: Sink) -> None:
    message_id = await sink.send()
    [mail] = (await sink.page.get("/mails.json")).json()
    assert (mail["message_id"], mail["to"]) == (message_id, "an@example.vn")
    assert mail["subject"] == "Câu hỏi đã được tiếp nhận"
    assert mail["text"] == "Kính gửi ông An,\n\nCâu hỏi của ông đã đến.\n.\nTrân trọng.\n"
    assert mail["headers"]["From"] == "cskh@bhxh.example.vn"
    assert mail["received_at"].endswith("+00:00")
    assert "Câu hỏi đã được tiếp nhận" in (await sink.page.get("/")).text
    page = (await sink.page.get(f"/mails/{mail['id']}")).text
    assert "Câu hỏi của ông đã đến." in page
    assert (await sink.page.get("/mails/khong-co")).status_code == 404


async def test_mail_is_found_by_its_recipient_newest_first(sink: Sink) -> None:
    for to, subject in (("an@example.vn", "một"), ("binh@example.vn", "hai"), ("an@example.vn", "ba")):
        await sink.send(to, subject)
    found = (await sink.page.get("/mails.json", params={"to": "AN@example.vn"})).json()
    assert [mail["subject"] for mail in found] == ["ba", "một"]


async def test_mail_is_still_there_after_a_restart(sink: Sink, tmp_path: Path) -> None:
    message_id = await sink.send()
    [mail] = Mailbox(tmp_path).newest_first()
    assert mail.message_id == message_id


@pytest.mark.parametrize(
    ("mode", "code"),
    [pytest.param("refuse", 550, id="for good"), pytest.param("tempfail", 451, id="for now")],
)
async def test_it_refuses_a_recipient(sink: Sink, mode: str, code: int) -> None:
    await sink.behave(mode, times=1)
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as told:
        await sink.send()
    assert told.value.recipients[0].code == code
    await sink.send()
    assert len((await sink.page.get("/mails.json")).json()) == 1


async def test_it_takes_a_mail_and_loses_its_answer(sink: Sink) -> None:
    await sink.behave("drop_after_data", times=1)
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await sink.send()
    assert len((await sink.page.get("/mails.json")).json()) == 1
    await sink.send()


async def test_it_dawdles_longer_than_the_sender_waits(sink: Sink) -> None:
    await sink.behave("slow", seconds=2.5)
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await sink.send()
    await sink.behave("ok")
    await sink.send()


async def test_mail_to_a_mailbox_that_nobody_has_comes_back_as_a_mail_server_would_return_it(
    tmp_path: Path,
) -> None:
    handed: list[tuple[str, bytes]] = []
    portal = FastAPI()

    @portal.get("/.well-known/openid-configuration")
    async def discovery(request: Request) -> dict[str, str]:
        base = str(request.base_url).rstrip("/")
        return {"issuer": base, "token_endpoint": f"{base}/token"}

    @portal.post("/token")
    async def token() -> dict[str, str | int]:
        return {"access_token": "t", "expires_in": 300}

    @portal.post("/v1/mail/returned")
    async def returned(request: Request, recipient: str) -> Response:
        assert request.headers["authorization"] == "Bearer t"
        assert request.headers["content-type"] == "message/rfc822"
        handed.append((recipient, await request.body()))
        return Response(status_code=503 if len(handed) == 1 else 200)

    with listening() as (listener, url):
        settings = SinkSettings(
            data=tmp_path, returns_url=f"{url}/v1/mail/returned", issuer_url=url, client_id="svc-notifier"
        )
        async with running(portal, listener):
            returns = Returns(settings, seconds=0.01)
            returns.consider("bounce+x@bhxh.example.vn", ["an@example.vn", "khong-ton-tai.an@example.vn"])
            async with asyncio.timeout(5):
                while len(handed) < 2:
                    await asyncio.sleep(0.01)
    assert {recipient for recipient, _ in handed} == {"bounce+x@bhxh.example.vn"}
    report, _ = read(handed[-1][1])
    assert (report.outcome, report.status) == (Outcome.BOUNCED, "5.1.1")
