"""What goes wrong with Flask's server and uWSGI goes wrong with the others too, and is said and cleaned up alike."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys

import pytest
from support.placed import placed
from support.waiting import until

from holdfast.probing.ports import free_port
from holdfast.servers.registry import ADAPTERS
from holdfast.servers.survey import survey

INCONCLUSIVE, ENVIRONMENT = 3, 4

# Arguments with which it holds several requests at once; () where it holds no more than one.
SEVERAL = {
    "aiohttp": (),
    "bjoern": (),
    "cheroot": ("--threads", "8"),
    "daphne": (),
    "django": (),
    "eventlet": (),
    "fastpysgi": ("--workers", "2"),
    "gevent": (),
    "granian": (),
    "gunicorn": ("--workers", "2", "--threads", "4"),
    "h2corn": (),
    "hypercorn": (),
    "mod_wsgi": (),
    "pyvoy": (),
    "sanic": ("--single-process",),
    "tornado": (),
    "twisted": (),
    "uvicorn": (),
    "waitress": ("--threads", "8"),
    "werkzeug": ("--threaded",),
    "wsgiref": (),
}
ONE_AT_A_TIME = frozenset({"bjoern", "wsgiref"})
# By which argument it is told its port.
OWN_PORT = {
    "cheroot": "--bind 127.0.0.1:{}",
    "daphne": "-p {}",
    "gunicorn": "--bind 127.0.0.1:{}",
    "h2corn": "--bind 127.0.0.1:{}",
    "hypercorn": "--bind 127.0.0.1:{}",
    "sanic": "-p {} --single-process",
    "twisted": "--listen tcp:{}:interface=127.0.0.1",
    "waitress": "--listen 127.0.0.1:{}",
}
MANY = ("--max-offered", "2000")
FAILING = "print('reading the settings', flush=True)\n1 / 0\n"

pytestmark = pytest.mark.servers
every_server = pytest.mark.parametrize("server", SEVERAL)


@pytest.fixture(scope="module")
def missing(tmp_path_factory) -> dict[str, str]:
    """The command that installs it, of each server that is not installed here."""
    found = survey(ADAPTERS, {}, sys.executable, tmp_path_factory.mktemp("survey"))
    return {each.name: each.install for each in found.servers if each.install is not None}


@pytest.fixture
def installed(missing, server):
    if server in missing:
        pytest.skip(f"{server} is not installed: {missing[server]}")


def held(holdfast, server, *options):
    """A probe of it with requests held: two, or the only one."""
    running = holdfast.start("probe", "--server", server, *options, *MANY, "--", *SEVERAL[server])
    running.until_ramping()
    if server not in ONE_AT_A_TIME:
        running.until_held(2)
    return running


def test_every_server_but_those_of_the_other_tests_is_here():
    assert set(SEVERAL) == set(ADAPTERS) - {"flask", "uwsgi"}


@every_server
@pytest.mark.usefixtures("installed")
def test_a_taken_port_is_said_before_the_server_is_started(holdfast, server):
    port = free_port()
    arguments = OWN_PORT.get(server, "--port {}").format(port).split()
    with socket.create_server(("127.0.0.1", port)):
        named = holdfast.run("probe", "--server", server, "--port", str(port))
        its_own = holdfast.run("probe", "--server", server, "--", *arguments)

    for ended in (named, its_own):
        assert ended.exit == ENVIRONMENT, ended.err
        assert ended.what == f"holdfast: Port {port} is taken."
        assert f"ss -ltnp 'sport = :{port}'" in ended.err


@every_server
@pytest.mark.usefixtures("installed")
def test_an_argument_that_it_does_not_take_is_refused_in_its_own_words(holdfast, server):
    ended = holdfast.run("probe", "--server", server, "--", "--no-such-option-at-all")

    assert ended.exit == ENVIRONMENT, ended.err
    assert "no-such-option-at-all" in ended.err
    assert "Traceback" not in ended.err
    assert not ended.out


@every_server
@pytest.mark.usefixtures("installed")
def test_an_application_that_fails_when_it_is_loaded_is_the_cause(holdfast, write, server):
    write("failing.py", FAILING)

    ended = holdfast.run("probe", "failing.py", "--server", server, "--", *SEVERAL[server])

    assert ended.exit == ENVIRONMENT, ended.err
    assert ended.what == "holdfast: failing.py cannot be loaded."
    assert "ZeroDivisionError: division by zero" in ended.err
    assert "holdfast_inside" not in ended.err
    assert not ended.out


@pytest.mark.parametrize("server", sorted(SEVERAL.keys() - {"wsgiref"}))
def test_one_that_is_not_installed_is_named_with_the_command_that_installs_it(holdfast, tmp_path, server):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = tmp_path / "bare" / "bin" / "python"
    requirement = ADAPTERS[server].packages[0].requirement

    ended = holdfast.run("probe", "--server", server, "--python", python)

    assert ended.exit == ENVIRONMENT, ended.err
    assert ended.what == f"holdfast: {requirement} is not installed where holdfast looked for it."
    assert f"{python} -m pip install {requirement}" in ended.err


@every_server
@pytest.mark.usefixtures("installed")
def test_one_that_is_killed_gets_no_verdict(holdfast, server):
    running = held(holdfast, server)
    running.signal(signal.SIGSTOP)

    os.kill(running.server(), signal.SIGKILL)
    running.signal(signal.SIGCONT)
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    assert ended.what == "holdfast: The server ended in the middle of the probe."
    assert "It was ended by signal 9 (Killed)" in ended.err
    assert not ended.out
    running.nothing_is_left()


@pytest.mark.parametrize("server", sorted(SEVERAL.keys() - ONE_AT_A_TIME))
@pytest.mark.usefixtures("installed")
def test_ctrl_c_reports_what_was_seen_and_leaves_nothing(holdfast, server):
    running = held(holdfast, server, "--json", "-")

    running.press_ctrl_c()
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    verdict = json.loads(ended.out)
    assert verdict["places"]["in_service"] >= 2
    assert placed(verdict) == verdict["offered"]
    assert verdict["ceiling"]["in_service"] is None
    assert not ended.err
    running.nothing_is_left()


@pytest.mark.parametrize(
    ("server", "arguments"),
    [
        ("gunicorn", ("--workers", "3")),
        ("gunicorn", ("--workers", "2", "--threads", "4")),
        ("gunicorn", ("--workers", "2", "-k", "gevent")),
        ("hypercorn", ("--workers", "2")),
        ("granian", ("--workers", "2")),
    ],
    ids=lambda each: each if isinstance(each, str) else " ".join(each),
)
@pytest.mark.usefixtures("installed")
def test_a_worker_that_is_killed_does_not_pass_for_a_limit_of_the_server(holdfast, server, arguments):
    running = holdfast.start("probe", "--server", server, *MANY, "--", *arguments)
    running.until_held(2)
    running.signal(signal.SIGSTOP)

    worker = next(each for each in running.in_service() if each != running.server())
    os.kill(worker, signal.SIGKILL)
    until(lambda: worker not in running.processes(), "the end of the worker")
    running.signal(signal.SIGCONT)
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.out
    assert not ended.out
    assert "died in the middle of the probe" in ended.what or "ended in the middle of the probe" in ended.what
    running.nothing_is_left()


@pytest.mark.parametrize("server", ["gunicorn"])
@pytest.mark.usefixtures("installed")
def test_a_worker_that_is_killed_for_its_slowness_gives_no_verdict(holdfast, server):
    """It answers with 500 before it goes (gunicorn/workers/base.py, handle_abort(): SystemExit within the view)."""
    running = holdfast.start("probe", "--server", server, *MANY, "--", "--workers", "2", "--timeout", "1")
    running.until_held(2)
    running.signal(signal.SIGSTOP)
    until(lambda: "WORKER TIMEOUT" in running.log(), "a worker that is killed")
    running.signal(signal.SIGCONT)

    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.out
    assert "aborted" in ended.what or "died in the middle of the probe" in ended.what
    assert "a worker timeout" in ended.err
    running.nothing_is_left()
