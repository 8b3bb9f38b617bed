"""Addresses that are not written to, each by its keyed hash."""

from collections.abc import Mapping
from typing import Final

from services.notifier.domain.suppressions import mark_of
from services.notifier.queries.terms import Document
from services.notifier.regulation import Policy, SuppressionStatus
from shared.contracts.base import Event, Recorded
from shared.contracts.notifier import AddressReleased, AddressSuppressed
from shared.desk import Vault
from shared.mongo import Database, answered
from shared.projections import Column, Fields


async def _suppressed(r: Recorded[AddressSuppressed], _: Vault) -> Fields:
    return {"status": SuppressionStatus.SUPPRESSED.value, "reason": r.event.reason, "by": r.by, "at": r.at}


async def _released(r: Recorded[AddressReleased], _: Vault) -> Fields:
    return {"status": SuppressionStatus.RELEASED.value, "reason": r.event.reason, "by": r.by, "at": r.at}


COLUMNS: Final[Mapping[type[Event], Column]] = {AddressSuppressed: _suppressed, AddressReleased: _released}


@answered
async def suppressed(database: Database, policy: Policy, address: str) -> str:
    """Why this address is not written to; empty when it is."""
    found = await database.suppressions.find_one({"_id": {"$eq": mark_of(address, policy.suppression_key)}})
    held = found is not None and found["status"] == SuppressionStatus.SUPPRESSED.value
    return str(found["reason"]) if found and held else ""


@answered
async def suppressions(database: Database, limit: int = 200) -> list[Document]:
    """The newest first."""
    return list(await database.suppressions.find().sort([("at", -1), ("_id", 1)]).limit(limit).to_list(limit))
