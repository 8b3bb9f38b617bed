"""An SMS gateway and an operations chat that deliver nowhere: they keep the contracts of docs/channels.md,
and what they took can be read on a page. The gateway can refuse, be busy, dawdle, or lose its own answer
after it took a message."""

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from deploy.samples.parcel import Seal
from deploy.samples.serving import Behaviour, Mood, sample_app, sample_look, serve
from deploy.samples.settings import SmsSettings
from shared.errors import InvalidInput, NotFound, PortalError, Unauthenticated
from shared.web.look import Look

Mode = Literal["ok", "refuse", "busy", "slow", "redirect"]
SmsBehaviour = Behaviour[Mode]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: str = Field(pattern=r"^\+?[0-9]{8,15}$")
    text: str = Field(min_length=1, max_length=160)


class Line(BaseModel):
    """What the chat is told; other chats take more."""

    text: str = Field(min_length=1, max_length=4000)


class OtherBody(PortalError):
    status, code = 409, "idempotency_key_reused"
    title_vi, title_en = "Khóa này đã dùng cho nội dung khác", "This key was used for another body"


class Busy(PortalError):
    status, code = 503, "busy"
    title_vi, title_en = "Cổng đang bận", "The gateway is busy"


class Refused(PortalError):
    status, code = 400, "refused"
    title_vi, title_en = "Số này không nhận được tin", "This number takes no message"


@dataclass
class Taken:
    id: str
    key: str
    message: Message
    at: datetime


@dataclass
class Said:
    text: str
    at: datetime


@dataclass
class Gateway:
    """``chat``: none, and nobody chats here."""

    token: str
    chat: Seal | None = None
    mood: Mood[Mode] = field(default_factory=lambda: Mood(SmsBehaviour(mode="ok")))
    taken: dict[str, Taken] = field(default_factory=dict)
    said: dict[str, Said] = field(default_factory=dict)

    def take(self, key: str, message: Message) -> Taken:
        """The same key is the same SMS. Raises OtherBody."""
        known = self.taken.get(key)
        if known is None:
            id = f"sms-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
            known = self.taken[key] = Taken(id, key, message, datetime.now(UTC))
        if known.message != message:
            raise OtherBody
        return known


def sms_app(gateway: Gateway) -> FastAPI:
    look = sample_look("Tin nhắn, kênh trực chạy thử", "smartphone")
    app = sample_app("SMS gateway", look)
    app.include_router(_edges(gateway, look))
    return app


def _edges(gateway: Gateway, look: Look) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/messages")
    async def messages(
        request: Request, authorization: Annotated[str, Header()] = "",
        idempotency_key: Annotated[str, Header(max_length=200)] = "",
    ) -> Response:  # fmt: skip
        if not secrets.compare_digest(authorization.encode(), f"Bearer {gateway.token}".encode()):
            raise Unauthenticated
        try:
            message = Message.model_validate_json(await request.body())
        except ValueError:
            raise InvalidInput("Số hoặc nội dung không hợp lệ.") from None
        if not re.fullmatch(r"[!-~]{8,200}", idempotency_key):
            raise InvalidInput("Thiếu Idempotency-Key.")
        behaviour = gateway.mood.take()
        match behaviour.mode:
            case "refuse":
                raise Refused
            case "busy":
                raise Busy
            case "redirect":
                return Response(status_code=307, headers={"Location": "/v1/elsewhere"})
            case "slow":
                known = gateway.take(idempotency_key, message)
                await asyncio.sleep(behaviour.seconds)
            case _:
                known = gateway.take(idempotency_key, message)
        return JSONResponse({"id": known.id}, 202)

    @router.post("/chat")
    async def chat(request: Request) -> dict[str, str]:
        if gateway.chat is None:
            raise NotFound("Không có kênh trực ở đây.")
        body = await request.body()
        id = gateway.chat.check(body, dict(request.headers))
        try:
            line = Line.model_validate_json(body)
        except ValueError:
            raise InvalidInput('Nội dung phải là {"text": …}.') from None
        gateway.said.setdefault(id, Said(line.text, datetime.now(UTC)))
        return {"id": f"chat-{hashlib.sha256(id.encode()).hexdigest()[:12]}"}

    @router.get("/chat.json")
    async def heard() -> list[dict[str, str]]:
        return [{"text": each.text, "at": each.at.isoformat()} for each in gateway.said.values()]

    @router.get("/messages.json")
    async def kept() -> list[dict[str, Any]]:
        return [{"id": t.id, "to": t.message.to, "text": t.message.text, "at": t.at.isoformat()}
                for t in gateway.taken.values()]  # fmt: skip

    @router.get("/")
    async def home() -> HTMLResponse:
        taken, said = ([*kept.values()][:-501:-1] for kept in (gateway.taken, gateway.said))
        return HTMLResponse(look.render("sms_home.html", taken=taken, said=said))

    @router.post("/behave")
    async def behave(behaviour: SmsBehaviour) -> SmsBehaviour:
        gateway.mood.now = behaviour
        return behaviour

    return router


def main() -> None:
    settings = SmsSettings()
    secret = settings.chat_secret.get_secret_value()
    gateway = Gateway(settings.token.get_secret_value(), Seal(secret) if secret else None)
    serve(sms_app(gateway), settings.host, settings.port)


if __name__ == "__main__":
    main()
