"""Pages of a study and of two runs compared: a small picture of each, with the figures of the runs themselves."""

from __future__ import annotations

import pytest

# What the bars of a picture show: label, number, and width in percent.
BARS = """article => [...article.querySelectorAll("tbody tr")].map(row => [
    row.cells[0].textContent, row.cells[1].textContent, parseFloat(row.querySelector("rect")?.getAttribute("width")),
])"""


def bars(article):
    return {label: (number, width) for label, number, width in article.evaluate(BARS)}


def test_a_study_has_a_picture_of_each_row_and_says_why_one_has_none(chromium, pages):
    with chromium.open(pages["study"]) as opened:
        four, one, none = opened.page.locator("#multiples article").all()
        assert four.locator("h3").text_content() == "four processes"
        assert four.locator(".answer").get_attribute("class") == "answer"
        assert bars(four)["in service"] == ("4", pytest.approx(10.0))  # 4 of the 40 offered
        assert one.locator("h3").text_content() == "<b>one</b> at a time"
        assert bars(one)["in service"] == ("1", pytest.approx(2.5))
        assert one.locator(".warning").text_content() == "expected ceiling.in_service 2, measured 1"
        assert bars(none) == {}
        assert "prozesses" in none.locator(".answer.missing").text_content()
        assert opened.complained() == []


def test_a_difference_has_a_picture_of_both_runs_and_lists_what_changed(chromium, pages):
    with chromium.open(pages["diff"]) as opened:
        before, after = opened.page.locator("#multiples article").all()
        assert (bars(before)["in service"][0], bars(after)["in service"][0]) == ("44", "36")  # nofile - 4
        changed = opened.page.locator("section.sheet", has_text="What changed").locator("tbody tr").all()
        cells = [each.locator("td").all_text_contents() for each in changed]
        assert ["ceiling.in_service", "44", "36"] in [[field, one, other] for field, _, one, other, _ in cells]
        assert opened.complained() == []


@pytest.mark.parametrize("kind", ["study", "diff"])
def test_a_page_without_charts_has_a_theme_of_its_own_and_is_printed_in_light_colours(chromium, pages, kind):
    with chromium.open(pages[kind], scheme="dark") as opened:
        paper = "getComputedStyle(document.body).backgroundColor"
        dark = opened.page.evaluate(paper)
        opened.page.locator("#theme").click()
        assert opened.page.evaluate(paper) == "rgb(255, 255, 255)" != dark
        opened.page.locator("#theme").click()
        opened.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert opened.page.locator("html").get_attribute("data-theme") == "light"
        assert opened.page.pdf()[:5] == b"%PDF-"
        assert opened.complained() == []
