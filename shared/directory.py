"""Who works in which unit with which roles, as this service's own database says (danh bạ đơn vị, cán bộ).
Read through a short cache."""

from collections.abc import Mapping
from datetime import date
from time import monotonic
from typing import Any, Final

from pymongo import ReplaceOne

from shared.errors import Forbidden
from shared.mongo import Database, answered
from shared.web.identity import Principal
from shared.workflow import Actor

FRESH_SECONDS: Final = 10.0
SERVICE_ROLE: Final = "service"
SERVICES: Final = {  # tên dịch vụ → cán bộ gọi là
    "content": "Biên tập", "qa": "Hỏi – đáp", "sync": "Đồng bộ", "notifier": "Hạn, thư báo",
}  # fmt: skip


class Directory:
    def __init__(self, database: Database, service: str) -> None:
        self._database, self._service = database, service
        self._staff: dict[str, dict[str, Any]] = {}
        self._units: dict[str, dict[str, Any]] = {}
        self._systems: dict[str, dict[str, Any]] = {}
        self._read_at = float("-inf")

    @answered
    async def load(self, content: Mapping[str, Any]) -> None:
        """Take over units, staff, units' systems and official sources; repeating is harmless."""
        for name in ("units", "staff", "systems", "sources"):
            rows = [
                ReplaceOne({"_id": row["id"]}, {"_id": row["id"], **row}, upsert=True)
                for row in content.get(name, ())
            ]
            if rows:
                await self._database[name].bulk_write(rows, ordered=False)

    async def units(self) -> dict[str, dict[str, Any]]:
        await self._refresh()
        return self._units

    async def successor(self, unit: str, day: date) -> str:
        """Đơn vị kế thừa: the unit that does its work on this day, itself or what it was merged into by then,
        however often. A unit that was merged keeps its name and its record."""
        units = await self.units()
        followed = {unit}
        while (into := units.get(unit, {}).get("merged_into")) and units[unit][
            "merged_on"
        ] <= day.isoformat():
            if into in followed or into not in units:
                break  # a directory that contradicts itself sends nothing anywhere else
            unit = into
            followed.add(unit)
        return unit

    async def unit_name(self, unit: str) -> str:
        return str((await self.units()).get(unit, {}).get("name", unit))

    async def person_name(self, subject: str) -> str:
        await self._refresh()
        return str(self._staff.get(subject, {}).get("name", subject))

    async def unit_of(self, subject: str) -> str:
        """The unit of a member of staff; empty for somebody who is none."""
        await self._refresh()
        return str(self._staff.get(subject, {}).get("unit", ""))

    async def colleagues(self, unit: str) -> dict[str, str]:
        """Who of this unit has a role in this service: names by id, in order of name."""
        await self._refresh()
        held = [row for row in self._staff.values() if row["unit"] == unit and self._roles(row)]
        return {row["_id"]: str(row["name"]) for row in sorted(held, key=lambda row: str(row["name"]))}

    def _roles(self, row: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(row.get("roles", {}).get(self._service, ()))

    async def actor(self, principal: Principal) -> Actor:
        """Raises Forbidden for somebody whom the issuer knows and the directory does not. A unit's own system
        (hệ thống của đơn vị) acts for its unit, in the roles that it was given; any other client is ours."""
        await self._refresh()
        if principal.kind == "service" and principal.subject not in self._systems:
            return Actor(principal.subject, principal.name, roles=frozenset({SERVICE_ROLE}))
        known = self._systems if principal.kind == "service" else self._staff
        row = known.get(principal.subject)
        if row is None:
            raise Forbidden("Tài khoản này chưa được gán đơn vị và vai trò.")
        return Actor(principal.subject, row["name"], row["unit"], self._roles(row))

    @answered
    async def _refresh(self) -> None:
        if monotonic() - self._read_at < FRESH_SECONDS:
            return
        self._staff = {row["_id"]: row async for row in self._database.staff.find()}
        self._units = {row["_id"]: row async for row in self._database.units.find()}
        self._systems = {row["_id"]: row async for row in self._database.systems.find()}
        self._read_at = monotonic()
