"""What a command line imports: a start that nobody waits for stays one only if it is looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from support.counting import Counting

from holdfast.cli.main import COMMANDS, commands

# Runs a command line in this process and writes the names of all modules that it has imported by its end.
RUN = """
import json, sys
import holdfast_probe
seen = sys.argv.pop(1)
try:
    holdfast_probe.main()
finally:
    with open(seen, "w") as file:
        json.dump([*sys.modules], file)
"""
HEAVY = {
    "rich",
    "h2",
    "asyncio",
    "ssl",
    "multiprocessing",
    "_hashlib",  # brings libcrypto
    "importlib.metadata",
    "http.client",
    "urllib.request",
    "email",
}
DASK = {"dask", "distributed", "holdfast.cluster"}
OTHER_COMMANDS = {
    "probe": {
        "holdfast.attaching",
        "holdfast.api.config_file",
        "holdfast.checks",
        "holdfast.infer.difference",
        "holdfast.loadtest",
        "holdfast.model.outside",
        "holdfast.model.scenario",
        "holdfast.plans",
        "holdfast.servers.gunicorn",
        "holdfast.study",
    },
    "load": {
        "holdfast.api.extract_syntax",
        "holdfast.attaching",
        "holdfast.checks",
        "holdfast.cli.load_plan",
        "holdfast.infer",
        "holdfast.engine.event_rows",
        "holdfast.engine.live_counts",
        "holdfast.loadtest.metrics_server",
        "holdfast.model.answers",
        "holdfast.model.experiment",
        "holdfast.model.timeline",
        "holdfast.plans",
        "holdfast.probing",
        "holdfast.study",
    },
    "runs": {"holdfast.attaching", "holdfast.probing", "holdfast.study", "holdfast.plans", "holdfast.loadtest"},
}


def imported(directory: Path, *arguments: str) -> set[str]:
    """The modules of a command line that ends well."""
    seen = directory / "modules.json"
    ended = subprocess.run(
        [sys.executable, "-c", RUN, str(seen), *arguments],
        cwd=directory,
        env={**os.environ, "HOLDFAST_RUNS": str(directory / "runs.sqlite")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return set(json.loads(seen.read_text()))


def within(modules: set[str], forbidden: set[str]) -> set[str]:
    """Those that are forbidden, or in a package that is."""
    return {name for name in modules if any(f"{name}.".startswith(f"{each}.") for each in forbidden)}


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What Python and this environment import by themselves."""
    where = tmp_path_factory.mktemp("nothing") / "modules.json"
    names = "import json, sys; json.dump([*sys.modules], open(sys.argv[1], 'w'))"
    subprocess.run([sys.executable, "-c", names, str(where)], check=True)
    return set(json.loads(where.read_text()))


def test_the_version_is_told_with_next_to_nothing_imported(tmp_path: Path, nothing: set[str]) -> None:
    assert imported(tmp_path, "--version") - nothing == {"holdfast", "__future__", "holdfast_probe"}


def test_a_probe_imports_nothing_of_the_other_commands(tmp_path: Path, nothing: set[str]) -> None:
    found = imported(tmp_path, "probe", "--max-offered", "3") - nothing

    assert within(found, HEAVY | DASK | OTHER_COMMANDS["probe"] | {"msgspec", "statistics"}) == set()
    assert "holdfast.probing.experiment" in found


def test_a_load_imports_nothing_of_the_other_commands(tmp_path: Path, nothing: set[str], counting: Counting) -> None:
    found = imported(tmp_path, "load", f"{counting.url}/", "--burst", "1") - nothing

    assert within(found, HEAVY | DASK | OTHER_COMMANDS["load"] | {"msgspec", "statistics", "csv", "traceback"}) == set()
    assert "holdfast.engine.epoll" in found


def test_a_list_of_runs_imports_nothing_that_measures(tmp_path: Path, nothing: set[str]) -> None:
    found = imported(tmp_path, "runs") - nothing

    assert within(found, HEAVY | DASK | OTHER_COMMANDS["runs"] | {"msgspec"}) == set()


def test_the_list_of_commands_imports_none_of_them(tmp_path: Path, nothing: set[str]) -> None:
    found = imported(tmp_path, "--help") - nothing

    assert within(found, {f"holdfast.cli.{place.module}" for place in COMMANDS.values()}) == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_the_command_says_of_itself(name: str) -> None:
    with click.Context(commands, info_name="holdfast") as context:
        command = commands.get_command(context, name)

    assert command is not None
    assert command.name == name
    assert (command.help or "").splitlines()[0] == COMMANDS[name].summary
