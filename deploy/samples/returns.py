"""What a mail server does some time after it took a mail that nobody can have: it writes back to the sender
of the envelope, and here, as its pipe would, hands that to the portal."""

import asyncio
from email.utils import formatdate
from typing import Final

import httpx2

from deploy.samples.settings import SinkSettings
from shared.web.identity import IdentityUnavailable, ProviderRefused, ServiceTokens

NOBODY: Final = "khong-ton-tai"  # whoever's address begins so has no mailbox
SECONDS: Final = 1.0  # after the mail was taken
TRIES: Final = 8
COME_AGAIN: Final = frozenset({401, 429, 500, 502, 503, 504})

REPORT: Final = """\
Return-Path: <>
From: MAILER-DAEMON@mail-sink.localhost
To: {sender}
Date: {date}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="report"

--report
Content-Type: text/plain; charset=us-ascii

The mail system could not deliver your message.

--report
Content-Type: message/delivery-status

Reporting-MTA: dns; mail-sink.localhost

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <{recipient}> no such mailbox

--report--
"""


class Returns:
    """Off unless the settings say where to."""

    def __init__(self, settings: SinkSettings, *, seconds: float = SECONDS) -> None:
        self._url, self._seconds = settings.returns_url, seconds
        self._tokens = ServiceTokens(
            settings.issuer_url, settings.client_id, settings.client_secret.get_secret_value(),
            backchannel_url=settings.issuer_backchannel_url or None,
        )  # fmt: skip
        self._at_work: set[asyncio.Task[None]] = set()

    def consider(self, sender: str, recipients: list[str]) -> None:
        for recipient in recipients:
            if self._url and sender and recipient.lower().startswith(NOBODY):
                task = asyncio.create_task(self._hand_over(sender, recipient))
                self._at_work.add(task)
                task.add_done_callback(self._at_work.discard)

    async def _hand_over(self, sender: str, recipient: str) -> None:
        report = REPORT.format(sender=sender, recipient=recipient, date=formatdate(localtime=True))
        for attempt in range(1, TRIES + 1):
            await asyncio.sleep(self._seconds * attempt)
            try:
                headers = {**await self._tokens.header(), "Content-Type": "message/rfc822"}
                async with httpx2.AsyncClient(timeout=5.0, trust_env=False) as client:
                    answer = await client.post(
                        self._url, content=report.replace("\n", "\r\n").encode(), headers=headers,
                        params={"recipient": sender},
                    )  # fmt: skip
            except (httpx2.HTTPError, IdentityUnavailable, ProviderRefused):
                continue
            if answer.status_code not in COME_AGAIN:
                return
