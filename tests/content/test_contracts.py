"""What content publishes can be read for ever."""

import json
from pathlib import Path

import pytest

from shared.contracts import content
from shared.contracts.base import TOPICS, Event, parse

EXAMPLES = Path(__file__).resolve().parents[2] / "shared/contracts/examples"
EVENTS = [kind for topic in (content.SUBMISSION, content.PLACEMENT) for kind in TOPICS[topic]]


@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: f"{kind.name}.v{kind.version}")
def test_each_event_has_an_example_that_loses_nothing(kind: type[Event]) -> None:
    text = (EXAMPLES / f"{kind.name}.v{kind.version}.json").read_text("utf-8")
    event = parse(kind.name, kind.version, text)
    assert isinstance(event, kind)
    assert json.loads(event.model_dump_json(exclude_unset=True)) == json.loads(text)
