"""Studies and settings that cannot be carried out as written, and studies that are cut short."""

from __future__ import annotations

import json

import pytest

ANSWERED, FAILED, USAGE, INCONCLUSIVE, ENVIRONMENT = range(5)

# What the file holds, and what is said of it.
FILES = {
    "not TOML": ("[[case]\nserver = 'flask'", "cases.toml is not TOML.", "at line 1, column "),
    "not UTF-8": (b"# \xff\n", "cases.toml is not TOML.", "It is not UTF-8"),
    "empty": ("", "cases.toml has no case.", "[[case]]"),
    "no case": ("[defaults]\nserver = 'flask'", "cases.toml has no case.", "[[case]]"),
    "one table": ("[case]\nserver = 'flask'", "case is not a list of tables.", "[[case]]"),
    "unknown table": ("[default]\n[[case]]\nserver = 'flask'", "there is no 'default'", "Did you mean defaults?"),
    "unknown key": ("[[case]]\nsever = 'flask'", "there is no 'sever' in [[case]] 1", "Did you mean server?"),
    "underscore": ("[[case]]\nserver = 'flask'\nmax_offered = 5", "'max_offered'", "Did you mean max-offered?"),
    "unknown default": ("[defaults]\ncommand = ['x']\n[[case]]\nserver = 'flask'", "'command' in [defaults]", "Known"),
    "wrong type": ("[[case]]\nserver = 'flask'\nnofile = '256'", "nofile in [[case]] 1", "Expected `int`"),
    "text for a list": (
        "[[case]]\ncommand = 'gunicorn shop:app'",
        "command in [[case]] 1",
        'command = ["',
    ),
    "out of range": ("[[case]]\nserver = 'flask'\nmax-offered = 0", "max-offered in [[case]] 1", ">= 1"),
    "neither": ("[[case]]\nname = 'two'\nnofile = 99", "[[case]] 1 (two) names neither a server", "Add server"),
    "both": ("[[case]]\nserver = 'flask'\ncommand = ['gunicorn']", "server in [[case]] 1", "has a command"),
    "no such server": ("[[case]]\nserver = 'flsk'", "Unknown server 'flsk'", "Did you mean flask?"),
    "no such view": ("[[case]]\nserver = 'flask'\nview = 'asink'", "view in [[case]] 1", "Invalid enum value 'asink'"),
    "bad path": ("[[case]]\nserver = 'flask'\npath = 'orders'", "path in [[case]] 1", "must begin with /"),
    "bad header": ("[[case]]\nserver = 'flask'\nheaders = ['x']", "headers in [[case]] 1", "is not 'Name: value'"),
    "no directory": (
        "[[case]]\nserver = 'flask'\ndirectory = 'no'",
        "directory in [[case]] 1",
        "There is no directory",
    ),
    "app and framework": (
        "[[case]]\nserver = 'flask'\napp = 'app.py'\nframework = 'flask'",
        "framework in [[case]] 1",
        "Remove one of the two",
    ),
    "same name": ("[[case]]\nserver = 'flask'\n[[case]]\nserver = 'flask'", "two cases are called 'flask'", "name = "),
    "unknown field": (
        "[[case]]\nserver = 'flask'\nexpect = { in_servce = 3 }",
        "expects in_servce, which is not a field",
        "Did you mean in_service?",
    ),
    "impossible value": (
        "[[case]]\nserver = 'flask'\nexpect = { model.kind = 'threads' }",
        "expect.model.kind in [[case]] 1",
        "Invalid enum value 'threads'",
    ),
    "text for a number": ("[[case]]\nserver = 'flask'\nexpect = { in_service = '3' }", "expect.in_service", "`int"),
}


def test_a_study_that_cannot_be_meant_is_said_with_the_way_out_before_anything_is_started(workshop):
    directories = {name: workshop.directory / name.replace(" ", "-") for name in FILES}
    for name, directory in directories.items():
        directory.mkdir()
        content = FILES[name][0]
        (directory / "cases.toml").write_bytes(content if isinstance(content, bytes) else content.encode())

    endings = workshop.run_together(["study", f"{directory}/cases.toml"] for directory in directories.values())

    for name, ended in zip(FILES, endings, strict=True):
        assert ended.exit == USAGE, (name, ended.err)
        said = " ".join(ended.err.split())
        assert all(each in said for each in FILES[name][1:]), (name, ended.err)
        assert not ended.out
        assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("flask-concurency", "Did you mean flask-concurrency?"),
        ("nothing", "The bundled studies are flask-concurrency, servers"),
        ("missing.toml", "missing.toml does not exist."),
        (".", ". is a directory."),
    ],
)
def test_a_study_that_does_not_exist_is_said(workshop, name, says):
    ended = workshop.run("study", name)

    assert ended.exit == USAGE
    assert says in ended.err


def test_a_study_row_that_does_not_exist_is_named_in_the_error(workshop):
    ended = workshop.run("study", "servers", "--only", "gunicon")

    assert ended.exit == USAGE
    assert "Did you mean gunicorn?" in ended.err


SETTINGS = [
    ("[tool.holdfast]\nmaxoffered = 5", "Did you mean max-offered?"),
    ("[tool.holdfast]\nmax-offered = 'many'", "max-offered in [tool.holdfast] cannot be used."),
    ("[tool.holdfast]\narguments = ['-w', '4']", "there is no 'arguments' in [tool.holdfast]."),
    ("[tool]\nholdfast = 3", "[tool.holdfast] is not a table."),
    ("[tool.holdfast\n", "is not TOML."),
]


@pytest.mark.parametrize(("content", "says"), SETTINGS)
def test_project_settings_that_cannot_be_carried_out_name_their_file(holdfast, write, content, says):
    file = write("pyproject.toml", content)

    for ended in holdfast.run_together([("probe",), ("exec", "--", "true"), ("study", "servers")]):
        assert ended.exit == USAGE
        assert str(file) in ended.what
        assert says in " ".join(ended.err.split())


def test_project_settings_that_are_broken_stand_in_no_ones_way_who_does_not_use_them(holdfast, write):
    write("pyproject.toml", "[tool.holdfast]\nmaxoffered = 5")

    assert holdfast.run("probe", "--help").exit == ANSWERED
    assert holdfast.run("runs").exit == ANSWERED


def test_somebody_elses_broken_pyproject_is_none_of_our_business(holdfast, write):
    write("pyproject.toml", "[tool.other\n")

    ended = holdfast.run("probe", "--max-offered", "3", "--json", "-")

    assert ended.exit == ANSWERED, ended.err
    assert not ended.err


def test_ctrl_c_ends_the_row_that_runs_and_prints_what_there_is(holdfast, write):
    write(
        "cases.toml",
        """
        [defaults]
        server = "flask"
        max-offered = 2000
        [[case]]
        name = "serial"
        arguments = ["--no-threaded"]
        max-offered = 3
        [[case]]
        name = "threads"
        [[case]]
        name = "never"
        """,
    )
    running = holdfast.start("study", "cases.toml", "--json", "-")
    running.until_held()  # only the second case can hold so many

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    serial, threads, never = json.loads(ended.out)["rows"]
    assert serial["outcome"] == "measured"
    assert serial["verdict"]["ceiling"]["in_service"] == 1
    assert (threads["outcome"], never["outcome"]) == ("interrupted", "interrupted")
    assert threads["verdict"] is None
    running.nothing_is_left()
