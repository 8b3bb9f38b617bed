"""Trang tra cứu, and the answers that anybody may read."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from pydantic import ValidationError

from services.qa import bodies, views
from services.qa.asking import NoSuchQuestion, asking, forget, look_up, remember, remembered
from services.qa.domain.fields import FIELDS, field_name
from services.qa.form_errors import errors_of
from services.qa.queries import alike, answers
from services.qa.queries.tracking import refusal_view, tracked
from shared.errors import TooManyRequests
from shared.web.edge import ANONYMOUS, edge_of, form_desk, page, see_other

router = APIRouter(include_in_schema=False)


@router.get("/track")
async def track(request: Request) -> Response:
    """The question that this browser has opened, or the form to open one."""
    id = remembered(request)
    if id is None:
        return await _form(request)
    edge = edge_of(request)
    file = await views.file_for(edge, id)
    told = tracked(file, await views.unit_names(edge.directory), edge.calendars, datetime.now(UTC))
    near = await alike.published(edge.database, file.letter.subject, file.letter.text, besides=str(id))
    response = await page(
        request, "track.html", nav_current="track", file=file, told=told, refusal=refusal_view(file),
        alike=near, errors={}, typed={"code": "", "email": ""},
    )  # fmt: skip
    response.headers["Cache-Control"] = "no-store"
    return response


@router.post("/track")
async def open_question(request: Request) -> Response:
    """A code and a second proof open a question in this browser for half an hour."""
    fields, _ = await form_desk(request, ANONYMOUS)
    typed = {name: str(fields.get(name, "")) for name in ("code", "email")}
    try:
        body = bodies.Track.model_validate(typed)
        file = await look_up(asking(request), body.code, body.email)
    except ValidationError as error:
        return await _form(request, typed, errors_of(error), status=422)
    except (NoSuchQuestion, TooManyRequests) as error:
        return await _form(request, typed, {"code": error.detail}, status=error.status)
    response = see_other("/track")
    remember(request, response, file.question.id)
    return response


@router.post("/track/close")
async def close(request: Request) -> Response:
    """For who uses somebody else's machine."""
    await form_desk(request, ANONYMOUS)
    response = see_other("/track")
    forget(request, response)
    return response


@router.get("/track/slip")
async def slip(request: Request) -> Response:
    """Phiếu tiếp nhận, to print again."""
    return see_other("/ask/received" if remembered(request) else "/track")


@router.get("/answers")
async def published(
    *,
    request: Request,
    q: Annotated[str, Query(max_length=300)] = "",
    field: Annotated[str, Query(max_length=40)] = "",
    unit: Annotated[str, Query(max_length=40)] = "",
    year: Annotated[str, Query(pattern=r"^(2\d{3})?$")] = "",
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    edge = edge_of(request)
    asked = answers.Asked(q, field, unit, int(year) if year else None)
    found = await answers.answers(edge.database, asked, cursor=cursor)
    counts = await answers.facets(edge.database, asked)
    names = await views.unit_names(edge.directory)
    fields = [*FIELDS, *sorted(set(counts["field"]) - {*FIELDS, "", None})]
    units = sorted(set(counts["unit"]) - {"", None}, key=lambda id: names.get(id, id))
    years = sorted(set(counts["year"]) - {None}, reverse=True)
    return await page(
        request, "answers.html", nav_current="answers", found=found, asked=q, first=not cursor,
        field=field, unit=unit, year=year, field_name=field_name, unit_names=names,
        facets=[(id, field_name(id), counts["field"][id]) for id in fields if counts["field"].get(id)],
        units=[(id, names.get(id, id), counts["unit"][id]) for id in units],
        years=[(str(each), str(each), counts["year"][each]) for each in years],
    )  # fmt: skip


@router.get("/answers/{question_id}")
async def one(question_id: UUID, request: Request) -> Response:
    database = edge_of(request).database
    row = await answers.answer(database, str(question_id))
    near = await alike.published(database, row["subject"], row["question"], besides=str(question_id))
    url = f"{request.app.state.service.settings.qa_url}/answers/{question_id}"
    return await page(
        request, "answer.html", nav_current="answers", row=row, alike=near,
        field_vi=field_name(row["field"]),
        json_ld=_qa_page(row, url), url=url,
    )  # fmt: skip


def _qa_page(row: dict[str, Any], url: str) -> Markup:
    """schema.org QAPage. It stands in the page as data: no browser runs it, and nothing in it can end it."""
    publisher = {"@type": "GovernmentOrganization", "name": "Bảo hiểm xã hội Việt Nam"}
    content = {
        "@context": "https://schema.org", "@type": "QAPage", "url": url,
        "mainEntity": {
            "@type": "Question", "name": row["subject"], "text": row["question"], "answerCount": 1,
            "acceptedAnswer": {"@type": "Answer", "text": row["answer"], "url": url, "author": publisher,
                               "datePublished": row["published_at"].isoformat()},
        },
    }  # fmt: skip
    body = json.dumps(content, ensure_ascii=False)
    for letter in "<>&":
        body = body.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(body)  # noqa: S704 (every character that HTML could read was escaped above)


async def _form(
    request: Request, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None,
    *, status: int = 200,
) -> Response:  # fmt: skip
    return await page(
        request, "track_form.html", status=status, nav_current="track", errors=errors or {},
        typed=typed or {"code": "", "email": ""},
    )  # fmt: skip
