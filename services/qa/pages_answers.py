"""Hỏi – đáp đã đăng: the answers that anybody may read."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup

from services.qa import views
from services.qa.domain.fields import FIELDS, field_name
from services.qa.queries import alike, answers
from shared.web.edge import edge_of, page

router = APIRouter(include_in_schema=False)


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
