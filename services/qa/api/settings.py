"""Thiết lập của bàn hỏi đáp: templates, routing, leave; as data and as a page."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID, uuid4, uuid5

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from services.qa import views
from services.qa.bodies import OptionalReferral, Slug
from services.qa.desk.asked import moments_of
from services.qa.domain import settings as domain
from services.qa.domain.codes import NAMESPACE
from services.qa.domain.fields import OPTIONS, field_name
from services.qa.domain.settings import BLANKS, WRITERS, Leave
from services.qa.handlers import QaDesk
from services.qa.handlers import settings as handlers
from services.qa.pages.ask import PROVINCES
from services.qa.pages.errors import errors_of
from services.qa.queries import settings as queries
from services.qa.queries.history import GROUND_VI
from services.qa.regulation import Policy, Role
from shared.contracts.qa import RefusalGround, TemplateUse
from shared.errors import Forbidden, InvalidInput, NotFound, RuleBroken
from shared.web.edge import Edge, Staff, StaffDesk, edge_of, form_desk, page, see_other
from shared.web.forms import Body, Line, OptionalLine, Text
from shared.workflow import Actor

router, pages = APIRouter(), APIRouter(include_in_schema=False)

USE_VI: Final = {
    TemplateUse.ANSWER: "Trả lời", TemplateUse.REFUSAL: "Không thuộc diện trả lời",
    TemplateUse.PROGRESS: "Báo quá trình xử lý",
}  # fmt: skip
OptionalGround = Annotated[RefusalGround | None, BeforeValidator(lambda value: value or None)]


class TemplateIn(Body):
    """Một mẫu. Chỗ trống: {so}, {viec}, {don_vi}, {ngay_nhan}, {han}."""

    use: TemplateUse = Field(description="Dùng để làm gì.", examples=["answer"])
    title: Line = Field(description="Tên mẫu.", examples=["Rút BHXH một lần: điều kiện, nơi nộp"])
    text: Text = Field(description="Lời của mẫu.")
    shared: bool = Field(False, description="Dùng chung; nếu không, cho đơn vị mình.")
    ground: OptionalGround = Field(None, description="Căn cứ, khi là mẫu không thuộc diện trả lời.")
    referral: OptionalReferral = Field(None, description="Cách chuyển, khi ngoài phạm vi.")
    agency: OptionalLine = Field("", description="Cơ quan có trách nhiệm, khi ngoài phạm vi.")

    def command(self, id: UUID) -> domain.WriteTemplate:
        return domain.WriteTemplate(
            id, self.use, self.title, self.text, self.shared, self.ground, self.referral, self.agency
        )  # fmt: skip


class RouteIn(Body):
    """Câu hỏi của một lĩnh vực được gợi ý chuyển cho đơn vị nào."""

    field: Slug = Field(description="Lĩnh vực.", examples=["bhyt"])
    province: OptionalLine = Field("", description="Chỉ của tỉnh, thành phố này; để trống: mọi nơi.")
    unit: Line = Field(description="Mã đơn vị trong danh bạ.", examples=["bhxh-ha-noi"])

    def command(self, _: UUID) -> domain.SetRoute:
        """One rule for one field and province: set again, it is changed."""
        id = uuid5(NAMESPACE, f"route:{self.field}:{self.province}")
        return domain.SetRoute(id, self.field, self.province, self.unit)


class LeaveIn(Body):
    """Một cán bộ vắng mặt; việc giao cho họ chuyển sang người làm thay."""

    person: Line = Field(description="Mã cán bộ.", examples=["u-ha"])
    deputy: Line = Field(description="Người làm thay, cùng đơn vị.", examples=["u-khoi"])
    since: date = Field(description="Ngày đầu.", examples=["2026-12-07"])
    until: date = Field(description="Ngày cuối.", examples=["2026-12-11"])

    def command(self, id: UUID) -> domain.TakeLeave:
        return domain.TakeLeave(id, self.person, self.deputy, self.since, self.until)


class Empty(Body):
    """Không cần gì thêm."""


class DeskSettings(BaseModel):
    templates: list[dict[str, Any]]
    routes: list[dict[str, Any]]
    leaves: list[dict[str, Any]]


async def _leave(edge: Edge[Policy], cmd: domain.TakeLeave, desk: QaDesk) -> Leave:
    """Both are of one unit, as the directory says, and the head's is that one."""
    units = {await edge.directory.unit_of(cmd.person), await edge.directory.unit_of(cmd.deputy)}
    today = desk.calendar.day_of(desk.now)
    same = units == {desk.by.unit} and "" not in units
    return await desk.append(domain.take_leave(cmd, by=desk.by, today=today, same_unit=same))


class SettingAct(NamedTuple):
    body: type[Body]
    handler: Callable[[Any, QaDesk], Awaitable[Any]]
    command: Callable[[UUID], Any] | None
    done: str


ACTS: Final[dict[str, SettingAct]] = {
    "template": SettingAct(TemplateIn, handlers.write_template, None, "Đã lưu mẫu."),
    "template-end": SettingAct(Empty, handlers.retire_template, domain.RetireTemplate, "Đã thôi dùng mẫu."),
    "route": SettingAct(RouteIn, handlers.set_route, None, "Đã đặt luật chuyển."),
    "route-end": SettingAct(Empty, handlers.clear_route, domain.ClearRoute, "Đã bỏ luật chuyển."),
    "leave": SettingAct(LeaveIn, handlers.end_leave, None, "Đã ghi ngày vắng mặt."),
    "leave-end": SettingAct(Empty, handlers.end_leave, domain.EndLeave, "Đã ghi trở lại."),
}


