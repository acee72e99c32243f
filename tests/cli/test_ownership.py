"""What decides which code is run is taken only from files that no other user can have written."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from support.commandline import Holdfast

ANSWERED, ENVIRONMENT = 0, 4
NOBODY = 65534
FEW = ("--max-offered", "3")
MODULES = ("email", "enum", "operator", "pathlib", "random", "struct", "textwrap", "types")

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to other users")


def evil_project(directory: Path) -> Path:
    """A project whose settings name a program of its own as the interpreter; gives the file that it would leave."""
    program = directory / "python"
    program.write_text(f"#!/bin/sh\ntouch {directory}/it-ran\n")
    program.chmod(0o755)
    (directory / "pyproject.toml").write_text('[tool.holdfast]\npython = "./python"\ncall = true\n')
    return directory / "it-ran"


def below(directory: Path) -> Path:
    ours = directory / "ours"
    ours.mkdir()
    return ours


COMMANDS = [("probe", *FEW), ("study", "servers", "--only", "wsgiref")]


@as_root
@pytest.mark.parametrize("given", ["pyproject.toml", "."], ids=["file", "directory"])
def test_settings_of_another_user_are_passed_over_and_named(holdfast: Holdfast, given: str) -> None:
    it_ran = evil_project(holdfast.directory)
    ours = below(holdfast.directory)
    os.chown(holdfast.directory / given, NOBODY, -1)

    for ended in holdfast.run_together(COMMANDS, cwds=[ours, ours]):
        assert ended.exit == ANSWERED, ended.err
        assert str(holdfast.directory / "pyproject.toml") in ended.what
        assert "was ignored" in ended.what
        assert "belongs to nobody" in ended.what
    assert not it_ran.exists()


@pytest.mark.parametrize("given", ["pyproject.toml", "."], ids=["file", "directory"])
def test_settings_that_every_user_may_write_are_passed_over_and_named(holdfast: Holdfast, given: str) -> None:
    it_ran = evil_project(holdfast.directory)
    path = holdfast.directory / given
    path.chmod(path.stat().st_mode | 0o002)

    ended = holdfast.run("probe", *FEW)

    assert ended.exit == ANSWERED, ended.err
    assert "can be written by every user" in ended.what
    assert not it_ran.exists()


def test_settings_above_the_project_are_none_of_its_own(holdfast: Holdfast) -> None:
    it_ran = evil_project(holdfast.directory)
    ours = below(holdfast.directory)
    (ours / ".git").mkdir()

    ended = holdfast.run("probe", *FEW, cwd=ours)

    assert (ended.exit, ended.err) == (ANSWERED, "")
    assert not it_ran.exists()


def test_the_persons_own_settings_are_used_and_their_file_is_named(holdfast: Holdfast) -> None:
    (holdfast.directory / "pyproject.toml").write_text("[tool.holdfast]\nmax-offered = 3\n")
    ours = below(holdfast.directory)

    ended = holdfast.run("probe", cwd=ours)

    assert ended.exit == ANSWERED, ended.err
    assert ended.what == f"holdfast: Defaults from {holdfast.directory}/pyproject.toml: max-offered."
    assert "at least 3 requests at once" in ended.out


@as_root
def test_an_environment_of_another_user_in_the_directory_is_not_run(holdfast: Holdfast) -> None:
    program = holdfast.directory / ".venv" / "bin" / "python"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ntouch {holdfast.directory}/it-ran\n")
    program.chmod(0o755)
    for path in (program, program.parent, program.parent.parent):
        os.chown(path, NOBODY, -1)

    for ended in holdfast.run_together([("servers",), ("probe", *FEW)]):
        assert ended.exit == ANSWERED, ended.err
    assert not (holdfast.directory / "it-ran").exists()


def test_modules_of_the_project_do_not_stand_in_for_those_of_the_standard_library(holdfast: Holdfast) -> None:
    # As `gunicorn` by itself, whose script does not put the working directory on the path before it has started; of
    # these it imports none later.
    for name in MODULES:
        (holdfast.directory / f"{name}.py").write_text("raise SystemExit('the project was imported')\n")
    (holdfast.directory / "plain.py").write_text(
        "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'x']\n"
    )
    script = Path(sys.executable).with_name("holdfast")

    ended = holdfast.run("probe", "plain:app", "--server", "gunicorn", *FEW, program=[str(script)])

    assert ended.exit == ANSWERED, ended.err
    assert "1 request at once" in ended.out
