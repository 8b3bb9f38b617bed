"""Words with markup: cleaned before they are kept, read as plain text for search, compared for the editor."""

import html as entities
import re
from typing import Any, Final

import nh3
from lxml.html import fragment_fromstring, fragments_fromstring, tostring
from lxml.html.diff import htmldiff
from markupsafe import Markup, escape

from services.content.domain.body import Body, fold
from shared.errors import InvalidInput

TAGS: Final = {
    "p", "br", "hr", "h2", "h3", "h4", "ul", "ol", "li", "dl", "dt", "dd", "blockquote", "a", "strong", "b",
    "em", "i", "u", "s", "sub", "sup", "code", "pre", "table", "caption", "thead", "tbody", "tfoot", "tr",
    "th", "td", "img", "figure", "figcaption",
}  # fmt: skip
ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "th": {"colspan", "rowspan", "scope"},
    "td": {"colspan", "rowspan"},
    "ol": {"start"},
}
SCHEMES: Final = {"https", "http", "mailto", "tel"}
FIRST_HEADING: Final = re.compile(r"(</?)h1\b", re.IGNORECASE)
TAG: Final = re.compile(r"<[^>]+>")
MARKED_UP: Final = re.compile(
    r"</(?:p|h[1-6]|ul|ol|li|div|table|blockquote|strong|em|a)>|<(?:br|img)\b|^\s*<[a-zA-Z!]"
)
BLOCK: Final = re.compile(r"</(?:p|li|h[2-4]|td|th|tr|blockquote|dd|dt|caption|figcaption)>|<br\s*/?>")
BLANK_LINE: Final = re.compile(r"\n\s*\n")
SECOND_HEADING: Final = re.compile(r"<h2>(.*?)</h2>", re.DOTALL)
WORD: Final = re.compile(r"(\w+)")
BULLET: Final = re.compile(r"[-*•]\s+")


class TextEmpty(InvalidInput):
    """Nothing is left once what is not allowed is taken out."""

    code = "text_empty"
    title_vi, title_en = "Bài chưa có nội dung", "The text is empty"


class ImageAltMissing(InvalidInput):
    """An image says in words what it shows, for those who cannot see it."""

    code = "image_alt_missing"
    title_vi, title_en = "Hình ảnh thiếu mô tả", "An image lacks its description"


def clean(html: str) -> str:
    """Allowed markup alone: structure, tables, links and described images; no style, no script. The page's
    own title is the only first heading."""
    found = nh3.clean(
        FIRST_HEADING.sub(r"\1h2", html), tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES,
        strip_comments=True,
    ).strip()  # fmt: skip
    if not plain(found):
        raise TextEmpty(
            "Bài chưa có nội dung sau khi bỏ phần không được phép.",
            errors=[{"field": "html", "message": "Bài chưa có nội dung."}],
        )
    for part in fragments_fromstring(found):
        if isinstance(part, str):
            continue
        for image in part.iter("img"):
            if not (image.get("alt") or "").strip():
                raise ImageAltMissing(
                    "Mỗi hình ảnh phải có mô tả bằng lời (thuộc tính alt).",
                    errors=[{"field": "html", "message": "Có hình ảnh thiếu mô tả (alt)."}],
                )
    return found


def markup_of(text: str) -> str:
    """Text as it is typed or pasted: HTML as it is; plain text with blank lines between paragraphs, «## »
    before a heading and «- » before each point of a list becomes HTML."""
    if MARKED_UP.search(text):
        return text
    blocks: list[str] = []
    for block in BLANK_LINE.split(text.replace("\r\n", "\n").strip()):
        lines = [line.strip() for line in block.split("\n") if line.strip()]
        points = [BULLET.match(line) for line in lines]
        if lines and all(points):
            items = "".join(f"<li>{escape(BULLET.sub('', line, count=1))}</li>" for line in lines)
            blocks.append(f"<ul>{items}</ul>")
        elif len(lines) == 1 and lines[0].startswith("## "):
            blocks.append(f"<h2>{escape(lines[0][3:])}</h2>")
        elif lines:
            blocks.append("<p>" + "<br>".join(str(escape(line)) for line in lines) + "</p>")
    return "\n".join(blocks)


def cleaned(body: Body) -> Body:
    facts: dict[str, Any] = body.content | {"html": clean(markup_of(body.html))}
    return Body.of(facts)


def cleaned_or_blank(text: str) -> str:
    """For a comparison: what could not be kept compares as nothing."""
    try:
        return clean(markup_of(text))
    except InvalidInput:
        return ""


def plain(html: str) -> str:
    """The words alone, a line a block."""
    text = entities.unescape(TAG.sub(" ", BLOCK.sub("\n", html)))
    return "\n".join(line for line in (" ".join(raw.split()) for raw in text.split("\n")) if line)


def shown(html: str) -> Markup:
    """What was cleaned when it was written, as a page shows it."""
    return Markup(html)  # noqa: S704 (only what `clean` let through is ever kept)


def difference(before: str, after: str) -> Markup:
    """Both texts in one, with what was taken out and what was put in marked."""
    compared = fragment_fromstring(htmldiff(before, after), create_parent="div")
    for change in list(compared.iter("ins", "del")):
        parent = change.getparent()
        # A change of whole points stands between them, where a list may hold points alone.
        if parent is not None and parent.tag in ("ul", "ol"):
            point = parent.makeelement("li")
            parent.replace(change, point)
            point.append(change)
    marked = nh3.clean(
        tostring(compared, encoding="unicode"),
        tags=TAGS | {"ins", "del"},
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
    )
    return Markup(marked)  # noqa: S704 (cleaned in the line above)


def line_difference(before: str, after: str) -> Markup:
    """The same for a title or a name."""
    return difference(str(escape(before)), str(escape(after)))


def outline(html: str) -> tuple[Markup, list[tuple[str, str]]]:
    """The text with an anchor at each second-level heading, and those headings."""
    headings: list[tuple[str, str]] = []

    def anchored(found: re.Match[str]) -> str:
        anchor = f"muc-{len(headings) + 1}"
        headings.append((anchor, plain(found[1])))
        return f'<h2 id="{anchor}">{found[1]}</h2>'

    return shown(SECOND_HEADING.sub(anchored, html)), headings


def marked(text: str, q: str) -> Markup:
    """``text`` escaped, with the words that were looked for marked, diacritics or not."""
    wanted = set(fold(q).split())
    parts = (
        Markup("<mark>{}</mark>").format(part) if part and fold(part) in wanted else escape(part)
        for part in WORD.split(text)
    )
    return Markup().join(parts)
