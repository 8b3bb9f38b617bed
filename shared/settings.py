"""Settings that every service has, read from the environment (prefix ``PORTAL_``); each one is described
here and listed in the generated docs/settings.md."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Role(StrEnum):
    """What a process does; one process has all roles unless told otherwise."""

    API = "api"
    WORKER = "worker"  # what somebody waits for: what the other services tell, and what must leave today
    BULK = "bulk"  # what may be much and may wait: the lists, the clocks, what leaves in its turn
    RELAY = "relay"


class ServiceSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="PORTAL_", extra="ignore", frozen=True)

    environment: Literal["local", "production"] = Field(
        "production", description="`local` shows the demo banner and allows demo keys."
    )
    roles: Annotated[frozenset[Role], NoDecode] = Field(
        frozenset(Role), description="Comma-separated: api, worker, bulk, relay."
    )
    instance: str = Field(
        "",
        description="This replica's stable name, unique within its service; speeds up take-over.",
    )
    http_host: str = Field("127.0.0.1", description="Address to listen on.")
    http_port: int = Field(
        8000, ge=1, le=65535, description="Port to listen on (health and metrics are served in every role)."
    )
    mongo_uri: str = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=rs0",
        description="A replica set; writes are acknowledged by the majority.",
    )
    mongo_database: str = Field("", description="Database name; empty means the service's own name.")
    kafka_bootstrap: str = Field("127.0.0.1:9092", description="Kafka's bootstrap servers, comma-separated.")
    issuer_url: str = Field(
        "http://127.0.0.1:8010", description="OpenID issuer: must equal the tokens' `iss`."
    )
    issuer_backchannel_url: str = Field(
        "",
        description="Where this process reaches the issuer, when browsers use another address.",
    )
    audience: str = Field("bhxh-portal", description="The tokens' `aud`.")
    client_id: str = Field(
        "", description="This service's client at the issuer, for sign-in and for calls to other services."
    )
    client_secret: SecretStr = Field(SecretStr(""), description="Secret of that client.")
    secret_key: SecretStr = Field(
        SecretStr(""), description="Random, at least 32 characters; tracking codes are derived from it."
    )
    content_url: str = Field("http://127.0.0.1:8001", description="Public address of content.")
    qa_url: str = Field("http://127.0.0.1:8002", description="Public address of qa.")
    sync_url: str = Field("http://127.0.0.1:8003", description="Public address of sync.")
    notifier_url: str = Field("http://127.0.0.1:8004", description="Public address of notifier.")
    internal_urls: dict[str, str] = Field(
        default_factory=dict,
        description="JSON: service to the address where the others reach it, if not the public one.",
    )
    directory_file: Path | None = Field(
        None, description="YAML of units and staff to load into this service's directory at start."
    )
    log_format: Literal["json", "console"] = Field("json", description="How log lines look.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged."
    )
    largest_body: int = Field(512 * 1024, description="Bytes; a larger request body is refused with 413.")

    @field_validator("roles", mode="before")
    @classmethod
    def _split(cls, roles: object) -> object:
        return [r.strip() for r in roles.split(",") if r.strip()] if isinstance(roles, str) else roles

    def own_faults(self) -> list[str]:
        """What a service's own settings lack for production, a sentence each."""
        return []

    @property
    def urls(self) -> dict[str, str]:
        return {
            "content": self.content_url, "qa": self.qa_url, "sync": self.sync_url,
            "notifier": self.notifier_url, "issuer": self.issuer_url,
        }  # fmt: skip

    @property
    def inside(self) -> dict[str, str]:
        """Where this process calls the other services; ``urls`` is what people are shown."""
        return self.urls | self.internal_urls
