"""Every way in which a dialogue with a mail server can end, against a server that behaves so."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from services.notifier.gateways import NotSent, Smtp
from services.notifier.gateways import mail as mail_gateway
from services.notifier.settings import NotifierSettings
from shared.contracts.notifier import Delivery
from tests.notifier.mail_servers import CLOSE, HANG, SLOWLY, Server, certificate, serving
from tests.notifier.test_gateways import mail, outcome_of

TEMPORARY, DEFINITE, UNCERTAIN = Delivery.TEMPORARY, Delivery.DEFINITE, Delivery.UNCERTAIN


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_gateway, "BEFORE_BODY", 0.4)


def to(*servers: Server, **facts: object) -> Smtp:
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    given = {"smtp_timeout": 0.3, "environment": "local", "smtp_host": hosts}
    return Smtp(NotifierSettings(**(given | facts)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("stage", "reply", "outcome"),
    [
        ("greeting", HANG, TEMPORARY), ("greeting", CLOSE, TEMPORARY),
        ("greeting", "554 5.3.2 no service here", TEMPORARY),
        ("greeting", "421 4.7.0 too many connections", TEMPORARY),
        ("greeting", "SSH-2.0-OpenSSH_9.6", TEMPORARY),
        ("EHLO", HANG, TEMPORARY), ("EHLO", "421 4.3.2 shutting down", TEMPORARY),
        ("MAIL", HANG, TEMPORARY), ("MAIL", CLOSE, TEMPORARY), ("MAIL", "451 4.3.0 later", TEMPORARY),
        ("MAIL", "550 5.7.1 we do not like you", TEMPORARY), ("MAIL", "530 5.7.0 sign in first", TEMPORARY),
        ("RCPT", HANG, TEMPORARY), ("RCPT", CLOSE, TEMPORARY),
        ("RCPT", "450 4.2.0 greylisted, come again", TEMPORARY), ("RCPT", "421 4.3.2 closing", TEMPORARY),
        ("RCPT", "what is a recipient?", TEMPORARY), ("RCPT", "550 5.1.1 no such user", DEFINITE),
        ("DATA", HANG, TEMPORARY), ("DATA", CLOSE, TEMPORARY), ("DATA", "452 4.3.1 disk full", TEMPORARY),
        ("DATA", "554 5.5.1 no valid recipients", DEFINITE),
        ("body", HANG, UNCERTAIN), ("body", CLOSE, UNCERTAIN), ("body", "thank you", UNCERTAIN),
        ("body", "354 still going", UNCERTAIN), ("body", "451 4.3.0 later", TEMPORARY),
        ("body", "421 4.3.2 closing", TEMPORARY), ("body", "552 5.2.2 mailbox full", DEFINITE),
    ],
)  # fmt: skip
async def test_each_end_of_a_dialogue_is_told_apart(stage: str, reply: str, outcome: Delivery) -> None:
    async with serving(**{stage: reply}) as server:
        assert (await outcome_of(to(server), mail())).outcome is outcome


@pytest.mark.parametrize("stage", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "body"])
async def test_a_server_that_speaks_byte_by_byte_is_listened_to(stage: str) -> None:
    said = {"greeting": "220 hi", "EHLO": "250 hi", "DATA": "354 go"}.get(stage, "250 2.0.0 ok")
    async with serving(**{stage: SLOWLY + said}) as server:
        assert (await to(server).send(mail())).startswith("250")


async def test_a_server_that_dribbles_without_end_is_left() -> None:
    async with serving(RCPT=SLOWLY + "250-" + "x" * 4000) as server:
        assert (await outcome_of(to(server), mail())).outcome is TEMPORARY


async def test_a_greylisted_mail_is_taken_when_it_comes_again() -> None:
    async with serving(RCPT=("450 4.2.0 greylisted", "250 2.1.5 OK")) as server:
        smtp = to(server)
        assert (await outcome_of(smtp, mail())).outcome is TEMPORARY
        assert await smtp.send(mail())
        assert (server.opened, len(server.mails)) == (1, 1)


@pytest.mark.parametrize("reply", ["250 ok", "250", "251 will forward", "200 fine"])
async def test_every_positive_answer_to_the_body_is_an_acceptance(reply: str) -> None:
    async with serving(body=reply) as server:
        assert (await to(server).send(mail())).startswith(reply[:3])


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 <an@example.vn>: no such user",
        "550 5.1.1 AN@EXAMPLE.VN unknown",
        "550 5.1.1 nguyenvanan@example.vn (forwarded to b@c.vn)",
        "550 5.1.1 SRS0=x=an=example.vn@relay.vn",
    ],
)
async def test_no_address_is_kept_of_what_a_server_says(reply: str) -> None:
    async with serving(RCPT=reply) as server:
        reason = (await outcome_of(to(server), mail())).reason
    assert reason.startswith("550 5.1.1")
    assert "@" not in reason
    assert "example" not in reason.lower()


async def test_the_name_of_a_mailbox_alone_is_hidden_too() -> None:
    async with serving(RCPT="550 5.1.1 user nguyen.van.an unknown, see nguyen.van.anh") as server:
        reason = (await outcome_of(to(server), mail(to="nguyen.van.an@example.vn"))).reason
    assert reason == "550 5.1.1 user ‹địa chỉ› unknown, see nguyen.van.anh"


async def test_what_a_server_says_is_kept_as_text_whatever_its_bytes() -> None:
    async with serving(body="250 2.0.0 reçu\x00\x1b[31m") as server:
        reply = await to(server).send(mail())
    assert reply.encode().decode() == reply
    assert reply.isprintable()


class TestPrivacyOnTheWire:
    async def test_a_server_without_tls_gets_no_mail_when_tls_is_wanted(self) -> None:
        async with serving() as server:
            assert (await outcome_of(to(server, smtp_starttls=True), mail())).outcome is TEMPORARY
        assert not any(line.startswith(("MAIL", "RCPT", "AUTH")) for line in server.heard)

    async def test_a_server_that_refuses_tls_gets_no_mail(self) -> None:
        offered = {"EHLO": "250-mx\r\n250 STARTTLS", "STARTTLS": "454 4.7.0 not now"}
        async with serving(**offered) as server:
            assert (await outcome_of(to(server, smtp_starttls=True), mail())).outcome is TEMPORARY
        assert not any(line.startswith(("MAIL", "AUTH")) for line in server.heard)

    @pytest.mark.parametrize("host", ["localhost", "mx.elsewhere.vn"])
    async def test_a_certificate_that_nobody_vouches_for_or_of_another_name_gets_no_mail(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        context, trusted = certificate(tmp_path, host)
        if host != "localhost":
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        async with serving(tls=context, EHLO="250-mx\r\n250 STARTTLS") as server:
            smtp = to(server, smtp_host=f"localhost:{server.port}", smtp_starttls=True)
            assert (await outcome_of(smtp, mail())).outcome is TEMPORARY
        assert not any(line.startswith("MAIL") for line in server.heard)

    async def test_a_server_that_proves_itself_gets_the_password_and_the_mail(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        context, trusted = certificate(tmp_path, "localhost")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        async with serving(tls=context, EHLO="250-mx\r\n250-STARTTLS\r\n250 AUTH PLAIN") as server:
            smtp = to(
                server, smtp_host=f"localhost:{server.port}", smtp_starttls=True, smtp_username="portal",
                smtp_password=SecretStr("secret"),
            )  # fmt: skip
            assert await smtp.send(mail())
        verbs = [line.split()[0] for line in server.heard]
        assert verbs.index("STARTTLS") < verbs.index("AUTH") < verbs.index("MAIL")

    async def test_a_password_that_is_refused_is_tried_again_later_and_never_shown(self) -> None:
        refusing = {"EHLO": "250-mx\r\n250 AUTH PLAIN", "AUTH": "535 5.7.8 wrong password"}
        async with serving(**refusing) as server:
            smtp = to(server, smtp_username="portal", smtp_password=SecretStr("secret"))
            failure = await outcome_of(smtp, mail())
        assert (failure.outcome, failure.reason) == (TEMPORARY, "535 5.7.8 wrong password")


async def test_the_recipient_is_named_as_it_was_checked() -> None:
    async with serving() as server:
        await to(server).send(mail(to=" an@example.vn "))
    assert "RCPT TO:<an@example.vn>" in server.heard


class TestSeveralServers:
    @pytest.mark.parametrize(
        ("stage", "reply"),
        [("greeting", HANG), ("greeting", CLOSE), ("greeting", "421 full"), ("MAIL", "451 later"),
         ("MAIL", "550 not from you"), ("MAIL", CLOSE)],
    )  # fmt: skip
    async def test_the_next_one_is_asked_before_a_recipient_is_named(self, stage: str, reply: str) -> None:
        async with serving(**{stage: reply}) as first, serving() as second:
            taken = await to(first, second).send(mail())
            assert taken.relay == f"127.0.0.1:{second.port}"
            assert (len(first.mails), len(second.mails)) == (0, 1)

    @pytest.mark.parametrize(
        ("stage", "reply", "outcome"),
        [("RCPT", "450 greylisted", TEMPORARY), ("RCPT", "550 no such user", DEFINITE),
         ("DATA", CLOSE, TEMPORARY), ("body", CLOSE, UNCERTAIN), ("body", HANG, UNCERTAIN)],
    )  # fmt: skip
    async def test_from_the_recipient_on_a_mail_stays_with_its_server(
        self, stage: str, reply: str, outcome: Delivery
    ) -> None:
        async with serving(**{stage: reply}) as first, serving() as second:
            assert (await outcome_of(to(first, second), mail())).outcome is outcome
            assert second.heard == []

    async def test_one_that_was_in_trouble_is_not_asked_first_for_a_while(self) -> None:
        async with serving(greeting=HANG) as first, serving() as second:
            smtp = to(first, second)
            for _ in range(3):
                await smtp.send(mail())
            assert (first.opened, second.opened, len(second.mails)) == (1, 1, 3)

    async def test_the_last_word_is_the_reason_when_none_takes_the_mail(self) -> None:
        async with serving(MAIL="451 4.3.0 first") as first, serving(MAIL="451 4.3.0 second") as second:
            assert (await outcome_of(to(first, second), mail())).reason == "451 4.3.0 second"


class TestConnections:
    async def send(self, smtp: Smtp, count: int) -> list[object]:
        letters = (smtp.send(mail(message_id=f"<{n}@a.vn>")) for n in range(count))
        return await asyncio.gather(*letters, return_exceptions=True)

    async def test_a_server_never_has_more_than_its_limit(self) -> None:
        async with serving(body=SLOWLY + "250 ok") as server:
            assert all(isinstance(end, str) for end in await self.send(to(server, smtp_connections=3), 9))
            assert (server.peak, server.opened, len(server.mails)) == (3, 3, 9)

    async def test_a_server_that_finds_them_too_many_gets_fewer(self) -> None:
        async with serving(most=2) as server:
            smtp = to(server, smtp_connections=4)
            first = await self.send(smtp, 4)
            assert {e.outcome for e in first if isinstance(e, NotSent)} <= {TEMPORARY}
            again = await self.send(smtp, 8)
            assert [end for end in again if isinstance(end, NotSent)] == []

    async def test_a_refused_recipient_leaves_the_connection_fit_for_the_next_mail(self) -> None:
        async with serving(RCPT=("550 5.1.1 no", "250 ok")) as server:
            smtp = to(server)
            await outcome_of(smtp, mail())
            await smtp.send(mail())
            assert server.opened == 1
            assert server.heard.count("RSET") == 1

    async def test_a_server_that_hung_up_between_two_mails_costs_no_attempt(self) -> None:
        async with serving(MAIL=("250 ok", "421 4.4.2 idle for too long", "250 ok")) as server:
            smtp = to(server)
            await smtp.send(mail())
            assert await smtp.send(mail())
            assert server.opened == 2


class TestSettings:
    @pytest.mark.parametrize(
        ("given", "relays"),
        [
            ("mx.example.vn", [("mx.example.vn", 25)]),
            ("mx1.example.vn, mx2.example.vn:587", [("mx1.example.vn", 25), ("mx2.example.vn", 587)]),
        ],
    )
    def test_each_mail_server_may_have_a_port_of_its_own(
        self, given: str, relays: list[tuple[str, int]]
    ) -> None:
        assert NotifierSettings(environment="local", smtp_host=given).smtp_relays == relays

    @pytest.mark.parametrize("given", ["", "a,,b", "a b", "a:0", "http://a", "a:123456", "a;b"])
    def test_what_names_no_server_is_refused(self, given: str) -> None:
        with pytest.raises(ValidationError):
            NotifierSettings(environment="local", smtp_host=given)

    @pytest.mark.parametrize("given", ["", "Bounce", "b+c", "a b", "-a", "x" * 17, "a@b", "a@b.vn\n"])
    def test_a_mailbox_for_returns_leaves_room_for_the_token(self, given: str) -> None:
        with pytest.raises(ValidationError):
            NotifierSettings(environment="local", bounce_mailbox=given)

    def test_production_is_warned_of_what_it_should_not_go_without(self, tmp_path: Path) -> None:
        bare = NotifierSettings(environment="production", smtp_host="mx.example.vn")
        assert [said.split()[0] for said in bare.warnings] == ["PORTAL_DKIM_KEY_FILE", "PORTAL_SMTP_STARTTLS"]
        good = {"smtp_starttls": True, "dkim_key_file": tmp_path / "key.pem"}
        assert bare.model_copy(update=good).warnings == []
        assert NotifierSettings(environment="local").warnings == []

    def test_production_sends_no_password_in_the_clear(self) -> None:
        given = {"environment": "production", "smtp_host": "mx.example.vn", "smtp_username": "portal"}
        with pytest.raises(ValidationError, match="PORTAL_SMTP_STARTTLS"):
            NotifierSettings.model_validate(given)
        assert NotifierSettings.model_validate(given | {"smtp_starttls": True}).smtp_username == "portal"
