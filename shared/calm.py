"""What a process does at its beginning so that it is light, and lets others go first."""

import gc
import os
from typing import Final

YIELDS: Final = 10  # niceness: about a tenth of the processor's time that somebody else also wants


def calm_collector() -> None:
    """What start-up built stays: looking through it again and again took a third of a busy worker's time.
    A batch's objects go by reference count; the collector only looks for cycles, every few batches."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def give_way() -> None:
    """For a process that does nothing anybody waits for: in a rush those who answer people go first. Called
    before any thread begins, for each inherits it."""
    os.nice(YIELDS)
