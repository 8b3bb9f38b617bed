"""What a reader meets: names, docstrings, no history, nothing of one machine, nothing from elsewhere."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
TRACKED = [
    REPO / name
    for name in subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout.split("\0")
    if name and (REPO / name).is_file()
]
TEXT = {
    ".py",
    ".md",
    ".html",
    ".css",
    ".js",
    ".yaml",
    ".yml",
    ".toml",
    ".txt",
    ".in",
    ".json",
    ".sh",
    ".xml",
    ".j2",
}
OURS = [
    p
    for p in TRACKED
    if "vendor" not in p.parts and (p.suffix in TEXT or p.name in {"Makefile", "Dockerfile"})
]
PYTHON = [p for p in OURS if p.suffix == ".py"]
SERVED = [
    p for p in OURS if p.suffix in {".html", ".css", ".js", ".j2"} or p.is_relative_to(REPO / "shared/web")
]
THIS = Path(__file__).resolve()

VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "stuff", "manager", "base_service"}
HISTORY = re.compile(
    r"\b(?:TODO|FIXME|XXX|HACK)\b|\b(?:no longer (?:used|needed)|has been renamed|refactored"
    r"|legacy code|old version of this|as of today|temporary fix|new implementation)\b"
)
MACHINE = re.compile(r"(?<![\w.:/-])/(?:work|root|home/[a-z]+|Users)/|\bC:\\\\")
CDN = re.compile(
    r"(?:https?:)?//(?:[\w-]+\.)*(?:jsdelivr\.net|unpkg\.com|cdnjs\.cloudflare\.com|googleapis\.com|gstatic\.com"
    r"|bootstrapcdn\.com|jquery\.com|esm\.sh|skypack\.dev|fontawesome\.com|cloudflare\.com)"
)
LOADED = re.compile(
    r"""(?:src|href)\s*=\s*["'](?:https?:)?//[^"'{]+\.(?:js|css|woff2?|png|jpg|svg)|url\(["']?https?:"""
)


def ids(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [ids(p) for p in PYTHON if p.stem in VAGUE] == []


def test_the_root_holds_no_plans_and_summaries() -> None:
    pages = {p.name for p in TRACKED if p.parent == REPO and p.suffix == ".md"}
    assert pages <= {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "LICENSE.md"}


@pytest.mark.parametrize("path", [p for p in PYTHON if p.name != "__init__.py"], ids=ids)
def test_every_module_says_what_it_promises(path: Path) -> None:
    if path.name == "conftest.py" or not path.stem.startswith("_"):
        assert (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").strip()


@pytest.mark.parametrize(
    "path", [p for p in OURS if p != THIS and p.suffix not in {".txt", ".json"}], ids=ids
)
def test_a_file_tells_no_history_and_leaves_no_chores(path: Path) -> None:
    if path.name == "CHANGELOG.md":
        return
    found = [match[0] for match in HISTORY.finditer(path.read_text(encoding="utf-8"))]
    assert found == []


def test_nothing_depends_on_one_machine() -> None:
    found = {
        ids(p): MACHINE.findall(text)
        for p in OURS
        if p != THIS and p.name != "Dockerfile" and MACHINE.search(text := p.read_text(encoding="utf-8"))
    }
    assert found == {}


@pytest.mark.parametrize("path", SERVED, ids=ids)
def test_a_page_loads_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8", errors="replace")
    assert CDN.findall(text) == []
    assert LOADED.findall(text) == []


@pytest.mark.parametrize("path", [p for p in SERVED if p.suffix == ".html"], ids=ids)
def test_a_page_keeps_to_the_strict_policy(path: Path) -> None:
    """No inline style, script or handler: the policy of every page would drop it. Mail is read elsewhere."""
    if "mail" in path.parts:
        return
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"<[a-z][^>]*\sstyle\s*=", text) == []
    assert re.findall(r"<[a-z][^>]*\son[a-z]+\s*=\s*[\"']", text) == []
    for attributes in re.findall(r"<script\b([^>]*)>", text):
        assert "src=" in attributes or "application/ld+json" in attributes, "inline script"


def test_tests_are_named_as_sentences() -> None:
    """Two words after `test_` at the least; a single word names a function, not a promise."""
    short = [
        f"{ids(path)}: {node.name}"
        for path in PYTHON
        if path.is_relative_to(REPO / "tests") and path.name.startswith("test_")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.name.startswith("test_") and len(node.name.split("_")) < 3
    ]
    assert short == []


def test_fakes_never_mocks() -> None:
    mocking = re.compile(
        r"^\s*(?:from unittest\.mock|from unittest import mock|import unittest\.mock)", re.MULTILINE
    )
    assert [ids(p) for p in PYTHON if mocking.search(p.read_text(encoding="utf-8"))] == []
