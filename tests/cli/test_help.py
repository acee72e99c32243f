"""What `--help` shows: every option in a group, in a terminal of 80 columns; and what is said of a misspelt name."""

from __future__ import annotations

import re

import click
import pytest
from support.commandline import Ended, Holdfast

from holdfast.cli.main import COMMANDS, commands
from holdfast.cli.option_groups import GroupedCommand, GroupedOption

ANSWERED, USAGE, ENVIRONMENT = 0, 2, 4


@pytest.fixture(scope="module")
def helps(workshop: Holdfast) -> dict[str, Ended]:
    return dict(zip(COMMANDS, workshop.run_together([name, "--help"] for name in COMMANDS), strict=True))


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_80_columns_but_for_examples_that_are_typed_as_they_are(helps: dict[str, Ended], name: str) -> None:
    ended = helps[name]

    assert (ended.exit, ended.err) == (ANSWERED, "")
    assert [line for line in ended.out.splitlines() if len(line) > 80 and not line.startswith("    holdfast")] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_group_and_one_sentence(name: str) -> None:
    with click.Context(commands, info_name="holdfast") as context:
        command = commands.get_command(context, name)

    assert isinstance(command, GroupedCommand)
    for option in command.params:
        if isinstance(option, click.Option):
            assert isinstance(option, GroupedOption), option.opts
            sentence = re.sub(r"  \[default: .*\]$", "", option.help or "")
            assert re.fullmatch(r"[A-Z][^.]*(\.\.\.|[^.])*\.", sentence), (option.opts, sentence)


def test_options_stand_under_the_title_of_their_group(helps: dict[str, Ended]) -> None:
    titles = re.findall(r"^(\S.*):$", helps["load"].out, re.MULTILINE)

    of_requests = ["Target", "Load shape", "Requests", "Sessions", "Checks"]
    assert titles == [*of_requests, "Connections", "Load processes", "Output"]
    assert (
        helps["load"].out.index("Load shape:")
        < helps["load"].out.index("  --rate RATE")
        < helps["load"].out.index("Requests:")
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_written_and_shown_comes_last(helps: dict[str, Ended], name: str) -> None:
    titles = re.findall(r"^(\S.*):$", helps[name].out, re.MULTILINE)

    assert titles[-1] == "Output"


@pytest.mark.parametrize("name", ["attach", "load", "capacity"])
def test_the_expression_in_the_help_is_one_of_that_command(
    workshop: Holdfast, helps: dict[str, Ended], name: str
) -> None:
    expression = re.search(r"holds of the result, as\s+'([^']+)'", helps[name].out)
    further = {"load": ("--burst", "1"), "capacity": ("--threshold", "p99<200ms")}.get(name, ())

    assert expression is not None
    # Nothing listens on that port: an expression that cannot be used is named before that.
    ended = workshop.run(name, "http://127.0.0.1:1/", *further, "--expect", expression[1])

    assert ended.exit == ENVIRONMENT, ended.err


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        (["proob"], "No such command 'proob'. Did you mean 'probe'?"),
        (["probe", "--pth", "/"], "No such option '--pth'. Did you mean '--path'?"),
        (["probe", "--server", "gunicorn", "--workers", "4"], " --server gunicorn -- --workers 4\n"),
        (["probe", "app.py", "-w4", "--", "--preload"], " app.py -- -w4 --preload\n"),
        (["probe", "--reload", "app.py"], " app.py -- --reload\n"),
        (["exec", "--pth", "/", "--", "true"], "--path"),
        (["load", "http://127.0.0.1:1/", "--rat", "1"], "--rate"),
        (["study", "sevrers"], "Did you mean servers?"),
        (["probe", "--server", "gunicron"], "Did you mean --server gunicorn?"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_right_one(
    holdfast: Holdfast, arguments: list[str], suggestion: str
) -> None:
    ended = holdfast.run(*arguments)

    assert ended.exit == USAGE
    assert suggestion in ended.err
