"""The lawyer's path: each basis in the code names an anchor of docs/regulation; each clause is kept."""

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

from shared.workflow import Workflow

REPO = Path(__file__).resolve().parents[2]
REGULATION = REPO / "docs" / "regulation"
SERVICES = ("content", "qa", "sync", "notifier")
BASIS = re.compile(r"(?:dieu-\d+|bo-luat-dan-su)#[a-z0-9-]+")
LIKE_A_BASIS = re.compile(r"[a-z0-9-]+#[a-z0-9-]+")
SOURCES = sorted(
    path
    for root in ("services", "shared")
    for path in (REPO / root).rglob("*")
    if path.suffix in {".py", ".html", ".txt", ".json", ".md"} and "static" not in path.parts
)


@cache
def anchors() -> frozenset[str]:
    return frozenset(
        f"{page.stem}#{place}"
        for page in REGULATION.glob("*.md")
        for place in re.findall(r'<a id="([^"]+)">', page.read_text(encoding="utf-8"))
    )


def workflows() -> list[tuple[str, Workflow]]:  # type: ignore[type-arg]
    found = []
    for service in SERVICES:
        module = importlib.import_module(f"services.{service}.regulation")
        found += [(f"{service}.{n}", v) for n, v in vars(module).items() if isinstance(v, Workflow)]
    return found


def test_the_regulation_has_anchors() -> None:
    assert {"dieu-8#khoan-3", "dieu-11#hoi-dap-1", "dieu-12#khoan-2", "bo-luat-dan-su#dieu-148"} <= anchors()


@pytest.mark.parametrize("service", SERVICES)
def test_every_step_of_every_workflow_stands_on_a_clause(service: str) -> None:
    tables = [(name, table) for name, table in workflows() if name.startswith(f"{service}.")]
    assert tables
    for name, table in tables:
        for step in table.steps:
            assert step.basis in anchors(), f"{name}: {step.status} {step.act} names {step.basis!r}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.relative_to(REPO).as_posix())
def test_every_basis_that_is_written_anywhere_exists(path: Path) -> None:
    assert set(BASIS.findall(path.read_text(encoding="utf-8"))) - anchors() == set()


@pytest.mark.parametrize(
    "path", [p for p in SOURCES if p.suffix == ".py"], ids=lambda p: p.relative_to(REPO).as_posix()
)
def test_every_basis_argument_is_an_anchor(path: Path) -> None:
    """`basis="…"` and constants named …BASIS, so that a misspelt page is found too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "basis":
            assert _is_sound(node.value), f"line {node.value.lineno}: {ast.unparse(node.value)}"
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = any(isinstance(t, ast.Name) and t.id.upper().endswith("BASIS") for t in targets)
            if named and node.value is not None:
                assert _is_sound(node.value), f"line {node.lineno}: {ast.unparse(node)}"


def _is_sound(value: ast.expr) -> bool:
    """A text must be an anchor; what is computed is checked where its parts are written."""
    texts = [
        n.value
        for n in ast.walk(value)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and "#" in n.value
    ]
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value in anchors()
    return all(text in anchors() for text in texts if LIKE_A_BASIS.fullmatch(text))


def test_every_clause_that_asks_for_something_is_kept_by_some_service() -> None:
    written = {
        basis
        for path in SOURCES
        if path.suffix == ".py" and path.is_relative_to(REPO / "services")
        for basis in BASIS.findall(path.read_text(encoding="utf-8"))
    }
    duties = {anchor for anchor in anchors() if anchor.startswith(("dieu-8#", "dieu-11#", "dieu-12#"))}
    assert duties - written == set()


@pytest.mark.parametrize("service", SERVICES)
def test_each_law_quotes_the_words_it_keeps(service: str) -> None:
    """A Vietnamese sentence in «» or in a text of the module: the rule stands beside its source."""
    path = REPO / "services" / service / "regulation.py"
    text = path.read_text("utf-8") if path.exists() else ""
    assert re.search(r"«[^»]{5,}»|\"[^\"\n]*[ạảãàáâậầấẩẫăắằặẳẵ][^\"\n]{20,}\"", text)
