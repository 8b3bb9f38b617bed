"""A container's health check: exit 0 when its address answers 2xx within three seconds.

``python -m deploy.docker.healthy [URL]``; without a URL, this container's own /health/ready."""

import os
import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener


def address(argv: list[str]) -> str:
    return argv[0] if argv else f"http://127.0.0.1:{os.environ.get('PORTAL_HTTP_PORT', '8000')}/health/ready"


def main(argv: list[str]) -> int:
    try:
        # No proxy: what is asked is this container itself.
        with build_opener(ProxyHandler({})).open(address(argv), timeout=3) as answer:
            return 0 if 200 <= answer.status < 300 else 1
    except (URLError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
