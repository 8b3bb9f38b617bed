"""The events of the notifier as they were first published must be readable for ever."""

import json
from pathlib import Path

import pytest

from shared.contracts import notifier
from shared.contracts.base import TOPICS, Event

EXAMPLES = Path(notifier.__file__).parent / "examples"
EVENTS = (*TOPICS[notifier.DEADLINE], *TOPICS[notifier.NOTICE], *TOPICS[notifier.CALENDAR])


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_every_event_has_an_example_and_reads_it_without_loss(kind: type[Event]) -> None:
    example = json.loads((EXAMPLES / f"{kind.name}.v{kind.version}.json").read_text("utf-8"))
    assert json.loads(kind.model_validate(example).model_dump_json(exclude_unset=True)) == example


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.name)
def test_a_field_that_a_newer_publisher_adds_is_ignored(kind: type[Event]) -> None:
    example = json.loads((EXAMPLES / f"{kind.name}.v{kind.version}.json").read_text("utf-8"))
    assert kind.model_validate({**example, "added_later": 1}) == kind.model_validate(example)
