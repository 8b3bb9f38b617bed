"""``python -m deploy.demo.token USERNAME PASSWORD``: an access token for trying the API by hand."""

import os
import sys

from deploy.demo.edges import Edges


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m deploy.demo.token USERNAME PASSWORD (make run prints both)")
    username, password = sys.argv[1:]
    issuer = os.environ.get("PORTAL_ISSUER_URL", "http://127.0.0.1:8010")
    content = os.environ.get("PORTAL_CONTENT_URL", "http://127.0.0.1:8001")
    edges = Edges({"issuer": issuer, "content": content}, {username: password}, "")
    print(edges.token(username))


if __name__ == "__main__":
    main()
