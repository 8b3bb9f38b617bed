"""Secrets of one machine: made on the first run of a data folder, kept there, readable by its owner alone."""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import yaml

from deploy.local.process import Trouble

SYSTEMS: Final = ("sys-bhxh-ha-noi",)  # of the demo's directory
PASSWORD_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # noqa: S105 - no look-alikes, for reading aloud


@dataclass(frozen=True)
class Keys:
    clients: dict[str, str]
    """Service → the secret it shows the issuer."""
    services: dict[str, str]
    """Service → the key it signs and hashes with (tracking codes, cookies)."""
    partners: dict[str, str]
    """Partner portal → the Standard Webhooks secret it shares with sync."""
    channels: dict[str, str]
    """What the notifier shows the sample SMS gateway (``sms``) and signs with for the chat (``chat``)."""
    systems: dict[str, str]
    """A unit's own system → the secret it shows the issuer."""


def keys_of(path: Path, services: list[str], partners: list[str]) -> Keys:
    """The folder's keys; whatever is missing is made and kept."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    except ValueError as error:
        raise Trouble(
            f"{path} is damaged. Delete it: new keys are made (stored partner receipts stay)."
        ) from error
    keys = Keys(
        clients={name: secrets.token_urlsafe(32) for name in services} | kept.get("clients", {}),
        services={name: secrets.token_urlsafe(32) for name in services} | kept.get("services", {}),
        partners={name: _webhook_secret() for name in partners} | kept.get("partners", {}),
        systems={system: secrets.token_urlsafe(32) for system in SYSTEMS} | kept.get("systems", {}),
        channels={"sms": secrets.token_urlsafe(32), "chat": _webhook_secret()} | kept.get("channels", {}),
    )
    if asdict(keys) != kept:
        write_private(path, json.dumps(asdict(keys), indent=1))
    return keys


def _webhook_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, mode 0600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(path.suffix + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(
        os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@dataclass(frozen=True)
class Person:
    """One of the demo's staff, as the directory names them."""

    username: str
    name: str
    title: str
    unit: str
    roles: dict[str, list[str]]


def people_of(directory: Path) -> list[Person]:
    try:
        content = yaml.safe_load(directory.read_text(encoding="utf-8"))
        units = {unit["id"]: unit["name"] for unit in content["units"]}
        return [
            Person(
                username=staff["username"],
                name=staff["name"],
                title=staff.get("title", ""),
                unit=units[staff["unit"]],
                roles=staff["roles"],
            )
            for staff in content["staff"]
        ]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise Trouble(f"{directory} does not read as a directory of units and staff: {error!r}") from error


def one_time_passwords(people: list[Person]) -> dict[str, str]:
    """New at every start, so that none is ever written to disk."""
    return {person.username: _password() for person in people}


def _password() -> str:
    groups = ("".join(secrets.choice(PASSWORD_ALPHABET) for _ in range(4)) for _ in range(3))
    return "-".join(groups)
