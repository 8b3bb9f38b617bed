"""What each process of the local system is: its command, its environment, the address that shows it ready."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from deploy.local.kafka import REPO
from deploy.local.keys import Keys, write_private
from deploy.local.ports import Ports

SERVICES: Final = ("content", "qa", "sync", "notifier")
DIRECTORY: Final = REPO / "deploy" / "demo" / "directory.yaml"

MAILBOX: Final = "hoi@bhxh.example.vn"


@dataclass(frozen=True)
class Portal:
    id: str
    kind: str
    name: str


PORTALS: Final = (
    Portal("bhxh-ha-noi", "province", "Cổng TTĐT BHXH thành phố Hà Nội"),
    Portal("bhxh-quang-ngai", "province", "Cổng TTĐT BHXH tỉnh Quảng Ngãi"),
    Portal("bo-noi-vu", "ministry", "Cổng TTĐT Bộ Nội vụ"),
)

MODULES: Final = {
    **{service: f"services.{service}.app" for service in SERVICES},
    **{portal.id: "deploy.samples.portal" for portal in PORTALS},
    "issuer": "deploy.samples.issuer",
    "mail": "deploy.samples.mail_sink",
    "signals": "deploy.samples.sms_gateway",
    "scanner": "deploy.samples.clamd",
}

SETTINGS: Final = ("PORTAL_", "ISSUER_", "SAMPLE_", "SINK_", "SMS_", "SCANNER_")
EACH_ITS_OWN: Final = {
    *("PORTAL_HTTP_HOST", "PORTAL_HTTP_PORT", "PORTAL_MONGO_DATABASE", "PORTAL_INSTANCE"),
    *("PORTAL_CLIENT_ID", "PORTAL_CLIENT_SECRET", "PORTAL_SECRET_KEY", "PORTAL_ISSUER_URL"),
    *("PORTAL_SMTP_HOST", "PORTAL_SMTP_PORT", "PORTAL_PARTNERS_FILE"),
    *("PORTAL_LMTP_HOST", "PORTAL_LMTP_PORT"),
    *(f"PORTAL_{name.upper()}_URL" for name in SERVICES),
}


def settings_of(environ: Mapping[str, str]) -> dict[str, str]:
    """The settings a person may give to all services at once: ``PORTAL_LOG_LEVEL=DEBUG make run``."""
    return {k: v for k, v in environ.items() if k.startswith("PORTAL_") and k not in EACH_ITS_OWN}


@dataclass(frozen=True)
class Wire:
    """One process to be: ``needs`` names those that must be ready before it is started."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    ready_url: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Wiring:
    data: Path
    ports: Ports
    keys: Keys
    passwords: Mapping[str, str]
    directory: Path
    mongo_uri: str
    kafka_bootstrap: str
    roles: str
    extra: Mapping[str, str]
    """Given by whoever starts the system; wins over everything here."""
    commands: Mapping[str, tuple[str, ...]]
    """Another command for a process, such as a deliberately broken build of a service."""
    signals: bool = False
    """With a sample SMS gateway and an operations chat, which the notifier uses."""
    scanner: bool = False
    """With a sample scanner, which looks through what askers attach."""
    apart: bool = False
    """What the notifier may take its time for is done by a process of its own, ``notifier-bulk``."""

    @property
    def urls(self) -> dict[str, str]:
        named = [*SERVICES, "issuer", "mail"]
        named += [name for name in ("signals", "scanner") if getattr(self, name)]
        at = {name: getattr(self.ports, name) for name in named}
        at |= {portal.id: self.ports.portal(i) for i, portal in enumerate(PORTALS)}
        return {name: f"http://127.0.0.1:{port}" for name, port in at.items()}

    @property
    def partners_file(self) -> Path:
        return self.data / "partners.yaml"

    def write_partners(self) -> None:
        """The partner portals as sync knows them, secrets included."""
        rows = [
            {
                "id": portal.id,
                "name": portal.name,
                "kind": portal.kind,
                "url": self.urls[portal.id],
                "secret": self.keys.partners[portal.id],
            }
            for portal in PORTALS
        ]
        write_private(self.partners_file, yaml.safe_dump(rows, allow_unicode=True, sort_keys=False))

    def wires(self) -> list[Wire]:
        samples = [self._issuer(), self._mail(), *(self._portal(i) for i in range(len(PORTALS)))]
        samples += [self._signals()] if self.signals else []
        samples += [self._scanner()] if self.scanner else []
        services = [self.service(name, getattr(self.ports, name)) for name in SERVICES]
        if self.apart:
            services[-1] = self.service("notifier", self.ports.notifier, roles="api,worker")
            bulk = "notifier-bulk"
            services += [
                self.service("notifier", self.ports.notifier_bulk, instance=bulk, roles="bulk,relay")
            ]
        return [*samples, *services]

    def service(
        self, service: str, port: int, *, instance: str | None = None, roles: str | None = None
    ) -> Wire:
        """A service, or with ``instance`` one more replica of it."""
        own = {
            "PORTAL_MONGO_URI": self.mongo_uri,
            "PORTAL_MONGO_DATABASE": service,
            "PORTAL_KAFKA_BOOTSTRAP": self.kafka_bootstrap,
            "PORTAL_HTTP_HOST": "127.0.0.1",
            "PORTAL_HTTP_PORT": str(port),
            "PORTAL_INSTANCE": instance or service,
            "PORTAL_ROLES": roles or self.roles,
            "PORTAL_ENVIRONMENT": "local",
            "PORTAL_LOG_FORMAT": "json",
            "PORTAL_ISSUER_URL": self.urls["issuer"],
            "PORTAL_DIRECTORY_FILE": str(self.directory),
            "PORTAL_CLIENT_ID": f"svc-{service}",
            "PORTAL_CLIENT_SECRET": self.keys.clients[service],
            "PORTAL_SECRET_KEY": self.keys.services[service],
            **{f"PORTAL_{name.upper()}_URL": self.urls[name] for name in SERVICES},
        }
        if service == "notifier":
            own |= {"PORTAL_SMTP_HOST": "127.0.0.1", "PORTAL_SMTP_PORT": str(self.ports.smtp)}
        if service == "notifier" and self.signals:
            channels = self.keys.channels
            own |= {"PORTAL_SMS_URL": self.urls["signals"], "PORTAL_SMS_TOKEN": channels["sms"]}
            own |= {"PORTAL_CHAT_URL": f"{self.urls['signals']}/chat", "PORTAL_CHAT_SECRET": channels["chat"]}
        if service == "qa":
            # On one machine everybody comes from one address.
            own |= {"PORTAL_MAIL_ADDRESS": MAILBOX, "PORTAL_ASK_LIMIT": "1000000000"}
        if service == "qa" and instance is None:  # a replica beside it would want the same port
            own |= {"PORTAL_LMTP_HOST": "127.0.0.1", "PORTAL_LMTP_PORT": str(self.ports.lmtp)}
        if service == "qa" and self.scanner:
            own |= {"PORTAL_CLAMD": f"127.0.0.1:{self.ports.clamd}"}
        if service == "sync":
            own |= {"PORTAL_PARTNERS_FILE": str(self.partners_file)}
        ready, needs = f"http://127.0.0.1:{port}/health/ready", ("mongod", "kafka")
        return self._wire(service, own, ready, needs, name=instance)

    def _issuer(self) -> Wire:
        own = {
            "ISSUER_PORT": str(self.ports.issuer),
            "ISSUER_URL": self.urls["issuer"],
            "ISSUER_DATA": str(self.data / "issuer"),
            "ISSUER_PEOPLE": str(self.directory),
            "ISSUER_PASSWORDS": json.dumps(dict(self.passwords)),
            "ISSUER_CLIENTS": json.dumps(
                {f"svc-{name}": self.keys.clients[name] for name in SERVICES} | self.keys.systems
            ),
        }
        return self._wire("issuer", own, f"{self.urls['issuer']}/health/ready")

    def _portal(self, index: int) -> Wire:
        portal = PORTALS[index]
        own = {
            "SAMPLE_PORT": str(self.ports.portal(index)),
            "SAMPLE_ID": portal.id,
            "SAMPLE_NAME": portal.name,
            "SAMPLE_SECRET": self.keys.partners[portal.id],
            "SAMPLE_DATA": str(self.data / "portals" / portal.id),
        }
        return self._wire(portal.id, own, f"{self.urls[portal.id]}/items.json")

    def _mail(self) -> Wire:
        own = {
            "SINK_SMTP_PORT": str(self.ports.smtp),
            "SINK_HTTP_PORT": str(self.ports.mail),
            "SINK_DATA": str(self.data / "mail"),
            "SINK_LMTP_HOST": "127.0.0.1",
            "SINK_LMTP_PORT": str(self.ports.lmtp),
            "SINK_RETURNS_URL": f"{self.urls['notifier']}/v1/mail/returned",
            "SINK_ISSUER_URL": self.urls["issuer"],
            "SINK_CLIENT_ID": "svc-notifier",
            "SINK_CLIENT_SECRET": self.keys.clients["notifier"],
        }
        # Not its list of mails: after thousands that takes longer than whoever waits for it to be ready.
        return self._wire("mail", own, f"{self.urls['mail']}/health/ready")

    def _signals(self) -> Wire:
        own = {
            "SMS_PORT": str(self.ports.signals),
            "SMS_TOKEN": self.keys.channels["sms"],
            "SMS_CHAT_SECRET": self.keys.channels["chat"],
        }
        return self._wire("signals", own, f"{self.urls['signals']}/health/ready")

    def _scanner(self) -> Wire:
        own = {"SCANNER_CLAMD_PORT": str(self.ports.clamd), "SCANNER_HTTP_PORT": str(self.ports.scanner)}
        return self._wire("scanner", own, f"{self.urls['scanner']}/health/ready")

    def _wire(
        self,
        part: str,
        own: Mapping[str, str],
        ready: str,
        needs: tuple[str, ...] = (),
        *,
        name: str | None = None,
    ) -> Wire:
        argv = self.commands.get(name or part) or self.commands.get(part)
        around = {key: value for key, value in os.environ.items() if not key.startswith(SETTINGS)}
        env = {**around, "PYTHONUNBUFFERED": "1", **own, **self.extra}
        return Wire(name or part, argv or (sys.executable, "-m", MODULES[part]), env, ready, needs)
