"""The SMS gateway, by the HTTP contract of docs/channels.md."""

import json
import re
from typing import Final

from services.notifier.gateways.mail_composing import NotSent
from services.notifier.gateways.signals import Line, Signal
from shared.contracts.notifier import Delivery

NUMBER: Final = re.compile(r"\+?[0-9]{8,15}")


class SmsGateway:
    """The contract makes a repetition safe: the same ``Idempotency-Key`` is one SMS."""

    def __init__(self, url: str, token: str) -> None:
        self._line = Line(url.rstrip("/") + "/v1/messages", safe_again=True)
        self._token = token

    async def send(self, signal: Signal) -> str:
        number = re.sub(r"[ .()-]", "", signal.to)
        if not NUMBER.fullmatch(number):
            raise NotSent(Delivery.DEFINITE, "số điện thoại trong danh bạ không hợp lệ")
        body = {"to": number, "text": signal.short}
        return await self._line.post(
            json.dumps(body, ensure_ascii=False).encode(),
            {
                "authorization": f"Bearer {self._token}",
                "content-type": "application/json",
                "idempotency-key": signal.message_id.strip("<>"),
            },
        )
