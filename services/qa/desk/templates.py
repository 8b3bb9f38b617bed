"""Mẫu trên bàn làm việc: which templates a form may start from, and what the chosen one fills in."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from services.qa.domain.settings import filled
from services.qa.queries import answers, settings
from services.qa.queries.file import File
from services.qa.regulation import Policy
from shared.errors import NotFound
from shared.web.edge import Edge
from shared.web.vietnamese import local, vn_date
from shared.workflow import Actor

# By use of the template: the form that it starts, and the form's field for its words.
FORMS: Final[Mapping[str, tuple[str, str]]] = {
    "answer": ("answer", "text"), "refusal": ("refusal", "explanation"), "progress": ("progress", "words"),
}  # fmt: skip


async def offered(edge: Edge[Policy], by: Actor) -> dict[str, list[tuple[str, str]]]:
    """By form: id and title of each template that this person may use."""
    found: dict[str, list[tuple[str, str]]] = {form: [] for form, _ in FORMS.values()}
    for row in await settings.templates(edge.database, by.unit):
        found[FORMS[row["use"]][0]].append((row["_id"], row["title"]))
    return found


async def started(
    edge: Edge[Policy], by: Actor, file: File, use: str, names: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """What ``use`` fills in, by form: a template, or the words of a published answer."""
    try:
        id = str(UUID(use)) if use else ""
    except ValueError:
        id = ""
    if not id:
        return {}
    row = await settings.template(edge.database, id, by.unit)
    if row is not None:
        form, words = FORMS[row["use"]]
        text = filled(row["text"], facts_of(file, names))
        more = {name: row.get(name) or "" for name in ("ground", "referral", "agency")}
        return {form: {words: text} | (more if form == "refusal" else {})}
    try:
        return {"answer": {"text": str((await answers.answer(edge.database, id))["answer"])}}
    except NotFound:
        return {}


def facts_of(file: File, names: Mapping[str, str]) -> dict[str, str]:
    question, running = file.question, file.running()
    return {
        "so": question.number, "viec": file.letter.subject,
        "don_vi": names.get(question.unit, ""),
        "ngay_nhan": vn_date(local(question.received_at).date()),
        "han": vn_date(local(running.last_instant).date()) if running else "",
    }  # fmt: skip
