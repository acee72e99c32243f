"""The server in a person's command is found where the command shows it, and can be given other arguments."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import UsageError
from holdfast.servers.command_line import ServerCommand, server_in, with_arguments


def in_command(command: list[str] | tuple[str, ...], files: Mapping[str, str] | None = None) -> ServerCommand | None:
    return server_in(command, (files or {}).get)


FOUND = (
    ("gunicorn app:app -w 2", "gunicorn", ("app:app", "-w", "2")),
    ("/srv/venv/bin/gunicorn app:app", "gunicorn", ("app:app",)),
    ("python -m gunicorn app:app", "gunicorn", ("app:app",)),
    ("/usr/bin/python3.12 -X dev -W ignore -m uvicorn app:app", "uvicorn", ("app:app",)),
    ("python3 /srv/venv/bin/hypercorn app:app", "hypercorn", ("app:app",)),
    ("env A=b -u C gunicorn app:app", "gunicorn", ("app:app",)),
    ("nice -n 10 taskset -c 0 granian app:app", "granian", ("app:app",)),
    ("timeout 30 waitress-serve app:app", "waitress", ("app:app",)),
    ("uv run --frozen gunicorn app:app", "gunicorn", ("app:app",)),
    ("poetry run python -m daphne app:app", "daphne", ("app:app",)),
    ("coverage run -m gunicorn app:app", "gunicorn", ("app:app",)),
    ("flask --app shop run --port 80", "flask", ("--port", "80")),
    ("python -m flask run", "flask", ()),
    ("python manage.py runserver --noreload", "django", ("--noreload",)),
    ("django-admin runserver 8000", "django", ("8000",)),
    ("uwsgi --ini app.ini", "uwsgi", ("--ini", "app.ini")),
    ("mod_wsgi-express start-server app.wsgi", "mod_wsgi", ("app.wsgi",)),
    ("sh -c 'gunicorn app:app -w 2'", "gunicorn", ("app:app", "-w", "2")),
    ("bash -lc 'cd web && A=b exec gunicorn app:app'", "gunicorn", ("app:app",)),
    ("tini -- sh -ec 'python -m gunicorn app:app >log 2>&1'", "gunicorn", ("app:app",)),
    ("sh -c 'gunicorn app:app | tee log'", "gunicorn", ("app:app",)),
)
NOT_FOUND = (
    "python app.py",
    "./start.sh",
    "make gunicorn",
    "honcho start web",
    "supervisord -n",
    "npm run gunicorn",
    "sh start.sh gunicorn",
    "sh -c '$SERVER app:app'",
    "sh -c 'gunicorn \"'",
    "flask --app shop shell",
    "python -c 'import gunicorn'",
    "python -m http.server",
    "sh -c",
    "env A=b",
)


@pytest.mark.parametrize(("command", "server", "arguments"), FOUND)
def test_a_server_is_found_with_its_arguments(command, server, arguments):
    found = in_command(shlex.split(command))

    assert found is not None
    assert (found.server, found.arguments) == (server, arguments)


@pytest.mark.parametrize("command", NOT_FOUND)
def test_nothing_is_found_where_the_command_does_not_show_it(command):
    assert in_command(shlex.split(command)) is None


@pytest.mark.parametrize(("command", "server", "arguments"), FOUND)
def test_other_arguments_are_found_again_where_the_first_were(command, server, arguments):
    words = shlex.split(command)
    found = in_command(words)
    assert found is not None

    changed = with_arguments(words, found, ("--one", *arguments, "two words"))

    again = in_command(changed)
    assert again is not None
    assert (again.server, again.arguments) == (server, ("--one", *arguments, "two words"))
    assert (again.variables, again.directories) == (found.variables, found.directories)
    assert with_arguments(changed, again, arguments) == with_arguments(words, found, arguments)


def test_variables_and_directories_on_the_way_are_found():
    found = in_command(["env", "A=1", "sh", "-c", "export B=2; cd web && cd shop; C=3 gunicorn app:app"])

    assert found is not None
    assert found.variables == {"A": "1", "B": "2", "C": "3"}
    assert found.directories == ("web", "shop")


def test_the_rest_of_a_shell_s_text_stays_as_it_is():
    text = "cd web;  exec gunicorn -b \"0.0.0.0:$PORT\" 'app:make(1)' -w $(nproc)  >log 2>&1 || echo 'it failed'"
    found = in_command(["sh", "-c", text])
    assert found is not None

    changed = with_arguments(["sh", "-c", text], found, ("--threads", "3", *found.arguments))

    expected = text.replace("gunicorn -b", "gunicorn --threads 3 -b").replace("$(nproc)  >", "$(nproc)  >")
    assert changed == ("sh", "-c", expected)


def test_arguments_on_both_sides_of_a_redirection_are_read_and_not_changed():
    command = ["sh", "-c", "gunicorn app:app >log -w 2"]
    found = in_command(command)
    assert found is not None
    assert found.arguments == ("app:app", "-w", "2")

    with pytest.raises(UsageError, match="redirection"):
        with_arguments(command, found, ("app:app", "-w", "3"))


@given(st.lists(st.text(max_size=12), max_size=5))
def test_no_command_is_too_much(command):
    for words in (command, ["sh", "-c", " ".join(command)]):
        found = in_command(words)
        assert found is None or with_arguments(words, found, found.arguments)


START = """#!/usr/bin/env bash
set -euo pipefail
export WEB_CONCURRENCY=3
if [ "${MIGRATE:-}" ]; then python manage.py migrate; fi
cd web
exec gunicorn -b "0.0.0.0:$PORT" app:app "$@"
"""


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        (("./start.sh", "a"), ("/usr/bin/env", "bash", "-c", "TEXT", "./start.sh", "a")),
        (("sh", "-x", "./start.sh"), ("sh", "-x", "-c", "TEXT", "./start.sh")),
        (("env", "A=1", "./start.sh"), ("env", "A=1", "/usr/bin/env", "bash", "-c", "TEXT", "./start.sh")),
    ],
)
def test_a_script_of_a_shell_is_looked_into_and_run_as_a_changed_text(command, changed):
    found = in_command(command, {"./start.sh": START})
    assert found is not None
    assert (found.server, found.variables["WEB_CONCURRENCY"], found.directories) == ("gunicorn", "3", ("web",))

    text = START.replace("gunicorn -b", "gunicorn --threads 2 -b")
    varied = with_arguments(command, found, ("--threads", "2", *found.arguments))

    assert varied == tuple(text if each == "TEXT" else each for each in changed)
    again = in_command(varied)
    assert again is not None
    assert again.arguments == ("--threads", "2", *found.arguments)


def test_a_script_that_runs_what_it_is_given_passes_it_on():
    files = {"./entry.sh": '#!/bin/sh\nset -e\nexec "$@"\n'}
    for command in (["./entry.sh", "gunicorn", "app:app"], ["sh", "./entry.sh", "gunicorn", "app:app"]):
        found = in_command(command, files)
        assert found is not None
        assert found.arguments == ("app:app",)
        assert with_arguments(command, found, ("-w", "2")) == (*command[: command.index("gunicorn") + 1], "-w", "2")


ENTRY_POINT = """#!/bin/sh
set -e
if [ "${1:-web}" = web ]; then
    exec gunicorn -b "0.0.0.0:$PORT" app:app
