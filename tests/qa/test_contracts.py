"""What qa publishes can be read for ever, and tells nothing of who asks."""

import json
from pathlib import Path

import pytest

from shared.contracts import qa
from shared.contracts.base import TOPICS, Event, parse
from tests.qa.world import LETTER

# Of the letter's fields, what an event of the same name tells by ids alone: our own letters, and hashes.
OF_IDS = {"files", "message_id"}
EXAMPLES = Path(__file__).resolve().parents[2] / "shared/contracts/examples"


@pytest.mark.parametrize("kind", TOPICS[qa.TOPIC], ids=lambda kind: f"{kind.name}.v{kind.version}")
def test_each_event_has_an_example_that_loses_nothing(kind: type[Event]) -> None:
    text = (EXAMPLES / f"{kind.name}.v{kind.version}.json").read_text("utf-8")
    event = parse(kind.name, kind.version, text)
    assert isinstance(event, kind)
    assert json.loads(event.model_dump_json(exclude_unset=True)) == json.loads(text)


@pytest.mark.parametrize("kind", TOPICS[qa.TOPIC], ids=lambda kind: kind.name)
def test_no_event_has_room_for_a_letter(kind: type[Event]) -> None:
    personal = set(LETTER.__dataclass_fields__) | {"words", "explanation", "answer", "tracking_code", "note"}
    assert not (personal - OF_IDS) & set(kind.model_fields)


def test_a_file_travels_without_the_name_that_its_sender_gave_it() -> None:
    assert set(qa.AttachedFile.model_fields) == {"file_id", "media_type", "size", "hash"}
