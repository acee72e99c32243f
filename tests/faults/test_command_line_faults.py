"""Command lines that cannot be carried out as written: exit code 2 before anything is started."""

from __future__ import annotations

import pytest

USAGE, ENVIRONMENT = 2, 4


CASES = [
    (["--server", "flsk"], "Did you mean --server flask?"),
    (["--server", "nothing-like-it"], "holdfast can start "),
    (["--view", "asink"], "'asink' is not one of 'sync', 'async-blocking', 'async'"),
    (["-H", "malformed"], "'malformed' is not 'Name: value'"),
    (["-H", ": no name"], "is not 'Name: value'"),
    (["-H", "two words: x"], "'two words' is not the name of a header field"),
    (["-H", "X: a\r\nY: b"], "line break"),
    (["-H", "X: 1 \u20ac"], "cannot be sent in a header"),
    (["-H", "Content-Length: 5"], "Content-Length is set by holdfast itself"),
    (["--path", "orders"], "must begin with /"),
    (["--path", "/two words"], "write them as %20"),
    (["--path", "/page#part"], "contains a #"),
    (["--nofile", "0"], "'0' is not a whole number of at least 1."),
    (["--max-offered", "99999999999"], "is not a whole number from "),
    (["--port", "65536"], "is neither a port (1 to 65535) nor the path"),
    (["--nosuch"], "holdfast has no option --nosuch. The server's own options go after --"),
    ([""], "it is empty"),
    (["app.py", "another.py"], "unexpected extra argument (another.py). The server's own arguments go after --."),
    (["http://127.0.0.1:8000/"], "`holdfast attach URL` measures a server that is already running"),
    (["--json", "missing/verdict.json"], "missing does not exist."),
    (["--json", "."], "is a directory"),
    (["--server", "uwsgi", "--", "--http", "web"], "is neither HOST:PORT nor a Unix socket"),
    (["--server", "uvicorn", "--", "--fd", "3"], "a descriptor that holdfast does not give it"),
    (["--port", "unix:web.sock"], "is not a port"),
    (["--port", "0"], "is neither a port (1 to 65535) nor the path"),
]


@pytest.fixture(scope="module")
def endings(workshop):
    return workshop.run_together(["probe", *arguments] for arguments, _ in CASES)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[" ".join(arguments) for arguments, _ in CASES])
def test_what_cannot_be_meant_is_said_with_the_way_out(endings, number):
    ended, says = endings[number], CASES[number][1]

    assert ended.exit == USAGE, ended.err
    assert says in ended.err
    assert not ended.out
    assert "Traceback" not in ended.err


def test_a_run_that_was_never_saved_cannot_be_shown(holdfast):
    ended = holdfast.run("show", "999")

    assert ended.exit == USAGE
    assert ended.what == "holdfast: There is no saved run 999."
    assert str(holdfast.runs) in ended.err
    assert "Run `holdfast runs` to list the saved runs." in ended.err


@pytest.mark.parametrize("program", ["nosuch-python", "app.py", "/bin/ls"])
def test_a_program_that_is_no_interpreter_is_named(holdfast, program):
    ended = holdfast.run("probe", "--python", program)

    assert ended.exit == ENVIRONMENT
    assert program in ended.what
    assert "--python" in ended.err
    assert len(ended.err) < 1000
