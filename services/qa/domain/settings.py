"""Thiết lập của bàn hỏi đáp: templates with fields, canned grounds of refusal, routing, leave."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Final, Self
from uuid import UUID

from services.qa.domain.fields import FIELDS
from services.qa.domain.permits import FieldRule
from services.qa.regulation import Role
from shared.contracts.base import Aggregate, Decision, Event, only
from shared.contracts.qa import (
    LeaveEnded,
    LeaveTaken,
    Referral,
    RefusalGround,
    RouteCleared,
    RouteSet,
    TemplateRetired,
    TemplateUse,
    TemplateWritten,
)
from shared.errors import Forbidden
from shared.workflow import Actor

# What a template may leave open (chỗ trống), and what stands there; never the asker's name.
BLANKS: Final[Mapping[str, str]] = {
    "so": "số tiếp nhận", "viec": "việc hỏi", "don_vi": "đơn vị trả lời", "ngay_nhan": "ngày tiếp nhận",
    "han": "ngày hết hạn",
}  # fmt: skip
BLANK: Final = re.compile(r"\{([^{}]*)\}")
WRITERS: Final = frozenset({Role.TRIAGE, Role.PUBLISHER, Role.ANSWERER, Role.UNIT_HEAD, Role.CENTRE_HEAD})


class BlankUnknown(FieldRule):
    """A blank that nothing fills would be sent to the asker as it stands."""

    code = "blank_unknown"
    title_vi, title_en = "Mẫu có chỗ trống không biết", "The template has an unknown blank"


class GroundMissing(FieldRule):
    code = "ground_missing"
    title_vi, title_en = "Mẫu báo từ chối phải nêu căn cứ", "A refusal template needs its ground"


class RouteIncomplete(FieldRule):
    code = "route_incomplete"
    title_vi, title_en = "Luật chuyển chưa đủ", "The route is incomplete"


class LeaveWrong(FieldRule):
    code = "leave_wrong"
    title_vi, title_en = "Ngày nghỉ hoặc người làm thay không dùng được", "The leave cannot be used"


@dataclass(frozen=True, slots=True)
class WriteTemplate:
    template_id: UUID
    use: TemplateUse
    title: str
    text: str
    shared: bool = False  # for everybody; else for one's own unit
    ground: RefusalGround | None = None
    referral: Referral | None = None
    agency: str = ""


@dataclass(frozen=True, slots=True)
class RetireTemplate:
    template_id: UUID


@dataclass(frozen=True, slots=True)
class SetRoute:
    route_id: UUID
    field: str
    province: str
    unit: str


@dataclass(frozen=True, slots=True)
class ClearRoute:
    route_id: UUID


@dataclass(frozen=True, slots=True)
class TakeLeave:
    leave_id: UUID
    person: str
    deputy: str
    since: date
    until: date


@dataclass(frozen=True, slots=True)
class EndLeave:
    leave_id: UUID


@dataclass(frozen=True, slots=True)
class Template(Aggregate):
    KIND: ClassVar[str] = "template"

    id: UUID
    unit: str
    retired: bool = False

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, TemplateWritten)
        return cls(first.template_id, first.unit)

    def apply(self, event: Event) -> Self:
        match event:
            case TemplateWritten():
                return replace(self, unit=event.unit, retired=False)
            case TemplateRetired():
                return replace(self, retired=True)
            case _:
                return self


@dataclass(frozen=True, slots=True)
class Route(Aggregate):
    KIND: ClassVar[str] = "route"

    id: UUID
    unit: str

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, RouteSet)
        return cls(first.route_id, first.unit)

    def apply(self, event: Event) -> Self:
        match event:
            case RouteSet():
                return replace(self, unit=event.unit)
            case RouteCleared():
                return replace(self, unit="")
            case _:
                return self


@dataclass(frozen=True, slots=True)
class Leave(Aggregate):
    KIND: ClassVar[str] = "leave"

    id: UUID
    person: str
    ended: bool = False

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, LeaveTaken)
        return cls(first.leave_id, first.person)

    def apply(self, event: Event) -> Self:
        return replace(self, ended=True) if isinstance(event, LeaveEnded) else self


def filled(text: str, facts: Mapping[str, str]) -> str:
    """The template's words with its blanks filled; what is not known yet stays as «…»."""
    return BLANK.sub(lambda blank: facts.get(blank[1]) or "…", text)


