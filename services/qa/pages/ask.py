"""Trang gửi câu hỏi: the matter, what is answered already and the words, where to answer, a check, the
receipt. Between the steps everything travels in the form, so nothing is kept of who stops half-way."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from services.qa import bodies, handlers, views
from services.qa.asking import asking, codes_of, private, remember, remembered
from services.qa.files import NOT_SENT, limits_of, owning, read_form, store_of
from services.qa.files.attachments import attachments
from services.qa.files.tokens import shown_again, tokens_in
from services.qa.pages.errors import errors_of
from services.qa.queries import alike
from services.qa.queries.read_models import QUESTIONS
from services.qa.queries.tracking import tracked
from services.qa.regulation import TRIAGE_LIMIT_DAYS, UNIT_REPLY_DAYS
from services.qa.rush import unhurried
from services.qa.views import asker as views_asker
from shared.errors import TooManyRequests
from shared.web.edge import ANONYMOUS, edge_of, form_desk, page, see_other
from shared.web.forms import Body, Line
from shared.web.spoken import OWN_NAMES, language

router = APIRouter(include_in_schema=False)

FIELDS: Final = ("name", "email", "phone", "province", "subject", "text", "language")
OF_WORDS: Final = frozenset({"subject", "text", "files"})
PROVINCES: Final = (
    "An Giang", "Bắc Ninh", "Cà Mau", "Cao Bằng", "Cần Thơ", "Đà Nẵng", "Đắk Lắk", "Điện Biên", "Đồng Nai",
    "Đồng Tháp", "Gia Lai", "Hà Nội", "Hà Tĩnh", "Hải Phòng", "Huế", "Hưng Yên", "Khánh Hòa", "Lai Châu",
    "Lạng Sơn", "Lào Cai", "Lâm Đồng", "Nghệ An", "Ninh Bình", "Phú Thọ", "Quảng Ngãi", "Quảng Ninh",
    "Quảng Trị", "Sơn La", "Tây Ninh", "Thái Nguyên", "Thanh Hóa", "Thành phố Hồ Chí Minh", "Tuyên Quang",
    "Vĩnh Long",
)  # fmt: skip


class Matter(Body):
    """The first step asks for one thing."""

    subject: Line


class Words(Matter):
    """The second for the words, beside which files are chosen."""

    text: bodies.Asked


@router.get("/")
async def home() -> Response:
    return see_other("/ask")


@router.get("/ask")
async def start(request: Request) -> Response:
    return await _page(request, "ask_subject.html", {})


@router.post("/ask")
async def step(request: Request) -> Response:
    """One address for every step; the button says which."""
    form = await read_form(request, asking(request), store_of(request))
    fields, desk = await form_desk(request, ANONYMOUS, form=form.fields)
    step = str(fields.pop("step", "subject"))
    typed = {name: str(fields.get(name, "")) for name in FIELDS}
    typed["language"] = typed["language"] or language()
    tokens, agreed = tokens_in(fields), fields.get("consent") == "1"
    if step == "subject":
        try:
            Matter(subject=typed["subject"])
        except ValidationError as error:
            return await _page(request, "ask_subject.html", typed, errors_of(error), status=422, files=tokens)
    if step in ("subject", "edit"):
        return await _words(request, typed, agreed=agreed, files=tokens)
    try:
        form.check()
        if step == "words":
            Words(subject=typed["subject"], text=typed["text"])
        if step in ("words", "contact"):
            return await _contact(request, typed, agreed=agreed, files=tokens)
        body = bodies.Ask.model_validate({**typed, "consent": agreed, "files": tokens})
        command = body.command(codes_of(request))
        if step == "check":
            return await _page(request, "ask_check.html", body.model_dump(), files=tokens)
        unhurried(request)
        question = await desk.run(owning(store_of(request), handlers.receive_question), command)
    except (ValidationError, TooManyRequests, *NOT_SENT) as error:
        errors = errors_of(error)
        of_words = {name: told for name, told in errors.items() if name in OF_WORDS}
        again = _words if of_words else _contact
        return await again(request, typed, of_words or errors, agreed=agreed, files=tokens)
    await edge_of(request).caught_up(QUESTIONS, question.id, desk.version(question))
    response = see_other("/ask/received")
    remember(request, response, question.id)
    return response


@router.get("/ask/received")
async def received(request: Request) -> Response:
    """The receipt: number, tracking code, due date, and a slip to print."""
    id = remembered(request)
    if id is None:
        return see_other("/ask")
    edge = edge_of(request)
    file = await views.file_for(edge, id)
    told = tracked(file, await views.unit_names(edge.directory), edge.calendars, datetime.now(UTC))
    shown = await page(
        request, "ask_received.html", nav_current="ask", file=file, told=told,
        receipt=views_asker.receipt(file.question, file.version, edge, codes_of(request)),
        sent_files=[("", each.name, each.file.size) for each in attachments(file, edge.policy)],
    )  # fmt: skip
    return private(shown)


async def _words(
    request: Request, typed: dict[str, str], errors: dict[str, str] | None = None, *, agreed: bool,
    files: Sequence[str],
) -> Response:  # fmt: skip
    near = await alike.published(edge_of(request).database, typed["subject"])
    return await _page(
        request, "ask_words.html", typed, errors, status=422 if errors else 200, files=files, alike=near,
        agreed=agreed, limit=bodies.TEXT_LIMIT,
    )  # fmt: skip


async def _contact(
    request: Request, typed: dict[str, str], errors: dict[str, str] | None = None, *, agreed: bool,
    files: Sequence[str],
) -> Response:  # fmt: skip
    return await _page(
        request, "ask_contact.html", typed, errors, status=422 if errors else 200, files=files,
        agreed=agreed, provinces=[(name, name) for name in PROVINCES],
        letter_languages=list(OWN_NAMES.items()),
    )  # fmt: skip


async def _page(
    request: Request, template: str, typed: dict[str, Any], errors: dict[str, str] | None = None,
    *, status: int = 200, files: Sequence[str] = (), **context: Any,
) -> Response:  # fmt: skip
    """``files``: the tokens that travel with the form."""
    shown = {name: str(typed.get(name, "")) for name in FIELDS}
    shown["language"] = shown["language"] or language()
    shown_page = await page(
        request, template, status=status, nav_current="ask", typed=shown, errors=errors or {},
        staged=shown_again(codes_of(request), files), file_limits=limits_of(request),
        triage_days=TRIAGE_LIMIT_DAYS, unit_days=UNIT_REPLY_DAYS, **context,
    )  # fmt: skip
    return private(shown_page) if request.method == "POST" else shown_page
