"""Which port is whose: fixed for `make run`, free ones for tests; and who is in the way."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final

import psutil  # type: ignore[import-untyped]

from deploy.local.process import Trouble

# Below the range the kernel lends to outgoing connections, so that a stopped process finds its port again.
FREE_RANGE: Final = range(20_000, 32_000)


@dataclass(frozen=True)
class Ports:
    """Loopback ports. ``PORT_QA=9002 make run`` moves one."""

    content: int = 8001
    qa: int = 8002
    sync: int = 8003
    notifier: int = 8004
    issuer: int = 8010
    portal_1: int = 8021
    portal_2: int = 8022
    portal_3: int = 8023
    lmtp: int = 8024
    smtp: int = 8025
    mail: int = 8030
    signals: int = 8031
    clamd: int = 8032
    scanner: int = 8033
    mongod: int = 27117
    kafka: int = 19092
    kafka_controller: int = 19093
    notifier_bulk: int = 8014

    @classmethod
    def fixed(cls, env: Mapping[str, str] = os.environ) -> Ports:
        given = {
            f.name: env[f"PORT_{f.name.upper()}"] for f in fields(cls) if f"PORT_{f.name.upper()}" in env
        }
        wrong = [f"PORT_{name.upper()}={value}" for name, value in given.items() if not _is_port(value)]
        if wrong:
            raise Trouble(f"{', '.join(wrong)}: a port is a number from 1 to 65535.")
        ports = cls(**{name: int(value) for name, value in given.items()})
        numbers = list(asdict(ports).values())
        twice = sorted({n for n in numbers if numbers.count(n) > 1})
        if twice:
            raise Trouble(f"Port {twice[0]} is given to two parts; choose another PORT_….")
        return ports

    @classmethod
    def free(cls) -> Ports:
        return cls(*free_ports(len(fields(cls))))

    def portal(self, index: int) -> int:
        return (self.portal_1, self.portal_2, self.portal_3)[index]


def free_ports(count: int) -> list[int]:
    chosen = (port for port in random.sample(FREE_RANGE, len(FREE_RANGE)) if not in_use(port))
    return [next(chosen) for _ in range(count)]


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) < 65536


def in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's wait is no owner
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def holder(port: int) -> str | None:
    """Name and number of the process that listens there, when we may know it."""
    try:
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN
            if listening and connection.pid and connection.laddr.port == port:
                return f"{psutil.Process(connection.pid).name()} (process {connection.pid})"
    except psutil.Error:
        return None
    return None


def refuse_taken(wanted: Iterable[tuple[str, int]]) -> None:
    """Raises Trouble naming each port that somebody else has."""
    taken = [(name, port) for name, port in wanted if in_use(port)]
    if not taken:
        return
    lines = []
    for name, port in taken:
        who = holder(port)
        lines.append(f"Port {port}, wanted for {name}, is in use" + (f" by {who}." if who else "."))
    variable = f"PORT_{taken[0][0].upper()}"
    lines.append(f"Stop what uses it, or choose another: {variable}=<port> make run")
    raise Trouble("\n".join(lines))
