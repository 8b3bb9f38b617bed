"""Mẫu, luật chuyển, người vắng mặt, as the desk uses them."""

from datetime import date
from typing import Any, Final

from services.qa.domain.settings import Leave, Route, Template
from shared.contracts.base import Recorded
from shared.contracts.qa import (
    LeaveEnded,
    LeaveTaken,
    RouteCleared,
    RouteSet,
    TemplateRetired,
    TemplateUse,
    TemplateWritten,
)
from shared.desk import Vault
from shared.mongo import Database, answered
from shared.projections import Fields, Projection

TEMPLATES: Final = "templates"
ROUTES: Final = "routes"
LEAVES: Final = "leaves"

Row = dict[str, Any]


async def _written(recorded: Recorded[TemplateWritten], _: Vault) -> Fields:
    event = recorded.event
    facts = event.model_dump(mode="json", exclude={"template_id", "called", "wording"})
    facts |= {"title": event.called, "text": event.wording}
    return facts | {"retired": False, "written_at": recorded.at, "written_by": recorded.by}


async def _retired(_: Recorded[TemplateRetired], __: Vault) -> Fields:
    return {"retired": True}


async def _set(recorded: Recorded[RouteSet], _: Vault) -> Fields:
    return recorded.event.model_dump(mode="json", exclude={"route_id"}) | {"set_by": recorded.by}


async def _cleared(_: Recorded[RouteCleared], __: Vault) -> Fields:
    return {"unit": ""}


async def _taken(recorded: Recorded[LeaveTaken], _: Vault) -> Fields:
    return recorded.event.model_dump(mode="json", exclude={"leave_id"}) | {"ended": False}


async def _ended(_: Recorded[LeaveEnded], __: Vault) -> Fields:
    return {"ended": True}


SETTINGS: Final = (
    Projection(TEMPLATES, Template.KIND, {TemplateWritten: _written, TemplateRetired: _retired}),
    Projection(ROUTES, Route.KIND, {RouteSet: _set, RouteCleared: _cleared}),
    Projection(LEAVES, Leave.KIND, {LeaveTaken: _taken, LeaveEnded: _ended}),
)


@answered
async def prepare(database: Database) -> None:
    await database[TEMPLATES].create_index([("unit", 1), ("use", 1), ("title", 1)], name="of_unit")
    await database[LEAVES].create_index([("until", 1)], name="until")


@answered
async def templates(database: Database, unit: str, use: TemplateUse | None = None) -> list[Row]:
    """Those of the unit and those for everybody, by title."""
    where: Row = {"unit": {"$in": ["", unit]}, "retired": False}
    if use is not None:
        where["use"] = use.value
    return [row async for row in database[TEMPLATES].find(where).sort([("title", 1), ("_id", 1)])]


@answered
async def template(database: Database, id: str, unit: str) -> Row | None:
    where = {"_id": {"$eq": id}, "unit": {"$in": ["", unit]}, "retired": False}
    row: Row | None = await database[TEMPLATES].find_one(where)
    return row


@answered
async def routes(database: Database) -> list[Row]:
    found = database[ROUTES].find({"unit": {"$gt": ""}}).sort([("field", 1), ("province", 1)])
    return [row async for row in found]


async def routed(database: Database, field: str, province: str) -> str:
    """The unit that the rules suggest: the province's own rule before the field's; empty without one."""
    by_province = {
        row["province"]: str(row["unit"]) for row in await routes(database) if row["field"] == field
    }
    return by_province.get(province, "") or by_province.get("", "")


@answered
async def leaves(database: Database, today: date) -> list[Row]:
    """Who is away, or will be."""
    where = {"until": {"$gte": today.isoformat()}, "ended": False}
    return [row async for row in database[LEAVES].find(where).sort([("since", 1), ("_id", 1)])]


async def deputies(database: Database, today: date) -> dict[str, str]:
    """Who is away today → who does their work."""
    return {
        row["person"]: str(row["deputy"])
        for row in await leaves(database, today)
        if row["since"] <= today.isoformat()
    }
