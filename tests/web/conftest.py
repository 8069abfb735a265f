"""A browser for all tests of pages, and the viewer on an exam."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests.web.viewing import Running, Window, installed_viewer, reported, served

FLAGS = [
    "--no-sandbox",
    "--enable-unsafe-swiftshader",  # WebGL without a graphics processor; pages are drawn without it, which is quicker
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium. While it runs so does its event loop, which other tests would meet: it ends with the module."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = os.environ.get("BINGCHENG_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("no chromium or google-chrome on this machine")
    with playwright.sync_playwright() as engine:
        started = engine.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def running(shared: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server with the viewer on an exam of CT and PET, its segmentation and its report."""
    installed_viewer()
    with served(shared("exam-in-the-viewer", reported), tmp_path_factory.mktemp("workspace")) as made:
        yield made


@pytest.fixture(scope="module")
def window(running: Running, browser: Any) -> Iterator[Window]:
    """The radiologist's window, which shows one page after the other and keeps the program, as a reader's does."""
    made = running.window(browser)
    yield made
    made.context.close()
