"""Every point at which a process may die or freeze, in one table; and what a process does when it passes one.

A point is armed by a file that names service and point; whoever passes it takes the file away and is the one
that dies. So a point can be armed in a running system, for any replica, and hits nobody twice."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

ALL: Final = ("content", "qa", "sync", "notifier")

POINTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "journal.before": ("before a commit is handed to the journal", ALL),
    "journal.sent": ("the insert is on its way, unanswered", ALL),
    "journal.after": ("the majority has the commit; nobody was told", ALL),
    "vault.after": ("words are kept, the commit that names them is not", ("content", "qa")),
    "publish.before": ("a batch was read from the journal, nothing sent", ALL),
    "publish.sent": ("handed to the producer, not acknowledged", ALL),
    "publish.acked": ("the broker has the batch, the token is not saved", ALL),
    "token.before": ("before the relay saves its resume token", ALL),
    "token.after": ("after the relay saved its resume token", ALL),
    "project.before": ("a batch was read, no read model changed", ALL),
    "project.write": ("the changes are known, not yet written", ALL),
    "project.after": ("read models changed, the mark is not saved", ALL),
    "mark.after": ("after the projector saved its mark", ALL),
    "offset.before": ("a batch is handled, its offsets are not committed", ALL),
    "offset.after": ("after the offset commit", ALL),
    "bury.before": ("an event is found to be poison, not yet buried", ALL),
    "bury.after": ("buried, its offset not committed", ALL),
    "replay.unrecorded": ("a dead letter was handled again, the act is not on record", ALL),
    "anchor.before": ("before the heads of the journal are anchored", ALL),
    "anchor.after": ("after the anchor, before its mark", ALL),
    "mail.claimed": ("`sending` is on record, no word was said", ("notifier",)),
    "mail.before": ("before MAIL", ("notifier",)),
    "mail.body": ("the server waits for the body", ("notifier",)),
    "mail.accepted": ("the server has taken the mail, we know", ("notifier",)),
    "mail.unrecorded": ("before the outcome is recorded", ("notifier",)),
    "mail.recorded": ("after the outcome is recorded", ("notifier",)),
    "push.before": ("before a portal is asked", ("sync",)),
    "push.answered": ("the portal has answered, nobody has read it", ("sync",)),
    "push.unrecorded": ("before the acknowledgement is recorded", ("sync",)),
    "push.recorded": ("after the acknowledgement is recorded", ("sync",)),
}

# Passed where something falls due, which the lives of a run seldom see: of the storm.
FIRING_POINTS: Final[Mapping[str, str]] = {
    "fire.before": "stages are decided, none is on record",
    "fire.sent": "their insert is on its way, unanswered",
    "fire.after": "the majority has the firings; nobody was told",
}


def arm(folder: Path, service: str, point: str, act: str = "die", nth: int = 1) -> None:
    """The ``nth`` pass from now on dies, or freezes until somebody continues it."""
    draft = folder / f"{service}.{point}.new"
    draft.write_text(f"{act} {nth}")
    draft.replace(folder / f"{service}.{point}")


def disarm_all(folder: Path) -> list[str]:
    """What was armed and never passed."""
    left = [file.name for file in folder.glob("*.*") if not file.name.endswith(".new")]
    for name in left:
        (folder / name).unlink(missing_ok=True)
    return sorted(left)


class Passer:
    """The process's side."""

    def __init__(self, folder: Path, notes: Path, service: str, instance: str) -> None:
        self._folder, self._notes, self._service, self._instance = str(folder), notes, service, instance

    def armed(self, point: str) -> bool:
        return os.path.exists(f"{self._folder}/{self._service}.{point}")  # noqa: PTH110 (called very often)

    def __call__(self, point: str) -> None:
        path = f"{self._folder}/{self._service}.{point}"
        try:
            with open(path) as file:  # noqa: PTH123 (called very often)
                act, _, nth = file.read().partition(" ")
        except FileNotFoundError:
            return
        if nth.isdigit() and int(nth) > 1:
            arm(Path(self._folder), self._service, point, act, int(nth) - 1)
            return
        try:
            os.unlink(path)  # noqa: PTH108
        except FileNotFoundError:
            return  # another replica was first
        self.note(act, point)
        os.kill(os.getpid(), signal.SIGSTOP if act == "freeze" else signal.SIGKILL)

    def take(self, name: str) -> bool:
        """A fault that is no death: whoever takes it away has it."""
        try:
            os.unlink(f"{self._folder}/{self._service}.{name}")  # noqa: PTH108
        except FileNotFoundError:
            return False
        self.note("fault", name)
        return True

    def note(self, act: str, point: str) -> None:
        line = f"{time.monotonic():.3f} {act} {self._instance} {point}\n".encode()
        fd = os.open(self._notes, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(fd, line)
        os.close(fd)