fi
exec "$@"
"""


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        (("./entry.sh",), ("/bin/sh", "-c", "TEXT", "./entry.sh")),
        (("./entry.sh", "web"), ("/bin/sh", "-c", "TEXT", "./entry.sh", "web")),
        (("tini", "--", "sh", "./entry.sh"), ("tini", "--", "sh", "-c", "TEXT", "./entry.sh")),
    ],
)
def test_an_entry_point_that_is_given_no_program_is_looked_into(command, changed):
    found = in_command(command, {"./entry.sh": ENTRY_POINT})
    assert found is not None
    assert (found.server, found.arguments[-1]) == ("gunicorn", "app:app")

    varied = with_arguments(command, found, ("--threads", "2", *found.arguments))

    text = ENTRY_POINT.replace("gunicorn -b", "gunicorn --threads 2 -b")
    assert varied == tuple(text if each == "TEXT" else each for each in changed)


def test_an_entry_point_that_is_given_another_program_starts_no_server_of_its_own():
    assert in_command(["./entry.sh", "python", "worker.py"], {"./entry.sh": ENTRY_POINT}) is None


@pytest.mark.parametrize(
    "text",
    [
        "#!/usr/bin/env python3\nimport gunicorn\n",
        "#!/bin/bash\ncd $(dirname ${BASH_SOURCE[0]})\ngunicorn app:app\n",
        "#!/bin/sh\n./other.sh\n",
        "no script",
    ],
)
def test_other_scripts_show_nothing(text):
    assert in_command(["./start"], {"./start": text}) is None
