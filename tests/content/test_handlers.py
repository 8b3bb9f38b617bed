"""An item from the unit to the portal, through the handlers, on a journal in memory."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from services.content import handlers
from services.content.domain.body import Body
from services.content.domain.decisions import (
    Approve,
    Publish,
    RecordPermission,
    ReturnToUnit,
    RewriteText,
    Submit,
    Withdraw,
)
from services.content.domain.placement import placement_id
from services.content.regulation import Attestation, ReturnReason, Status
from shared.contracts.base import Recorded
from shared.contracts.content import (
    ContentClass,
    PlacementConfirmed,
    SubmissionPermitted,
    SubmissionPublished,
    SubmissionResubmitted,
    SubmissionReturned,
    SubmissionSubmitted,
)
from shared.contracts.sync import Action, DeliverySucceeded
from shared.errors import Forbidden, IdempotencyKeyReused, PortalError, PreconditionFailed
from shared.testing import local
from tests.content.world import ALL_SIX, BODY, LAN, MINH, NOW, PHUONG, REGISTER, Office, named

C = ContentClass


@pytest.fixture
def office() -> Office:
    return Office()


async def test_a_submission_opens_and_stops_the_units_clock_at_once(office: Office) -> None:
    await office.submit(C.ACTIVITY)
    [event] = office.events()
    assert isinstance(event, SubmissionSubmitted)
    assert [clock.name for clock in event.opens] == list(event.closes) == ["supply"]
    assert event.opens[0].owner_unit == "bhxh-quang-ngai"
    assert event.closed_at is not None


async def test_the_words_lie_beside_the_journal_under_their_hash(office: Office) -> None:
    submission = await office.submit()
    kept = Body.of(await office.vault.get(submission.body_ref))
    assert kept.hash == submission.body_hash
    assert await office.vault.put("other", kept.content) == submission.body_hash
    assert "Nộp hồ sơ" not in office.journal.commits[0].events[0].data


async def test_what_is_not_allowed_is_taken_out_before_it_is_kept(office: Office) -> None:
    dirty = '<h1>Đề</h1><p onclick="x()">a<script>y</script><a href="javascript:x">b</a></p><style>p</style>'
    submission = await office.submit(body=replace(BODY, html=dirty))
    body = await handlers.body_of(office.desk(LAN), submission.body_ref)
    assert body.html == '<h2>Đề</h2><p>a<a rel="noopener noreferrer">b</a></p>'


@pytest.mark.parametrize(
    ("html", "code"),
    [
        pytest.param("<script>x</script>", "text_empty", id="nothing is left"),
        pytest.param('<p>a</p><img src="https://x.vn/a.png">', "image_alt_missing", id="no description"),
        pytest.param(
            '<p>a <img src="https://x.vn/a.png" alt=" "></p>', "image_alt_missing", id="a blank one"
        ),
    ],
)
async def test_words_that_cannot_be_kept_leave_nothing_behind(office: Office, html: str, code: str) -> None:
    with pytest.raises(PortalError) as refused:
        await office.submit(body=replace(BODY, html=html))
    assert refused.value.code == code
    assert (office.journal.commits, office.vault.contents) == ([], {})


async def test_an_item_goes_from_the_unit_to_the_portal(office: Office) -> None:
    await office.submit(C.GUIDANCE)
    edited = replace(BODY, html="<p>Bản đã biên tập.</p>")
    await handlers.rewrite_text(RewriteText(office.id, edited, "gọn hơn"), office.desk(MINH))
    done = await office.approve(text_version=2)
    assert done.status is Status.PUBLISHED
    assert named(office.events()) == ["submitted", "edited", "approved", "published"]
    assert len(office.journal.commits) == 3, "approved and published are one decision"
    published = office.events()[-1]
    assert isinstance(published, SubmissionPublished)
    assert (published.text_version, published.body_hash) == (2, edited.hash)


async def test_the_author_and_the_editor_cannot_approve(office: Office) -> None:
    await office.submit()
    with pytest.raises(Forbidden, match="Người gửi bài không được tự duyệt"):
        await office.approve(by=LAN)
    both = replace(MINH, roles=frozenset({"editor", "approver"}))
    await handlers.rewrite_text(RewriteText(office.id, replace(BODY, title="Khác")), office.desk(both))
    with pytest.raises(Forbidden, match="Người biên tập bài không được tự duyệt"):
        await office.approve(by=both, text_version=2)


async def test_what_was_attested_of_one_version_says_nothing_of_the_next(office: Office) -> None:
    await office.submit()
    await office.approve(publish=False)
    assert (await office.current()).attestations == tuple(Attestation)
    await handlers.rewrite_text(RewriteText(office.id, replace(BODY, title="Khác")), office.desk(MINH))
    changed = await office.current()
    assert (changed.status, changed.attestations) == (Status.SUBMITTED, ())
    with pytest.raises(PortalError) as refused:
        await office.approve(text_version=1)
    assert refused.value.code == "text_version_changed"


@pytest.mark.parametrize("missing", Attestation)
async def test_each_of_the_six_statements_is_needed(office: Office, missing: Attestation) -> None:
    await office.submit()
    with pytest.raises(PortalError) as refused:
        await office.approve(attestations=ALL_SIX - {missing})
    assert (refused.value.code, refused.value.extra["missing"]) == ("attestation_missing", [missing])


async def test_a_quoted_item_needs_author_and_official_source_to_be_approved(office: Office) -> None:
    await office.submit(body=replace(BODY, quoted=True, author_name="Sưu tầm", source_name="Internet"))
    with pytest.raises(PortalError) as refused:
        await office.approve()
    assert refused.value.code == "author_missing"
    named_well = replace(BODY, quoted=True, author_name="Trần Bình", source_name="Báo Nhân Dân")
    await handlers.rewrite_text(RewriteText(office.id, named_well), office.desk(MINH))
    assert (await office.approve(text_version=2)).status is Status.PUBLISHED


async def test_the_same_words_again_are_no_new_version(office: Office) -> None:
    await office.submit()
    again = await handlers.rewrite_text(RewriteText(office.id, BODY), office.desk(MINH))
    assert (again.text_version, len(office.journal.commits)) == (1, 1)


async def test_returned_as_incomplete_the_clock_runs_on_and_is_not_restarted(office: Office) -> None:
    submitted = await office.submit(C.GUIDANCE, event="2026-11-16T09:00")
    assert submitted.clock is not None
    back = ReturnToUnit(office.id, ReturnReason.INCOMPLETE, "Thiếu bảng mức đóng.")
    await handlers.return_to_unit(back, office.desk(PHUONG))
    returned = office.events()[-1]
    assert isinstance(returned, SubmissionReturned)
    [clock] = returned.opens
    assert clock == submitted.clock.model_copy(update={"name": "supply:2"})
    assert (await office.current()).supplied_at is None
    await handlers.rewrite_text(RewriteText(office.id, replace(BODY, title="Đủ")), office.desk(LAN))
    again = office.events()[-1]
    assert isinstance(again, SubmissionResubmitted)
    assert again.closes == ("supply:2",)
    await handlers.return_to_unit(back, office.desk(MINH))
    third = office.events()[-1]
    assert isinstance(third, SubmissionReturned)
    assert [clock.name for clock in third.opens] == ["supply:3"]


async def test_returned_for_another_reason_the_supply_stands(office: Office) -> None:
    await office.submit()
    await handlers.return_to_unit(ReturnToUnit(office.id, ReturnReason.UNCLEAR), office.desk(MINH))
    returned = office.events()[-1]
    assert isinstance(returned, SubmissionReturned)
    assert (returned.opens, returned.incomplete) == ((), False)
    await handlers.rewrite_text(RewriteText(office.id, BODY), office.desk(LAN))
    again = office.events()[-1]
    assert isinstance(again, SubmissionResubmitted)
    assert again.closes == ()
    assert (await office.current()).text_version == 2


async def test_nothing_is_published_before_it_may_be(office: Office) -> None:
    submitted = await office.submit(C.CONTACT)
    assert submitted.clock is None
    approved = await office.approve()
    assert approved.status is Status.APPROVED
    with pytest.raises(PortalError) as refused:
        await handlers.publish_submission(Publish(office.id), office.desk(PHUONG))
    assert refused.value.code == "permission_missing"
    permission = RecordPermission(office.id, local("2026-11-23T08:30"))
    await handlers.record_permission(permission, office.desk(LAN))
    published = await handlers.publish_submission(Publish(office.id), office.desk(MINH))
    assert published.status is Status.PUBLISHED
    with pytest.raises(PortalError):
        await handlers.record_permission(permission, office.desk(LAN))


@pytest.mark.parametrize(
    ("permitted", "met_at"),
    [
        pytest.param("2026-11-23T08:30", "2026-11-23T09:00:01", id="permitted before the supply"),
        pytest.param("2026-11-23T09:01", "2026-11-23T09:01", id="supplied before the permission"),
    ],
)
async def test_the_clock_that_waited_for_the_permission_is_met(
    office: Office, permitted: str, met_at: str
) -> None:
    await office.submit(C.DOCUMENT, event="2026-11-16T09:00")
    await handlers.record_permission(RecordPermission(office.id, local(permitted)), office.desk(LAN))
    event = office.events()[-1]
    assert isinstance(event, SubmissionPermitted)
    [clock] = event.opens
    assert clock.started_at == local(permitted)
    assert event.closes == ("supply",)
    assert event.closed_at == local(met_at)
    assert event.closed_at < clock.due_at


async def test_a_withdrawal_keeps_its_reason(office: Office) -> None:
    await office.submit()
    await office.approve()
    done = await handlers.withdraw_submission(Withdraw(office.id, "Số liệu sai."), office.desk(PHUONG))
    assert done.status is Status.WITHDRAWN
    assert '"reason":"Số liệu sai."' in office.journal.commits[-1].events[0].data


async def test_the_same_command_twice_is_done_once(office: Office) -> None:
    def command(html: str) -> Submit:
        return Submit(uuid4(), C.ACTIVITY, replace(BODY, html=html), local("2026-11-23T08:00"))

    async def send(html: str) -> Any:
        desk = office.desk(LAN, once="u-lan:key-12345", fingerprint=html)
        return await desk.run(handlers.submit_text, command(html))

    first, again = await send("<p>Một.</p>"), await send("<p>Một.</p>")
    assert (first, len(office.journal.commits)) == (again, 1)
    with pytest.raises(IdempotencyKeyReused):
        await send("<p>Hai.</p>")
    kept = await handlers.body_of(office.desk(LAN), first.body_ref)
    assert kept.html == "<p>Một.</p>", "another body under the same key never replaces the words"


async def test_of_two_editors_the_second_is_told(office: Office) -> None:
    await office.submit()
    await handlers.rewrite_text(
        RewriteText(office.id, replace(BODY, title="Một")), office.desk(MINH, expected=1)
    )
    with pytest.raises(PreconditionFailed):
        await handlers.rewrite_text(
            RewriteText(office.id, replace(BODY, title="Hai")), office.desk(MINH, expected=1)
        )


def delivered(office: Office, item_version: int, id: str = "d") -> Recorded[DeliverySucceeded]:
    event = DeliverySucceeded(
        delivery_id=uuid4(), item_id=office.id, item_version=item_version, text_version=item_version - 1,
        partner="bo-noi-vu", action=Action.PUBLISH, attempts=1, content_hash="h", acknowledged_at=NOW,
    )  # fmt: skip
    return Recorded(event, f"delivery-{id}", 1, 0, NOW, "system", "c-12345678", "sync")


async def test_a_portals_acknowledgement_is_recorded_once_and_never_goes_back(office: Office) -> None:
    stream = f"placement-{placement_id(office.id, 'bo-noi-vu')}"

    async def take(recorded: Recorded[DeliverySucceeded]) -> None:
        desk = office.desk(MINH, once=recorded.id, causation=recorded.id)
        await handlers.on_delivery_succeeded(recorded, desk)

    await take(delivered(office, 3))
    await take(delivered(office, 5, "e"))
    await take(delivered(office, 3, "f"))
    versions = [e.item_version for e in office.events(stream) if isinstance(e, PlacementConfirmed)]
    assert versions == [3, 5]


async def test_an_approval_attests_exactly_what_was_read(office: Office) -> None:
    await office.submit()
    with pytest.raises(PortalError) as refused:
        await handlers.approve_submission(Approve(office.id, 7, ALL_SIX, REGISTER), office.desk(PHUONG))
    assert refused.value.status == 409
