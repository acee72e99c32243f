"""Real runs of every kind, each as the page that `holdfast report` makes of it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.browser import Browser, browser
from support.commandline import Holdfast, holdfast_in
from support.counting import counting_server

ROOT = Path(__file__).parent.parent.parent
APP = ROOT / "examples" / "hello.py"
WAITING = Path(__file__).with_name("waiting_server.py")
SMALL = ("--max-offered", "120")
# Of the last row there is no verdict.
STUDY = """
[defaults]
app = "{app}"
server = "flask"
max-offered = 40

[[case]]
name = "four processes"
arguments = ["--processes", "4"]
expect = {{ in_service = 4 }}

[[case]]
name = "<b>one</b> at a time"
arguments = ["--without-threads"]
expect = {{ in_service = 2 }}

[[case]]
name = "no such option"
arguments = ["--prozesses", "4"]
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks every test of this folder: none of them runs in `make test`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def pages(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Path]]:
    """The page of a real run of each kind, by kind."""
    assert chromium
    directory = tmp_path_factory.mktemp("pages")
    with holdfast_in(directory) as holdfast:
        made = {kind: page_of_newest(holdfast, directory / f"{kind}.html") for kind in runs(holdfast)}
        yield {**made, "diff": page_of_difference(holdfast, directory / "diff.html")}


def runs(holdfast: Holdfast) -> Iterator[str]:
    """Makes one run after another, and says of which kind it is."""
    holdfast.run("probe", str(APP), "--server", "flask", "--nofile", "48", *SMALL, within_s=300)
    yield "probe"
    holdfast.run("explain", "--server", "flask", "--nofile", "48", "--up-to", "0", *SMALL, within_s=600)
    yield "explain"
    with counting_server() as server:
        holdfast.run("load", server.url, "--rate", "200/s", "--for", "1s", within_s=120)
    yield "load"
    with waiting_server() as url:
        holdfast.run("attach", url, within_s=600)
    yield "attach"
    study = holdfast.directory / "study.toml"
    study.write_text(STUDY.format(app=APP))
    holdfast.run("study", study, "--python", sys.executable, within_s=600)
    yield "study"


@contextmanager
def waiting_server() -> Iterator[str]:
    """Runs the server that waits; its URL."""
    with subprocess.Popen([sys.executable, str(WAITING)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/"
        finally:
            process.kill()


def page_of_difference(holdfast: Holdfast, file: Path) -> Path:
    """Writes the page of the first run beside one with another limit."""
    holdfast.run("probe", str(APP), "--server", "flask", "--nofile", "40", *SMALL, within_s=300)
    ended = holdfast.run("diff", "1", newest(holdfast), "--html", str(file))
    assert ended.exit == 0, ended.err
    return file


def newest(holdfast: Holdfast) -> str:
    """The number of the run that was saved last."""
    listed = holdfast.run("runs", "--limit", "1").out
    return re.findall(r"^ *(\d+) ", listed, re.MULTILINE)[0]


def page_of_newest(holdfast: Holdfast, file: Path) -> Path:
    """Writes the page of the run that was saved last."""
    ended = holdfast.run("report", newest(holdfast), "--html", str(file))
    assert ended.exit == 0, ended.err
    return file
