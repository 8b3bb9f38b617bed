"""A partner portal as a real server: takes signed pushes, keeps what it takes, shows it as a page, and can
play trouble on demand."""

import asyncio
from typing import Any, Literal

import nh3
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import ValidationError

from deploy.samples.parcel import Held, Parcel, Seal
from deploy.samples.serving import Behaviour, Mood, sample_app, sample_look, serve
from deploy.samples.settings import PortalSettings
from deploy.samples.shelf import Shelf
from shared.errors import InvalidInput, NotFound, TooLarge
from shared.web.look import Look

LARGEST_PUSH = 4 * 1024 * 1024

Mode = Literal["ok", "down", "slow", "error"]
PortalBehaviour = Behaviour[Mode]


def portal_app(settings: PortalSettings) -> FastAPI:
    look = sample_look(settings.name)
    shelf = Shelf(settings.data)
    app = sample_app(f"Sample portal {settings.id}", look)
    app.include_router(_receiving(shelf, Seal(settings.secret.get_secret_value())))
    app.include_router(_pages(shelf, look))
    return app


def _receiving(shelf: Shelf, seal: Seal) -> APIRouter:
    router = APIRouter()
    mood: Mood[Mode] = Mood(PortalBehaviour(mode="ok"))

    @router.post("/receive")
    async def receive(request: Request) -> Response:
        body = await _body(request)
        behaviour = mood.take()
        if behaviour.mode == "down":
            return JSONResponse({"status": "down"}, 503, {"Retry-After": "2"})
        if behaviour.mode == "error":
            return JSONResponse({"status": "error"}, 500)
        if behaviour.mode == "slow":
            # It does the work in the end: to the sender, an answer that came too late.
            await asyncio.sleep(behaviour.seconds)
        webhook_id = seal.check(body, dict(request.headers))
        try:
            parcel = Parcel.model_validate_json(body)
        except ValidationError as error:
            faults = [{"field": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
            raise InvalidInput("Gói tin không đúng mẫu.", errors=faults) from error
        parcel.require_hash()
        verdict = await shelf.receive(parcel, webhook_id)
        answer = {
            "status": verdict,
            "item_id": parcel.item_id,
            "version": parcel.version,
            "hash": parcel.hash,
        }
        return JSONResponse(answer, 409 if verdict == "conflict" else 200)

    @router.post("/behave")
    async def behave(behaviour: PortalBehaviour) -> PortalBehaviour:
        mood.now = behaviour
        return behaviour

    return router


def _pages(shelf: Shelf, look: Look) -> APIRouter:
    router = APIRouter()

    @router.get("/")
    async def home() -> Response:
        return HTMLResponse(look.render("portal_home.html", items=shelf.newest_first()))

    @router.get("/items.json")
    async def items() -> list[dict[str, Any]]:
        return [_summary(held) for held in shelf.newest_first()]

    @router.get("/items/{item_id}")
    async def item(item_id: str) -> Response:
        held = shelf.get(item_id)
        if held is None:
            raise NotFound("Cổng này không có bài ấy.")
        # A signed article is still someone else's HTML.
        html = nh3.clean(held.article.html) if held.article else ""
        return HTMLResponse(look.render("portal_item.html", held=held, html=html))

    return router


def _summary(held: Held) -> dict[str, Any]:
    parcel = held.parcel
    return {
        "item_id": parcel.item_id,
        "epoch": parcel.epoch,
        "version": parcel.version,
        "hash": parcel.hash,
        "action": parcel.action,
        "title": held.article.title if held.article else None,
        "received_at": held.received_at.isoformat(),
        "webhook_id": held.webhook_id,
    }


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_PUSH:
            raise TooLarge("Gói tin vượt quá 4 MB.")
    return bytes(body)


def main() -> None:
    settings = PortalSettings()
    serve(portal_app(settings), settings.host, settings.port)


if __name__ == "__main__":
    main()
