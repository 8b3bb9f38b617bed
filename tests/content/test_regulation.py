"""Điều 8 và Điều 11.1.a, read back from the code: limits, clocks, sources, basis."""

import pytest

from services.content.domain.body import Body, SourceRegister, fold, require_sources
from services.content.domain.clock import supply_clock
from services.content.domain.rules import EventInFuture, PermissionInFuture, PermissionNotNeeded
from services.content.regulation import LIMITS, Attestation, Policy
from shared.calendar import CALENDAR
from shared.contracts.content import ContentClass
from shared.errors import PortalError
from shared.testing import local
from shared.web.vietnamese import vn_date
from tests.content.world import NGA, Office

C = ContentClass


def last_day(kind: ContentClass, event: str, permitted: str = "", policy: Policy | None = None) -> str | None:
    clock = supply_clock(
        kind, "bhxh-ha-noi", local(event), local(permitted) if permitted else None, calendar=CALENDAR,
        policy=policy or Policy(),
    )  # fmt: skip
    return clock.explanation_vi.split("(")[0].removeprefix("Hạn: hết ").strip() if clock else None


@pytest.mark.parametrize(
    ("kind", "event", "permitted", "due"),
    [
        pytest.param(C.ACTIVITY, "2025-04-25T09:00", "", "thứ Bảy, 26/04/2025", id="a worked Saturday"),
        pytest.param(C.ACTIVITY, "2025-04-29T23:59", "", "thứ Hai, 05/05/2025", id="a bridge is none"),
        pytest.param(C.ACTIVITY, "2026-11-23T09:00", "", "thứ Tư, 25/11/2026", id="Culture Day does not"),
        pytest.param(C.GUIDANCE, "2025-04-28T09:00", "", "thứ Năm, 15/05/2025", id="guidance has ten days"),
        pytest.param(C.DRAFT_CONSULTATION, "2025-04-26T09:00", "", "thứ Bảy, 26/04/2025", id="at once"),
        pytest.param(C.CONTACT, "2025-04-21T09:00", "2025-04-23T09:00", "thứ Năm, 24/04/2025",
                     id="contact counts from the permission when that is later"),
        pytest.param(C.CONTACT, "2025-04-23T09:00", "2025-04-21T09:00", "thứ Năm, 24/04/2025",
                     id="contact counts from the change when that is later"),
        pytest.param(C.DOCUMENT, "2025-04-21T09:00", "2025-04-21T10:00", "thứ Ba, 22/04/2025",
                     id="a document has one day"),
        pytest.param(C.DOCUMENT, "2025-04-21T09:00", "", None, id="a document waits for its permission"),
        pytest.param(C.CONTACT, "2025-04-21T09:00", "", None, id="contact details wait for their permission"),
        pytest.param(C.NEWS_EVENT, "2025-04-21T09:00", "", None, id="news has no clock"),
    ],
)  # fmt: skip
def test_each_class_is_due_by_its_sentence(kind: C, event: str, permitted: str, due: str | None) -> None:
    assert last_day(kind, event, permitted) == due


def test_at_once_may_be_read_as_a_number_of_working_days() -> None:
    policy = Policy(draft_working_days=1)
    assert last_day(C.DRAFT_CONSULTATION, "2025-04-21T09:00", policy=policy) == "thứ Ba, 22/04/2025"


def test_a_clock_says_whose_it_is_since_when_and_by_which_clause() -> None:
    clock = supply_clock(
        C.GUIDANCE, "bhxh-ha-noi", local("2025-04-28T09:00"), None, calendar=CALENDAR, policy=Policy()
    )
    assert clock is not None
    assert (clock.name, clock.duty, clock.owner_unit) == ("supply", "supply", "bhxh-ha-noi")
    assert clock.basis == "dieu-11#huong-dan"
    assert "chính thức được ban hành" in clock.start_reason
    assert "nghỉ" in clock.explanation_vi and "Not counted" in clock.explanation_en
    assert vn_date(clock.started_at) == "28/04/2025"


def test_the_limits_quote_the_regulation() -> None:
    assert {kind: limit.working_days for kind, limit in LIMITS.items()} == {
        C.CONTACT: 1, C.NEWS_EVENT: None, C.ACTIVITY: 1, C.DOCUMENT: 1,
        C.DRAFT_CONSULTATION: 0, C.GUIDANCE: 10,
    }  # fmt: skip
    assert [kind for kind, limit in LIMITS.items() if limit.needs_permission] == [C.CONTACT, C.DOCUMENT]


def test_article_8_asks_for_six_statements() -> None:
    assert len(Attestation) == 6