async def _run(act: str, id: UUID, body: Any, edge: Edge[Policy], desk: QaDesk) -> Any:
    known = ACTS.get(act)
    if known is None:
        raise NotFound("Không có thiết lập này.")
    command = known.command(id) if known.command else body.command(id)
    if isinstance(command, domain.SetRoute):
        await views.check_unit(edge, command.unit)
    if isinstance(command, domain.TakeLeave):
        return await desk.run(lambda cmd, at: _leave(edge, cmd, at), command)
    return await desk.run(known.handler, command)


async def _shown(edge: Edge[Policy], by: Actor) -> DeskSettings:
    if not by.roles & WRITERS:
        raise Forbidden("Thiết lập dành cho người làm hỏi đáp.")
    today = edge.calendar.day_of(datetime.now(UTC))
    mine = [
        row for row in await queries.leaves(edge.database, today)
        if by.unit == await edge.directory.unit_of(row["person"])
    ]  # fmt: skip
    return DeskSettings(
        templates=await queries.templates(edge.database, by.unit),
        routes=await queries.routes(edge.database), leaves=mine,
    )  # fmt: skip


@router.get("/v1/desk-settings", tags=["thiết lập"], summary="Mẫu, luật chuyển, người vắng mặt")
async def settings(request: Request, by: Staff) -> DeskSettings:
    return await _shown(edge_of(request), by)


@router.post("/v1/desk-settings/templates", status_code=201, tags=["thiết lập"], summary="Soạn mẫu")
async def write(body: TemplateIn, request: Request, desk: StaffDesk) -> dict[str, UUID]:
    id = uuid5(NAMESPACE, f"template:{desk.once}")
    return {"id": (await _run("template", id, body, edge_of(request), desk)).id}


@router.put("/v1/desk-settings/templates/{id}", tags=["thiết lập"], summary="Sửa mẫu")
async def rewrite(id: UUID, body: TemplateIn, request: Request, desk: StaffDesk) -> dict[str, UUID]:
    return {"id": (await _run("template", id, body, edge_of(request), desk)).id}


@router.post("/v1/desk-settings/routes", status_code=201, tags=["thiết lập"], summary="Đặt luật chuyển")
async def route(body: RouteIn, request: Request, desk: StaffDesk) -> dict[str, UUID]:
    return {"id": (await _run("route", NAMESPACE, body, edge_of(request), desk)).id}


@router.post("/v1/desk-settings/leaves", status_code=201, tags=["thiết lập"], summary="Ghi ngày vắng mặt")
async def leave(body: LeaveIn, request: Request, desk: StaffDesk) -> dict[str, UUID]:
    id = uuid5(NAMESPACE, f"leave:{desk.once}")
    return {"id": (await _run("leave", id, body, edge_of(request), desk)).id}


@router.post("/v1/desk-settings/{kind}/{id}/end", tags=["thiết lập"], summary="Thôi dùng, trở lại")
async def end(kind: str, id: UUID, body: Empty, request: Request, desk: StaffDesk) -> dict[str, UUID]:
    """`kind`: template, route, leave."""
    return {"id": (await _run(f"{kind}-end", id, body, edge_of(request), desk)).id}


@pages.get("/desk/settings")
async def settings_page(request: Request, by: Staff, edit: str = "", done: str = "") -> Response:
    return await _page(request, by, edit=edit, done=done)


@pages.post("/desk/settings/{act}")
async def change(act: str, request: Request, by: Staff) -> Response:
    """What cannot be done comes back with what was typed."""
    fields, desk = await form_desk(request, by)
    known, id = ACTS.get(act), str(fields.pop("id", ""))
    if known is None:
        raise NotFound("Không có thiết lập này.")
    try:
        fields = {name: value == "1" if name == "shared" else value for name, value in fields.items()}
        body = known.body.model_validate(fields)
        state = await _run(act, UUID(id) if id else uuid4(), body, edge_of(request), desk)
    except (ValidationError, RuleBroken, InvalidInput) as error:
        return await _page(request, by, act=act, edit=id, typed=fields, errors=errors_of(error))
    await edge_of(request).caught_up(PLACES[act.removesuffix("-end")], state.id, desk.version(state))
    moments_of(request).forget()
    return see_other(f"/desk/settings?done={act}")


PLACES: Final = {"template": queries.TEMPLATES, "route": queries.ROUTES, "leave": queries.LEAVES}


async def _page(
    request: Request, by: Actor, *, act: str = "", edit: str = "", done: str = "",
    typed: dict[str, Any] | None = None, errors: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    edge = edge_of(request)
    shown = await _shown(edge, by)
    edited = next((row for row in shown.templates if row["_id"] == edit), None)
    typed = typed or (dict(edited) | {"shared": not edited["unit"]} if edited else {})
    units = await views.unit_names(edge.directory)
    people = await edge.directory.colleagues(by.unit)
    leaves = [
        row | {name: date.fromisoformat(row[name]) for name in ("since", "until")} for row in shown.leaves
    ]
    return await page(
        request, "desk_settings.html", status=422 if errors else 200, nav_current="settings", shown=shown,
        act=act or ("template" if edited else ""), edit=edit if edited or act == "template" else "",
        typed=typed, errors=errors or {}, uses=[(use.value, text) for use, text in USE_VI.items()],
        use_vi={use.value: text for use, text in USE_VI.items()}, blanks=BLANKS, fields=OPTIONS,
        grounds=[(ground.value, text) for ground, text in GROUND_VI.items()], field_name=field_name,
        unit_options=sorted(units.items(), key=lambda each: each[1]), units=units, leaves=leaves,
        people=sorted(people.items(), key=lambda each: each[1]), names=people,
        provinces=[(name, name) for name in PROVINCES],
        centre=bool(by.roles & {Role.CENTRE_HEAD, Role.TRIAGE}), said=ACTS[done].done if done in ACTS else "",
    )  # fmt: skip
