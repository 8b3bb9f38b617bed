"""The generated pages of docs/ are what the code makes of them, and every link leads somewhere."""

import re
from functools import cache
from pathlib import Path

import pytest

from tools import docs

REPO = Path(__file__).resolve().parents[2]
PAGES = [
    *sorted((REPO / "docs").rglob("*.md")),
    *(p for p in REPO.glob("*.md")),
    *REPO.glob("services/*/README.md"),
]


@pytest.mark.parametrize("name", docs.PAGES)
def test_the_page_is_what_the_code_makes_of_it(name: str) -> None:
    made = docs.PAGES[name]()
    assert (docs.DOCS / name).read_text(encoding="utf-8") == made, "run `make docs`"


@pytest.mark.parametrize("service", docs.SERVICES)
def test_the_pages_tell_of_every_service(service: str) -> None:
    for room in ("regulation", "consumers", "settings"):
        assert docs.part_of(service, room) is not None, f"services/{service} has no {room}"
    assert f"\n## {service}" in docs.workflows_page()


@cache
def places(page: Path) -> frozenset[str]:
    """What can be linked to within a page: its anchors, and its headings as GitHub names them."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}
    return frozenset(slugs | set(re.findall(r'<a id="([^"]+)">', text)))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(REPO).as_posix())
def test_every_link_of_the_documents_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, place = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (place and file.suffix == ".md" and place not in places(file)):
            broken.append(target)
    assert broken == []