def write_template(known: Template | None, cmd: WriteTemplate, *, by: Actor) -> Decision[Template]:
    """Soạn, sửa mẫu: for one's own unit; those for everybody are the centre's."""
    _may_write(by, "" if cmd.shared else by.unit)
    if known is not None:
        _may_write(by, known.unit)
    if unknown := [name for name in BLANK.findall(cmd.text) if name not in BLANKS]:
        allowed = ", ".join(f"{{{name}}}" for name in BLANKS)
        raise BlankUnknown("text", f"Không có chỗ trống {{{unknown[0]}}}; dùng được: {allowed}.")
    if cmd.use is TemplateUse.REFUSAL and cmd.ground is None:
        raise GroundMissing("ground", "Chọn căn cứ: ngoài phạm vi, hay không rõ nghĩa.")
    written = TemplateWritten(
        template_id=cmd.template_id, use=cmd.use, unit="" if cmd.shared else by.unit, called=cmd.title,
        wording=cmd.text, ground=cmd.ground, referral=cmd.referral, agency=cmd.agency,
    )  # fmt: skip
    return Template.starts_with(written) if known is None else known.then(written)


def retire_template(template: Template, *, by: Actor) -> Decision[Template]:
    _may_write(by, template.unit)
    return template.then() if template.retired else template.then(TemplateRetired(template_id=template.id))


def _may_write(by: Actor, unit: str) -> None:
    if not by.roles & WRITERS or not by.unit:
        raise Forbidden("Bạn chưa được giao soạn mẫu.")
    if not unit and not by.roles & {Role.CENTRE_HEAD, Role.TRIAGE}:
        raise Forbidden("Mẫu dùng chung do Trung tâm soạn.")
    if unit and unit != by.unit:
        raise Forbidden("Mẫu này là của đơn vị khác.")


def set_route(known: Route | None, cmd: SetRoute, *, by: Actor) -> Decision[Route]:
    """Luật chuyển: what is suggested; who sorts still decides."""
    _may_route(by)
    if cmd.field not in FIELDS:
        raise RouteIncomplete("field", "Không có lĩnh vực này.")
    set_ = RouteSet(route_id=cmd.route_id, field=cmd.field, province=cmd.province, unit=cmd.unit)
    return Route.starts_with(set_) if known is None else known.then(set_)


def clear_route(route: Route, *, by: Actor) -> Decision[Route]:
    _may_route(by)
    return route.then(RouteCleared(route_id=route.id)) if route.unit else route.then()


def _may_route(by: Actor) -> None:
    if not by.roles & {Role.CENTRE_HEAD, Role.TRIAGE}:
        raise Forbidden("Luật chuyển do Trung tâm đặt.")


def take_leave(cmd: TakeLeave, *, by: Actor, today: date, same_unit: bool) -> Decision[Leave]:
    """Vắng mặt: by oneself, or by the head for one of the unit."""
    _may_give_leave(by, cmd.person)
    if cmd.until < cmd.since or cmd.until < today:
        raise LeaveWrong("until", "Ngày cuối phải từ hôm nay và không trước ngày đầu.")
    if cmd.deputy == cmd.person or not same_unit:
        raise LeaveWrong("deputy", "Người làm thay là một người khác của cùng đơn vị.")
    return Leave.starts_with(
        LeaveTaken(
            leave_id=cmd.leave_id, person=cmd.person, deputy=cmd.deputy, since=cmd.since, until=cmd.until
        )
    )


def end_leave(leave: Leave, *, by: Actor) -> Decision[Leave]:
    _may_give_leave(by, leave.person)
    return leave.then() if leave.ended else leave.then(LeaveEnded(leave_id=leave.id))


def _may_give_leave(by: Actor, person: str) -> None:
    if by.subject != person and not by.roles & {Role.UNIT_HEAD, Role.CENTRE_HEAD}:
        raise Forbidden("Chỉ chính người ấy hoặc phụ trách đơn vị ghi ngày vắng mặt.")
