"""What the public reads: home, list and search, the article, the feed and the site map."""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID
from xml.sax.saxutils import escape as xml

from fastapi import APIRouter, Query, Request, Response
from feedgen.feed import FeedGenerator

from services.content import texts
from services.content.queries import articles as queries
from services.content.regulation import LIMITS
from services.content.views import address
from shared.contracts.content import ContentClass
from shared.errors import NotFound
from shared.web.edge import edge_of, page

router: Final = APIRouter(include_in_schema=False)

PORTAL: Final = "Cổng Thông tin điện tử Bảo hiểm xã hội Việt Nam"
CLASS_NAMES: Final = {kind.value: limit.name for kind, limit in LIMITS.items()}
IN_FEED: Final = 30
PER_PAGE: Final = 10


async def _with_units(request: Request, rows: list[dict[str, Any]], q: str = "") -> list[dict[str, Any]]:
    directory = edge_of(request).directory
    return [
        {
            **row,
            "unit_name": await directory.unit_name(row["unit"]),
            "class_name": CLASS_NAMES[row["content_class"]],
            "title_marked": texts.marked(row["title"], q),
            "summary_marked": texts.marked(row["summary"], q),
        }
        for row in rows
    ]


@router.get("/")
async def home(request: Request) -> Response:
    database = edge_of(request).database
    newest = await queries.articles(database, queries.Wanted(), limit=5)
    by_class = await queries.newest_by_class(database, 4)
    shown = [(kind, CLASS_NAMES[kind], rows) for kind, rows in by_class.items() if rows]
    return await page(
        request, "home.html", nav_current="home", newest=await _with_units(request, newest.items),
        by_class=shown,
    )  # fmt: skip


def _link(wanted: queries.Wanted, **changes: Any) -> str:
    chosen = {"q": wanted.q, "content_class": wanted.content_class or "", "unit": wanted.unit} | changes
    query = urlencode({name: value for name, value in chosen.items() if value})
    return f"/articles?{query}" if query else "/articles"


@router.get("/articles")
@router.get("/search")
async def articles(
    request: Request,
    q: Annotated[str, Query(max_length=300)] = "",
    content_class: str = "",
    unit: Annotated[str, Query(max_length=100)] = "",
    cursor: Annotated[str, Query(max_length=300)] = "",
) -> Response:
    edge = edge_of(request)
    kind = ContentClass(content_class) if content_class in CLASS_NAMES else None
    wanted = queries.Wanted(q.strip(), kind, unit)
    found = await queries.articles(edge.database, wanted, cursor=cursor, limit=PER_PAGE)
    counts = await queries.facets(edge.database, wanted)
    by_class, by_unit = counts["content_class"], counts["unit"]
    classes = [
        (name, _link(wanted, content_class=key), by_class[key], key == kind)
        for key, name in CLASS_NAMES.items()
        if key in by_class
    ]
    units = [
        (await edge.directory.unit_name(key), _link(wanted, unit=key), count, key == unit)
        for key, count in by_unit.items()
    ]
    total = sum(n for key, n in by_class.items() if kind is None or key == kind)
    return await page(
        request, "articles.html", nav_current="articles", q=wanted.q, total=total,
        rows=await _with_units(request, found.items, wanted.q),
        every_class=_link(wanted, content_class=""), every_unit=_link(wanted, unit=""),
        classes=classes, units=units, kind=kind, unit=unit, class_names=CLASS_NAMES,
        first=_link(wanted) if cursor else None,
        next=_link(wanted, cursor=found.next) if found.next else None,
    )  # fmt: skip


@router.get("/articles/{id}")
async def article(request: Request, id: str) -> Response:
    edge = edge_of(request)
    row = await queries.article(edge.database, _uuid(id))
    if row and "withdrawn_at" in row:
        return await page(request, "gone.html", status=410, nav_current="articles", row=row)
    if row is None or not row["shown"]:
        raise NotFound("Không có bài đã đăng mang mã này.")
    [told] = await _with_units(request, [row])
    html, headings = texts.outline(row["html"])
    related = await queries.articles(
        edge.database, queries.Wanted(content_class=ContentClass(row["content_class"])), limit=6
    )
    url = address(request, row["_id"])
    return await page(
        request, "article.html", nav_current="articles", row=told, html=html, headings=headings, url=url,
        related=[other for other in related.items if other["_id"] != row["_id"]][:5],
        linked_data=_linked_data(told, url),
    )  # fmt: skip


def _uuid(id: str) -> UUID:
    try:
        return UUID(id)
    except ValueError as error:
        raise NotFound("Không có bài đã đăng mang mã này.") from error


def _linked_data(row: dict[str, Any], url: str) -> dict[str, Any]:
    """schema.org, for search engines."""
    data: dict[str, Any] = {
        "@context": "https://schema.org", "@type": "NewsArticle", "headline": row["title"],
        "description": row["summary"], "inLanguage": "vi", "url": url, "mainEntityOfPage": url,
        "datePublished": row["published_at"].isoformat(), "articleSection": row["class_name"],
        "publisher": {"@type": "GovernmentOrganization", "name": "Bảo hiểm xã hội Việt Nam"},
        "sourceOrganization": {"@type": "GovernmentOrganization", "name": row["unit_name"]},
    }  # fmt: skip
    if row["author_name"]:
        data["author"] = {"@type": "Person", "name": row["author_name"]}
    return data


@router.get("/feed.atom")
async def feed(request: Request) -> Response:
    """The newest articles, whole; unchanged since the reader's last visit, nothing is sent again."""
    base = address(request, "").removesuffix("/articles/")
    rows = await _with_units(request, await queries.newest(edge_of(request).database, IN_FEED))
    atom = FeedGenerator()
    atom.id(f"{base}/feed.atom")
    atom.title(f"{PORTAL}: tin bài mới")
    atom.link(href=f"{base}/feed.atom", rel="self")
    atom.link(href=f"{base}/", rel="alternate")
    atom.language("vi")
    atom.author(name="Bảo hiểm xã hội Việt Nam")
    atom.updated(rows[0]["published_at"] if rows else datetime(2021, 1, 1, tzinfo=UTC))
    for row in rows:
        entry = atom.add_entry(order="append")
        entry.id(f"urn:uuid:{row['_id']}")
        entry.title(row["title"])
        entry.link(href=address(request, row["_id"]))
        entry.published(row["published_at"])
        entry.updated(row["published_at"])
        entry.author(name=row["author_name"] or row["unit_name"])
        entry.category(term=row["content_class"], label=row["class_name"])
        entry.summary(row["summary"] or row["title"])
        entry.content(row["html"], type="html")
    body: bytes = atom.atom_str(pretty=True)
    tag = f'"{hashlib.sha256(body).hexdigest()[:24]}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=60"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/atom+xml")


@router.get("/sitemap.xml")
async def sitemap(request: Request) -> Response:
    base = address(request, "").removesuffix("/articles/")
    places = [f"<url><loc>{xml(base)}{path}</loc></url>" for path in ("/", "/articles")]
    for row in await queries.addresses(edge_of(request).database):
        where, when = xml(address(request, row["_id"])), row["published_at"].date().isoformat()
        places.append(f"<url><loc>{where}</loc><lastmod>{when}</lastmod></url>")
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{"".join(places)}</urlset>'
    )
    return Response(body, media_type="application/xml")
