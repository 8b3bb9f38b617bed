"""Settings of the sample parts. They serve one machine and its demo, never production."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class IssuerSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="ISSUER_")

    host: str = Field("127.0.0.1", description="address to listen on; loopback unless inside a container")
    port: int = Field(8010, description="port of the issuer")
    url: str = Field(
        "http://127.0.0.1:8010", description="the issuer's name: `iss` in tokens, base of its pages"
    )
    data: Path = Field(Path(".data/issuer"), description="folder of the signing key, made on first run")
    people: Path = Field(Path("deploy/demo/directory.yaml"), description="YAML directory of units and staff")
    passwords: dict[str, SecretStr] = Field(
        default_factory=dict, description="JSON: username to one-time password"
    )
    clients: dict[str, SecretStr] = Field(default_factory=dict, description="JSON: client id to its secret")


class PortalSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SAMPLE_")

    host: str = Field("127.0.0.1", description="address to listen on; loopback unless inside a container")
    port: int = Field(8021, description="port of the sample portal")
    id: str = Field("bhxh-ha-noi", description="id of the partner")
    name: str = Field("Cổng TTĐT mẫu", description="name shown on its pages")
    secret: SecretStr = Field(description="Standard Webhooks secret, `whsec_…`")
    data: Path = Field(Path(".data/portals/sample"), description="folder of what it has received")


class SinkSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SINK_")

    host: str = Field("127.0.0.1", description="address to listen on; loopback unless inside a container")
    smtp_port: int = Field(8025, description="port of the SMTP server")
    http_port: int = Field(8030, description="port of the page that shows the mail")
    data: Path = Field(Path(".data/mail"), description="folder of the .eml files")
    returns_url: str = Field(
        "", description="where mail to an address that begins with khong-ton-tai is returned; empty: nowhere"
    )
    lmtp_host: str = Field("", description="where mail to the portal is handed over; empty: nowhere")
    lmtp_port: int = Field(8024, description="its port")
    issuer_url: str = Field("http://127.0.0.1:8010", description="who gives the token for that")
    issuer_backchannel_url: str = Field("", description="where the sink reaches it, if not at its name")
    client_id: str = Field("", description="client at the issuer")
    client_secret: SecretStr = Field(SecretStr(""), description="its secret")


class SmsSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SMS_")

    host: str = Field("127.0.0.1", description="address to listen on; loopback unless inside a container")
    port: int = Field(8031, description="port of the gateway, of the chat and of their page")
    token: SecretStr = Field(description="bearer token that senders of SMS show")
    chat_secret: SecretStr = Field(
        SecretStr(""), description="Standard Webhooks secret, `whsec_…`, of `/chat`; empty: no chat"
    )


class ScannerSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="SCANNER_")

    host: str = Field("127.0.0.1", description="address to listen on; loopback unless inside a container")
    clamd_port: int = Field(8032, description="port on which it speaks as clamd does")
    http_port: int = Field(8033, description="port of the page that shows what it said")
