"""Journey 1: a submission reaches every portal (Điều 8, Điều 11.1.a, Điều 12)."""

import httpx2

from deploy.demo.edges import Edges, eventually
from deploy.local.system import System
from deploy.local.wiring import PORTALS
from tests.journeys.acts import ATTESTATIONS, deadline, guidance, ok, once, publish


def test_a_submission_reaches_every_portal(edges: Edges, system: System) -> None:
    published = publish(edges)
    id, title = published["id"], published["title"]
    assert published["status"] == "published"

    article = eventually(
        "bài trên cổng",
        lambda: a if (a := edges.get("content", f"/v1/articles/{id}")).status == 200 else None,
    )
    assert "Nộp hồ sơ tại cơ quan" in article.body["html"]
    plain = title.encode("ascii", "ignore").decode()  # what is left is still enough to be refused
    assert plain != title
    unaccented = "huong dan dong bao hiem xa hoi tu nguyen " + title.rsplit(" ", 1)[-1]
    found = eventually("tìm không dấu", lambda: id in ids(edges, unaccented))
    assert found
    assert title in edges_text(edges, "content", "/feed.atom")
    assert title in edges_text(edges, "content", f"/articles/{id}")
    assert title in edges_text(edges, "content", "/articles")

    for portal in PORTALS:
        received = eventually(f"bài tại {portal.id}", lambda p=portal: shelved(edges, p.id, id))
        assert received["version"] >= 1
    synced = eventually(
        "đã đồng bộ mọi cổng",
        lambda: (
            p
            if len(p := ok(edges.get("content", f"/v1/submissions/{id}", "minh"))["placements"])
            == len(PORTALS)
            else None
        ),
    )
    assert {row["status"] for row in synced} == {"confirmed"}
    supply = deadline(edges, f"submission-{id}", "supply", "met")
    assert supply["basis"] == "dieu-11#huong-dan"
    assert supply["explanation_vi"]


def shelf(edges: Edges, portal: str) -> list[dict[str, object]]:
    body = edges.get(portal, "/items.json").body
    return list(body if isinstance(body, list) else body["items"])


def shelved(edges: Edges, portal: str, id: str) -> dict[str, object] | None:
    return next((row for row in shelf(edges, portal) if row["item_id"] == id), None)


def ids(edges: Edges, words: str) -> list[str]:
    return [a["id"] for a in ok(edges.get("content", "/v1/articles", q=words))["items"]]


def edges_text(edges: Edges, place: str, path: str) -> str:
    response = httpx2.get(edges.urls[place] + path, trust_env=False, headers={"Accept": "text/html"})
    assert response.status_code == 200, (path, response.status_code)
    return response.text


def test_the_author_cannot_approve_their_own_work(edges: Edges) -> None:
    view = ok(edges.post("content", "/v1/submissions", guidance(), once(), "lan"), 201)
    body = {"text_version": 1, "attestations": ATTESTATIONS, "publish": True}
    refused = edges.post("content", f"/v1/submissions/{view['id']}/approval", body, once(), "lan")
    assert refused.status == 403
    assert refused.body["title"]
    assert refused.body["detail"]


def test_of_two_editors_at_once_the_second_is_told_and_nothing_is_lost(edges: Edges) -> None:
    view = ok(edges.post("content", "/v1/submissions", guidance(), once(), "lan"), 201)
    path = f"/v1/submissions/{view['id']}"
    tag = edges.get("content", path, "minh").etag
    text = {k: view[k] for k in ("title", "summary", "html", "author_name", "source_name", "quoted")} | {
        "note": ""
    }
    first = edges.put("content", f"{path}/text", text | {"title": "Bản thứ nhất"}, once(), "minh", etag=tag)
    second = edges.put("content", f"{path}/text", text | {"title": "Bản thứ hai"}, once(), "minh", etag=tag)
    assert (first.status, second.status) == (200, 412)
    assert ok(edges.get("content", path, "minh"))["title"] == "Bản thứ nhất"


def test_the_same_submission_sent_twice_is_one(edges: Edges) -> None:
    body, key = guidance(), once()
    first = edges.post("content", "/v1/submissions", body, key, "lan")
    again = edges.post("content", "/v1/submissions", body, key, "lan")
    other = edges.post("content", "/v1/submissions", body | {"title": "Khác"}, key, "lan")
    assert (first.status, first.body["id"]) == (again.status, again.body["id"])
    assert (other.status, other.code) == (422, "idempotency_key_reused")


def test_a_withdrawn_article_leaves_every_portal(edges: Edges) -> None:
    published = publish(edges)
    id = published["id"]
    for portal in PORTALS:
        eventually(f"bài tại {portal.id}", lambda p=portal: id in [r["item_id"] for r in shelf(edges, p.id)])
    ok(
        edges.post(
            "content",
            f"/v1/submissions/{id}/withdrawal",
            {"reason": "Nội dung đã hết hiệu lực"},
            once(),
            "phuong",
        )
    )
    for portal in PORTALS:
        eventually(
            f"đã gỡ tại {portal.id}",
            lambda p=portal: all(
                r.get("action") == "withdraw" or r.get("withdrawn")
                for r in shelf(edges, p.id)
                if r["item_id"] == id
            ),
        )
    assert edges.get("content", f"/v1/articles/{id}").status == 410
