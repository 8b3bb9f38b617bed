"""Published answers as readers, feed readers and search engines meet them."""

import json
import re
from typing import Any, Final

from lxml import etree, html

from shared.contracts.qa import NoticeKind
from tests.qa.conftest import Edges
from tests.qa.test_pages import PUBLIC

ATOM: Final = {"a": "http://www.w3.org/2005/Atom"}
MAP: Final = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
FIELD: Final = {"field": "bhxh-mot-lan"}


async def published(edges: Edges, **changes: Any) -> dict[str, Any]:
    asked = await edges.answered()
    await edges.done(asked, "publication", PUBLIC | FIELD | changes, "u-khoi")
    await edges.project()
    return asked


async def corrected(edges: Edges) -> dict[str, Any]:
    asked = await published(edges)
    await edges.done(asked, "release", {}, "u-khoi")
    await edges.letter_accepted(asked, NoticeKind.ANSWER)
    await edges.done(asked, "correction", {"text": "Chưa được.", "reason": "Sai số."}, "u-tuan")
    await edges.done(asked, "publication", PUBLIC | FIELD | {"answer": "Chưa được."}, "u-khoi")
    await edges.project()
    return asked


async def test_answers_are_found_by_words_field_unit_and_year(edges: Edges) -> None:
    asked = await published(edges)
    link = f'href="/answers/{asked["id"]}"'
    year = (await edges.get(f"/v1/answers/{asked['id']}")).json()["published_at"][:4]
    for query in ("q=rut mot lan", "q=rút một lần", "field=bhxh-mot-lan", "unit=bhxh-ha-noi", f"year={year}"):
        assert link in (await edges.page(f"/answers?{query}")).text, query
    for query in ("q=thai san", "field=bhyt", "unit=bhxh-can-tho", "year=2020"):
        assert link not in (await edges.page(f"/answers?{query}")).text, query
    page = (await edges.page("/answers?q=rut")).text
    for facet in ("Bảo hiểm xã hội một lần", "Bảo hiểm xã hội thành phố Hà Nội", year):
        assert re.search(rf"{facet} <span class=\"num\">1</span>", page), facet


async def test_an_answer_names_its_unit_for_people_and_machines(edges: Edges) -> None:
    asked = await published(edges)
    page = html.fromstring((await edges.page(f"/answers/{asked['id']}")).text)
    meta = {tag.get("name"): tag.get("content") for tag in page.xpath("//meta[@name]")}
    assert meta["DC.creator"] == "Bảo hiểm xã hội thành phố Hà Nội"
    assert (meta["DC.title"], meta["DC.language"]) == (PUBLIC["subject"], "vi")
    assert "DCTERMS.issued" in meta
    [canonical] = page.xpath("//link[@rel='canonical']/@href")
    assert (meta["DC.identifier"], canonical.endswith(f"/answers/{asked['id']}")) == (canonical, True)
    spoken = {tag.get("hreflang"): tag.get("href") for tag in page.xpath("//link[@hreflang]")}
    assert spoken == {"vi": canonical, "en": f"{canonical}?lang=en", "x-default": canonical}
    [data] = page.xpath("//script[@type='application/ld+json']/text()")
    assert json.loads(data)["mainEntity"]["acceptedAnswer"]["author"]["name"] == meta["DC.creator"]


async def test_a_corrected_answer_is_marked_with_its_date_wherever_it_stands(edges: Edges) -> None:
    asked = await corrected(edges)
    page = (await edges.page(f"/answers/{asked['id']}")).text
    assert re.search(r"Đã đính chính, đăng lại \d\d/\d\d/\d{4}", page)
    assert "DCTERMS.modified" in page
    assert '"dateModified"' in page
    assert "Chưa được." in page
    assert "Đã đính chính, đăng lại" in (await edges.page("/answers")).text
    assert "[Đính chính]" in (await edges.get("/answers/feed.atom")).text


async def test_a_correction_that_is_not_published_leaves_what_it_corrects_nowhere(edges: Edges) -> None:
    asked = await published(edges)
    page = f"/answers/{asked['id']}"
    assert (await edges.page(page)).status_code == 200
    await edges.done(asked, "correction", {"text": "Chưa được.", "reason": "Sai điều luật."}, "u-tuan")
    await edges.done(asked, "withholding", {"reason": "Chỉ đúng với người hỏi này."}, "u-khoi")
    await edges.project()
    assert (await edges.page(page)).status_code == 404
    for path in ("/v1/answers", f"/v1/answers?field={FIELD['field']}", f"/v1/answers?q={PUBLIC['subject']}"):
        assert (await edges.get(path)).json()["items"] == []
    for path in ("/answers", "/answers/feed.atom", "/sitemap.xml"):
        shown = (await edges.get(path)).text
        assert asked["id"] not in shown
        assert PUBLIC["answer"] not in shown


async def test_new_answers_are_followed_in_atom_and_rss_whole_and_by_field(edges: Edges) -> None:
    asked = await published(edges)
    atom = await edges.get("/answers/feed.atom")
    assert atom.headers["content-type"].startswith("application/atom+xml")
    feed = etree.fromstring(atom.content)
    assert feed.xpath("a:entry/a:id/text()", namespaces=ATOM) == [f"urn:uuid:{asked['id']}"]
    assert feed.xpath("a:entry/a:content/text()", namespaces=ATOM) == [PUBLIC["answer"]]
    rss = await edges.get("/answers/feed.rss")
    assert rss.headers["content-type"].startswith("application/rss+xml")
    [link] = etree.fromstring(rss.content).xpath("channel/item/link/text()")
    assert link.endswith(f"/answers/{asked['id']}")
    assert b"<entry" not in (await edges.get("/answers/feed.atom?field=bhyt")).content
    again = await edges.get("/answers/feed.atom", **{"If-None-Match": atom.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    page = (await edges.page("/answers")).text
    assert 'type="application/atom+xml"' in page
    assert 'type="application/rss+xml"' in page


async def test_the_site_map_names_each_answer_and_no_question_of_an_asker(edges: Edges) -> None:
    asked, kept = await published(edges), await edges.answered()
    found = etree.fromstring((await edges.get("/sitemap.xml")).content)
    places = found.xpath("s:url/s:loc/text()", namespaces=MAP)
    assert any(place.endswith(f"/answers/{asked['id']}") for place in places)
    assert not any(kept["id"] in place for place in places)
