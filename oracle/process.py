"""One process of a service as the oracle runs it: the product's own wiring, with named points around its
seams, a clock that is off by seconds, and, when asked for, one deliberate fault.

``python -m oracle.process`` with ORACLE_FOLDER and the service's own settings in the environment."""

import importlib
import os
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import time_machine

from oracle import mutants, seams
from oracle.points import Passer
from shared.chain import Anchorer

CLAIM_SECONDS: Final = 8  # a dead sender's or pusher's work comes back after this, instead of a minute
ANCHOR_EVERY: Final = timedelta(seconds=5)
WORST_CLOCK: Final = 4.0  # seconds


def offset_of(seed: int, instance: str) -> float:
    """How far this process's clock is off: the same for the same seed and name."""
    return random.Random(f"{seed}:{instance}").uniform(-WORST_CLOCK, WORST_CLOCK)


def settings_of(name: str) -> Any:
    module = importlib.import_module(f"services.{name}.settings")
    settings = getattr(module, f"{name.capitalize()}Settings")()
    if name == "notifier":
        return settings.model_copy(
            update={"claim_timeout_seconds": float(CLAIM_SECONDS), "smtp_timeout": 4.0}
        )
    return settings


def shorten(name: str) -> None:
    """Waits that are right for a year and too long for a test of minutes."""
    usual = Anchorer.__init__.__kwdefaults__
    assert usual and usual["every"] > ANCHOR_EVERY  # noqa: S101 (renamed? then it must be found again)
    usual["every"] = ANCHOR_EVERY
    if name == "sync":
        backlog = importlib.import_module("services.sync.backlog")
        assert isinstance(backlog.CLAIM, timedelta)  # noqa: S101 (renamed? then it must be found again)
        setattr(backlog, "CLAIM", timedelta(seconds=CLAIM_SECONDS))  # noqa: B010


def main() -> None:
    name, instance = os.environ["PORTAL_MONGO_DATABASE"], os.environ["PORTAL_INSTANCE"]
    folder = Path(os.environ["ORACLE_FOLDER"])
    off = offset_of(int(os.environ["ORACLE_SEED"]), instance)
    time_machine.travel(datetime.now(UTC) + timedelta(seconds=off), tick=True).start()
    if mutant := os.environ.get("ORACLE_MUTANT"):
        mutants.MUTANTS[mutant].put_in(name)
    app = importlib.import_module(f"services.{name}.app")
    shorten(name)
    seams.wrap(name, Passer(folder / "armed", folder / "notes", name, instance))
    app.build(settings_of(name)).serve()


if __name__ == "__main__":
    main()
