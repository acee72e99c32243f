"""uWSGI takes its application out of a module by itself, in C: `exec` holds it there, however it is named.

Each has as many requests at once as it has threads (uWSGI's core/utils.c, `uwsgi.threads`).
"""

from __future__ import annotations

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value

PLAIN = """
def application(environ, start_response):
    open("called", "w").close()
    start_response("200 OK", [])
    return [b"plain"]


class Page:
    def __init__(self, environ, start_response):
        open("called", "w").close()
        self.start = start_response

    def __iter__(self):
        self.start("200 OK", [])
        yield b"plain"


class Pages:
    def __call__(self, environ, start_response):
        return application(environ, start_response)


pages = Pages()


def create():
    return application
"""
BOTTLE = """
import bottle

app = bottle.Bottle()


@app.route("/")
def index():
    return "hello"
"""
# Its thread is the master's alone, and Python is not told of the fork (uWSGI, `py-call-osafterfork`): what is left of
# it on the list of threads lies in the stack of another one by then.
WITH_A_THREAD = """
import multiprocessing
import threading
import time


def tick():
    while True:
        time.sleep(0.05)


threading.Thread(target=tick, daemon=True).start()

from app import app as shop

free = multiprocessing.Semaphore(4)


def app(environ, start_response):
    with free:
        return shop(environ, start_response)
"""
INI = """
[uwsgi]
module = plain
callable = pages
"""
SEVERAL_MOUNTS = """
[uwsgi]
mount = /first=plain:application
mount = /last=app:app
manage-script-name = true
"""
# Each value of an option that is given several times is mounted (uWSGI's core/uwsgi.c, uwsgi_opt_add_string_list()).
MOUNTS = ("--mount", "/first=plain:pages", "--mount", "/last=plain:application", "--manage-script-name")


def uwsgi(id: str, *arguments: str, held_in: str = "wsgi entry", path: str = "/", **files: str) -> Own:
    command = ("uwsgi", "--http-socket", "127.0.0.1:{port}", "--threads", "4", "--die-on-term", "--pythonpath", ".")
    names = {name.replace("_", "."): content for name, content in files.items()}
    says = {"target.held_in": held_in, "ceiling.in_service": 4, "ceiling.bounded": True, "model.kind": "thread-pool"}
    return Own(id, (*command, *arguments), {"plain.py": PLAIN, **names}, says, ("--path", path))


COMMANDS = (
    uwsgi("a function", "--module", "plain:application"),
    uwsgi("a class", "--module", "plain:Page"),
    uwsgi("an instance", "--ini", "own.ini", own_ini=INI),
    uwsgi("a factory", "--module", "plain:create()"),
    uwsgi("a file", "--wsgi-file", "plain.py", "--callable", "pages"),
    uwsgi("a file with workers", "--wsgi-file", "plain.py", "--master"),
    uwsgi("a mounted file", "--mount", "/=plain.py"),
    uwsgi("a mounted module", "--mount", "/=plain:application"),
    uwsgi("the first of several mounts", *MOUNTS, path="/first/"),
    uwsgi("the last of several mounts", *MOUNTS, path="/last/"),
    uwsgi("a mount of a file's", "--ini", "own.ini", path="/first/", own_ini=SEVERAL_MOUNTS, app_py=BOTTLE),
    uwsgi(
        "another mount of a file's",
        *("--ini", "own.ini"),
        held_in="wsgi view index()",
        path="/last/",
        own_ini=SEVERAL_MOUNTS,
        app_py=BOTTLE,
    ),
    uwsgi(
        "a thread of the master",
        *("--master", "--processes", "4", "--enable-threads", "--module", "ticking:app"),
        held_in="wsgi view index()",
        app_py=BOTTLE,
        ticking_py=WITH_A_THREAD,
    ),
    uwsgi("Bottle", "--module", "app:app", held_in="wsgi view index()", app_py=BOTTLE),
    Own(
        "no application",
        ("uwsgi", "--http-socket", "127.0.0.1:{port}", "--die-on-term", "--module", "missing:app"),
        exit=INCONCLUSIVE,
    ),
)
_OTHERS = {"Bottle", "a thread of the master", "another mount of a file's", "no application"}
WITHOUT_BODY = tuple(each.id for each in COMMANDS if each.id not in _OTHERS)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_an_application_under_uwsgi_is_held_however_it_is_named(done, own):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    if own.says:
        verdict = result.verdict()
        assert {name: value(verdict, name) for name in own.says} == dict(own.says)


@pytest.mark.servers
@pytest.mark.parametrize("id", WITHOUT_BODY)
def test_its_body_is_not_run(done, id):
    assert not (done[id].directory / "called").exists()


def test_an_application_of_the_configuration_s_own_is_named_where_another_was_given(holdfast):
    # What a configuration file says comes after the command line (uWSGI documentation, "Configuring uWSGI").
    (holdfast.directory / "plain.py").write_text(PLAIN)
    (holdfast.directory / "own.ini").write_text("[uwsgi]\nwsgi = plain:application\n")

    ended = holdfast.run("probe", "--server", "uwsgi", "--", "--http-socket", ":0", "--ini", "own.ini")

    assert ended.exit == INCONCLUSIVE, ended.out
    assert ended.what == "holdfast: The server answers, but has not loaded the application that it was given."
    assert "holdfast exec -- uwsgi --http-socket :0 --ini own.ini" in ended.err


@pytest.mark.servers
def test_the_advice_names_the_server_and_the_command_that_works(done):
    said = done["no application"].ended.err

    assert "did not find the application that uwsgi calls" in said
    assert "holdfast probe APP --server uwsgi" in said
