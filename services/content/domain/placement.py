"""Bài trên một cổng liên kết: the newest version that this portal has acknowledged (đã đồng bộ)."""

from dataclasses import dataclass, replace
from typing import ClassVar, Final, Self
from uuid import UUID, uuid5

from shared.contracts.base import Aggregate, Decision, Event, only
from shared.contracts.content import PlacementConfirmed
from shared.contracts.sync import DeliverySucceeded

NAMESPACE: Final = UUID("9b1f6f0c-6d0e-4b8e-8e2a-52c1b6a5d8f4")


def placement_id(submission_id: UUID, partner: str) -> UUID:
    return uuid5(NAMESPACE, f"{submission_id}:{partner}")


@dataclass(frozen=True)
class Placement(Aggregate):
    KIND: ClassVar[str] = "placement"

    id: UUID
    item_version: int

    @classmethod
    def begin(cls, event: Event) -> Self:
        first = only(event, PlacementConfirmed)
        return cls(first.placement_id, first.item_version)

    def apply(self, event: Event) -> Self:
        if isinstance(event, PlacementConfirmed):
            return replace(self, item_version=event.item_version)
        return self


def confirm(placement: Placement | None, delivered: DeliverySucceeded) -> Decision[Placement]:
    """An acknowledgement of an older version, come late, changes nothing."""
    confirmed = PlacementConfirmed(
        placement_id=placement_id(delivered.item_id, delivered.partner), submission_id=delivered.item_id,
        partner=delivered.partner, text_version=delivered.text_version, action=delivered.action,
        acknowledged_at=delivered.acknowledged_at, item_version=delivered.item_version,
    )  # fmt: skip
    if placement is None:
        return Placement.starts_with(confirmed)
    if delivered.item_version <= placement.item_version:
        return placement, ()
    return placement.then(confirmed)
