"""The notifier's own settings: the mail server, and the choices of regulation.Policy."""

from datetime import timedelta
from email.utils import parseaddr

from pydantic import Field, SecretStr, field_validator

from services.notifier.regulation import Policy
from shared.settings import ServiceSettings


class NotifierSettings(ServiceSettings):
    smtp_host: str = Field("127.0.0.1", description="Mail server (SMTP relay).")
    smtp_port: int = Field(25, ge=1, le=65535, description="Its port.")
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
        description="Connections to the mail server; notices that are due the same day have as many again.",
    )
    mail_from: str = Field(
        "Cổng Thông tin điện tử BHXH Việt Nam <hoidap@bhxh.example.vn>",
        description="Sender of every mail; its domain ends each Message-ID.",
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

    @field_validator("mail_from")
    @classmethod
    def _one_sender(cls, value: str) -> str:
        if "@" not in parseaddr(value)[1] or "\n" in value or "\r" in value:
            raise ValueError("must be one address, with or without a name")
        return value

    @property
    def sender(self) -> tuple[str, str]:
        """Name and address."""
        return parseaddr(self.mail_from)

    def policy(self) -> Policy:
        return Policy(
            first_retry=timedelta(seconds=self.first_retry_seconds),
            longest_retry=timedelta(seconds=self.longest_retry_seconds),
            claim_timeout=timedelta(seconds=self.claim_timeout_seconds),
            courtesy_attempts=self.courtesy_attempts,
            message_domain=self.sender[1].rpartition("@")[2],
        )
