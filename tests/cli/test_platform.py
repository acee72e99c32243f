"""Where there is no Linux there is one sentence."""

from __future__ import annotations

import pytest
from support.commandline import PROGRAM, Holdfast

ENVIRONMENT = 4

# As on a Mac: neither the module's functions nor its constants are there (docs.python.org, library/select).
ELSEWHERE = """
import select, sys
for name in dir(select):
    if name.lower().startswith("epoll"):
        delattr(select, name)
sys.platform = "darwin"
from holdfast_probe import main
main()
"""
COMMANDS = [("probe",), ("load", "http://127.0.0.1:1/", "--burst", "1"), ("runs",), ("--help",)]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_another_system_than_linux_is_refused_in_one_sentence(holdfast: Holdfast, command: tuple[str, ...]) -> None:
    ended = holdfast.run(*command, program=[PROGRAM[0], "-c", ELSEWHERE])

    assert (ended.exit, ended.out) == (ENVIRONMENT, "")
    assert ended.what == "holdfast: holdfast runs on Linux only."
    assert "darwin" in ended.err
    assert "Traceback" not in ended.err


def test_its_version_is_told_on_every_system(holdfast: Holdfast) -> None:
    ended = holdfast.run("--version", program=[PROGRAM[0], "-c", ELSEWHERE])

    assert (ended.exit, ended.err) == (0, "")
    assert ended.out.startswith("holdfast, version ")
