"""A fault of holdfast's own: an exit code that no answer has, and a report that can be pasted into an issue."""

from __future__ import annotations

import platform

import pytest
from support.commandline import Holdfast

from holdfast import __version__
from holdfast.cli.own_fault import masked, report_on

INTERNAL = 70

# On the path in front of ours, so that it breaks as something of ours might.
BROKEN_MODULE = "raise ZeroDivisionError('the module is broken')\n"
BROKEN_LATER = """
def reader(*_, **__):
    raise ZeroDivisionError("Bearer abc123 was in the way")
"""


def test_a_fault_while_holdfast_is_imported_is_reported(holdfast: Holdfast) -> None:
    # `python -m` looks for modules in the working directory first.
    (holdfast.directory / "click.py").write_text(BROKEN_MODULE)

    ended = holdfast.run("probe", "-H", "Authorization: Bearer abc123")

    assert (ended.exit, ended.out) == (INTERNAL, "")
    assert ended.what == "holdfast: This is an error in holdfast itself, so there is no answer."
    assert "ZeroDivisionError: the module is broken" in ended.err
    assert "abc123" not in ended.err


def test_a_file_that_ends_too_soon_is_a_fault_and_not_the_end_of_what_a_person_types(holdfast: Holdfast) -> None:
    """So does a compiled module that was cut off when the disk was full; Click would take it for Ctrl-D."""
    (holdfast.directory / "csv.py").write_text("raise EOFError('marshal data too short')\n")
    (holdfast.directory / "rows.csv").write_text("name\nann\n")

    ended = holdfast.run("load", "http://127.0.0.1:1/", "--burst", "1", "--data-rows", "rows.csv")

    assert ended.exit == INTERNAL
    assert "EOFError: marshal data too short" in ended.err


def test_a_fault_in_a_run_is_reported_with_version_and_command_and_without_secrets(holdfast: Holdfast) -> None:
    (holdfast.directory / "csv.py").write_text(BROKEN_LATER)
    (holdfast.directory / "rows.csv").write_text("name\nann\n")

    ended = holdfast.run(
        "load",
        "http://127.0.0.1:1/",
        "--burst",
        "1",
        "--data-rows",
        "rows.csv",
        "-H",
        "Authorization: Bearer abc123",
    )

    assert (ended.exit, ended.out) == (INTERNAL, "")
    assert f"holdfast-probe {__version__}, Python {platform.python_version()}, Linux {platform.release()}" in ended.err
    assert "holdfast load http://127.0.0.1:1/ --burst 1 --data-rows rows.csv -H" in ended.err
    assert "Authorization: ***" in ended.err
    assert "ZeroDivisionError: *** was in the way" in ended.err
    assert "Traceback (most recent call last):" in ended.err
    assert "abc123" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["-H", "X-Key: 1"], ["-H", "X-Key: ***"]),
        (["-HX-Key: 1"], ["-HX-Key: ***"]),
        (["--header", "X-Key:1"], ["--header", "X-Key:***"]),
        (["--header=X-Key: 1"], ["--header=X-Key: ***"]),
        (["-J", "password=1"], ["-J", "password=***"]),
        (["-Jpassword=1"], ["-Jpassword=***"]),
        (["--data", "name=ann"], ["--data", "***"]),
        (["--data={}"], ["--data=***"]),
        (["--first", "POST /login name=ann"], ["--first", "POST /login ***"]),
        (["--then=/orders x=1", "--first", "/desk"], ["--then=/orders ***", "--first", "/desk"]),
        (["--", "app", "--db-password", "x", "--port", "1"], ["--", "app", "--db-password", "***", "--port", "1"]),
        (["--", "app", "--token=x"], ["--", "app", "--token=***"]),
        (["https://u:p@host/"], ["https://***@host/"]),
        (["--data-rows", "rows.csv"], ["--data-rows", "rows.csv"]),
        (["-H"], ["-H"]),
        (["probe", "app.py", "--path", "/a?b=1"], ["probe", "app.py", "--path", "/a?b=1"]),
    ],
)
def test_what_may_be_secret_is_masked_and_nothing_else(arguments: list[str], shown: list[str]) -> None:
    assert masked(arguments)[0] == shown


def test_a_report_names_the_fault_last() -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError as error:
        lines = report_on(error, ["runs"]).splitlines()

    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "holdfast runs" in lines
