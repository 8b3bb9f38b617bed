"""The notifier's own settings: the mail server, and the choices of regulation.Policy."""

import hashlib
import hmac
import re
from datetime import time, timedelta
from email.utils import parseaddr
from pathlib import Path
from typing import Final, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from services.notifier.regulation import Policy
from services.notifier.regulation_stages import Hours
from shared.production import LOOPBACK
from shared.settings import ServiceSettings

RELAY: Final = re.compile(r"[A-Za-z0-9._-]+(?::[1-9][0-9]{0,4})?")


class NotifierSettings(ServiceSettings):
    smtp_host: str = Field(
        "127.0.0.1",
        description="Mail servers (SMTP relays), comma-separated, each with its port if it has another:"
        " `mx1.example.vn,mx2.example.vn:587`. The next one is asked when one takes no sender.",
    )
    smtp_port: int = Field(25, ge=1, le=65535, description="Their port.")
    smtp_starttls: bool = Field(
        False, description="Require STARTTLS; the server's certificate is then checked."
    )
    smtp_username: str = Field(
        "", description="Sign in at the mail server as this user; empty: do not sign in."
    )
    smtp_password: SecretStr = Field(SecretStr(""), description="Password of that user.")
    smtp_timeout: float = Field(
        10.0, gt=0, le=12, description="Seconds to wait for each reply of the mail server."
    )
    smtp_connections: int = Field(
        4,
        ge=1,
        le=50,
        description="Connections to each mail server; notices that are due the same day have as many again.",
    )
    mail_from: str = Field(
        "Cổng Thông tin điện tử BHXH Việt Nam <hoidap@bhxh.example.vn>",
        description="Sender of every mail; its domain ends each Message-ID.",
    )
    bounce_mailbox: str = Field(
        "bounce",
        pattern=r"^[a-z0-9][a-z0-9.-]{0,15}(@[a-z0-9-]+(\.[a-z0-9-]+)+)?$",
        description="Mailbox that takes what comes back, at the sender's domain if it names none. Each mail"
        " is sent from `<mailbox>+<token>@…`; the mail server must hand those to `/v1/mail/returned`.",
    )
    dkim_key_file: Path | None = Field(
        None, description="PEM file of the RSA key (2048 bits or more) that signs each mail; none: unsigned."
    )
    dkim_selector: str = Field(
        "thu-bao", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description="Name of that key in DNS."
    )
    dkim_domain: str = Field(
        "",
        pattern=r"^([a-z0-9-]+(\.[a-z0-9-]+)+)?$",
        description="Domain that signs (`d=`); empty: that of PORTAL_MAIL_FROM.",
    )
    first_retry_seconds: float = Field(
        2.0, gt=0, description="Wait before a mail is tried again; doubled each time."
    )
    longest_retry_seconds: float = Field(900.0, gt=0, description="Longest wait between two tries.")
    claim_timeout_seconds: float = Field(
        25.0,
        ge=25,  # longer than the letter's fetching and the whole dialogue may take, shorter than the promise
        le=30,
        description="A sender silent for so long is taken as lost, and its mail as uncertain.",
    )
    courtesy_attempts: int = Field(
        10, ge=1, description="Tries of a mail that no rule demands (acknowledgement)."
    )

    office_opens: time = Field(time(8), description="Working hours begin (of working days, in Vietnam).")
    office_closes: time = Field(
        time(17), description="Working hours end; what the law does not want at once waits for the next ones."
    )
    digest_at: time = Field(
        time(7, 30), description="When units get their morning mail, on working days, Vietnamese time."
    )
    digest_ahead_days: int = Field(
        2, ge=0, le=10, description="Working days that a unit's morning mail looks ahead."
    )
    breach_mail_units: frozenset[str] = Field(
        frozenset(),
        description='JSON list of units that get each breach in a mail of its own, `["*"]` for all; others'
        " read of it in their morning mail. What is due the same day is always told at once.",
    )
    question_centre: str = Field(
        "tt-cskh", description="Directory id of the centre that answers for questions."
    )
    content_centre: str = Field(
        "tt-truyen-thong", description="Directory id of the centre that answers for content and links."
    )
    leadership_unit: str = Field(
        "van-phong", description="Directory id of the unit through which the leadership is told."
    )
    chat_url: str = Field("", description="Webhook of the operations chat; empty: no chat.")
    chat_secret: SecretStr = Field(
        SecretStr(""), description="Standard Webhooks secret (`whsec_…`) that signs what goes to the chat."
    )
    sms_url: str = Field("", description="Base address of the SMS gateway (docs/channels.md); empty: no SMS.")
    sms_token: SecretStr = Field(SecretStr(""), description="Bearer token of the SMS gateway.")

    @field_validator("chat_url", "sms_url")
    @classmethod
    def _a_web_address(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^\s/]+(/\S*)?", value):
            raise ValueError("must be an https:// address, or http:// on one machine")
        return value

    @model_validator(mode="after")
    def _nothing_in_the_clear(self) -> Self:
        named = (("PORTAL_CHAT_URL", self.chat_url), ("PORTAL_SMS_URL", self.sms_url))
        for name, url in named:
            if self.environment == "production" and url.startswith("http://"):
                raise ValueError(f"{name} must be on https in production")
        away = any(host not in LOOPBACK for host, _ in self.smtp_relays)
        if self.environment == "production" and self.smtp_username and away and not self.smtp_starttls:
            raise ValueError("PORTAL_SMTP_USERNAME needs PORTAL_SMTP_STARTTLS: its password would be read")
        return self

    @field_validator("mail_from")
    @classmethod
    def _one_sender(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1] or "\n" in value or "\r" in value:
            raise ValueError("must be one address, with or without a name")
        return value

    @field_validator("smtp_host")
    @classmethod
    def _relays(cls, value: str) -> str:
        if not all(RELAY.fullmatch(each.strip()) for each in value.split(",")):
            raise ValueError("must be host names, comma-separated, each with :port or without")
        return value

    @property
    def smtp_relays(self) -> list[tuple[str, int]]:
        """Host and port of each mail server, the preferred one first."""
        named = [each.strip().partition(":") for each in self.smtp_host.split(",")]
        return [(host, int(port or self.smtp_port)) for host, _, port in named]

    @property
    def warnings(self) -> list[str]:
        """What production should not go without, though it can; a sentence each."""
        said = []
        if self.environment == "production" and self.dkim_key_file is None:
            said.append("PORTAL_DKIM_KEY_FILE is not set: mail goes out unsigned, unless a relay signs it.")
        away = [host for host, _ in self.smtp_relays if host not in LOOPBACK]
        if self.environment == "production" and away and not self.smtp_starttls:
            said.append(f"PORTAL_SMTP_STARTTLS is off: letters go to {', '.join(away)} in the clear.")
        return said

    @property
    def mail_domain(self) -> str:
        return self.sender[1].rpartition("@")[2]

    @property
    def sender(self) -> tuple[str, str]:
        """Name and address."""
        return parseaddr(self.mail_from)

    @property
    def _suppression_key(self) -> bytes:
        """Of the hash that stands for an address, apart from every other use of the service's key."""
        secret = self.secret_key.get_secret_value().encode()
        return hmac.new(secret, b"suppressed address", hashlib.sha256).digest() if secret else b""

    @model_validator(mode="after")
    def _office_hours(self) -> Self:
        if self.office_opens >= self.office_closes:
            raise ValueError("office_opens must come before office_closes")
        return self

    @property
    def feed_key(self) -> bytes:
        """Of the addresses of the units' calendars; empty: there are none."""
        secret = self.secret_key.get_secret_value().encode()
        return hmac.new(secret, b"deadline feed", hashlib.sha256).digest() if secret else b""

    def policy(self) -> Policy:
        return Policy(
            first_retry=timedelta(seconds=self.first_retry_seconds),
            longest_retry=timedelta(seconds=self.longest_retry_seconds),
            claim_timeout=timedelta(seconds=self.claim_timeout_seconds),
            courtesy_attempts=self.courtesy_attempts,
            message_domain=self.mail_domain,
            hours=Hours(self.office_opens, self.office_closes),
            digest_at=self.digest_at,
            digest_ahead=self.digest_ahead_days,
            one_by_one=self.breach_mail_units,
            question_centre=self.question_centre,
            content_centre=self.content_centre,
            leadership_unit=self.leadership_unit,
            chat=bool(self.chat_url),
            sms=bool(self.sms_url),
            suppression_key=self._suppression_key,
        )
