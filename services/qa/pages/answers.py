"""Hỏi – đáp đã đăng: the answers that anybody may read, search, follow in a feed, and let machines find."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID
from xml.sax.saxutils import escape as xml

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from feedgen.feed import FeedGenerator
from markupsafe import Markup

from services.qa import views
from services.qa.asking import settings_of
from services.qa.domain.fields import FIELDS, field_name
from services.qa.queries import alike, answers
from shared.web.edge import edge_of, page

router = APIRouter(include_in_schema=False)

PORTAL: Final = "Bảo hiểm xã hội Việt Nam"
IN_FEED: Final = 30
FieldAsked = Annotated[str, Query(max_length=40)]


def address(request: Request, id: str = "") -> str:
    """Of one answer, or of all."""
    return f"{settings_of(request).qa_url}/answers{f'/{id}' if id else ''}"


@router.get("/answers")
async def published(
    *,
    request: Request,
    q: Annotated[str, Query(max_length=300)] = "",
    field: FieldAsked = "",
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
        field=field, unit=unit, year=year, field_name=field_name, unit_names=names, url=address(request),
        facets=[(id, field_name(id), counts["field"][id]) for id in fields if counts["field"].get(id)],
        units=[(id, names.get(id, id), counts["unit"][id]) for id in units],
        years=[(str(each), str(each), counts["year"][each]) for each in years],
    )  # fmt: skip


@router.get("/answers/feed.atom")
async def atom(request: Request, field: FieldAsked = "") -> Response:
    """The newest answers, whole, of one field or of all."""
    feed = await _feed(request, "feed.atom", field)
    return _fed(request, feed.atom_str(pretty=True), "application/atom+xml")


@router.get("/answers/feed.rss")
async def rss(request: Request, field: FieldAsked = "") -> Response:
    feed = await _feed(request, "feed.rss", field)
    return _fed(request, feed.rss_str(pretty=True), "application/rss+xml")


@router.get("/sitemap.xml")
async def sitemap(request: Request) -> Response:
    """The public pages and the newest answers, as many as one map may hold."""
    base = xml(settings_of(request).qa_url)
    places = [f"<url><loc>{base}{path}</loc></url>" for path in ("/answers", "/ask", "/track")]
    for row in await answers.addresses(edge_of(request).database):
        where, day = xml(address(request, row["_id"])), row["published_at"].date().isoformat()
        places.append(f"<url><loc>{where}</loc><lastmod>{day}</lastmod></url>")
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(places)}</urlset>'
    )
    return Response(body, media_type="application/xml")


@router.get("/answers/{question_id}")
async def one(question_id: UUID, request: Request) -> Response:
    edge = edge_of(request)
    row = await answers.answer(edge.database, str(question_id))
    near = await alike.published(edge.database, row["subject"], row["question"], besides=str(question_id))
    unit_name = (await views.unit_names(edge.directory)).get(row.get("unit", ""), "")
    url = address(request, str(question_id))
    return await page(
        request, "answer.html", nav_current="answers", row=row, alike=near, unit_name=unit_name,
        field_vi=field_name(row["field"]), json_ld=_qa_page(row, unit_name, url), url=url,
    )  # fmt: skip


def _qa_page(row: Mapping[str, Any], unit_name: str, url: str) -> Markup:
    """schema.org QAPage. It stands in the page as data: no browser runs it, and nothing in it can end it."""
    publisher = {"@type": "GovernmentOrganization", "name": PORTAL}
    author = {"@type": "GovernmentOrganization", "name": unit_name, "parentOrganization": publisher}
    changed = "dateModified" if row.get("correction") else "datePublished"
    content = {
        "@context": "https://schema.org", "@type": "QAPage", "url": url, "inLanguage": "vi",
        "publisher": publisher,
        "mainEntity": {
            "@type": "Question", "name": row["subject"], "text": row["question"], "answerCount": 1,
            "acceptedAnswer": {"@type": "Answer", "text": row["answer"], "url": url,
                               "author": author if unit_name else publisher,
                               changed: row["published_at"].isoformat()},
        },
    }  # fmt: skip
    body = json.dumps(content, ensure_ascii=False)
    for letter in "<>&":
        body = body.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(body)  # noqa: S704 (every character that HTML could read was escaped above)


async def _feed(request: Request, name: str, field: str) -> FeedGenerator:
    edge = edge_of(request)
    found = await answers.answers(edge.database, answers.Asked(field=field), limit=IN_FEED)
    names = await views.unit_names(edge.directory)
    feed = FeedGenerator()
    feed.id(f"{address(request)}/{name}")
    feed.title(f"{PORTAL}: hỏi – đáp mới đăng" + (f", {field_name(field)}" if field else ""))
    feed.subtitle("Câu hỏi của người dân đã được trả lời, thông tin cá nhân đã được bỏ.")
    feed.link(href=f"{address(request)}/{name}", rel="self")
    feed.link(href=address(request), rel="alternate")
    feed.language("vi")
    feed.author(name=PORTAL)
    feed.updated(found.rows[0]["published_at"] if found.rows else datetime(2021, 1, 1, tzinfo=UTC))
    for row in found.rows:
        entry = feed.add_entry(order="append")
        entry.id(f"urn:uuid:{row['_id']}")
        entry.guid(f"urn:uuid:{row['_id']}", permalink=False)
        entry.title(f"[Đính chính] {row['subject']}" if row.get("correction") else row["subject"])
        entry.link(href=address(request, row["_id"]))
        entry.published(row["published_at"])
        entry.updated(row["published_at"])
        entry.author(name=names.get(row.get("unit", ""), PORTAL))
        if row["field"]:
            entry.category(term=row["field"], label=field_name(row["field"]))
        entry.summary(row["question"])
        entry.content(row["answer"], type="text")
    return feed


def _fed(request: Request, body: bytes, kind: str) -> Response:
    """Unchanged since the reader's last visit, nothing is sent again."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=60"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=kind)
