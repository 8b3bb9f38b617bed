"""The events of sync as they were first published must be readable for ever."""

import json
from pathlib import Path

import pytest

from shared.contracts import sync
from shared.contracts.base import TOPICS, Event, class_of

EXAMPLES = Path(sync.__file__).parent / "examples"
EVENTS = TOPICS[sync.TOPIC]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_every_event_has_an_example_and_reads_it_without_loss(kind: type[Event]) -> None:
    example = json.loads((EXAMPLES / f"{kind.name}.v{kind.version}.json").read_text("utf-8"))
    event = kind.model_validate(example)
    assert json.loads(event.model_dump_json(exclude_unset=True)) == example


def test_every_example_is_of_an_event_that_is_known() -> None:
    for file in EXAMPLES.glob("sync.*.json"):
        name, _, version = file.stem.rpartition(".v")
        assert class_of(name, int(version)).topic == sync.TOPIC


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_a_field_that_a_newer_publisher_adds_is_ignored(kind: type[Event]) -> None:
    example = json.loads((EXAMPLES / f"{kind.name}.v{kind.version}.json").read_text("utf-8"))
    assert kind.model_validate({**example, "added_later": 1}) == kind.model_validate(example)
