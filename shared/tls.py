"""Whom this process trusts when it calls another by https."""

import ssl
from functools import cache

import httpx2


@cache
def trusted() -> ssl.SSLContext:
    """The known authorities, whatever the environment says. To read their list takes tens of milliseconds in
    which nothing else runs: it is read once, not for each call."""
    return httpx2.create_ssl_context(trust_env=False)
