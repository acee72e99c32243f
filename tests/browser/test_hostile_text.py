"""An application that writes markup into headers, names of threads, views and files, and its log changes nothing."""

from __future__ import annotations

from pathlib import Path

from browser.conftest import SMALL, page_of_newest
from support.browser import Browser
from support.commandline import Holdfast

APP = Path(__file__).with_name("hostile_app.py")
NAME = "<img src=x onerror='document.documentElement.dataset.hurt = 3'>.py"


def test_markup_of_an_application_is_text_on_its_page(chromium: Browser, holdfast: Holdfast, tmp_path: Path) -> None:
    app = tmp_path / NAME
    app.write_text(APP.read_text())
    header = ("-H", "X-Label: <script>document.documentElement.dataset.hurt = 4</script>")
    ended = holdfast.run("probe", str(app), "--server", "flask", *header, *SMALL, within_s=300)
    assert "requests at once" in ended.out

    page = page_of_newest(holdfast, tmp_path / "page.html")

    with chromium.open(page) as opened:
        for summary in opened.page.locator("summary").all():
            summary.click()
        assert opened.page.locator("html").get_attribute("data-hurt") is None
        assert opened.page.locator("script").count() == 2
        assert opened.page.locator("img").count() == 0
        assert "dataset.hurt" in opened.page.locator("main").text_content()
        assert opened.complained() == []
