"""Giúp người phân loại: what is suggested of a question before one sorts it: its field, its unit and the load
of each, the days that would be due, likely duplicates."""

from datetime import datetime, timedelta
from typing import Any, Final

from services.qa.domain.clocks import complex_clock, same_day_clock, unit_clock
from services.qa.domain.fields import suggested_field, suggested_unit
from services.qa.queries import alike, lists
from services.qa.queries.file import ONE_INSTANT, File
from services.qa.queries.settings import routed
from services.qa.regulation import (
    CITED,
    REPLYING,
    SAME_DAY_SENTENCE,
    TRIAGE_BASIS,
    Duty,
    Policy,
    Role,
    Status,
)
from shared.contracts.base import Clock
from shared.web.edge import Edge
from shared.workflow import Actor

SOON: Final = timedelta(days=2)


async def sorting(
    edge: Edge[Policy], file: File, by: Actor, now: datetime, *, published: list[dict[str, Any]]
) -> dict[str, Any]:
    """For whoever may sort this question; ``published`` are the answers that are alike."""
    question, letter = file.question, file.letter
    others = await alike.others(edge.database, str(question.id), by)
    field, why = suggested_field(f"{letter.subject} {letter.text}")
    if not field:
        field, why = alike.voted_field([*others, *published]), ["các câu gần giống"]
    units = await edge.directory.units()
    load = await lists.load_of_units(edge.database, by, now + SOON) if Role.TRIAGE in by.roles else {}
    holds = question.unit if question.status is Status.FORWARDED else ""
    options = [
        (id, _loaded(str(unit["name"]).replace("Bảo hiểm xã hội", "BHXH"), load.get(id)))
        for id, unit in units.items()
        if id not in (edge.policy.centre_unit, holds) and not unit.get("merged_into")
    ]
    forward, notice = forward_due(edge, file, now), notice_due(edge, file, now)
    return {
        "notice_due": notice, "notice_due_day": notice.due_at - ONE_INSTANT,
        "same_day_law": (SAME_DAY_SENTENCE, CITED[TRIAGE_BASIS]),
        "suggested_field": question.field or field, "suggested_by": why if field else [],
        "unit_options": options,
        "suggested_unit": await routed(edge.database, field, letter.province)
        or suggested_unit(letter.province, units, field=field, text=f"{letter.subject} {letter.text}"),
        "forward_due": forward, "forward_due_day": forward.due_at - ONE_INSTANT if forward else None,
        "others": others,
    }  # fmt: skip


def forward_due(edge: Edge[Policy], file: File, now: datetime) -> Clock | None:
    """The term of whichever unit it would be forwarded to: seven days, or what is left of them; None when
    the former unit's notice has ended them."""
    question = file.question
    if question.unit:
        passing = [question.clocks[name] for name in question.of(*REPLYING)]
        passing = [clock for clock in passing if clock.duty != Duty.CONSULTATION]
        return min(passing, key=lambda clock: clock.due_at, default=None)
    return unit_clock(question, "", at=now, calendar=edge.calendar, policy=edge.policy)


def notice_due(edge: Edge[Policy], file: File, now: datetime) -> Clock:
    """By when the asker would be told of a refusal; it may run already, since a unit found the same."""
    question = file.question
    known = question.of(Duty.SAME_DAY_NOTICE)
    if known:
        return question.clocks[known[0]]
    return same_day_clock(question, at=now, calendar=edge.calendar, policy=edge.policy)


async def consulting(edge: Edge[Policy], file: File, now: datetime) -> dict[str, Any]:
    """For whoever may ask other units for their opinion."""
    question = file.question
    due = complex_clock(question, calendar=edge.calendar, policy=edge.policy)
    units = await edge.directory.units()
    besides = (edge.policy.centre_unit, question.unit)
    options = [
        (id, str(unit["name"]))
        for id, unit in units.items()
        if id not in besides and not unit.get("merged_into")
    ]
    return {"complex_due": due, "complex_due_day": due.due_at - ONE_INSTANT, "consulted_options": options}


def _loaded(name: str, load: tuple[int, int] | None) -> str:
    if load is None:
        return name
    held, soon = load
    return f"{name} ({held} câu{f', {soon} sắp đến hạn' if soon else ''})"
