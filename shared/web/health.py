"""Is the process alive, may it be given work, and its figures for Prometheus."""

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.mongo import TROUBLE
from shared.settings import Role

if TYPE_CHECKING:
    from shared.service import Service


def health_router(service: "Service[Any]") -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "alive", "service": service.name}

    @router.get("/health/ready")
    async def ready() -> JSONResponse:
        """Ready when the database answers and each part has started once. Kafka may be away later: commands
        still succeed, and their events are published when it is back."""
        needed = {"database"}
        if service.listens:
            needed.add("inbox")
        if Role.RELAY in service.settings.roles:
            needed.add("relay")
        missing = sorted(needed - service.started)
        try:
            await service.database.command("ping")
        except TROUBLE:
            missing.append("database")
        status = {"status": "waiting" if missing else "ready", "missing": missing}
        return JSONResponse(status, 503 if missing else 200, {"Retry-After": "1"} if missing else None)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router
