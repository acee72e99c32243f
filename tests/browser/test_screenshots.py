"""The pictures of docs/: a verdict on a terminal, and two charts of its page. `make screenshots` keeps them."""

from __future__ import annotations

import html
import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pyte
import pytest
from support.commandline import Holdfast, holdfast_in
from support.documented_commands import command_lines
from support.terminal import Terminal

ROOT = Path(__file__).parents[2]
# What is larger makes the start page slow to load.
MOST_BYTES = 150_000
COLUMNS, ROWS = 80, 50
WIDTH = 1000

SCHEMES = {
    "light": {"paper": "#ffffff", "default": "#1f2328", "green": "#0f6e31", "brown": "#8a5a00", "red": "#b3261e"},
    "dark": {"paper": "#12151b", "default": "#d5dae1", "green": "#57c278", "brown": "#d9a53a", "red": "#ff7b72"},
}
SCHEMES["light"] |= {"cyan": "#0b6a78", "magenta": "#8a3a99"}
SCHEMES["dark"] |= {"cyan": "#4fc1d3", "magenta": "#d792e4"}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    kept = os.environ.get("HOLDFAST_PICTURES")
    return Path(kept) if kept else tmp_path_factory.mktemp("pictures")


@pytest.fixture(scope="module")
def first_run(tmp_path_factory) -> Iterator[tuple[Holdfast, pyte.Screen]]:
    """The first command of docs/index.md, and what a terminal shows of it."""
    (line,) = (each for each in command_lines(ROOT / "docs" / "index.md", ROOT) if " probe " in each.text)
    with holdfast_in(tmp_path_factory.mktemp("first")) as holdfast:
        terminal = Terminal(COLUMNS, ROWS)
        running = terminal.start(holdfast, *shlex.split(line.text)[1:], cwd=ROOT)
        try:
            assert running.ended(120).exit == 0
        finally:
            terminal.close()
        screen = pyte.Screen(COLUMNS, ROWS)
        pyte.Stream(screen).feed(terminal.written.replace("\n", "\r\n"))
        yield holdfast, screen


def as_page(screen: pyte.Screen, scheme: str) -> str:
    """The terminal as a page, with its colours."""
    colours = SCHEMES[scheme]
    lines = []
    for row in range(max(number for number, line in enumerate(screen.display) if line.strip()) + 1):
        cells = [screen.buffer[row][column] for column in range(COLUMNS)]
        lines.append(
            "".join(
                f'<span style="color:{colours.get(each.fg, colours["default"])}'
                f'{";font-weight:bold" if each.bold else ""}">{html.escape(each.data)}</span>'
                for each in cells
            )
        )
    return (
        f'<meta charset="utf-8"><body style="margin:0"><pre style="background:{colours["paper"]};display:inline-block;'
        f'font:15px/1.3 DejaVu Sans Mono,monospace;margin:0;padding:16px 20px">{chr(10).join(lines)}</pre>'
    )


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_verdict_on_a_terminal_is_a_small_picture(chromium, first_run, directory, tmp_path, scheme):
    _, screen = first_run
    assert any("4 requests at once" in line for line in screen.display)
    (tmp_path / "terminal.html").write_text(as_page(screen, scheme), encoding="utf-8")

    with chromium.open(tmp_path / "terminal.html", scheme=scheme) as opened:
        picture = directory / f"verdict-{scheme}.png"
        opened.page.locator("pre").screenshot(path=picture)

    assert 5_000 < picture.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_page_of_a_run_is_a_small_picture(chromium, first_run, directory, tmp_path, scheme):
    holdfast, _ = first_run
    page = tmp_path / "page.html"
    assert holdfast.run("report", "1", "--html", page).exit == 0

    with chromium.open(page, WIDTH, scheme) as opened:
        opened.page.locator("#areas canvas").first.wait_for()
        first, last = (opened.page.locator(each).bounding_box() for each in ("#areas", "#lanes"))
        picture = directory / f"report-{scheme}.png"
        clip = {"x": 0, "y": first["y"], "width": WIDTH, "height": last["y"] + last["height"] - first["y"]}
        opened.page.screenshot(path=picture, full_page=True, clip=clip)

    assert 5_000 < picture.stat().st_size < MOST_BYTES
