"""Thiết lập: one function a command."""

from services.qa.domain import settings as domain
from services.qa.domain.settings import Leave, Route, Template
from services.qa.handlers import QaDesk


async def write_template(cmd: domain.WriteTemplate, desk: QaDesk) -> Template:
    known = await desk.find(Template, cmd.template_id)
    return await desk.append(domain.write_template(known, cmd, by=desk.by))


async def retire_template(cmd: domain.RetireTemplate, desk: QaDesk) -> Template:
    return await desk.append(
        domain.retire_template(await desk.load(Template, cmd.template_id), by=desk.by)
    )  # fmt: skip


async def set_route(cmd: domain.SetRoute, desk: QaDesk) -> Route:
    known = await desk.find(Route, cmd.route_id)
    return await desk.append(domain.set_route(known, cmd, by=desk.by))


async def clear_route(cmd: domain.ClearRoute, desk: QaDesk) -> Route:
    return await desk.append(domain.clear_route(await desk.load(Route, cmd.route_id), by=desk.by))


async def end_leave(cmd: domain.EndLeave, desk: QaDesk) -> Leave:
    return await desk.append(domain.end_leave(await desk.load(Leave, cmd.leave_id), by=desk.by))
