"""The lawyer's path, word for word: a sentence that the code quotes stands on the page of its clause."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.content.regulation import LIMITS
from services.notifier.regulation_clauses import CITED as REGISTER_CITES
from services.notifier.regulation_clauses import CLAUSES
from services.qa import regulation as qa

REGULATION = Path(__file__).resolve().parents[2] / "docs" / "regulation"


def law(anchor: str) -> str:
    """The quoted lines under this anchor, in one line."""
    page, _, place = anchor.partition("#")
    text = (REGULATION / f"{page}.md").read_text(encoding="utf-8")
    section = text.split(f'<a id="{place}"></a>')[1].split('<a id="')[0]
    lines = [line.removeprefix(">").strip() for line in section.splitlines() if line.startswith(">")]
    return " ".join(" ".join(lines).split())


def quoted() -> Iterator[tuple[str, str]]:
    yield from ((clause.anchor, clause.words) for clause in CLAUSES)
    yield from ((limit.basis, limit.quote) for limit in LIMITS.values())
    yield qa.TRIAGE_BASIS, qa.SAME_DAY_SENTENCE


@pytest.mark.parametrize(("anchor", "words"), list(quoted()))
def test_a_quoted_sentence_is_the_laws_own(anchor: str, words: str) -> None:
    assert words in law(anchor)


def test_a_clause_is_cited_in_the_same_words_everywhere() -> None:
    assert {anchor: REGISTER_CITES[anchor] for anchor in qa.CITED} == qa.CITED
    for limit in LIMITS.values():
        assert re.fullmatch(r"Điều 11 khoản 1 điểm a, .+", REGISTER_CITES[limit.basis])


def test_what_a_page_leaves_to_people_is_listed() -> None:
    """Nobody is to believe that the program watches what it does not."""
    listed = set(re.findall(r"`((?:dieu|bo)[a-z0-9-]+#[a-z0-9-]+)`", _table()))
    marked = {
        f"{page.stem}#" + section.partition('"')[0]
        for page in REGULATION.glob("dieu-*.md")
        for section in page.read_text(encoding="utf-8").split('<a id="')[1:]
        if "*(people)*" in section
    }
    assert marked <= listed


def _table() -> str:
    text = (REGULATION / "README.md").read_text(encoding="utf-8")
    return "\n".join(
        line
        for line in text.split("## Left to people")[1].split("\n## ")[0].splitlines()
        if line.startswith("|")
    )
