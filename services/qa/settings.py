"""Settings of the qa service; the choices that the regulation leaves open are here by name."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from services.qa.domain.codes import Codes
from services.qa.regulation import TRIAGE_LIMIT_DAYS, TRIAGE_TARGET_DAYS, Policy
from shared.settings import ServiceSettings


class QaSettings(ServiceSettings):
    model_config = SettingsConfigDict(
        env_prefix="PORTAL_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    same_day_from: Literal["receipt", "finding"] = Field(
        "receipt",
        description="Điều 11.1.a, hỏi đáp, gạch 1: «ngay trong ngày» of the receipt or of the finding.",
    )
    unit_reply_from: Literal["delivery", "receipt"] = Field(
        "delivery",
        description="Điều 11.1.a, hỏi đáp, gạch 2: 7 working days from delivery to the unit, or receipt.",
    )
    triage_target_days: int = Field(
        TRIAGE_TARGET_DAYS,
        ge=1,
        description="«02 đến 05 ngày làm việc»: a warning after so many working days.",
    )
    triage_limit_days: int = Field(
        TRIAGE_LIMIT_DAYS, ge=1, description="«02 đến 05 ngày làm việc»: a breach after so many working days."
    )
    max_progress_notices: int = Field(2, ge=1, description="Progress notices before they are escalated.")
    unclear_lapses_after: int = Field(
        30,
        ge=1,
        description="Điều 11.1.a, hỏi đáp, gạch 1: calendar days until an unclear question that nobody sent "
        "again is closed.",
    )
    follow_up_within: int = Field(
        30, ge=1, description="Calendar days after the answer within which its asker may ask further, once."
    )
    kept_for: int = Field(
        1825, ge=1, description="Calendar days after a question's end for which its asker's data is kept."
    )
    centre_unit: str = Field("tt-cskh", description="The customer service centre's id in the directory.")
    letters_for: str = Field(
        "svc-notifier",
        description="Who alone is given an asker's letter: the notifier's client at the issuer.",
    )
    tracking_failures: int = Field(
        10,
        ge=1,
        description="Wrong tracking look-ups that one address may make in `tracking_window` seconds.",
    )
    tracking_window: int = Field(600, ge=10, description="Seconds over which wrong look-ups are counted.")
    ask_limit: int = Field(
        300,
        ge=1,
        description="Questions that one address may send to one process in `tracking_window` seconds; who is"
        " signed in, as a unit's own system, is not counted.",
    )
    mail_address: str = Field(
        "",
        pattern=r"^([a-z0-9][a-z0-9.-]{0,15}@[a-z0-9-]+(\.[a-z0-9-]+)+)?$",
        description="Mailbox to which questions are mailed, e.g. `hoi@bhxh.example.vn`; letters are answered"
        " to `hoi+<token>@…`. Empty: the portal takes no mail.",
    )
    lmtp_host: str = Field(
        "",
        description="Address on which a mail server hands over that mailbox's mail (LMTP, for it alone: there"
        " is no sign-in and no TLS); empty: nowhere.",
    )
    lmtp_port: int = Field(8024, ge=0, le=65535, description="Port of LMTP.")
    largest_mail: int = Field(
        15 * 1024 * 1024, ge=64 * 1024, description="Bytes; a larger mail is refused while it streams."
    )
    mails_an_hour: int = Field(
        20, ge=1, description="Mails that one address may hand in within an hour; more are put off."
    )

    @model_validator(mode="after")
    def _a_mailbox_to_listen_for(self) -> Self:
        if self.lmtp_host and not self.mail_address:
            raise ValueError("PORTAL_LMTP_HOST needs PORTAL_MAIL_ADDRESS: whose mail is handed over there")
        return self

    largest_file: int = Field(
        10_000_000, ge=1000, le=64_000_000, description="Bytes of one attached file, at most."
    )
    upload_limit: int = Field(
        60, ge=1, description="Files that one address may upload in `tracking_window` seconds."
    )
    clamd: str = Field(
        "",
        pattern=r"^([A-Za-z0-9._-]+:\d{1,5})?$",
        description="host:port of clamd, which looks through attached files; empty: they are not scanned.",
    )

    def own_faults(self) -> list[str]:
        return [] if self.clamd else ["PORTAL_CLAMD is missing: what askers attach is scanned (host:port)."]

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: object) -> object:
        secret = getattr(value, "get_secret_value", lambda: "")()
        if len(secret) < Codes.SHORTEST_SECRET:
            raise ValueError(f"PORTAL_SECRET_KEY needs at least {Codes.SHORTEST_SECRET} random characters")
        return value

    def policy(self) -> Policy:
        return Policy(
            same_day_from=self.same_day_from, unit_reply_from=self.unit_reply_from,
            triage_target_days=self.triage_target_days, triage_limit_days=self.triage_limit_days,
            max_progress_notices=self.max_progress_notices, centre_unit=self.centre_unit,
            scans_files=bool(self.clamd), unclear_lapses_after=self.unclear_lapses_after,
            follow_up_within=self.follow_up_within, kept_for=self.kept_for,
        )  # fmt: skip
