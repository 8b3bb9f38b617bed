"""What the sample parts share: serving an app until told to stop, answering health checks, playing trouble,
and pages in the portal's look."""

import asyncio
import os
from pathlib import Path
from typing import Generic, TypeVar

import uvicorn
from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.errors import PortalError
from shared.web.look import Look, SecurityHeaders, static_app

MODE = TypeVar("MODE", bound=str)


class Behaviour(BaseModel, Generic[MODE]):
    """How to behave from now on: ``times`` counts the requests it lasts for, None until told otherwise."""

    model_config = ConfigDict(extra="forbid")

    mode: MODE
    seconds: float = Field(20.0, ge=0, le=120)
    times: int | None = Field(None, ge=1)


class Mood(Generic[MODE]):
    """The behaviour in force; each request that asks uses one of its ``times`` up."""

    def __init__(self, calm: Behaviour[MODE]) -> None:
        self._calm = calm
        self.now = calm

    def take(self) -> Behaviour[MODE]:
        taken = self.now
        if taken.times is not None:
            self.now = taken.model_copy(update={"times": taken.times - 1}) if taken.times > 1 else self._calm
        return taken


def sample_look(site_name: str, site_icon: str = "landmark") -> Look:
    about = {"environment": "local", "site_name": site_name, "site_icon": site_icon}
    return Look([Path(__file__).parent / "templates"], about)


def sample_app(title: str, look: Look) -> FastAPI:
    """Static files, strict headers, health checks, and errors told as a page or as a problem (RFC 9457)."""
    app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(SecurityHeaders)
    app.mount("/static", static_app())
    health = APIRouter(prefix="/health")

    @health.get("/live")
    @health.get("/ready")
    async def answering() -> dict[str, str]:
        return {"status": "ok"}

    app.include_router(health)

    @app.exception_handler(PortalError)
    async def told(request: Request, error: PortalError) -> Response:
        known = {"status": error.status, "code": error.code, "detail": error.detail}
        if "text/html" in request.headers.get("accept", ""):
            page = look.render("problem.html", title=error.title_vi, back="/", **known)
            return HTMLResponse(page, error.status)
        body = {"type": "about:blank", "title": error.title_vi, "title_en": error.title_en, **known}
        return JSONResponse({**error.extra, **body}, error.status, media_type="application/problem+json")

    return app


def serve(app: FastAPI, host: str, port: int) -> None:
    """Until SIGTERM or Ctrl-C; a slow caller holds the end up for two seconds at most."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_level="warning",
        access_log=False,  # addresses carry codes
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    asyncio.run(uvicorn.Server(config).serve())


def write_whole(file: Path, content: bytes, *, durable: bool = True) -> None:
    """All of it under the final name, or nothing."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    with draft.open("wb") as handle:
        handle.write(content)
        if durable:
            handle.flush()
            os.fsync(handle.fileno())
    draft.replace(file)
