"""A network of the run's own: one namespace a server, joined by a bridge, cut without a word to either side.

The whole run moves into a network and mount namespace of its own, so nothing of it is seen by the machine and
nothing is left when its last process ends, however it ends. Where the machine lets ordinary users make
namespaces, no root is needed."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from typing import Final

INSIDE: Final = "ORACLE_NETWORK"
WAYS: Final = (("--net", "--mount"), ("--user", "--map-root-user", "--net", "--mount"))
SUBNET: Final = "10.203.0"
NOBODY: Final = "02:00:00:00:00:fe"  # a card that no server has: what is sent there arrives nowhere

DEAF, FORWARDING = "0", "3"  # states of a bridge's port

# All that a run needs of the machine, tried once. /run is covered by a folder of our own: names of namespaces
# are kept there.
TRIAL: Final = """
ip link set lo up && mount -t tmpfs tmpfs /run && mkdir /run/netns && ip netns add trial &&
ip link add trial type bridge && ip link add near type veth peer name far netns trial
"""


def enter() -> str:
    """Move this program into a network of its own by starting it anew in one. Returns only when it is there
    (nothing to say) or when there can be none: then why, in words."""
    if os.environ.get(INSIDE):
        return ""
    missing = [tool for tool in ("unshare", "ip", "bridge") if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} not found (Debian: util-linux, iproute2)"
    said = ""
    for way in WAYS:
        trial = subprocess.run(
            ["unshare", *way, "sh", "-c", TRIAL], capture_output=True, text=True, check=False
        )
        if trial.returncode == 0:
            sys.stdout.flush()
            again = [sys.executable, *sys.orig_argv[1:]]
            os.execvpe("unshare", ["unshare", *way, *again], {**os.environ, INSIDE: "own"})  # noqa: S606
        said = (trial.stderr.strip().splitlines() or ["refused"])[-1]
    return f"no network namespaces here ({said}); root has them, or a kernel that lends them to users"


def _do(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


class Net:
    """``real`` says whether there is one; without it every server is on the loopback and nothing is cut."""

    def __init__(self, *, real: bool) -> None:
        self.real = real
        self._numbers: dict[str, int] = {}
        self._cut: set[tuple[str, str]] = set()
        self._off: set[str] = set()
        if not real:
            return
        _do("ip", "link", "set", "lo", "up")
        _do("mount", "-t", "tmpfs", "tmpfs", "/run")
        _do("mkdir", "/run/netns")
        _do("ip", "link", "add", "servers", "type", "bridge")
        _do("ip", "addr", "add", f"{SUBNET}.1/24", "dev", "servers")
        _do("ip", "link", "set", "servers", "up")

    def join(self, name: str, number: int) -> str:
        """A server's place in the network. Returns its address."""
        self._numbers[name] = number
        if not self.real:
            return "127.0.0.1"
        _do("ip", "netns", "add", name)
        _do("ip", "link", "add", f"to-{name}", "type", "veth", "peer", "name", "card", "netns", name)
        _do("ip", "link", "set", f"to-{name}", "master", "servers", "up")
        _do("ip", "-n", name, "link", "set", "lo", "up")
        _do("ip", "-n", name, "addr", "add", f"{self._address(name)}/24", "dev", "card")
        _do("ip", "-n", name, "link", "set", "card", "up")
        return self._address(name)

    def inside(self, name: str) -> list[str]:
        """What to put before a command so that it runs at this server."""
        return ["ip", "netns", "exec", name] if self.real else []

    def cut(self, name: str, others: Iterable[str]) -> None:
        """Between a server and these, nothing arrives any more, either way; both still hear everybody else.
        No connection is refused or closed: packets are sent to a card that nobody has."""
        for other in others:
            for here, there in ((name, other), (other, name)):
                self._cut.add((here, there))
                gone = ("to", self._address(there), "lladdr", NOBODY, "dev", "card", "nud", "permanent")
                _do("ip", "-n", here, "neigh", "replace", *gone)

    def cut_off(self, name: str) -> None:
        """The server hears nobody and is heard by nobody; its cable looks sound."""
        self._off.add(name)
        self._port(name, DEAF)

    def heal(self) -> None:
        """Everything is as it was."""
        while self._off:
            self._port(self._off.pop(), FORWARDING)
        while self._cut:
            here, there = self._cut.pop()
            _do("ip", "-n", here, "neigh", "del", "to", self._address(there), "dev", "card")

    def _port(self, name: str, state: str) -> None:
        _do("bridge", "link", "set", "dev", f"to-{name}", "state", state)

    def _address(self, name: str) -> str:
        return f"{SUBNET}.{self._numbers[name]}"
