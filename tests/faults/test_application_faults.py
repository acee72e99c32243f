"""APP is not there, is something else, or does not load."""

from __future__ import annotations

import pytest

FILES = {
    "lacking.py": "import flask\nimport no_such_package\napp = flask.Flask(__name__)\n",
    "failing.py": "import flask\napp = flask.Flask(__name__)\n1 / 0\n",
    "leaving.py": "import sys\nsys.exit(7)\n",
    "number.py": "app = 42\n",
    "factory.py": "import flask\n\ndef create_app():\n    return flask.Flask(__name__)\n",
    "asynchronous.py": "async def app(scope, receive, send):\n    pass\n",
    "wrong_syntax.py": "def app(:\n",
    "notes.txt": "hello\n",
    "folder/app.py": "",
}

USAGE, ENVIRONMENT = 2, 4

CASES = [
    ("nosuch.py", USAGE, "nosuch.py does not exist.", "Looked in "),
    ("nosuch:app", ENVIRONMENT, "There is no module nosuch.", "nor installed in the server's environment"),
    ("ap.py", USAGE, "ap.py does not exist.", "Did you mean app.py?"),
    ("app.py:ap", USAGE, "app.py has no attribute ap.", "Did you mean app.py:app?"),
    ("factory.py", USAGE, "factory.py has neither app nor application.", "Did you mean factory.py:create_app()?"),
    (
        "factory:create_app",
        USAGE,
        "factory:create_app is neither a WSGI nor an ASGI application.",
        "call it: factory:create_app()",
    ),
    ("app:app()", USAGE, "app:app() cannot be called with these arguments.", "leave out the parentheses: app:app"),
    ("app:app(", USAGE, "app( does not name an attribute of app.", "Write it like app:app"),
    ("folder", USAGE, "folder is a directory.", "such as folder/app.py"),
    ("notes.txt", USAGE, "notes.txt is not a Python file.", "Name the .py file"),
    ("number.py", USAGE, "number.py:app is not an application: it cannot be called.", "Its type is int"),
    (
        "asynchronous.py",
        USAGE,
        "asynchronous.py:app is an ASGI application, but this server speaks WSGI.",
        "Use an ASGI server",
    ),
    ("lacking.py", ENVIRONMENT, "lacking.py cannot be loaded.", "Install no_such_package in"),
    ("failing.py", ENVIRONMENT, "failing.py cannot be loaded.", "ZeroDivisionError: division by zero"),
    ("leaving.py", ENVIRONMENT, "leaving.py cannot be loaded.", "SystemExit: 7"),
    ("wrong_syntax.py", ENVIRONMENT, "wrong_syntax.py cannot be loaded.", "SyntaxError: invalid syntax"),
]
BY_APP = {case[0]: case for case in CASES}
UNDER_UWSGI = ["nosuch.py", "app.py:ap", "lacking.py", "number.py"]


@pytest.fixture(scope="module")
def endings(workshop):
    """How each application ended under each server."""
    for name, content in FILES.items():
        path = workshop.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    asked = [(app, "flask") for app in BY_APP] + [(app, "uwsgi") for app in UNDER_UWSGI]
    ended = workshop.run_together(["probe", app, "--server", server] for app, server in asked)
    return dict(zip(asked, ended, strict=True))


@pytest.mark.parametrize("app", BY_APP)
def test_an_application_that_cannot_be_served_is_named_with_the_cause(endings, app):
    _, code, what, more = BY_APP[app]
    ended = endings[app, "flask"]

    assert ended.exit == code, ended.err
    assert ended.what == f"holdfast: {what}"
    assert more in ended.err
    assert not ended.out
    assert "holdfast_inside" not in ended.err
    assert "importlib" not in ended.err


@pytest.mark.parametrize("app", UNDER_UWSGI)
def test_another_server_says_the_same_of_it(endings, app):
    _, code, what, more = BY_APP[app]
    ended = endings[app, "uwsgi"]

    assert (ended.exit, ended.what) == (code, f"holdfast: {what}")
    assert more in ended.err
