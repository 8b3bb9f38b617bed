"""Nhiều câu một lần: the acts that may be done to several questions at once, what each would come to, and
what became of each. Every question is a command of its own, with its own once key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.qa import domain
from services.qa.bodies import CommandBody, Forward
from services.qa.desk.acts import ACTS, FormAct
from services.qa.desk.asked import Visit
from services.qa.desk.sorting import forward_due, notice_due
from services.qa.desk.stale import forgiving
from services.qa.domain.fields import OTHER, suggested_field
from services.qa.queries.file import ONE_INSTANT, File
from shared.desk import Desk, fingerprint
from shared.errors import PortalError
from shared.web.vietnamese import vn_full_day

BULK: Final = ("forwarding", "refusal", "setting-aside")
MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One of the questions: what will be, or was, done; or why not."""

    id: str
    number: str
    subject: str
    words: str
    version: int = 0
    done: bool = False
    hinders: str = ""
    field: str = ""
    errors: Sequence[Mapping[str, Any]] = ()


async def preview(visit: Visit, act: FormAct, ids: Sequence[str], now: datetime) -> list[Line]:
    lines = []
    for id in ids[:MOST]:
        file = await visit.file(UUID(id))
        try:
            domain.permit(file.question, act.step, visit.by)
            hinders = ""
        except PortalError as error:
            hinders = error.detail or error.title_vi
        lines.append(
            Line(
                id, file.question.number, file.letter.subject, _will(visit, act, file, now), file.version,
                hinders=hinders, field=_field(file),
            )
        )  # fmt: skip
    return lines


def _field(file: File) -> str:
    return file.question.field or suggested_field(f"{file.letter.subject} {file.letter.text}")[0] or OTHER


def _will(visit: Visit, act: FormAct, file: File, now: datetime) -> str:
    """What the act comes to for this question, if it were done now."""
    match act.path:
        case "forwarding":
            due = forward_due(visit.edge, file, now)
            return f"Hạn trả lời: {vn_full_day(due.due_at - ONE_INSTANT)}." if due else ""
        case "refusal":
            due = notice_due(visit.edge, file, now)
            return f"Thư gửi ngay; phải báo trong {vn_full_day(due.due_at - ONE_INSTANT)}."
        case _:
            return "Chờ người thứ hai xem; hạn vẫn chạy."


@dataclass(frozen=True, slots=True)
class Batch:
    """What the form asks for: the act, its body, and each question with the version that was seen.
    ``own_fields``: each question is forwarded under the field that is suggested for it."""

    act: FormAct
    body: CommandBody
    questions: Sequence[tuple[str, int]]
    own_fields: bool = False


async def do(visit: Visit, batch: Batch, desk: Desk[Any]) -> list[Line]:
    """One after another. ``desk`` carries the form's once key; sent again, each question answers as it
    did."""
    lines = []
    for id, version in batch.questions:
        file = await visit.file(UUID(id))
        facts = Line(id, file.question.number, file.letter.subject, batch.act.done)
        own = visit.edge.desk(
            visit.by, once=f"{desk.once}:{id}", correlation=desk.correlation, expected=version,
            fingerprint=fingerprint(desk.fingerprint, id),
        )  # fmt: skip
        try:
            body = batch.body
            if isinstance(body, Forward) and batch.own_fields:
                body = body.model_copy(update={"field": _field(file)})
            own = await forgiving(own, UUID(id), free=False)
            await own.run(batch.act.handler, body.command(UUID(id)))
        except PortalError as error:
            words = error.detail or error.title_vi
            lines.append(Line(id, facts.number, facts.subject, words, errors=error.extra.get("errors", ())))
        else:
            written = max(own.written.values())
            lines.append(Line(id, facts.number, facts.subject, facts.words, written, done=True))
    return lines


def known(path: str) -> FormAct | None:
    return ACTS[path] if path in BULK else None
