"""A full SMTP dialogue, and every way it can end, against a real server that plays trouble."""

from email import message_from_bytes
from email.policy import default

import pytest

from services.notifier.gateways import Mail, NotSent, Smtp, composed
from shared.contracts.notifier import Delivery
from shared.web.vietnamese import local
from tests.notifier.conftest import Sink
from tests.notifier.world import RECEIVED

SENDER = ("Cổng Thông tin điện tử BHXH Việt Nam", "hoidap@bhxh.example.vn")
TEXT = "Kính gửi ông Nguyễn Văn Ấn,\n\n.một dòng bắt đầu bằng dấu chấm\n..hai chấm\n"


def mail(to: str = "an@example.vn", **facts: str) -> Mail:
    given = {
        "subject": "Trả lời câu hỏi HD-1",
        "text": TEXT,
        "html": "<p>Kính gửi</p>",
        "message_id": "<1@a.vn>",
    }
    return Mail(to=to, at=RECEIVED, **(given | facts))


async def outcome_of(smtp: Smtp, letter: Mail) -> NotSent:
    with pytest.raises(NotSent) as failure:
        await smtp.send(letter)
    return failure.value


async def test_a_mail_arrives_whole_with_the_servers_word(sink: Sink) -> None:
    reply = await Smtp(sink.settings()).send(mail())
    (kept,) = sink.mailbox.newest_first()
    assert reply.startswith("250 2.0.0 Kept as")
    assert (kept.recipients, kept.message_id, kept.text) == (["an@example.vn"], "<1@a.vn>", TEXT)


async def test_two_mails_share_a_connection(sink: Sink) -> None:
    smtp = Smtp(sink.settings())
    await smtp.send(mail())
    await smtp.send(mail())
    await smtp.close()
    assert (sink.connections, len(sink.mailbox.newest_first())) == (1, 2)


async def test_a_mailbox_that_does_not_exist_is_refused_for_good(sink: Sink) -> None:
    sink.behave("refuse")
    failure = await outcome_of(Smtp(sink.settings()), mail())
    assert (failure.outcome, failure.reason) == (Delivery.DEFINITE, "550 5.1.1 No such mailbox here")


async def test_a_server_that_puts_off_is_tried_again(sink: Sink) -> None:
    sink.behave("tempfail", times=1)
    smtp = Smtp(sink.settings())
    assert (await outcome_of(smtp, mail())).outcome is Delivery.TEMPORARY
    assert await smtp.send(mail())


async def test_an_answer_that_is_lost_after_the_body_is_uncertain(sink: Sink) -> None:
    sink.behave("drop_after_data", times=1)
    failure = await outcome_of(Smtp(sink.settings()), mail())
    assert failure.outcome is Delivery.UNCERTAIN
    assert len(sink.mailbox.newest_first()) == 1


async def test_silence_after_the_body_is_uncertain(sink: Sink) -> None:
    sink.behave("slow", times=1, seconds=1)
    assert (await outcome_of(Smtp(sink.settings()), mail())).outcome is Delivery.UNCERTAIN


async def test_a_server_that_is_not_there_is_tried_again(sink: Sink, unused_tcp_port: int) -> None:
    smtp = Smtp(sink.settings().model_copy(update={"smtp_port": unused_tcp_port}))
    assert (await outcome_of(smtp, mail())).outcome is Delivery.TEMPORARY


async def test_a_kept_connection_that_has_died_is_replaced_before_anything_is_at_stake(sink: Sink) -> None:
    smtp = Smtp(sink.settings())
    await smtp.send(mail())
    (line,) = smtp.relays[0].idle
    assert line.client.transport is not None
    line.client.transport.abort()
    await smtp.send(mail())
    assert len(sink.mailbox.newest_first()) == 2


@pytest.mark.parametrize(
    "address",
    [
        "a@example.vn, b@example.vn",
        "a@example.vn\r\nBcc: b@example.vn",
        "a@example.vn\u2028b@c.vn",
        "a@b",
        "",
        "a b@c.vn",
    ],
)
async def test_a_mail_goes_to_exactly_one_address(sink: Sink, address: str) -> None:
    assert (await outcome_of(Smtp(sink.settings()), mail(to=address))).outcome is Delivery.DEFINITE
    assert sink.connections == 0


def test_a_message_says_who_what_when_and_that_a_machine_wrote_it() -> None:
    raw = composed(mail(), SENDER)
    message = message_from_bytes(raw, policy=default)
    assert raw.isascii()
    assert str(message["From"]) == "Cổng Thông tin điện tử BHXH Việt Nam <hoidap@bhxh.example.vn>"
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "vi")
    assert local(message["Date"].datetime) == RECEIVED
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]
