"""The whole system as real processes, started once; people act on it through its public edges alone."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, sync_playwright

from deploy.demo.edges import Edges
from deploy.local.system import System

CHROMIUM = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    system = System(tmp_path_factory.mktemp("system"), scanner=True)
    system.start()
    yield system
    system.stop()


@pytest.fixture
def edges(system: System) -> Iterator[Edges]:
    """A fresh salt, so that each test's commands are its own."""
    edges = Edges(system.urls, system.passwords, uuid4().hex[:8])
    yield edges
    edges.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Closed with its module: while Playwright lives, its event loop is in the way of all others."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield browser
        browser.close()
