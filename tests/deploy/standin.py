"""Stands in for a service or a sample where only starting and stopping is tried: answers 200 to every GET."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

PORTS = ("PORTAL_HTTP_PORT", "ISSUER_PORT", "SAMPLE_PORT", "SINK_HTTP_PORT", "SMS_PORT", "SCANNER_HTTP_PORT")


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = int(next(os.environ[name] for name in PORTS if name in os.environ))
    print(f"stand-in on {port}", flush=True)
    HTTPServer(("127.0.0.1", port), _Answer).serve_forever()
