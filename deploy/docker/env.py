"""Makes the secrets of a demo under Docker, once: ``python3 -m deploy.docker.env`` writes .data/compose/ and
prints how to go on. Standard library only. A production brings its own values instead."""

import base64
import json
import os
import re
import secrets
import sys
from pathlib import Path
from typing import Final

REPO: Final = Path(__file__).resolve().parents[2]
DIRECTORY: Final = REPO / "deploy" / "demo" / "directory.yaml"
FOLDER: Final = REPO / ".data" / "compose"
SERVICES: Final = ("content", "qa", "sync", "notifier")
PORTALS: Final = {
    "bhxh-ha-noi": ("province", 8021, "Cổng TTĐT BHXH thành phố Hà Nội"),
    "bhxh-quang-ngai": ("province", 8022, "Cổng TTĐT BHXH tỉnh Quảng Ngãi"),
    "bo-noi-vu": ("ministry", 8023, "Cổng TTĐT Bộ Nội vụ"),
}
SYSTEMS: Final = ("sys-bhxh-ha-noi",)  # units' own systems, of the demo's directory
# What the day's driver uses: the same addresses as a person on this machine.
PLACES: Final = {"content": 8001, "qa": 8002, "sync": 8003, "notifier": 8004, "issuer": 8010, "mail": 8030}

# Mounted into containers whose users are not ours; the folder keeps others out.
MOUNTED: Final = ("partners.yaml", "alertmanager.secret")

README: Final = """\
Secrets of a demo, in {folder} (owner only). Start it, and look on as the day's work runs:

  docker compose --env-file .data/compose/compose.env --profile demo up --build

With figures and alerts: add --profile observability. Passwords: .data/compose/day.env
"""


def usernames(directory: Path = DIRECTORY) -> list[str]:
    return re.findall(r"^\s+username:\s*(\S+)\s*$", directory.read_text(encoding="utf-8"), re.MULTILINE)


def files() -> dict[str, str]:
    """File name → content, all secrets new."""
    clients = {name: secrets.token_urlsafe(32) for name in (*SERVICES, "alertmanager")}
    keys = {name: secrets.token_urlsafe(48) for name in SERVICES}
    partners = {name: _webhook_secret() for name in PORTALS}
    passwords = {name: secrets.token_hex(6) for name in usernames()}
    urls = PLACES | {name: port for name, (_, port, _) in PORTALS.items()}
    return {
        "compose.env": _lines(
            PORTAL_ENVIRONMENT="local",
            ISSUER_URL="http://127.0.0.1:8010",
            ISSUER_BACKCHANNEL_URL="http://issuer:8010",
            SMTP_HOST="mail",
            SMTP_PORT="8025",
            SMS_URL="http://signals:8031",
            SMS_TOKEN=secrets.token_urlsafe(32),
            CHAT_URL="http://signals:8031/chat",
            CHAT_SECRET=_webhook_secret(),
            CLAMD="scanner:8032",
            LMTP_HOST="0.0.0.0",  # noqa: S104 (within the containers' network)
            MAIL_ADDRESS="hoi@bhxh.example.vn",
            DIRECTORY_FILE="./deploy/demo/directory.yaml",
            PARTNERS_FILE="./.data/compose/partners.yaml",
            **{f"{name.upper()}_CLIENT_SECRET": clients[name] for name in SERVICES},
            **{f"{name.upper()}_SECRET_KEY": value for name, value in keys.items()},
        ),
        "issuer.env": _lines(
            ISSUER_CLIENTS=json.dumps(
                {f"svc-{name}": value for name, value in clients.items()}
                | {name: secrets.token_urlsafe(32) for name in SYSTEMS}
            ),
            ISSUER_PASSWORDS=json.dumps(passwords),
        ),
        "day.env": _lines(
            DAY_URLS=json.dumps({name: f"http://127.0.0.1:{port}" for name, port in urls.items()}),
            DAY_PASSWORDS=json.dumps(passwords),
        ),
        **{f"{name}.env": _lines(SAMPLE_SECRET=value) for name, value in partners.items()},
        "alertmanager.secret": clients["alertmanager"],
        # JSON is YAML; the file that sync reads.
        "partners.yaml": json.dumps(
            [
                {
                    "id": name,
                    "name": title,
                    "kind": kind,
                    "url": f"http://{name}:{port}",
                    "secret": partners[name],
                }
                for name, (kind, port, title) in PORTALS.items()
            ],
            ensure_ascii=False,
            indent=1,
        ),
    }


def _webhook_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


def _lines(**values: str) -> str:
    """Compose's env format; single quotes keep a value as it is."""
    return "".join(f"{name}='{value}'\n" for name, value in values.items())


def write(folder: Path) -> bool:
    """False when the folder already has its secrets: they are kept, because stored data depends on them."""
    if (folder / "compose.env").exists():
        return False
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    # compose.env last: it is what says that the others are whole.
    for name, content in sorted(files().items(), key=lambda item: item[0] == "compose.env"):
        mode = 0o644 if name in MOUNTED else 0o600
        path = folder / name
        path.unlink(missing_ok=True)
        with os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode), "w", encoding="utf-8"
        ) as out:
            out.write(content)
        path.chmod(mode)
    return True


def main() -> int:
    made = write(FOLDER)
    print("" if made else "There already; kept.\n", README.format(folder=FOLDER.relative_to(REPO)), sep="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
