"""A real browser for the tests of pages: the system's Chromium, with an empty profile and no network of its own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Opened:
    """A page that was opened from its file.

    Attributes:
        page: as playwright has it.
        complaints: what its console and its scripts complained of.
        asked_for: what it tried to fetch besides its own file.
    """

    def __init__(self, page: Any, file: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked_for: list[str] = []
        own = file.as_uri()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.asked_for.append(request.url) if request.url != own else None)
        page.goto(own)

    def complained(self) -> list[str]:
        """Complaints, and whatever was fetched; a `data:` URL is part of the file."""
        return [*self.complaints, *(url for url in self.asked_for if not url.startswith("data:"))]


class Browser:
    """Opens pages."""

    def __init__(self, context: Any) -> None:
        self._context = context

    @contextmanager
    def open(self, file: Path, width: int = 1200, scheme: str = "light") -> Iterator[Opened]:
        """Opens a page in a window of this width, on a system with a light or a dark theme."""
        page = self._context.new_page()
        try:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            yield Opened(page, file)
        finally:
            page.close()


@contextmanager
def browser() -> Iterator[Browser]:
    """Chromium; skips the test by name where it, or what drives it, is missing."""
    driver = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make browser brings it")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    with tempfile.TemporaryDirectory() as profile, driver.sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, args=ARGUMENTS
        )
        try:
            yield Browser(context)
        finally:
            context.close()


def violations(page: Any) -> list[str]:
    """What axe-core finds: each rule with the elements that break it."""
    pytest.importorskip("axe_playwright_python", reason="axe-core is not installed: make browser brings it")
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found]
