"""Pages of real runs in a real browser: they draw, they answer to a hand and to keys, and they fetch nothing."""

from __future__ import annotations

import pytest
from support.browser import violations

KINDS = ("probe", "explain", "load", "attach")
WITHOUT_CHARTS = ("study", "diff")
CHARTS = {"probe": {"areas", "usage"}, "explain": {"areas", "usage", "settings"}, "load": {"areas", "curves"}}
CHARTS["attach"] = {"areas", "curves"}

# How many differing colours a canvas has; an empty one has 1.
COLOURS = """canvas => {
    const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    return new Set(pixels).size;
}"""
ZOOM = "box => { const { min, max } = box.plot().scales.x; return [min, max]; }"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_chart_is_drawn_without_a_complaint_and_without_a_request(chromium, pages, kind, scheme):
    with chromium.open(pages[kind], scheme=scheme) as opened:
        sections = opened.page.locator("section:has(.chart canvas)")
        assert CHARTS[kind] <= {each.get_attribute("id") for each in sections.all()}
        for canvas in opened.page.locator(".chart canvas").all():
            assert canvas.evaluate(COLOURS) > 3
        assert opened.complained() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_pointer_on_a_chart_shows_its_numbers_and_dragging_zooms(chromium, pages, kind):
    with chromium.open(pages[kind]) as opened:
        section = opened.page.locator("#areas")
        chart = section.locator(".chart")
        chart.scroll_into_view_if_needed()
        over = chart.locator(".u-over").bounding_box()
        middle = over["y"] + over["height"] / 2
        opened.page.mouse.move(over["x"] + over["width"] / 2, middle)
        assert section.locator(".time").text_content().startswith("at ")
        assert section.locator("label output").first.text_content().replace(",", "").isdecimal()

        low, high = chart.evaluate(ZOOM)
        opened.page.mouse.move(over["x"] + over["width"] * 0.25, middle)
        opened.page.mouse.down()
        opened.page.mouse.move(over["x"] + over["width"] * 0.5, middle, steps=4)
        opened.page.mouse.up()
        zoomed = chart.evaluate(ZOOM)
        assert zoomed[1] - zoomed[0] == pytest.approx((high - low) / 4, rel=0.05)
        section.get_by_role("button", name="Show all").click()
        assert chart.evaluate(ZOOM) == pytest.approx([low, high])
        assert opened.complained() == []


def test_keys_move_and_zoom_a_chart(chromium, pages):
    with chromium.open(pages["probe"]) as opened:
        chart = opened.page.locator("#areas .chart")
        chart.focus()
        low, high = chart.evaluate(ZOOM)
        opened.page.keyboard.press("+")
        nearer = chart.evaluate(ZOOM)
        assert nearer[1] - nearer[0] == pytest.approx((high - low) / 2)
        opened.page.keyboard.press("0")
        assert chart.evaluate(ZOOM) == pytest.approx([low, high])
        opened.page.keyboard.press("ArrowRight")
        assert opened.page.locator("#areas .time").text_content().startswith("at ")


def test_a_place_that_is_not_ticked_is_not_drawn_and_comes_back(chromium, pages):
    with chromium.open(pages["probe"]) as opened:
        series = "box => box.plot().series.length"
        chart = opened.page.locator("#areas .chart")
        tick = opened.page.locator("#areas .legend input").first
        before = chart.evaluate(series)
        tick.uncheck()
        assert chart.evaluate(series) == before - 1
        tick.check()
        assert chart.evaluate(series) == before


@pytest.mark.parametrize("kind", KINDS)
def test_behind_each_chart_is_a_table_whose_places_add_up(chromium, pages, kind):
    with chromium.open(pages[kind]) as opened:
        for summary in opened.page.locator("section:has(.chart) details summary").all():
            summary.click()
        rows = opened.page.locator("#areas .figures tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.cells].slice(1).map(cell => Number(cell.textContent.replaceAll(',', ''))))"
        )
        assert rows
        assert all(sum(places) == offered for *places, offered in rows)
        assert opened.complained() == []


@pytest.mark.parametrize("kind", [*KINDS, *WITHOUT_CHARTS])
@pytest.mark.parametrize("width", [360, 640, 900, 1280, 2000])
def test_a_page_never_scrolls_sideways(chromium, pages, kind, width):
    with chromium.open(pages[kind], width) as opened:
        for summary in opened.page.locator("summary").all():
            summary.click()
        wide = "document.documentElement.scrollWidth"
        assert opened.page.evaluate(wide) <= width
        opened.page.set_viewport_size({"width": 400, "height": 900})
        narrow = "[...document.querySelectorAll('.chart canvas')].every(canvas => canvas.clientWidth <= 400)"
        opened.page.wait_for_function(narrow)
        assert opened.page.evaluate(wide) <= 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", [*KINDS, *WITHOUT_CHARTS])
def test_axe_finds_nothing(chromium, pages, kind, scheme):
    with chromium.open(pages[kind], scheme=scheme) as opened:
        for summary in opened.page.locator("summary").all():
            summary.click()
        assert violations(opened.page) == []


def test_the_button_changes_the_theme_and_the_charts_with_it(chromium, pages):
    with chromium.open(pages["probe"], scheme="dark") as opened:
        paper = "getComputedStyle(document.body).backgroundColor"
        dark = opened.page.evaluate(paper)
        opened.page.locator("#theme").click()
        assert opened.page.evaluate(paper) == "rgb(255, 255, 255)" != dark
        opened.page.locator("#theme").click()
        assert opened.page.evaluate(paper) == dark
        assert opened.complained() == []


def test_a_page_is_printed_in_light_colours(chromium, pages):
    with chromium.open(pages["probe"], scheme="dark") as opened:
        opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert opened.page.locator("html").get_attribute("data-theme") == "light"
        opened.page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert opened.page.locator("html").get_attribute("data-theme") == "dark"
        assert opened.page.pdf()[:5] == b"%PDF-"


@pytest.mark.parametrize("kind", [*KINDS, *WITHOUT_CHARTS])
def test_a_page_is_small(pages, kind):
    assert pages[kind].stat().st_size <= 400_000
