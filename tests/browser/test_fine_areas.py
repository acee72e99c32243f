"""A long load's picture: at most 3,000 instants are drawn at once, no peak is lost, and from nearer there are more."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.browser import Browser, Opened

from holdfast.page.charts import areas_data
from holdfast.page.document import Document
from holdfast.page.render import page
from holdfast.picture.areas import Area, Areas

MANY = 12_000
PEAK = 7_321
MS = 1_000_000
DRAWN = """box => {
    const { min, max } = box.plot().scales.x, [xs, ...columns] = box.plot().data;
    return { min, max, all: xs.length, inView: xs.filter(x => x >= min && x <= max).length,
             most: Math.max(...columns.map(column => Math.max(...column))), last: xs[xs.length - 1] };
}"""


def drawn_page(file: Path) -> Path:
    """One place with 10 or 11 requests at every ms, and 99 for one of them."""
    counts = [99 if at == PEAK else 10 + at % 2 for at in range(MANY)]
    places = (Area("unplaced", tuple(counts)), Area("answered", tuple(range(MANY))))
    offered = tuple(map(sum, zip(*(each.counts for each in places), strict=True)))
    areas = Areas(tuple(at * MS for at in range(MANY)), places, offered, thinned=True)
    data = {"areas": areas_data(areas, in_flight=True)}
    document = Document(kind="load", title="t", headline="h", sentences=[], warnings=[], data=data)
    file.write_bytes(page(document))
    return file


def seen(opened: Opened) -> dict[str, float]:
    found: dict[str, float] = opened.page.locator("#areas .chart").evaluate(DRAWN)
    return found


def test_a_picture_shows_more_instants_from_nearer_and_never_loses_a_peak(chromium: Browser, tmp_path: Path) -> None:
    with chromium.open(drawn_page(tmp_path / "page.html")) as opened:
        whole = seen(opened)
        assert (whole["all"] <= 3010, whole["most"], whole["last"]) == (True, 99, pytest.approx(11.999))

        opened.page.locator("#areas .chart").evaluate("box => box.show(7, 8)")
        near = seen(opened)
        assert (near["min"], near["max"]) == (7, 8)
        assert near["inView"] == 1001  # every instant of this second
        opened.page.locator("#areas .chart").focus()
        opened.page.keyboard.press("0")
        assert seen(opened) == whole
        assert opened.complained() == []


def test_the_pointer_tells_the_instant_that_it_is_on_after_zooming(chromium: Browser, tmp_path: Path) -> None:
    with chromium.open(drawn_page(tmp_path / "page.html")) as opened:
        chart = opened.page.locator("#areas .chart")
        chart.scroll_into_view_if_needed()
        chart.evaluate("box => box.show(7.32, 7.322)")
        over = chart.locator(".u-over").bounding_box()
        opened.page.mouse.move(over["x"] + over["width"] / 2, over["y"] + over["height"] / 2)
        assert opened.page.locator("#areas .time").text_content() == "at 7.3210 s"
        assert opened.page.locator("#areas label output").last.text_content() == "99"

        opened.page.mouse.dblclick(over["x"] + over["width"] / 2, over["y"] + over["height"] / 2)
        assert seen(opened)["max"] == pytest.approx(11.999)
        assert opened.complained() == []
