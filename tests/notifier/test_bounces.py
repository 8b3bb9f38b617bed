"""What comes back is read for what it says: a return, a delay, a machine's answer; no address is kept."""

import time
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from services.notifier import domain, returned
from services.notifier.domain import ForgedReturn, Notice, StillSending, Way
from services.notifier.regulation import NoticeStatus
from services.notifier.return_address import ReturnAddresses
from services.notifier.returned import NoReport, Outcome
from services.notifier.said import without_addresses
from services.notifier.settings import NotifierSettings
from shared.contracts.base import Decision
from shared.contracts.notifier import Delivery
from shared.errors import Forbidden, IllegalTransition, InvalidInput
from shared.workflow import Actor
from tests.notifier.test_notices import NOW, accepted, failed, sending

OPERATOR = Actor("u-oanh", roles=frozenset({"operator"}))
KEEPER = Actor("u-thao", roles=frozenset({"calendar_keeper"}))
RETURNS = ReturnAddresses("bounce", "bhxh.example.vn", b"key")
SECONDS = timedelta(seconds=1)


def dsn(
    action: str = "failed", status: str = "5.1.1", diagnostic: str = "smtp; 550 5.1.1 <an@example.vn> no",
    *, to: str = "bounce+x@bhxh.example.vn", recipient: str = "an@example.vn",
) -> bytes:  # fmt: skip
    """As Postfix writes one."""
    return f"""\
Return-Path: <>
Delivered-To: {to}
From: MAILER-DAEMON@mx.example.vn (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.vn
Arrival-Date: Mon, 23 Nov 2026 10:20:14 +0700 (+07)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--B
Content-Type: message/rfc822

From: hoidap@bhxh.example.vn
To: an@example.vn
Subject: x
Action: delivered
Status: 2.0.0

Action: delivered
--B--
""".replace("\n", "\r\n").encode()


