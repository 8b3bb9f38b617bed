"""What goes out otherwise than by mail, a line at a time, behind the same seam: an operations chat and an SMS
gateway. Each knows what its answers mean for the attempt; neither follows a redirect."""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import httpx2

from services.notifier.gateways.mail_composing import NotSent
from shared.contracts.notifier import Delivery
from shared.tls import trusted

SECONDS: Final = 5.0  # for the whole exchange with a channel
LARGEST_ANSWER: Final = 4096  # bytes that are looked at
FOR_NOW: Final = frozenset({408, 425, 429})  # too slow, too early, too many
_ID: Final = re.compile(r'"id"\s*:\s*"([\w.:-]{1,80})"')


@dataclass(frozen=True, slots=True)
class Signal:
    """One line to one place. ``to`` is ``chat:<room>`` or a telephone number; ``short`` fits an SMS."""

    to: str
    text: str
    short: str
    message_id: str
    at: datetime


class Channel(Protocol):
    async def send(self, signal: Signal) -> str:
        """The other side's words on accepting it. Raises NotSent."""
        ...


class NotSetUp(NotSent):
    """Nobody has said where this channel leads."""

    def __init__(self, what: str) -> None:
        super().__init__(Delivery.TEMPORARY, f"chưa cấu hình {what}")


@dataclass
class Signals:
    """Chooses the channel by the recipient."""

    chat: Channel | None = None
    sms: Channel | None = None

    async def send(self, signal: Signal) -> str:
        by_chat = signal.to.startswith("chat:")
        channel = self.chat if by_chat else self.sms
        if channel is None:
            raise NotSetUp("kênh trực" if by_chat else "cổng SMS")
        return await channel.send(signal)


@dataclass
class Line:
    """One HTTP exchange, and what its end means. ``safe_again``: a repetition is recognised over there, so
    that silence may be answered by trying again."""

    url: str
    safe_again: bool

    async def post(self, body: bytes, headers: dict[str, str]) -> str:
        """The answer's status and id, nothing else of it: it may repeat whom it is to. Raises NotSent."""
        waits = httpx2.Timeout(SECONDS, connect=SECONDS / 2)
        try:
            async with (
                asyncio.timeout(SECONDS),
                httpx2.AsyncClient(
                    timeout=waits, trust_env=False, follow_redirects=False, verify=trusted()
                ) as client,
                client.stream("POST", self.url, content=body, headers=headers) as response,
            ):
                answer = b""
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > LARGEST_ANSWER:
                        break
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise NotSent(Delivery.TEMPORARY, f"không kết nối được ({type(error).__name__})") from error
        except (httpx2.HTTPError, TimeoutError, OSError) as error:
            outcome = Delivery.TEMPORARY if self.safe_again else Delivery.UNCERTAIN
            raise NotSent(outcome, f"đã gửi nhưng chưa có lời đáp ({type(error).__name__})") from error
        return judged(response.status_code, answer)


def judged(status: int, answer: bytes) -> str:
    """2xx is an acceptance; too busy is for now; a redirect or a refusal is for good. Raises NotSent."""
    if 200 <= status < 300:
        found = _ID.search(answer[:LARGEST_ANSWER].decode("utf-8", "replace"))
        return f"{status} {found[1]}" if found else str(status)
    later = status >= 500 or status in FOR_NOW
    raise NotSent(Delivery.TEMPORARY if later else Delivery.DEFINITE, f"kênh đáp {status}")
