"""Trang tra cứu: a question opened with its code, and what its asker may do with it. No page of it is kept
in a cache."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.qa import bodies, views
from services.qa.asking import (
    NoSuchQuestion,
    asking,
    codes_of,
    forget,
    look_up,
    of_the_question,
    parts_of,
    private,
    remember,
    remembered,
)
from services.qa.asking.acts import ASKER_ACTS, AskerAct
from services.qa.domain import ASKER, follow_up_until, resubmit_until
from services.qa.files import NOT_SENT, limits_of, owning, read_form, store_of
from services.qa.files.attachments import attachments
from services.qa.files.tokens import shown_again, tokens_in
from services.qa.pages.errors import errors_of, said
from services.qa.queries import alike
from services.qa.queries.file import File
from services.qa.queries.read_models import QUESTIONS
from services.qa.queries.tracking import may, one_thread, refusal_view, tracked
from shared.contracts.qa import InformationAdded
from shared.errors import (
    IllegalTransition,
    NotFound,
    PortalError,
    PreconditionFailed,
    RuleBroken,
    TooManyRequests,
)
from shared.web.edge import ANONYMOUS, edge_of, form_desk, page, see_other

router = APIRouter(include_in_schema=False)

NOTHING_TYPED: Final = {"code": "", "email": ""}
ERASED: Final = "/track/erased"
STALE: Final = (
    IllegalTransition,
    RuleBroken,
    PreconditionFailed,
)  # what a page that is no longer true may ask


async def opened(request: Request) -> File | None:
    """The question that this browser has opened; none once its asker's data was erased."""
    id = remembered(request)
    file = await views.file_for(edge_of(request), id) if id else None
    return None if file is None or file.question.erased else file


@router.get("/track")
async def track(request: Request, done: Annotated[str, Query(max_length=40)] = "") -> Response:
    """The question that this browser has opened, or the form to open one."""
    file = await opened(request)
    if file is None:
        return await _form(request)
    return await _question(request, file, done=ASKER_ACTS[done].done if done in ASKER_ACTS else "")


@router.post("/track")
async def open_question(request: Request) -> Response:
    """A code and a second proof open a question in this browser for half an hour."""
    fields, _ = await form_desk(request, ANONYMOUS)
    typed = {name: str(fields.get(name, "")) for name in NOTHING_TYPED}
    try:
        body = bodies.Track.model_validate(typed)
        file = await look_up(asking(request), body.code, body.email)
    except ValidationError as error:
        return await _form(request, typed, errors_of(error), status=422)
    except (NoSuchQuestion, TooManyRequests) as error:
        return await _form(request, typed, {"code": said(error)}, status=error.status)
    response = see_other("/track")
    remember(request, response, file.question.id)
    return private(response)


@router.post("/track/close")
async def close(request: Request) -> Response:
    """For who uses somebody else's machine."""
    await form_desk(request, ANONYMOUS)
    response = see_other("/track")
    forget(request, response)
    return private(response)


@router.get("/track/slip")
async def slip(request: Request) -> Response:
    """Phiếu tiếp nhận, to print again."""
    return private(see_other("/ask/received" if remembered(request) else "/track"))


@router.get(ERASED)
async def erased(request: Request) -> Response:
    return private(await page(request, "track_erased.html", nav_current="track"))


@router.get("/track/{path}")
async def before(path: str, request: Request, part: UUID | None = None) -> Response:
    """What one is about to do, and what comes of it."""
    act, file = _act(path), await opened(request)
    if file is None:
        return private(see_other("/track"))
    meant = await of_the_question(edge_of(request), file, part)
    if act.act not in may(meant, edge_of(request).policy, datetime.now(UTC)):
        return private(see_other("/track"))
    return await _before(request, act, meant, part)


