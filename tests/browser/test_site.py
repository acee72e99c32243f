"""Every page of the documentation site in a browser: nothing is fetched from elsewhere, and axe-core finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import Browser, Opened, violations

SITE = Path(__file__).parents[2] / "build" / "docs" / "site"
# What a web server sends for any path that it does not have, so its addresses begin at the root of the site.
SERVED_ONLY = "404.html"
WIDTHS = (360, 768, 1280)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_the_site_has_a_fault(chromium: Browser, scheme: str) -> None:
    if not (SITE / "index.html").exists():
        pytest.skip("the site is not built: make docs")
    found = {}
    for file in sorted(SITE.rglob("*.html")):
        if file.name != SERVED_ONLY:
            with chromium.open(file, scheme=scheme) as opened:
                if faults := list(faults_of(opened)):
                    found[file.relative_to(SITE).as_posix()] = faults

    assert found == {}


def faults_of(opened: Opened) -> Iterator[str]:
    """What it complains of, what it fetches from elsewhere, what axe-core finds, and where it scrolls sideways."""
    yield from opened.complaints
    yield from (url for url in opened.asked_for if not url.startswith((SITE.as_uri(), "data:")))
    yield from violations(opened.page)
    for width in WIDTHS:
        opened.page.set_viewport_size({"width": width, "height": 900})
        seen = opened.page.evaluate("document.documentElement.scrollWidth")
        if seen > width:
            yield f"{seen} pixels wide where {width} are"
