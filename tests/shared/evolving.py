"""Event classes that live as long as a test: what a build knows is what is registered in it."""

import contextlib
from collections.abc import Iterator

from shared.contracts.base import REGISTRY, TOPICS


@contextlib.contextmanager
def another_build() -> Iterator[None]:
    """Classes defined within are unknown afterwards, and those taken away are known again."""
    registry, topics = dict(REGISTRY), {topic: list(kinds) for topic, kinds in TOPICS.items()}
    try:
        yield
    finally:
        REGISTRY.clear()
        REGISTRY.update(registry)
        TOPICS.clear()
        TOPICS.update(topics)
