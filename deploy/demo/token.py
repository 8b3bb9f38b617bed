"""``python -m deploy.demo.token USERNAME PASSWORD``: an access token for trying the API by hand, as a person.
``python -m deploy.demo.token sys-bhxh-ha-noi``: as a unit's own system, with its secret of `make run`."""

import json
import os
import sys
from pathlib import Path

import httpx2

from deploy.demo.edges import Edges


def main() -> None:
    if len(sys.argv) == 2:
        print(_of_system(sys.argv[1]))
        return
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m deploy.demo.token USERNAME PASSWORD (make run prints both)")
    username, password = sys.argv[1:]
    content = os.environ.get("PORTAL_CONTENT_URL", "http://127.0.0.1:8001")
    edges = Edges({"issuer": _issuer(), "content": content}, {username: password}, "")
    print(edges.token(username))


def _issuer() -> str:
    return os.environ.get("PORTAL_ISSUER_URL", "http://127.0.0.1:8010")


def _of_system(name: str) -> str:
    keys = Path(os.environ.get("DATA", ".data")) / "keys.json"
    secret = json.loads(keys.read_text(encoding="utf-8"))["systems"][name]
    with httpx2.Client(timeout=15.0, trust_env=False) as http:
        asked = {"grant_type": "client_credentials"}
        answer = http.post(f"{_issuer()}/token", data=asked, auth=(name, secret))
    return str(answer.raise_for_status().json()["access_token"])


if __name__ == "__main__":
    main()