def plain(words: str, **headers: str) -> bytes:
    said = {"From": "MAILER-DAEMON@mx.vn", "Return-Path": "<>", "To": "bounce+x@bhxh.example.vn"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return ("".join(f"{n}: {v}\r\n" for n, v in said.items()) + "\r\n" + words).encode()


class TestReading:
    @pytest.mark.parametrize(
        ("action", "status", "outcome", "permanent"),
        [
            ("failed", "5.1.1", Outcome.BOUNCED, True),
            ("failed", "4.4.7", Outcome.BOUNCED, False),
            ("Failed", "5.7.1 (blocked)", Outcome.BOUNCED, True),
            ("delayed", "4.4.1", Outcome.DELAYED, False),
            ("delivered", "2.0.0", Outcome.DELIVERED, False),
            ("relayed", "2.0.0", Outcome.DELIVERED, False),
        ],
    )
    def test_a_report_tells_its_outcome(
        self, action: str, status: str, outcome: Outcome, permanent: bool
    ) -> None:
        report, _ = returned.read(dsn(action, status))
        assert (report.outcome, report.permanent) == (outcome, permanent)

    def test_a_delay_is_no_return(self) -> None:
        report, _ = returned.read(dsn("delayed", "4.4.1", "smtp; 451 4.4.1 no answer"))
        assert (report.outcome, report.status) == (Outcome.DELAYED, "4.4.1")

    def test_the_status_is_taken_from_the_servers_words_where_the_field_is_empty(self) -> None:
        assert returned.read(dsn(status="", diagnostic="smtp; 552 5.2.2 full"))[0].status == "5.2.2"
        assert returned.read(dsn(status="", diagnostic="smtp; 452 try later"))[0].status == "4.0.0"
        assert returned.read(dsn(status="", diagnostic="X-Unix; 67"))[0].status == "5.0.0"

    def test_what_stands_in_the_returned_mail_itself_is_no_report(self) -> None:
        assert returned.read(dsn("failed", "5.1.1"))[0].outcome is Outcome.BOUNCED

    def test_the_reason_holds_no_address_nor_the_name_of_the_mailbox(self) -> None:
        said = "smtp; 550 5.1.1 user nguyenvanan (an@x.vn, SRS0=h=tt=example.vn=nguyenvanan@r.vn) unknown"
        report, _ = returned.read(dsn(diagnostic=said, recipient="nguyenvanan@example.vn"))
        assert report.reason.startswith("550 5.1.1 user ‹địa chỉ›")
        assert "@" not in report.reason
        assert "nguyenvanan" not in report.reason

    @pytest.mark.parametrize(
        "raw",
        [
            plain("Tôi đang nghỉ phép.", From="an@example.vn", Auto_Submitted="auto-replied"),
            plain("Vắng mặt", From="an@example.vn", X_Autoreply="yes"),
            plain(
                "Đã đọc", Content_Type="multipart/report; report-type=disposition-notification; boundary=B"
            ),
        ],
    )
    def test_an_answer_of_a_machine_says_nothing_of_delivery(self, raw: bytes) -> None:
        assert returned.read(raw)[0].outcome is Outcome.AUTOMATIC

    def test_an_old_servers_plain_words_count_when_they_hold_a_status(self) -> None:
        report, _ = returned.read(plain("Hi. This is qmail.\r\n<an@x.vn>: 550 5.1.1 no mailbox an@x.vn\r\n"))
        assert (report.outcome, report.status) == (Outcome.BOUNCED, "5.1.1")
        assert "@" not in report.reason

    @pytest.mark.parametrize(
        "raw",
        [b"", b"\x00\xff", plain("Xin chào"), plain("550 5.1.1?", From="an@x.vn", Return_Path="<an@x.vn>"),
         dsn("exploded"), dsn("failed").replace(b"Action: failed", b"X: y")],
    )  # fmt: skip
    def test_what_says_nothing_of_delivery_is_refused(self, raw: bytes) -> None:
        with pytest.raises(NoReport):
            returned.read(raw)

    def test_words_without_an_end_take_no_time(self) -> None:
        long, began = "x" * 400_000, time.monotonic()
        returned.read(dsn(diagnostic=f"smtp; 550 {long}", recipient=f"{long}@example.vn", to=long))
        returned.read(plain(f"550 5.1.1 {long}"))
        assert time.monotonic() - began < 2

    @given(st.binary(max_size=400), st.integers(0, 900))
    def test_whatever_is_handed_over_is_read_or_refused(self, noise: bytes, at: int) -> None:
        for raw in (noise, dsn()[:at] + noise + dsn()[at:]):
            try:
                report, _ = returned.read(raw)
            except NoReport:
                continue
            assert "@" not in report.reason

    @given(st.text(max_size=60), st.text("abcdefghij.-_", min_size=3, max_size=20))
    def test_no_words_of_a_server_keep_an_address(self, words: str, name: str) -> None:
        address = f"{name}@example.vn"
        said = without_addresses(f"550 {words} <{address}> {words}", address)
        assert address not in said
        assert said.isprintable() or not words.isprintable()


class TestReturnAddress:
    @given(st.uuids(), st.integers(1, 65535))
    def test_it_tells_notice_and_attempt_and_fits_a_mailbox(self, id: UUID, attempt: int) -> None:
        address = RETURNS.address(id, attempt)
        assert RETURNS.read(address) == RETURNS.read(address.upper()) == (id, attempt)
        assert len(address.partition("@")[0]) <= 64

    def test_it_says_nothing_of_the_person(self) -> None:
        assert RETURNS.address(UUID(int=1), 1).startswith("bounce+aaaaaaaaaaaaaaaaaaaaaaaaa")

    @given(st.integers(0, 41), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
    def test_a_changed_letter_is_found(self, at: int, letter: str) -> None:
        address = RETURNS.address(UUID(int=7), 3)
        place = len("bounce+") + at
        forged = address[:place] + letter + address[place + 1 :]
        if forged == address:
            return
        with pytest.raises(ForgedReturn):
            RETURNS.read(forged)

    @pytest.mark.parametrize(
        "address",
        ["", "an@example.vn", "bounce@bhxh.example.vn", "bounce+@bhxh.example.vn", "bounce+a@bhxh.example.vn",
         "bounce+" + "a" * 42 + "@bhxh.example.vn", "bounce+" + "é" * 42 + "@bhxh.example.vn"],
    )  # fmt: skip
    def test_what_we_did_not_make_is_refused(self, address: str) -> None:
        with pytest.raises(ForgedReturn):
            RETURNS.read(address)

    def test_another_key_or_another_domain_is_not_ours(self) -> None:
        address = RETURNS.address(UUID(int=7), 3)
        for other in (replace(RETURNS, key=b"other"), replace(RETURNS, domain="x.vn")):
            with pytest.raises(ForgedReturn):
                other.read(address)

    def test_the_settings_name_the_mailbox(self) -> None:
        settings = NotifierSettings(
            environment="local", secret_key=SecretStr("k" * 32), bounce_mailbox="tra-lai@mx.bhxh.vn"
        )
        assert ReturnAddresses.of(settings).address(uuid4(), 1).endswith("@mx.bhxh.vn")


def bounced(notice: Notice, attempt: int = 1) -> Notice:
    return domain.bounce(notice, attempt=attempt, permanent=True, status="5.1.1", reason="550", at=NOW)[0]


class TestTask:
    """«Phải thông báo»: a mail that came back has told nobody."""

    def test_a_return_opens_a_task_for_what_the_law_demands_and_for_nothing_else(self) -> None:
        assert domain.needs_person(bounced(accepted(sending())))
        assert not domain.needs_person(bounced(accepted(sending("acknowledgement"))))
        assert not domain.needs_person(accepted(sending()))

    def test_a_return_counts_once(self) -> None:
        once = bounced(accepted(sending()))
        assert domain.bounce(once, attempt=1, permanent=True, status="5.1.1", reason="", at=NOW)[1] == ()

    def test_a_return_shows_that_a_mail_of_unknown_fate_was_taken_in(self) -> None:
        assert bounced(failed(sending(), Delivery.UNCERTAIN)).status is NoticeStatus.BOUNCED

    def test_the_return_of_an_earlier_attempt_says_nothing_of_the_later_one(self) -> None:
        second = accepted(sending(attempt=2), attempt=2)
        assert bounced(second, attempt=1).status is NoticeStatus.SENT

    def test_a_return_that_is_faster_than_our_record_comes_again(self) -> None:
        with pytest.raises(StillSending):
            bounced(sending())

    @pytest.mark.parametrize("attempt", [0, 2, 65535])
    def test_a_return_of_an_attempt_that_never_was_is_refused(self, attempt: int) -> None:
        with pytest.raises(ForgedReturn):
            bounced(accepted(sending()), attempt=attempt)

    def test_an_acceptance_told_after_the_return_changes_nothing(self) -> None:
        came_back = bounced(failed(sending(), Delivery.UNCERTAIN))
        assert accepted(came_back) is came_back

    @pytest.mark.parametrize(
        "state",
        [bounced(accepted(sending())), failed(sending(), Delivery.DEFINITE),
         failed(sending("acknowledgement"), Delivery.UNCERTAIN)],
        ids=["bounced", "refused", "uncertain"],
    )  # fmt: skip
    def test_an_operator_sends_again_what_did_not_reach_with_the_same_message_id(self, state: Notice) -> None:
        again, (event,) = domain.ask_again(state, reason="hộp thư đã mở lại", by=OPERATOR)
        assert (again.status, again.message_id) == (NoticeStatus.RETRYING, state.message_id)
        assert domain.claim(again)[0].attempt == state.attempt + 1
        assert event.name == "notifier.notice.retry_asked"

    def test_what_has_been_accepted_and_not_returned_is_not_sent_again(self) -> None:
        with pytest.raises(IllegalTransition):
            domain.ask_again(accepted(sending()), reason="x", by=OPERATOR)

    def test_telling_somebody_another_way_closes_the_task(self) -> None:
        told, (event,) = self.told(bounced(accepted(sending())))
        assert told.status is NoticeStatus.REACHED
        assert not domain.needs_person(told)
        assert event.name == "notifier.notice.reached_otherwise"

    @pytest.mark.parametrize("late", [-61 * SECONDS, 1 * SECONDS])
    def test_it_happened_after_the_notice_began_and_not_in_the_future(self, late: timedelta) -> None:
        with pytest.raises(InvalidInput):
            self.told(bounced(accepted(sending())), late)

    def test_nobody_but_an_operator_does_either(self) -> None:
        notice = bounced(accepted(sending()))
        with pytest.raises(Forbidden):
            domain.ask_again(notice, reason="x", by=KEEPER)
        with pytest.raises(Forbidden):
            self.told(notice, by=KEEPER)

    def told(self, notice: Notice, late: timedelta = timedelta(0), by: Actor = OPERATOR) -> Decision[Notice]:
        return domain.reach(
            notice, way=Way.PHONE, reached_at=NOW + late, proof="Sổ trực 12", at=NOW, by=by,
            requested_at=NOW - 10 * SECONDS,
        )  # fmt: skip
