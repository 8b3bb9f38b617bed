"""Dates and figures on an English page, and what stays as it is until one speaks English."""

from datetime import UTC, date, datetime

import pytest

from shared.web import english as en
from shared.web import spoken
from shared.web.vietnamese import vn_date

CATALOGUES = spoken.catalogues_of(spoken.SHARED)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (en.en_date(datetime(2026, 11, 29, 17, 0, tzinfo=UTC)), "30 November 2026"),
        (en.en_date(datetime(2026, 11, 29, 16, 59, tzinfo=UTC)), "29 November 2026"),
        (en.en_full_day(date(2026, 11, 30)), "Monday 30 November 2026"),
        (en.en_datetime(datetime(2026, 11, 30, 2, 44, tzinfo=UTC)), "Monday 30 November 2026, 09:44"),
        (en.en_day(date(2026, 11, 29)), "Sun 29 Nov"),
        (en.number(1234567.891, 2), "1,234,567.89"),
        (en.file_size(1_500_000), "1.5 MB"),
        (
            en.dates_written_out("Due by Monday, 30/11/2026. Not counted: 24/11 Culture Day, 28/11–29/11."),
            "Due by Monday, 30 November 2026. Not counted: 24 November Culture Day, 28 November–29 November.",
        ),
        (en.dates_written_out("by 1234/BHXH-TT"), "by 1234/BHXH-TT"),
    ],
)
def test_figures_and_dates_read_as_in_english(written: str, read: str) -> None:
    assert written == read


def test_words_and_dates_follow_the_language_and_only_inside_it() -> None:
    day = date(2026, 11, 30)
    with spoken.speaking("en", CATALOGUES):
        assert (spoken.language(), spoken.said_date(day)) == ("en", "30 November 2026")
        assert spoken.tr("Ngày %(number)s", number=3) == "Day 3"
        assert spoken.tr("Câu không ai dịch") == "Câu không ai dịch"
        assert spoken.gettext("") == ""
    assert (spoken.language(), spoken.said_date(day)) == ("vi", vn_date(day))
    with spoken.speaking("fr", CATALOGUES):
        assert spoken.language() == "vi", "there is no such catalogue"
