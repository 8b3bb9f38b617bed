"""An SMS gateway that delivers nowhere: it keeps the contract of docs/channels.md, and what it took can be
read on a page. It can refuse, be busy, dawdle, or lose its own answer after it took a message."""

import asyncio
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Header, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.samples.serving import Behaviour, Mood, sample_app, sample_look, serve
from shared.errors import InvalidInput, PortalError, Unauthenticated
from shared.web.look import Look

Mode = Literal["ok", "refuse", "busy", "slow", "redirect"]
SmsBehaviour = Behaviour[Mode]


class SmsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SMS_")

    host: str = Field("127.0.0.1", description="address to listen on; loopback unless inside a container")
    port: int = Field(8031, description="port of the gateway and its page")
    token: SecretStr = Field(description="bearer token that senders show")


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid")

    to: str = Field(pattern=r"^\+?[0-9]{8,15}$")
    text: str = Field(min_length=1, max_length=160)


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
class Gateway:
    token: str
    mood: Mood[Mode] = field(default_factory=lambda: Mood(SmsBehaviour(mode="ok")))
    taken: dict[str, Taken] = field(default_factory=dict)

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
    look = sample_look("Tin nhắn chạy thử", "smartphone")
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

    @router.get("/messages.json")
    async def kept() -> list[dict[str, Any]]:
        return [{"id": t.id, "to": t.message.to, "text": t.message.text, "at": t.at.isoformat()}
                for t in gateway.taken.values()]  # fmt: skip

    @router.get("/")
    async def home() -> HTMLResponse:
        taken = sorted(gateway.taken.values(), key=lambda each: each.at, reverse=True)[:500]
        return HTMLResponse(look.render("sms_home.html", taken=taken))

    @router.post("/behave")
    async def behave(behaviour: SmsBehaviour) -> SmsBehaviour:
        gateway.mood.now = behaviour
        return behaviour

    return router


def main() -> None:
    settings = SmsSettings()
    serve(sms_app(Gateway(settings.token.get_secret_value())), settings.host, settings.port)


if __name__ == "__main__":
    main()
