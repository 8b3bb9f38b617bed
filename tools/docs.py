"""The generated pages of docs/: events.md, workflows.md, settings.md, drawn from the code that they describe.

``python -m tools.docs`` writes them; with ``--check`` it only says which differ and exits 1."""

import argparse
import importlib
import inspect
import json
import pkgutil
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from deploy.samples import settings as sample_settings
from shared import contracts
from shared.contracts.base import REGISTRY, TOPICS, Event, Value
from shared.settings import ServiceSettings
from shared.workflow import Step, Workflow

REPO: Final = Path(__file__).resolve().parents[1]
DOCS: Final = REPO / "docs"
SERVICES: Final = ("content", "qa", "sync", "notifier")
GENERATED: Final = "<!-- Made from the code by `make docs`; what is written here by hand is lost. -->\n"
COMMENT: Final = re.compile(r"^    (\w+)(?:: [^#=\n]+)?(?: = [^#\n]+)?  # (.+)$", re.MULTILINE)
PLAIN: Final = {
    "UUID": "UUID", "str": "text", "int": "integer", "bool": "true / false", "float": "number",
    "AwareDatetime": "instant (RFC 3339)", "date": "date", "datetime": "instant (RFC 3339)",
}  # fmt: skip


def part_of(service: str, room: str) -> Any:
    """A service's module, or None while that service does not have the room."""
    name = f"services.{service}.{room}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def cell(text: object) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def sentence(thing: object) -> str:
    """The docstring as one line, without the markup of Python's own documents."""
    own = vars(thing).get("__doc__")  # not the one of a base class
    return cell(inspect.cleandoc(own or "")).replace("``", "`")


@cache
def comments(kind: Any) -> dict[str, str]:
    """What a class says beside its own fields or members."""
    return {name: cell(words) for name, words in COMMENT.findall(inspect.getsource(kind))}


# Events


def events_page() -> str:
    for module in pkgutil.iter_modules(contracts.__path__):
        importlib.import_module(f"{contracts.__name__}.{module.name}")
    topics = yaml.safe_load((REPO / "deploy/kafka/topics.yaml").read_text("utf-8"))
    days = int(topics["defaults"]["config"]["retention.ms"]) // 86_400_000
    lines = [
        GENERATED,
        "# Events\n",
        "What the services tell each other on Kafka: CloudEvents 1.0, binary mode. The value is the JSON "
        "below; the headers are `ce_id` (deterministic: service, stream, version, index), `ce_type`, "
        "`ce_eventversion`, `ce_subject` (the stream, which is also the key), `ce_sequence`, `ce_index`, "
        "`ce_time`, `ce_actor`, `ce_correlationid`, `ce_source`. Within a version only optional fields are "
        "added, and unknown ones are ignored. No event carries a citizen's name, address or words.\n",
        f"Every topic is kept for {days} days in {topics['defaults']['partitions']} partitions, unless "
        "`deploy/kafka/topics.yaml` says otherwise.\n",
    ]
    for topic, about in topics["topics"].items():
        lines += [f"## {topic}\n", f"{about['description']}. Published by **{topic.split('.')[0]}**.\n"]
        lines += topic_section(TOPICS.get(topic, []))
    kept = [REGISTRY[key] for key in sorted(REGISTRY) if not getattr(REGISTRY[key], "published", True)]
    if kept:
        lines += ["## Kept, not published\n", "In the journal of the service that it happened to.\n"]
        lines += topic_section(kept)
    lines += ["## Parts of events\n"]
    for value in sorted(values_in_use(), key=lambda v: v.__name__):
        lines += [f"### {value.__name__}\n", f"{sentence(value)}\n", *field_table(value)]
    return "\n".join(lines).rstrip() + "\n"


def topic_section(kinds: Sequence[type[Event]]) -> list[str]:
    lines = ["| event | what happened | handled by |", "|---|---|---|"]
    for kind in kinds:
        handled = "; ".join(f"{s}: `{h}`" for s, h in handlers_of(kind)) or "–"
        lines.append(f"| [`{kind.name}`](#{anchor(kind)}) v{kind.version} | {sentence(kind)} | {handled} |")
    return [*lines, "", *(line for kind in kinds for line in event_section(kind))]


def anchor(kind: type[Event]) -> str:
    return f"{kind.name}-v{kind.version}".replace(".", "").lower()


def event_section(kind: type[Event]) -> list[str]:
    example = f"shared/contracts/examples/{kind.name}.v{kind.version}.json"
    where = f"[Example](../{example})" if (REPO / example).exists() else "No example yet"
    head = f"### {kind.name} v{kind.version}\n"
    return [head, f"`{kind.__name__}`. {sentence(kind)} {where}.\n", *field_table(kind)]


def field_table(kind: type[BaseModel]) -> list[str]:
    said: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, Value):
            said |= comments(base)
    lines = ["| field | type | when absent | |", "|---|---|---|---|"]
    for name, field in kind.model_fields.items():
        absent = "required" if field.is_required() else f"`{_json(field.get_default())}`"
        lines.append(f"| `{name}` | {type_name(field.annotation)} | {absent} | {said.get(name, '')} |")
    return [*lines, ""]


def _json(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value, default=str)


def type_name(annotation: Any) -> str:
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is tuple:
        return f"list of {type_name(arguments[0])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_name(a) for a in arguments if a is not type(None)) + ", or null"
    if origin is typing.Annotated:
        return type_name(arguments[0])
    name = getattr(annotation, "__name__", str(annotation))
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return f"[{name}](#{name.lower()})"
    return PLAIN.get(name, name)