@pytest.mark.parametrize(
    ("kind", "event", "permitted", "refusal"),
    [
        pytest.param(C.ACTIVITY, "2026-11-24T09:00", "", EventInFuture, id="what is to come starts no clock"),
        pytest.param(C.GUIDANCE, "2027-01-01T09:00", "", EventInFuture, id="nor does a text not yet issued"),
        pytest.param(C.CONTACT, "2026-11-20T09:00", "2026-11-25T09:00", PermissionInFuture,
                     id="a permission is given or it is not"),
        pytest.param(C.ACTIVITY, "2026-11-20T09:00", "2026-11-20T10:00", PermissionNotNeeded,
                     id="an activity asks for none"),
    ],
)  # fmt: skip
async def test_moments_that_cannot_be_are_refused_in_words(
    kind: C, event: str, permitted: str, refusal: type[PortalError]
) -> None:
    with pytest.raises(refusal) as refused:
        await Office().submit(kind, event=event, permitted=permitted)
    assert refused.value.extra["errors"][0]["field"] in ("event_at", "permitted_at")
    assert refused.value.detail


async def test_news_may_come_before_its_event() -> None:
    submission = await Office().submit(C.NEWS_EVENT, event="2026-12-25T09:00")
    assert submission.clock is None


async def test_guidance_registered_late_is_born_overdue_and_supplied_late() -> None:
    office = Office()
    submission = await office.submit(C.GUIDANCE, event="2026-10-01T09:00", by=NGA)
    assert submission.clock is not None and submission.supplied_at is not None
    assert submission.supplied_at >= submission.clock.due_at


@pytest.mark.parametrize(("kind", "permitted"), [(C.GUIDANCE, ""), (C.DOCUMENT, "2022-03-02T08:00")])
async def test_what_is_older_than_the_calendar_is_taken_late_and_says_so(kind: C, permitted: str) -> None:
    submission = await Office().submit(kind, event="2021-12-31T09:00", permitted=permitted)
    assert submission.clock is not None and submission.supplied_at is not None
    assert submission.clock.due_at < submission.supplied_at
    start = "02/03/2022" if permitted else "31/12/2021"
    assert submission.clock.explanation_vi.startswith(f"Mốc là ngày {start}, trước năm đầu của lịch;")


@pytest.mark.parametrize(
    "author",
    ["", "   ", "Sưu tầm", "ST", "internet", "Trên mạng", "—", "(khuyết danh)", "Sưu tầm từ Internet",
     "Tác giả: sưu tầm", "Nguồn: mạng xã hội Facebook"],
)  # fmt: skip
async def test_a_quoted_item_without_an_author_is_refused(author: str) -> None:
    with pytest.raises(PortalError) as refused:
        require_sources(quoted(author, "Báo Nhân Dân"), SourceRegister.of(["Báo Nhân Dân"]))
    assert refused.value.code == "author_missing"


@pytest.mark.parametrize("author", ["Gia", "Tâm", "Mạng Lưới", "Trần Sưu", "Google Việt Nam"])
def test_a_name_that_says_something_is_taken(author: str) -> None:
    require_sources(quoted(author, "Báo Nhân Dân"), SourceRegister.of(["Báo Nhân Dân"]))


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "source_missing"), ("Internet", "source_missing"), ("Sưu tầm", "source_missing"),
        ("Báo Lá Cải", "source_not_official"),
        ("https://nhandan.vn.evil.example/x", "source_not_official"),
        ("nhandan.vn@evil.example", "source_not_official"),
        ("evil.example/nhandan.vn", "source_not_official"),
        ("Báo Nhân Dân giả", "source_not_official"),
    ],
)  # fmt: skip
def test_a_quoted_item_from_no_official_source_is_refused(source: str, code: str) -> None:
    register = SourceRegister.of(["Báo Nhân Dân", "nhandan.vn"])
    with pytest.raises(PortalError) as refused:
        require_sources(quoted("Nguyễn Văn A", source), register)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "source",
    ["Báo Nhân Dân", "báo nhân dân", "BAO NHAN DAN", "Báo Nhân Dân, số ra ngày 02/9/2026", "nhandan.vn",
     "https://nhandan.vn/bai-viet.html?x=1", "https://en.nhandan.vn"],
)  # fmt: skip
def test_an_official_source_is_known_by_name_or_address(source: str) -> None:
    require_sources(quoted("Nguyễn Văn A", source), SourceRegister.of(["Báo Nhân Dân", "nhandan.vn"]))


def test_what_the_unit_wrote_itself_names_no_source() -> None:
    require_sources(Body("T", "", "<p>x</p>", "", ""), SourceRegister())


def test_words_are_found_with_or_without_diacritics() -> None:
    assert fold("Đóng  BHXH: tự nguyện!") == "dong bhxh tu nguyen"


def quoted(author: str, source: str) -> Body:
    return Body("T", "", "<p>x</p>", author, source, quoted=True)
