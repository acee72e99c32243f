"""The server in a person's command is found where the command shows it, and can be given other arguments."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import UsageError
from holdfast.servers.command_line import server_in, with_arguments

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
    found = server_in(shlex.split(command))

    assert found is not None
    assert (found.server, found.arguments) == (server, arguments)


@pytest.mark.parametrize("command", NOT_FOUND)
def test_nothing_is_found_where_the_command_does_not_show_it(command):
    assert server_in(shlex.split(command)) is None


@pytest.mark.parametrize(("command", "server", "arguments"), FOUND)
def test_other_arguments_are_found_again_where_the_first_were(command, server, arguments):
    words = shlex.split(command)
    found = server_in(words)
    assert found is not None

    changed = with_arguments(words, found, ("--one", *arguments, "two words"))

    again = server_in(changed)
    assert again is not None
    assert (again.server, again.arguments) == (server, ("--one", *arguments, "two words"))
    assert (again.variables, again.directories) == (found.variables, found.directories)
    assert with_arguments(changed, again, arguments) == with_arguments(words, found, arguments)


def test_variables_and_directories_on_the_way_are_found():
    found = server_in(["env", "A=1", "sh", "-c", "export B=2; cd web && cd shop; C=3 gunicorn app:app"])

    assert found is not None
    assert found.variables == {"A": "1", "B": "2", "C": "3"}
    assert found.directories == ("web", "shop")


def test_the_rest_of_a_shell_s_text_stays_as_it_is():
    text = "cd web;  exec gunicorn -b \"0.0.0.0:$PORT\" 'app:make(1)' -w $(nproc)  >log 2>&1 || echo 'it failed'"
    found = server_in(["sh", "-c", text])
    assert found is not None

    changed = with_arguments(["sh", "-c", text], found, ("--threads", "3", *found.arguments))

    expected = text.replace("gunicorn -b", "gunicorn --threads 3 -b").replace("$(nproc)  >", "$(nproc)  >")
    assert changed == ("sh", "-c", expected)


def test_arguments_on_both_sides_of_a_redirection_are_read_and_not_changed():
    command = ["sh", "-c", "gunicorn app:app >log -w 2"]
    found = server_in(command)
    assert found is not None
    assert found.arguments == ("app:app", "-w", "2")

    with pytest.raises(UsageError, match="redirection"):
        with_arguments(command, found, ("app:app", "-w", "3"))


@given(st.lists(st.text(max_size=12), max_size=5))
def test_no_command_is_too_much(command):
    for words in (command, ["sh", "-c", " ".join(command)]):
        found = server_in(words)
        assert found is None or with_arguments(words, found, found.arguments)