def values_in_use() -> set[type[BaseModel]]:
    found: set[type[BaseModel]] = set()

    def look(annotation: Any) -> None:
        if inspect.isclass(annotation) and issubclass(annotation, BaseModel) and annotation not in found:
            found.add(annotation)
            for field in annotation.model_fields.values():
                look(field.annotation)
        for argument in typing.get_args(annotation):
            look(argument)

    for kinds in TOPICS.values():
        for kind in kinds:
            for field in kind.model_fields.values():
                look(field.annotation)
    return found


def handlers_of(kind: type[Event]) -> Iterator[tuple[str, str]]:
    for service in SERVICES:
        table = getattr(part_of(service, "consumers"), "TABLE", {})
        for handlers in table.values():
            if kind in handlers:
                yield service, getattr(handlers[kind], "__name__", "handler")


# Workflows


def workflows_page() -> str:
    lines = [
        GENERATED,
        "# Workflows\n",
        "Who may do what in which state, and under which clause. These are the tables that the code obeys "
        "(`services/<name>/regulation.py`); each basis leads to the sentence of the regulation.\n",
    ]
    for service in SERVICES:
        module = part_of(service, "regulation")
        tables = {n: v for n, v in vars(module).items() if isinstance(v, Workflow)} if module else {}
        for name, workflow in tables.items():
            lines += workflow_section(service, name, workflow)
    return "\n".join(lines).rstrip() + "\n"


def workflow_section(service: str, name: str, workflow: Workflow[Any]) -> list[str]:
    status = type(workflow.steps[0].status)
    title = service if name == "WORKFLOW" else f"{service}: {name.removesuffix('_WORKFLOW').lower()}"
    about = [f"{sentence(status)}\n"] if sentence(status) else []
    lines = [f"## {title}\n", *about, "```mermaid", "stateDiagram-v2"]
    lines += [f"    [*] --> {workflow.steps[0].status.value}"]
    arrows: dict[tuple[str, str], dict[str, None]] = {}
    for step in workflow.steps:
        arrows.setdefault((step.status.value, step.after.value), {})[f"{step.act} ({step.role.value})"] = None
    lines += [f"    {a} --> {b}: {', '.join(acts)}" for (a, b), acts in arrows.items()]
    left = {step.status for step in workflow.steps}
    reached = dict.fromkeys(step.after for step in workflow.steps)
    lines += [f"    {state.value} --> [*]" for state in reached if state not in left]
    lines += ["```\n", "| state | act | role | becomes | basis |", "|---|---|---|---|---|"]
    lines += [
        f"| {state_cell(step.status)} | {step.act} | {step.role.value} | {step.after.value} | {basis(step)} |"
        for step in workflow.steps
    ]
    return [*lines, ""]


def state_cell(state: Any) -> str:
    words = getattr(state, "vi", "") or comments(state.__class__).get(state.name, "")
    return f"{state.value}, {cell(words)}" if words else str(state.value)


def basis(step: Step[Any]) -> str:
    page, _, place = step.basis.partition("#")
    return f"[{step.basis}](regulation/{page}.md#{place})"


# Settings


def settings_page() -> str:
    lines = [
        GENERATED,
        "# Settings\n",
        "Read from the environment once, at start. A value that cannot be used stops the process; "
        "production also refuses what is safe on one machine only (`shared/production.py`).\n",
        "## Every service\n",
        *settings_table(ServiceSettings),
    ]
    for service in SERVICES:
        for kind in classes_in(part_of(service, "settings"), ServiceSettings):
            lines += [f"## {service}\n", *settings_table(kind, but=ServiceSettings)]
    lines += ["## Samples of the demo\n", f"{sentence(sample_settings)}\n"]
    for kind in classes_in(sample_settings, BaseSettings):
        lines += [f"### {kind.__name__}\n", *settings_table(kind)]
    return "\n".join(lines).rstrip() + "\n"


def classes_in(module: Any, base: type[BaseSettings]) -> list[type[BaseSettings]]:
    return [
        kind for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, base) and kind.__module__ == module.__name__
    ] if module else []  # fmt: skip


def settings_table(kind: type[BaseSettings], but: type[BaseSettings] | None = None) -> list[str]:
    prefix = kind.model_config.get("env_prefix", "")
    lines = ["| variable | default | what it is |", "|---|---|---|"]
    for name, field in kind.model_fields.items():
        if but is None or name not in but.model_fields:
            about = re.sub(rf"^({'|'.join(SERVICES)}): ", "", field.description or "")
            about = about[:1].upper() + about[1:]
            lines.append(f"| `{prefix}{name}`".upper() + f" | {default_of(field)} | {cell(about)} |")
    return [*lines, ""]


def default_of(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, frozenset | tuple | list | set):
        parts = [str(getattr(each, "value", each)) for each in value]
        value = ",".join(sorted(parts) if isinstance(value, frozenset | set) else parts)
    return f"`{cell(value)}`" if value not in ("", None, {}) else "(empty)"


PAGES: Final[dict[str, Callable[[], str]]] = {
    "events.md": events_page,
    "workflows.md": workflows_page,
    "settings.md": settings_page,
}


def stale() -> dict[str, str]:
    """The pages that are not what the code would make of them now: name → what it should be."""
    made = {name: make() for name, make in PAGES.items()}
    return {n: t for n, t in made.items() if not (DOCS / n).exists() or (DOCS / n).read_text("utf-8") != t}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    check = parser.parse_args(argv).check
    pages = stale()
    for name, text in pages.items():
        if not check:
            (DOCS / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"docs/{name} {'is stale: run make docs' if check else 'written'}\n")
    return 1 if check and pages else 0


if __name__ == "__main__":
    sys.exit(main())
