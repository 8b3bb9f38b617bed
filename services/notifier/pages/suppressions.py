"""Addresses that are not written to (địa chỉ ngừng gửi): each by its keyed hash, with who decided it."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.notifier import handlers, views
from services.notifier.api import Reader
from services.notifier.api.suppressions import AddressToSuppress, Mark, Reason, suppress, suppression_views
from services.notifier.handlers import ReleaseAddress
from services.notifier.pages import overdue_count, side_bar
from services.notifier.regulation import Role
from shared.desk import utc_now
from shared.errors import InvalidInput
from shared.web.edge import Staff, edge_of, form_desk, page, see_other
from shared.workflow import Actor

router = APIRouter(include_in_schema=False)
SAID = {
    "address": "Ghi đúng một địa chỉ thư điện tử.",
    "reason": "Ghi lý do, 3 đến 300 ký tự, không ghi địa chỉ.",
}


@router.get("/desk/suppressions")
async def suppressions(request: Request, by: Reader) -> Response:
    return await _shown(request, by)


async def _shown(
    request: Request, by: Actor, *, errors: Mapping[str, str] | None = None, reason: str = ""
) -> Response:
    edge = edge_of(request)
    return await page(
        request, "suppressions.html", status=422 if errors else 200, nav_current="notices",
        tabs=views.notice_tabs("suppressions"), rows=await suppression_views(edge), errors=errors or {},
        reason=reason, may=Role.OPERATOR in by.roles, **side_bar(edge, await overdue_count(edge, utc_now())),
    )  # fmt: skip


@router.post("/desk/suppressions")
async def suppress_address(request: Request, by: Staff) -> Response:
    fields, desk = await form_desk(request, by)
    try:
        done = await suppress(edge_of(request), desk, AddressToSuppress(**fields))
    except (ValidationError, InvalidInput) as error:
        # The address is typed again: it is not sent back in a page.
        return await _shown(request, by, errors=_named(error), reason=str(fields.get("reason", ""))[:300])
    await edge_of(request).caught_up("suppressions", done.id, desk.version(done))
    return see_other("/desk/suppressions")


@router.post("/desk/suppressions/{mark}/release")
async def release_address(mark: Mark, request: Request, by: Staff) -> Response:
    fields, desk = await form_desk(request, by)
    try:
        cmd = ReleaseAddress(mark, Reason(**fields).reason)
        done = await desk.run(handlers.release_address, cmd)
    except (ValidationError, InvalidInput):
        return await _shown(request, by, errors={f"reason-{mark[:8]}": SAID["reason"]})
    await edge_of(request).caught_up("suppressions", done.id, desk.version(done))
    return see_other("/desk/suppressions")


def _named(error: ValidationError | InvalidInput) -> dict[str, str]:
    found: list[Any] = (
        [each["loc"][0] for each in error.errors()] if isinstance(error, ValidationError) else ["reason"]
    )
    return {str(name): SAID.get(str(name), "Mục này không hợp lệ.") for name in found}
