"""A rehearsal answers as the real thing would, and leaves no trace."""

from typing import Any

from shared.calendar import CALENDAR
from shared.desk import Desk
from shared.messaging.rehearsal import Rehearsal
from shared.testing import MemoryJournal, MemoryVault


def rehearsed(vault: MemoryVault) -> Any:
    journal = MemoryJournal()
    desk: Desk[None] = Desk(journal, vault, CALENDAR, None, {}, "qa")
    return Rehearsal(journal, vault).on(desk).vault


async def test_the_hash_is_of_what_is_kept_and_not_of_what_came_second() -> None:
    real = MemoryVault()
    kept = await real.put("ref-1", {"text": "Tôi muốn hỏi"})
    vault = rehearsed(real)
    assert await vault.put("ref-1", {"text": "Tôi hỏi việc khác"}) == kept
    first = await vault.put("ref-2", {"text": "Xin hỏi"})
    assert await vault.put("ref-2", {"text": "Tôi hỏi việc khác"}) == first != kept
    assert await vault.get("ref-1") == {"text": "Tôi muốn hỏi"}
    assert await vault.get("ref-2") == {"text": "Xin hỏi"}


async def test_nothing_of_it_is_kept() -> None:
    real = MemoryVault()
    await rehearsed(real).put("ref-1", {"text": "Tôi muốn hỏi"})
    assert real.contents == {}