@router.post("/track/{path}")
async def do(path: str, request: Request) -> Response:
    act, file = _act(path), await opened(request)
    if file is None:
        return private(see_other("/track"))
    edge = edge_of(request)
    form = await read_form(request, asking(request), store_of(request))
    fields, desk = await form_desk(request, ASKER, file.question.id, form=form.fields)
    tokens = tokens_in(fields) if act.files else ()
    part = _part(fields.pop("part", ""), act)
    meant = await of_the_question(edge, file, part)
    try:
        form.check()
        body = act.body.model_validate(fields | ({"files": tokens} if act.files else {}))
        handler = owning(store_of(request), act.handler)
        question = await desk.run(handler, body.command(meant, codes_of(request)))
    except (ValidationError, *NOT_SENT) as error:
        return await _before(
            request, act, meant, part, typed=fields | {"files": tokens}, errors=errors_of(error)
        )
    except STALE as error:
        return await _question(request, file, refused=error)
    await edge.caught_up(QUESTIONS, question.id, desk.version(question))
    response = see_other("/ask/received" if act.begins else f"/track?done={act.path}")
    if act.act == "erase":
        response = see_other(ERASED)
        forget(request, response)
    elif act.begins:
        remember(request, response, question.id)
    return private(response)


def _act(path: str) -> AskerAct:
    if path not in ASKER_ACTS:
        raise NotFound("Không có trang hoặc địa chỉ này.")
    return ASKER_ACTS[path]


def _part(written: object, act: AskerAct) -> UUID | None:
    try:
        return UUID(str(written)) if written and act.of_parts else None
    except ValueError:
        raise NotFound("Câu hỏi không có phần này.") from None


async def _question(
    request: Request, file: File, *, done: str = "", refused: PortalError | None = None
) -> Response:
    """``done``, ``refused``: what became of what was just asked for."""
    edge, now = edge_of(request), datetime.now(UTC)
    names = await views.unit_names(edge.directory)
    of_parts = await parts_of(edge, file)
    attached = [each for one in (file, *of_parts) for each in attachments(one, edge.policy)]
    parts: list[dict[str, Any]] = [
        {"file": part, "told": tracked(part, names, edge.calendars, now), "refusal": refusal_view(part),
         "acts": may(part, edge.policy, now)}
        for part in of_parts
    ]  # fmt: skip
    told, numbers = tracked(file, names, edge.calendars, now), [each.question.number for each in of_parts]
    letter = file.letter
    near = await alike.published(edge.database, letter.subject, letter.text, besides=str(file.question.id))
    return private(
        await page(
            request, "track.html", status=refused.status if refused else 200, nav_current="track", file=file,
            told=told, history=one_thread(told, [part["told"] for part in parts], numbers),
            refusal=refusal_view(file), parts=parts,
            alike=near, acts=may(file, edge.policy, now), until=follow_up_until(file.question, edge.policy),
            again_until=resubmit_until(file.question, edge.calendar, edge.policy),
            attached=attached, added=_added(file), done=done, refused=said(refused) if refused else "",
            errors={}, typed=NOTHING_TYPED,
        )
    )  # fmt: skip


def _added(file: File) -> list[tuple[datetime, str]]:
    """What the asker wrote afterwards."""
    return [
        (recorded.at, file.words.get(recorded.event.words_ref, ""))
        for recorded in file.events
        if isinstance(recorded.event, InformationAdded)
    ]


async def _before(
    request: Request, act: AskerAct, file: File, part: UUID | None, *,
    typed: dict[str, Any] | None = None, errors: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    """Sent again in full: it starts from what was written the first time."""
    typed = typed or {}
    written = {"subject": file.letter.subject, "text": file.letter.text} if act.act == "resubmit" else {}
    return private(
        await page(
            request, "track_act.html", status=422 if errors else 200, nav_current="track", act=act, file=file,
            part=part or "", typed=written | typed, errors=errors or {}, limit=bodies.TEXT_LIMIT,
            until=follow_up_until(file.question, edge_of(request).policy), explanation=file.explanation,
            staged=shown_again(codes_of(request), typed.get("files", ())), file_limits=limits_of(request),
        )
    )  # fmt: skip


async def _form(
    request: Request, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None,
    *, status: int = 200,
) -> Response:  # fmt: skip
    return private(
        await page(
            request, "track_form.html", status=status, nav_current="track", errors=errors or {},
            typed=typed or NOTHING_TYPED,
        )
    )  # fmt: skip
