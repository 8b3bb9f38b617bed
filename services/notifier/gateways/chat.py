"""The operations chat: a webhook that takes ``{"text": …}``, signed as Standard Webhooks."""

import json
from datetime import UTC, datetime

import standardwebhooks

from services.notifier.gateways.mail_composing import NotSent
from services.notifier.gateways.signals import Line, Signal
from shared.contracts.notifier import Delivery


class Chat:
    """``webhook-id`` is the notice's Message-ID, the same at each attempt. Silence after the request went out
    is uncertain: not every chat looks at that id."""

    def __init__(self, url: str, secret: str) -> None:
        self._line, self._secret = Line(url, safe_again=False), secret

    async def send(self, signal: Signal) -> str:
        body = json.dumps({"text": signal.text}, ensure_ascii=False)
        return await self._line.post(body.encode(), sealed(self._secret, signal.message_id, body))


def sealed(secret: str, message_id: str, body: str) -> dict[str, str]:
    """The headers of a signed webhook. Raises NotSent for a key that is none."""
    now, id = datetime.now(UTC), message_id.strip("<>")
    try:
        signature = standardwebhooks.Webhook(secret).sign(id, now, body)
    except Exception as error:  # it lets binascii.Error, RuntimeError and others through
        raise NotSent(Delivery.TEMPORARY, "khóa ký của kênh trực không dùng được") from error
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature,
        "content-type": "application/json",
    }
