"""The walls of the house: what each room may import, who wires, who calls outside, how large a file grows."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
SERVICES = ("content", "qa", "sync", "notifier")
LONGEST = 300
PURE_STDLIB = (
    "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "hashlib", "hmac", "html",
    "itertools", "json", "math", "re", "string", "typing", "unicodedata", "urllib.parse", "uuid",
)  # fmt: skip
PURE_SHARED = ("shared.calendar", "shared.workflow", "shared.contracts", "shared.errors")

FILES = sorted(
    path
    for root in ("services", "shared")
    for path in (REPO / root).rglob("*.py")
    if "__pycache__" not in path.parts
)


def name_of(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def room_of(path: Path) -> str:
    """The file's room within its service: `domain` for domain.py, domain/x.py and domain_x.py alike."""
    parts = path.relative_to(REPO / "services").parts
    return parts[1].removesuffix(".py").partition("_")[0] if len(parts) > 1 else ""


def service_of(path: Path) -> str:
    return path.relative_to(REPO / "services").parts[0]


def imports(path: Path, *, with_typing: bool = True) -> Iterator[str]:
    """Every module that the file imports, by full name; ``with_typing``: those for the type checker too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped: set[ast.AST] = set()
    if not with_typing:
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                skipped |= {inner for child in node.body for inner in ast.walk(child)}
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = path.relative_to(REPO).with_suffix("").parts[: -node.level]
                base = ".".join([*package, *([base] if base else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def under(module: str, *roots: str) -> bool:
    return any(module == root or module.startswith(f"{root}.") for root in roots)


def service_files(*rooms: str) -> list[Path]:
    return [p for p in FILES if name_of(p).startswith("services/") and room_of(p) in rooms]


@pytest.mark.parametrize("path", [p for p in FILES if name_of(p).startswith("services/")], ids=name_of)
def test_a_service_never_imports_another(path: Path) -> None:
    own = service_of(path)
    others = [f"services.{name}" for name in SERVICES if name != own]
    assert [module for module in imports(path) if under(module, *others)] == []


@pytest.mark.parametrize("path", service_files("regulation", "domain"), ids=name_of)
def test_the_law_and_the_decisions_are_pure(path: Path) -> None:
    own = tuple(f"services.{service_of(path)}.{room}" for room in ("regulation", "domain"))
    package = f"services.{service_of(path)}"
    # `from services.x import regulation` names the package too; the contracts' own types come from pydantic.
    named = {package, "shared", "pydantic", "pydantic.AwareDatetime"}
    for module in imports(path):
        law = module.startswith(f"{package}.regulation_")  # the law's own tables
        allowed = module in named or law or under(module, *PURE_STDLIB, *PURE_SHARED, *own)
        assert allowed, f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", service_files("regulation", "domain"), ids=name_of)
def test_no_rule_reads_a_clock(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert called & {"now", "utcnow", "today", "uuid4", "random"} == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_the_seams_import_the_database_driver(path: Path) -> None:
    allowed = name_of(path) == "shared/mongo.py" or (
        name_of(path).startswith("services/") and room_of(path) == "queries"
    )
    assert allowed or [module for module in imports(path) if under(module, "motor")] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_only_app_wires(path: Path) -> None:
    if name_of(path) == "shared/service.py":
        return
    wired = [module for module in imports(path, with_typing=False) if under(module, "shared.service")]
    assert not wired or room_of(path) in {"app", "jobs"}


@pytest.mark.parametrize("path", [p for p in FILES if name_of(p).startswith("services/")], ids=name_of)
def test_what_leaves_the_building_is_called_by_jobs_alone(path: Path) -> None:
    """Others may know what a gateway returns (a dataclass, an enum, an error, a constant), never call one."""
    if room_of(path) in {"jobs", "app", "gateways"}:
        return
    gateways = f"services.{service_of(path)}.gateways"
    taken = {m for m in imports(path, with_typing=False) if under(m, gateways) and m != gateways}
    assert {m for m in taken if m.removeprefix(f"{gateways}.") not in facts_of(service_of(path))} == set()


@cache
def facts_of(service: str) -> frozenset[str]:
    """Names in a service's gateways that do nothing by themselves."""
    found = set()
    for path in FILES:
        if name_of(path).startswith(f"services/{service}/gateways"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef):
                    marks = ast.unparse(ast.Module([*node.decorator_list, *node.bases], []))  # type: ignore[list-item]
                    if re.search(r"dataclass|Enum|Exception|Error|Protocol|Unavailable|BaseModel", marks):
                        found.add(node.name)
                if isinstance(node, ast.Assign | ast.AnnAssign):
                    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                    found |= {t.id for t in targets if isinstance(t, ast.Name)}
    return frozenset(found)


@pytest.mark.parametrize("path", service_files("handlers", "consumers", "domain", "regulation"), ids=name_of)
def test_what_may_run_twice_knows_neither_http_nor_kafka(path: Path) -> None:
    outside = ("fastapi", "starlette", "aiokafka", "faststream", "httpx2", "aiosmtplib", "motor", "pymongo")
    assert [module for module in imports(path, with_typing=False) if under(module, *outside)] == []


@pytest.mark.parametrize("path", [p for p in FILES if name_of(p).startswith("shared/")], ids=name_of)
def test_shared_knows_no_service(path: Path) -> None:
    assert [module for module in imports(path) if under(module, "services", "deploy", "tests")] == []


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_file_outgrows_its_house(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_the_same_rooms(service: str) -> None:
    """A room may be a file or a folder; what would be empty is left out, these never are."""
    folder = REPO / "services" / service
    for room in ("regulation", "domain", "handlers", "queries", "api", "settings", "app"):
        assert (folder / f"{room}.py").is_file() or (folder / room).is_dir(), f"{service} has no {room}"
    assert (folder / "README.md").is_file()
