"""`holdfast report`: pages and Markdown of saved runs of each kind, and mistakes in asking for them."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded.saved import LOADS, RUNS, put_load, put_run, record_of
from support.commandline import Holdfast

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)


@pytest.fixture
def saved(holdfast: Holdfast) -> dict[str, str]:
    """Numbers of runs that were recorded, by kind."""
    holdfast.runs.parent.mkdir()
    numbers = {
        kind: put_run(holdfast.runs, name, record_of(RUNS, name))
        for kind, name in (("probe", "gunicorn-gthread"), ("attach", "attach"), ("inconclusive", "time-limit-kills"))
    }
    numbers["load"] = put_load(holdfast.runs, "open", record_of(LOADS, "open"))
    return {kind: str(number) for kind, number in numbers.items()}


def test_each_kind_has_a_page_and_markdown(holdfast: Holdfast, saved: dict[str, str], tmp_path: Path) -> None:
    ways = [
        ("report", number, "--html", str(tmp_path / f"{kind}.html"), "--markdown", str(tmp_path / f"{kind}.md"))
        for kind, number in saved.items()
    ]
    assert [(each.exit, each.err) for each in holdfast.run_together(ways)] == [(ANSWERED, "")] * len(saved)

    for kind in saved:
        page, text = (tmp_path / f"{kind}.html").read_text(), (tmp_path / f"{kind}.md").read_text()
        assert page.startswith("<!DOCTYPE html>")
        assert len(page) < 400_000
        assert text.startswith("### ")
    assert "LISTEN" in (tmp_path / "probe.md").read_text()
    assert "it was not saved" not in (tmp_path / "probe.md").read_text()
    assert "No verdict" in (tmp_path / "inconclusive.md").read_text()
    assert "from due" in (tmp_path / "load.md").read_text()


def test_a_page_on_standard_output_is_alone_there(holdfast: Holdfast, saved: dict[str, str]) -> None:
    ended = holdfast.run("report", saved["load"], "--html", "-")

    assert ended.exit == ANSWERED
    assert ended.out.startswith("<!DOCTYPE html>")
    assert ended.out.endswith("</html>\n")


def test_mistakes_are_told_before_anything_is_written(
    holdfast: Holdfast, saved: dict[str, str], tmp_path: Path
) -> None:
    page = str(tmp_path / "page.html")
    load, probe = saved["load"], saved["probe"]
    asked = {
        ("report", load): "Say what to write",
        ("report", load, "--html", page, "--csv", page): "cannot both go to",
        ("report", load, "--html", "-", "--markdown", "-"): "cannot both go to standard output",
        ("report", probe, "--html", page, "--csv", str(tmp_path / "rows.csv")): "is not a load",
        ("report", "999", "--html", page): "There is no saved run 999",
        ("report", load, "--html", str(tmp_path)): "is a directory",
        ("report", load, "--html", str(tmp_path / "missing" / "page.html")): "does not exist",
    }
    for ended, words in zip(holdfast.run_together(asked), asked.values(), strict=True):
        assert ended.exit == USAGE
        assert words in ended.err
    assert not Path(page).exists()
