"""The register as the law and the policy want it."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.notifier.domain import lane_of
from services.notifier.regulation import LANES, Lane, Policy
from services.notifier.regulation_clauses import CLAUSES
from services.notifier.settings import NotifierSettings

SOURCE = Path(__file__).resolve().parents[2] / "docs" / "regulation"


def test_who_must_be_told_the_same_day_is_written_to_ahead_of_everyone_else() -> None:
    assert [kind for kind, lane in LANES.items() if lane is Lane.URGENT] == ["refusal"]


@pytest.mark.parametrize("kind", ["refusal", "answer", "progress"])
def test_what_the_regulation_demands_is_no_courtesy(kind: str) -> None:
    assert lane_of(kind) is not Lane.COURTESY


def test_an_acknowledgement_is_a_courtesy_and_so_is_what_nobody_has_named() -> None:
    assert lane_of("acknowledgement") is lane_of("greeting") is Lane.COURTESY


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 2), (2, 4), (3, 8), (8, 256), (10, 900), (500, 900)])
def test_each_repetition_waits_twice_as_long_up_to_a_quarter_of_an_hour(attempt: int, seconds: int) -> None:
    assert Policy().retry_after(attempt) == timedelta(seconds=seconds)


@pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.anchor)
def test_each_clause_is_quoted_to_the_letter(clause: object) -> None:
    page = (SOURCE / f"{clause.anchor.partition('#')[0]}.md").read_text("utf-8")  # type: ignore[attr-defined]
    words = " ".join(page.replace("\n> ", " ").split())
    assert clause.words in words  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("duty", "unit", "page"),
    [("unit_reply", "bhxh-ha-noi", "unit_reply"), ("unit_reply", "tt-cskh", "triage"),
     ("consultation", "tt-cskh", "triage"), ("send_answer", "tt-cskh", "send_answer")],
)  # fmt: skip
def test_what_a_unit_gave_back_is_worked_on_where_questions_are_sorted(
    duty: str, unit: str, page: str
) -> None:
    assert Policy().page_of(duty, unit) == page


def test_the_choices_of_the_policy_are_settings() -> None:
    settings = NotifierSettings(
        first_retry_seconds=1, longest_retry_seconds=10, courtesy_attempts=3, mail_from="Cổng <hoi@a.example>"
    )
    assert settings.policy() == Policy(
        first_retry=timedelta(seconds=1), longest_retry=timedelta(seconds=10), courtesy_attempts=3,
        message_domain="a.example",
    )  # fmt: skip
