"""What a working page shows of one question: who may do what, its clocks, what was said of it, and a first
draft of what may be published."""

import difflib
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from markupsafe import Markup, escape

from services.qa import domain, views
from services.qa.desk.links import links, said
from services.qa.desk.sorting import consulting, sorting
from services.qa.desk.templates import offered, started
from services.qa.domain.fields import OPTIONS, field_name
from services.qa.domain.personal_data import suggest
from services.qa.files.attachments import attachments_of
from services.qa.queries import alike
from services.qa.queries.file import ONE_INSTANT, File
from services.qa.queries.history import DISCLOSURE_VI, FINDING_VI, SUSPICION_VI, staff_history
from services.qa.queries.read_models import short_name
from services.qa.queries.tracking import refusal_view
from services.qa.regulation import Duty, Policy, Status
from shared.calendar import VIETNAM, last_day
from shared.contracts.qa import NoticeAccepted, NoticeKind, QuestionSetAside
from shared.web.edge import Edge
from shared.web.vietnamese import vn_date, vn_day
from shared.workflow import Actor

NOBODY: Final = frozenset({"anonymous", "system"})
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
    known = {id for r in file.events for id in (r.by, getattr(r.event, "to", "")) if id} - NOBODY
    people = {id: await edge.directory.person_name(id) for id in known}
    disclosed = file.disclosed_to(by.subject, now)
    running = file.running()
    acts = domain.acts(question, by)
    context: dict[str, Any] = {
        "acts": acts, "running": running,
        "broken": [vn_date(each.last_instant) for each in file.broken_promises(now)],
        "due": due_words(running.clock.due_at, now) if running else "",
        "due_state": _due_state(file, now), "days": running.days(edge.calendars) if running else [],
        "asker": letter.name if disclosed else short_name(letter.name), "disclosed": disclosed,
        "disclosure_reasons": [(reason.value, text) for reason, text in DISCLOSURE_VI.items()],
        "findings": [(finding.value, text) for finding, text in FINDING_VI.items()],
        "suspicions": [(suspicion.value, text) for suspicion, text in SUSPICION_VI.items()],
        "refusal": refusal_view(file), "status_name": lambda status: Status(status).vi,
        "history": staff_history(file.events, names, {**names, **people}, letter.email),
        "field_name": field_name,
        "answered_by": people.get(question.answered_by, ""), "own_answer": question.answered_by == by.subject,
        "sent": _sent(file),
        "field_options": OPTIONS, "colleagues": await edge.directory.colleagues(by.unit),
        "assignee": await edge.directory.person_name(question.assignee) if question.assignee else "",
        "alike": await alike.published(
            edge.database, letter.subject, letter.text, besides=str(question.id)
        ),
        "attached": await attachments_of(edge, file),
        "links": await links(edge, file, by), "said": said(file, people, names),
    }  # fmt: skip
    context["templates"] = await offered(edge, by)
    context["start"] = await started(edge, by, file, use, names)
    context["returned_words"] = _returned(file)
    context["suspected"] = _suspected(file)
    if {"forward", "refuse"} & set(acts):
        context |= await sorting(edge, file, by, now, published=context["alike"])
    if "make_complex" in acts:
        context |= await consulting(edge, file, now)
    if "progress" in acts:
        context["first_promise"] = edge.calendar.working_day_from(edge.calendar.day_of(now))
    if "publish" in acts:
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


def _sent(file: File) -> NoticeAccepted | None:
    """The letter with the answer as it stands, once it was accepted."""
    correction = file.question.correction
    kind = NoticeKind.CORRECTION if correction else NoticeKind.ANSWER
    told = [r.event for r in file.events if isinstance(r.event, NoticeAccepted) and r.event.kind is kind]
    return next((each for each in reversed(told) if not correction or each.round == correction), None)


def _returned(file: File) -> str:
    """Why the unit gave it back, and what that asks of the centre today."""
    returned = file.question.returned
    if returned is None:
        return ""
    due = [file.question.clocks[name].due_at for name in file.question.of(Duty.SAME_DAY_NOTICE)]
    today = f" Phải báo người hỏi trong ngày {vn_date(last_day(due[0]))}." if due else ""
    return f"{FINDING_VI[returned.finding]}.{today}"


def _suspected(file: File) -> str:
    """What whoever set it aside suspects."""
    said = [r.event.suspicion.value for r in file.events if isinstance(r.event, QuestionSetAside)]
    return said[-1] if said else ""


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
