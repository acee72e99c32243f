"""Every command line in README.md and docs/ is one that holdfast understands, and ends as the document says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from support.commandline import Ended, Holdfast, holdfast_in
from support.documented_commands import CommandLine, command_lines, documents, read

from holdfast.cli.main import commands
from holdfast.errors import EXIT_INCONCLUSIVE
from holdfast.probing.ports import free_port

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
BIN = Path(sys.executable).parent

EVERY = [line for document in documents(ROOT) for line in command_lines(document, ROOT)]
OF_HOLDFAST = [line for line in EVERY if line.text.startswith("holdfast")]
OF_MAKE = [line for line in EVERY if line.text.startswith("make")]

# The port in the documents, where it is one: http://127.0.0.1:8000/, -J port=8000, --port 8000.
_PORT = re.compile(r"(?<=127\.0\.0\.1:)8000\b|(?<=localhost:)8000\b|(?<=port=)8000\b|(?<=--port )8000\b")
_SAVED_RUN = re.compile(r"(?<=holdfast )(show|report) \d+\b")
_STARTS_A_SERVER = frozenset({"probe", "exec", "study"})
_LATE_US = 10_000


def kind(line: CommandLine) -> tuple[str, ...]:
    """What is much the same in other command lines."""
    words = line.commands[0]
    scenario = [each for each in words if words[1] == "load" and each.endswith(".toml")]
    options = ("--jmx", "--har", "--cluster", "--call", "--first", "--hook")
    return (*words[1:2], *scenario, *(each for each in options if each in words))


def run_here() -> Iterator[object]:
    """The command lines that can be run; `make test` takes the first of each kind, `make conformance` all."""
    seen: set[tuple[str, ...]] = set()
    for line in OF_HOLDFAST:
        if not line.not_run:
            marks = [pytest.mark.documented] if kind(line) in seen else []
            seen.add(kind(line))
            yield pytest.param(line, id=line.place, marks=marks)


@dataclass(frozen=True, slots=True)
class Workshop:
    """A copy of examples/ with a server of its own, and one saved run of a load.

    Attributes:
        port: of the server, which serves orders.py.
    """

    holdfast: Holdfast
    directory: Path
    port: int

    def run(self, text: str) -> Ended:
        """Runs a command line as a person does who has activated the environment."""
        path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
        return self.holdfast.run(text, program=("bash", "-c"), cwd=self.directory, env={"PATH": path})

    def was_late(self) -> bool:
        """Whether the newest saved run, which must be a load's, had no core to send on in time, as its record says."""
        newest = re.search(r"^\s*(\d+)\s", self.run("holdfast runs").out, re.MULTILINE)
        assert newest is not None
        result = json.loads(self.run(f"holdfast show {newest[1]} --json -").out)
        return bool(result["generator_limited"]) and result["pacing_lag_us"]["max"] > _LATE_US


