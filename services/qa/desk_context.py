"""What a working page shows of one question: who may do what, the due date before one decides, likely
duplicates, and a first draft of what may be published."""

import difflib
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from markupsafe import Markup, escape

from services.qa import domain, views
from services.qa.domain.clocks import same_day_clock, unit_clock
from services.qa.domain.fields import OPTIONS, field_name, suggested_field, suggested_unit
from services.qa.domain.personal_data import suggest
from services.qa.queries import alike, answers, lists
from services.qa.queries.file import ONE_INSTANT, File
from services.qa.queries.history import DISCLOSURE_VI, staff_history
from services.qa.queries.read_models import short_name
from services.qa.queries.tracking import refusal_view, tracked
from services.qa.regulation import CITED, SAME_DAY_SENTENCE, TRIAGE_BASIS, Policy, Role, Status
from shared.calendar import VIETNAM
from shared.contracts.qa import NoticeKind
from shared.errors import NotFound
from shared.web.edge import Edge
from shared.web.vietnamese import vn_date, vn_day
from shared.workflow import Actor

NOBODY: Final = frozenset({"anonymous", "system"})
SOON: Final = timedelta(days=2)
TAKEN_OUT: Final = Markup("<del>{}</del>")
PUT_IN: Final = Markup("<ins>{}</ins>")
TOKENS: Final = re.compile(r"\s+|\w+|[^\w\s]")


def due_words(due_at: datetime, now: datetime) -> str:
    """«hôm nay», «Thứ Tư 25/11», «quá hạn từ 23/11»: the last day that is in time, as one says it."""
    last = (due_at - ONE_INSTANT).astimezone(VIETNAM).date()
    if due_at <= now:
        return f"quá hạn từ {last:%d/%m}"
    return "hôm nay" if last == now.astimezone(VIETNAM).date() else vn_day(last)


async def context_of(edge: Edge[Policy], file: File, by: Actor, now: datetime, use: str) -> dict[str, Any]:
    question, letter = file.question, file.letter
    names = await views.unit_names(edge.directory)
    people = {r.by: await edge.directory.person_name(r.by) for r in file.events if r.by not in NOBODY}
    disclosed = file.disclosed_to(by.subject, now)
    running = file.running()
    acts = domain.acts(question, by)
    context: dict[str, Any] = {
        "acts": acts, "running": running,
        "broken": [vn_date(each.last_instant) for each in file.broken_promises(now)],
        "due": due_words(running.clock.due_at, now) if running else "",
        "due_state": _due_state(file, now), "days": running.days(edge.calendars) if running else [],
        "asker": letter.name if disclosed else short_name(letter.name), "disclosed": disclosed,
        "may_disclose": bool(by.roles & {Role.TRIAGE, Role.PUBLISHER, Role.ANSWERER, Role.UNIT_HEAD}),
        "disclosure_reasons": [(reason.value, text) for reason, text in DISCLOSURE_VI.items()],
        "told": tracked(file, names, edge.calendars, now), "refusal": refusal_view(file),
        "history": staff_history(file.events, names, people, letter.email), "field_name": field_name,
        "answered_by": people.get(question.answered_by, ""), "own_answer": question.answered_by == by.subject,
        "sent": file.notice(NoticeKind.ANSWER), "field_options": OPTIONS,
        "alike": await alike.published(
            edge.database, letter.subject, letter.text, besides=str(question.id)
        ),
    }  # fmt: skip
    if question.status in (Status.RECEIVED, Status.RETURNED):
        context |= await _sorting(edge, file, by, now, context["alike"])
        context["draft_answer"] = await _used(edge, use)
    if question.status is Status.FORWARDED:
        context["first_promise"] = edge.calendar.working_day_from(edge.calendar.day_of(now))
    if question.status is Status.ANSWERED:
        context |= _draft(file)
    return context


def _due_state(file: File, now: datetime) -> str:
    running = file.running()
    if running is None:
        return ""
    clock = running.clock
    if clock.due_at <= now:
        return "bad"
    return "warn" if clock.warn_at and clock.warn_at <= now else ""


async def _sorting(
    edge: Edge[Policy], file: File, by: Actor, now: datetime, published: list[dict[str, Any]]
) -> dict[str, Any]:
    """For triage: suggestions, the load of each unit, and the due date if it were forwarded now."""
    question, letter = file.question, file.letter
    others = await alike.others(edge.database, str(question.id), by)
    field, why = suggested_field(f"{letter.subject} {letter.text}")
    if not field:
        field, why = alike.voted_field([*others, *published]), ["các câu gần giống"]
    units = await edge.directory.units()
    load = await lists.load_of_units(edge.database, by, now + SOON) if Role.TRIAGE in by.roles else {}
    options = [
        (id, _loaded(str(unit["name"]).replace("Bảo hiểm xã hội", "BHXH"), load.get(id)))
        for id, unit in units.items()
        if id != edge.policy.centre_unit
    ]
    due = unit_clock(question.received_at, "", at=now, calendar=edge.calendar, policy=edge.policy)
    notice = same_day_clock(question, at=now, calendar=edge.calendar, policy=edge.policy)
    return {
        "notice_due": notice, "notice_due_day": notice.due_at - ONE_INSTANT,
        "same_day_law": (SAME_DAY_SENTENCE, CITED[TRIAGE_BASIS]),
        "suggested_field": field, "suggested_by": why if field else [], "unit_options": options,
        "suggested_unit": suggested_unit(
            letter.province, units, field=field, text=f"{letter.subject} {letter.text}"
        ),
        "forward_due": due, "forward_due_day": due.due_at - ONE_INSTANT,
        "others": others,
        "status_name": lambda status: Status(status).vi,
    }  # fmt: skip


def _loaded(name: str, load: tuple[int, int] | None) -> str:
    if load is None:
        return name
    held, soon = load
    return f"{name} ({held} câu{f', {soon} sắp đến hạn' if soon else ''})"


async def _used(edge: Edge[Policy], use: str) -> str:
    """The words of a published answer, taken as a start."""
    try:
        return str((await answers.answer(edge.database, str(UUID(use))))["answer"]) if use else ""
    except (ValueError, NotFound):
        return ""


def _draft(file: File) -> dict[str, Any]:
    letter, answer = file.letter, file.answer
    draft = {
        "subject": suggest(letter.subject, letter.name),
        "question": suggest(letter.text, letter.name),
        "answer": suggest(answer, letter.name),
    }
    changes = {"question": diff(letter.text, draft["question"]), "answer": diff(answer, draft["answer"])}
    return {"draft": draft, "changes": changes}


def diff(old: str, new: str) -> Markup:
    """Word by word: what was taken out and what stands there instead."""
    before, after = TOKENS.findall(old), TOKENS.findall(new)
    parts: list[Markup] = []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(escape("".join(before[a:b])))
            continue
        parts.extend(_marked(TAKEN_OUT, before[a:b]))
        parts.extend(_marked(PUT_IN, after[c:d]))
    return Markup().join(parts)


def _marked(mark: Markup, tokens: Iterable[str]) -> list[Markup]:
    words = "".join(tokens)
    return [mark.format(words)] if words else []
