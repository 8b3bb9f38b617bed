"""Golden events: each registered event has its example, each example parses for ever, none is taken away."""

import importlib
import json
import pkgutil
import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from shared import contracts
from shared.contracts.base import REGISTRY, TOPICS, Event, parse

REPO = Path(__file__).resolve().parents[2]
EXAMPLES = REPO / "shared" / "contracts" / "examples"
for _module in pkgutil.iter_modules(contracts.__path__):
    importlib.import_module(f"shared.contracts.{_module.name}")

# Once written, an example stays: records and topics of that day are still read. New names are added; none is
# ever removed or renamed.
KEPT = """
content.placement.confirmed.v1
content.submission.approved.v1
content.submission.clock_moved.v1
content.submission.edited.v1
content.submission.permitted.v1
content.submission.published.v1
content.submission.resubmitted.v1
content.submission.returned.v1
content.submission.submitted.v1
content.submission.withdrawn.v1
notifier.calendar.applied.v1
notifier.calendar.discarded.v1
notifier.calendar.drafted.v1
notifier.calendar.moves_finished.v1
notifier.deadline.breached.v1
notifier.deadline.discharged_early.v1
notifier.deadline.escalated.v1
notifier.deadline.feed_revoked.v1
notifier.deadline.met.v1
notifier.deadline.moved.v1
notifier.deadline.opened.v1
notifier.deadline.reminder_dropped.v1
notifier.deadline.reopened.v1
notifier.deadline.rescinded.v1
notifier.deadline.voided.v1
notifier.deadline.warned.v1
notifier.notice.address_released.v1
notifier.notice.address_suppressed.v1
notifier.notice.bounced.v1
notifier.notice.failed.v1
notifier.notice.reached_otherwise.v1
notifier.notice.requested.v1
notifier.notice.retry_asked.v1
notifier.notice.sending.v1
notifier.notice.sent.v1
notifier.notice.withheld.v1
operations.calendar.adopted.v1
operations.dead_letter.discarded.v1
operations.dead_letter.edited.v1
operations.dead_letter.replay_failed.v1
operations.dead_letter.replayed.v1
operations.journal.anchored.v1
qa.question.advice_given.v1
qa.question.answer_corrected.v1
qa.question.answer_published.v1
qa.question.answer_rated.v1
qa.question.answer_released.v1
qa.question.answer_sent_back.v1
qa.question.answer_withheld.v1
qa.question.answered.v1
qa.question.asker_disclosed.v1
qa.question.asker_erased.v1
qa.question.assigned.v1
qa.question.clock_moved.v1
qa.question.closed.v1
qa.question.continued.v1
qa.question.duplicate_taken.v1
qa.question.file_checked.v1
qa.question.forwarded.v1
qa.question.information_added.v1
qa.question.made_complex.v1
qa.question.merged.v1
qa.question.note_taken.v1
qa.question.notice_accepted.v1
qa.question.part_over.v1
qa.question.progress_reported.v1
qa.question.received.v1
qa.question.refused.v1
qa.question.reopened.v1
qa.question.restored.v1
qa.question.returned.v1
qa.question.set_aside.v1
qa.question.set_aside_confirmed.v1
qa.question.split.v1
qa.question.withdrawn.v1
qa.setting.leave_ended.v1
qa.setting.leave_taken.v1
qa.setting.route_cleared.v1
qa.setting.route_set.v1
qa.setting.template_retired.v1
qa.setting.template_written.v1
qa.subscription.closed.v1
qa.subscription.opened.v1
sync.delivery.clock_moved.v1
sync.delivery.escalated.v1
sync.delivery.failed.v1
sync.delivery.planned.v1
sync.delivery.retry_requested.v1
sync.delivery.succeeded.v1
sync.delivery.superseded.v1
""".split()  # noqa: SIM905 - a list that grows by a line reads better as lines

# Tests and measurements have events of their own, registered beside these.
EVENTS = sorted(key for key, kind in REGISTRY.items() if kind.__module__.startswith("shared."))
PERSONAL = re.compile(r"(^|_)(email|phone|address|asker|words|text|question_text|full_name)$")


def example_of(name: str, version: int) -> Path:
    return EXAMPLES / f"{name}.v{version}.json"


@pytest.mark.parametrize(("name", "version"), EVENTS)
def test_every_event_has_a_golden_example_that_parses_whole(name: str, version: int) -> None:
    path = example_of(name, version)
    assert path.is_file(), f"no {path.name}"
    raw = path.read_text(encoding="utf-8")
    event = REGISTRY[name, version].model_validate_json(raw)
    given = json.loads(raw)
    assert set(given) <= set(REGISTRY[name, version].model_fields), "a field that the class does not know"
    assert REGISTRY[name, version].model_validate_json(event.model_dump_json()) == event


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.json")), ids=lambda p: p.stem)
def test_every_example_parses_for_ever(path: Path) -> None:
    name, _, version = path.stem.rpartition(".v")
    assert isinstance(parse(name, int(version), path.read_bytes()), Event)


@pytest.mark.parametrize("name", KEPT)
def test_no_example_was_taken_away(name: str) -> None:
    assert (EXAMPLES / f"{name}.json").is_file()


def test_every_example_is_on_the_list_of_those_that_are_kept() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.json")} - set(KEPT) == set()


@pytest.mark.parametrize(("name", "version"), EVENTS)
def test_a_wire_name_is_its_topic_and_a_verb(name: str, version: int) -> None:
    kind = REGISTRY[name, version]
    assert re.fullmatch(rf"{re.escape(kind.topic)}\.[a-z]+(_[a-z]+)*", name)
    assert (kind.__doc__ or "").strip(), f"{kind.__name__} says nothing"
    home = f"shared.contracts.{name.partition('.')[0]}"
    assert f"{kind.__module__}.".startswith(f"{home}."), "it lives elsewhere"


@pytest.mark.parametrize(("name", "version"), EVENTS)
def test_no_event_carries_what_a_citizen_wrote(name: str, version: int) -> None:
    """Content's own titles are public; a question's words, names and addresses never travel."""
    if name.startswith("content."):
        return
    assert [f for f in _fields(REGISTRY[name, version]) if PERSONAL.search(f)] == []


def _fields(kind: type[BaseModel]) -> list[str]:
    return list(kind.model_fields)


def test_every_topic_of_the_code_is_created_and_every_created_topic_is_used() -> None:
    created = yaml.safe_load((REPO / "deploy/kafka/topics.yaml").read_text(encoding="utf-8"))["topics"]
    published = {
        topic
        for topic, kinds in TOPICS.items()
        if any(kind.published and kind.__module__.startswith("shared.") for kind in kinds)
    }
    assert published == set(created)