@contextmanager
def serving(directory: Path) -> Iterator[int]:
    """gunicorn with orders.py, as docs/load.md starts it, on a free port."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "--no-control-socket", "--threads", "8"),
            *("--bind", "127.0.0.1:0", "--bind", "unix:app.sock", "orders:app"),
        ],
        cwd=directory,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        listening = next(filter(None, (re.search(r"http://127\.0\.0\.1:(\d+)", line) for line in process.stderr)))
        yield int(listening[1])
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    own = tmp_path_factory.mktemp("documented")
    examples = own / "examples"
    shutil.copytree(EXAMPLES, examples, ignore=shutil.ignore_patterns("__pycache__", "*.sock"))
    # README.md is read in the directory above.
    (examples / "examples").symlink_to(".")
    # What docs/probe.md has openssl make.
    for file in ("certificate.pem", "key.pem"):
        shutil.copy(ROOT / "tests" / "engine" / "localhost.pem", examples / file)
    with holdfast_in(own) as holdfast, serving(examples) as port:
        for file in (*examples.glob("*.jmx"), *examples.glob("*.har"), examples / "shop.toml"):
            file.write_text(file.read_text().replace("8000", str(port)))
        here = Workshop(holdfast, examples, port)
        saved = here.run(f"holdfast load http://127.0.0.1:{port}/ --clients 1 --requests 3")
        assert saved.exit == 0, saved.err
        yield here


def as_run(line: CommandLine, workshop: Workshop) -> str:
    """The command line with the addresses and saved runs that there are here."""
    port = free_port() if kind(line)[0] in _STARTS_A_SERVER else workshop.port
    return _SAVED_RUN.sub(r"\1 1", _PORT.sub(str(port), line.text))


@pytest.mark.parametrize("line", OF_HOLDFAST, ids=lambda line: line.place)
def test_holdfast_understands_every_command_line(
    line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    for words in line.commands:
        cut = words.index("--") if "--" in words else len(words)
        arguments, after = [*words[1:cut]], words[cut + 1 :]
        with click.Context(commands, info_name="holdfast", obj=after) as group:
            command = commands.get_command(group, arguments[0])
            assert command is not None, f"{line.place}: there is no holdfast {arguments[0]}"
            with command.make_context(arguments[0], arguments[1:], parent=group) as context:
                # What exec takes for a part of the command, because it does not know it.
                assert not context.params.get("misplaced"), f"{line.place}: {line.text}"


@pytest.mark.parametrize("line", OF_MAKE, ids=lambda line: line.place)
def test_make_has_every_target(line: CommandLine) -> None:
    for words in line.commands:
        done = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)

        assert done.returncode == 0, f"{line.place}: {done.stderr}"


@pytest.mark.parametrize("line", list(run_here()))
def test_a_command_line_ends_as_its_document_says(line: CommandLine, workshop: Workshop) -> None:
    ended = workshop.run(as_run(line, workshop))

    # A document is about a machine that has a core for the load.
    late = ended.exit == EXIT_INCONCLUSIVE and kind(line)[0] == "load" and workshop.was_late()
    assert late or ended.exit == line.exits, f"{line.place}: {line.text}\n{ended.err}\n{ended.out}"


def test_the_study_in_the_document_is_the_example() -> None:
    example = (EXAMPLES / "cases.toml").read_text()

    assert f"```toml\n{example}```\n" in (ROOT / "docs" / "studies.md").read_text()


@pytest.mark.parametrize(("name", "kind_of_block"), [("shop.toml", "toml"), ("sign.py", "python")])
def test_the_scenario_and_the_hook_in_the_document_are_the_examples(name: str, kind_of_block: str) -> None:
    example = (EXAMPLES / name).read_text()

    assert f"```{kind_of_block}\n{example}```\n" in (ROOT / "docs" / "scenarios.md").read_text()


def test_lines_of_sh_blocks_are_read_with_their_places_codes_and_reasons() -> None:
    markdown = """\
```
holdfast untagged
```
```sh
cd examples
holdfast load 'http://h/#a' --threshold 'p99<1s'   # exits 1: it is slow
holdfast runs; holdfast show 17 --json - | head -1
holdfast load http://h/ \\
  --burst 1
make demo     # sets everything up
```
<!-- not run: needs root -->
```sh
holdfast probe --nproc 100
```
```text
holdfast is printed here
```
"""

    first, second, third, make, root = read(markdown, "a.md")

    assert (first.place, first.exits, first.not_run) == ("a.md:6", 1, "")
    assert first.commands == (("holdfast", "load", "http://h/#a", "--threshold", "p99<1s"),)
    assert second.commands == (("holdfast", "runs"), ("holdfast", "show", "17", "--json", "-"))
    assert (third.place, third.commands) == ("a.md:8", (("holdfast", "load", "http://h/", "--burst", "1"),))
    assert (make.text, make.exits) == ("make demo", 0)
    assert (root.place, root.not_run) == ("a.md:14", "needs root")


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("```sh\nholdfast runs\n", "not closed"),
        ("<!-- not run: -->\n```sh\nholdfast runs\n```\n", "needs its reason"),
        ("<!-- not run -->\n```sh\nholdfast runs\n```\n", "needs its reason"),
        ("<!-- not run: no root -->\n\n```sh\nholdfast runs\n```\n", "on the line before"),
        ("<!-- not run: no root -->\n```text\nholdfast runs\n```\n", "on the line before"),
        ("<!-- not run: no root -->", "on the line before"),
    ],
)
def test_a_block_that_would_be_passed_over_in_silence_is_an_error(markdown: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        list(read(markdown, "a.md"))


@pytest.mark.parametrize("text", ["holdfast runs 'a", "holdfast load http://h/ --threshold p99<1s", "holdfast runs &"])
def test_a_line_that_a_shell_would_read_otherwise_is_an_error(text: str) -> None:
    (line,) = read(f"```sh\n{text}\n```\n", "a.md")

    with pytest.raises(ValueError, match=r"a\.md:2"):
        assert line.commands
