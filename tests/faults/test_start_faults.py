"""The server is not installed, does not start, does not listen, or may not have what it needs."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from commandline import free_port

ANSWERED, USAGE, INCONCLUSIVE, ENVIRONMENT = 0, 2, 3, 4

FLASK_ALONE = ("flask", "werkzeug", "jinja2", "markupsafe", "itsdangerous", "click", "blinker")


@pytest.fixture
def bare_environment(tmp_path):
    """A virtual environment in which nothing is installed but what a test asks for, by links to ours."""
    root = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root], check=True)

    def python_with(*packages: str) -> Path:
        site = next(root.glob("lib/python*/site-packages"))
        for name in packages:
            for file in {file.parts[0] for file in metadata.files(name) or [] if file.parts[0] != ".."}:
                (site / file).symlink_to(metadata.distribution(name).locate_file(file))
        return root / "bin" / "python"

    return python_with


@pytest.mark.parametrize(("server", "package"), [("flask", "flask"), ("uwsgi", "pyuwsgi")])
def test_a_server_that_is_not_installed_is_named_with_the_command_that_installs_it(
    holdfast, bare_environment, server, package
):
    python = bare_environment()

    ended = holdfast.run("probe", "--server", server, "--python", python)

    assert ended.exit == ENVIRONMENT
    assert ended.what == f"holdfast: {package} is not installed where holdfast looked for it."
    assert f"{python} -m pip install {package}" in ended.err


def test_an_async_view_needs_what_flask_needs_for_it(holdfast, bare_environment):
    ended = holdfast.run("probe", "--view", "async", "--python", bare_environment(*FLASK_ALONE))

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: Flask cannot run an async view here."
    assert "Install flask[async] there." in ended.err


def test_an_async_view_of_the_persons_own_needs_it_too(holdfast, bare_environment, write):
    write("later.py", "import flask\napp = flask.Flask(__name__)\n@app.get('/')\nasync def index():\n    return ''\n")

    ended = holdfast.run("probe", "later.py", "--python", bare_environment(*FLASK_ALONE))

    assert ended.exit == ENVIRONMENT
    assert "Install flask[async] there." in ended.err


@pytest.mark.parametrize("view", ["async", "async-blocking"])
def test_a_view_of_another_kind_than_expected_is_said(holdfast, view):
    ended = holdfast.run("probe", "app.py", "--view", view)

    assert ended.exit == USAGE
    assert ended.what == f"holdfast: The view at / is sync, not {view}."
    assert "Leave --view out, or give --view sync." in ended.err


@pytest.mark.parametrize(
    ("server", "arguments", "own_words"),
    [
        ("flask", ["--threadz"], "does not take --threadz"),
        ("flask", ["--processes", "many"], "It needs a whole number from 1 on, not 'many'"),
        ("flask", ["--threaded", "--processes", "4"], "Cannot have a multi-thread and multi-process server."),
        ("uwsgi", ["--threadz", "4"], "unrecognized option '--threadz'"),
        ("uwsgi", ["--threads"], "option '--threads' requires an argument"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_an_argument_that_the_server_refuses_is_refused_in_its_own_words(holdfast, server, arguments, own_words):
    ended = holdfast.run("probe", "--server", server, "--", *arguments)

    assert ended.exit == ENVIRONMENT
    assert own_words in ended.err


@pytest.mark.parametrize("server", ["flask", "uwsgi"])
def test_a_server_that_ends_at_its_start_has_its_last_words_shown(holdfast, write, server):
    write("leaving.py", "import os\nprint('the database is away', flush=True)\nos._exit(7)\n")

    ended = holdfast.run("probe", "leaving.py", "--server", server)

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: The server ended at its start."
    assert "It exited with 7" in ended.err
    assert "| the database is away" in ended.err


def test_a_server_that_is_killed_at_its_start_is_said_to_be(holdfast, write):
    write("killed.py", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n")

    ended = holdfast.run("probe", "killed.py")

    assert ended.exit == ENVIRONMENT
    assert "It was ended by signal 9 (Killed)" in ended.err
    assert "for want of memory" in ended.err


def test_a_server_that_goes_into_the_background_is_probed_and_ended_there(holdfast, write, tmp_path):
    settings = write("background.ini", f"[uwsgi]\ndaemonize = {tmp_path / 'background.log'}\nthreads = 3\n")

    ended = holdfast.run("probe", "--server", "uwsgi", "--", "--ini", settings)

    assert ended.exit == ANSWERED, ended.err
    assert "3 requests at once" in ended.out


@pytest.mark.parametrize(
    ("waits", "says"),
    [
        ("print('connecting', flush=True)\nimport signal\nwhile True: signal.pause()\n", "| connecting"),
        ("import signal\nwhile True: signal.pause()\n", "Its processes still run"),
    ],
    ids=["with words", "silently"],
)
def test_a_server_that_never_listens_is_given_up(holdfast, write, waits, says):
    write("waiting.py", waits)

    ended = holdfast.run("probe", "waiting.py", "--start-timeout", "1")

    assert ended.exit == ENVIRONMENT
    assert "did not listen on port " in ended.what
    assert "within 1 s." in ended.what
    assert says in ended.err
    assert "--start-timeout" in ended.err


def test_a_server_that_listens_elsewhere_is_said_where(holdfast, write):
    elsewhere = free_port()
    write("elsewhere.ini", f"[uwsgi]\nhttp-socket = 127.0.0.1:{elsewhere}\n")
    write(
        "waiting.py", f"import signal, socket\ns = socket.create_server(('127.0.0.1', {elsewhere}))\nsignal.pause()\n"
    )

    ended = holdfast.run("probe", "waiting.py", "--start-timeout", "1.5")

    assert ended.exit == ENVIRONMENT
    assert f"It listens on {elsewhere} instead" in ended.err
    assert f"--port {elsewhere}" in ended.err


def test_a_server_that_never_comes_to_rest_is_given_up(holdfast, write):
    write(
        "restless.py",
        "import threading\n"
        "from app import app\n"
        "def work():\n"
        "    while True: sum(range(1000))\n"
        "threading.Thread(target=work, daemon=True).start()\n",
    )

    ended = holdfast.run("probe", "restless.py", "--start-timeout", "2")

    assert ended.exit == ENVIRONMENT
    assert "did not come to rest within 2 s." in ended.what
    assert "background work" in ended.err


@pytest.mark.parametrize(
    ("address", "how"),
    [("127.0.0.1", "--port"), ("0.0.0.0", "--port"), ("::1", "--port"), ("0.0.0.0", "flask"), ("127.0.0.1", "uwsgi")],
)
def test_a_port_that_somebody_else_has_is_not_measured(holdfast, address, how):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    port = free_port()
    with socket.create_server((address, port), family=family):
        arguments = {
            "--port": ["--port", str(port)],
            "flask": ["--", "--port", str(port)],
            "uwsgi": ["--server", "uwsgi", "--", "--http-socket", f"127.0.0.1:{port}"],
        }[how]

        ended = holdfast.run("probe", *arguments)

    assert ended.exit == ENVIRONMENT
    assert ended.what == f"holdfast: Port {port} is taken."
    assert f"ss -ltnp 'sport = :{port}'" in ended.err


@pytest.mark.parametrize(("server", "nofile"), [("flask", 3), ("uwsgi", 8)])
def test_a_server_that_cannot_start_under_its_limit_says_so_itself(holdfast, server, nofile):
    ended = holdfast.run("probe", "--server", server, "--nofile", str(nofile))

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: The server ended at its start."
    assert "Error 24" in ended.err or "Too many open files" in ended.err
    assert f"--nofile {nofile}" in ended.err


@pytest.mark.parametrize("arguments", [["--server", "flask"], ["--server", "flask", "--", "--processes", "3"]])
def test_a_server_that_starts_but_cannot_serve_under_its_limit_says_so_itself(holdfast, arguments):
    ended = holdfast.run("probe", "--nproc", "1", *arguments)

    assert ended.exit == INCONCLUSIVE
    assert ended.what == "holdfast: The first request, GET /, got no answer: its connection was closed."
    assert "start new thread" in ended.err or "Resource temporarily unavailable" in ended.err
    assert "raise --nproc 1" in ended.err


def test_few_descriptors_are_few_requests_and_no_fault(holdfast):
    assert holdfast.run("probe", "--nofile", "8").exit == 0


@pytest.mark.parametrize(("option", "kind"), [("--nofile", resource.RLIMIT_NOFILE), ("--nproc", resource.RLIMIT_NPROC)])
def test_a_limit_above_the_one_in_force_is_refused(holdfast, option, kind):
    # As an ordinary user would have it: without the right to raise a limit, and with limits.
    most = {resource.RLIMIT_NOFILE: 1000, resource.RLIMIT_NPROC: 5000}[kind]
    limited = ["prlimit", f"--{option[2:]}={most}", *_without_privileges(), sys.executable, "-m", "holdfast"]

    ended = holdfast.run("probe", option, str(most + 1), program=limited)

    assert ended.exit == USAGE, ended.err
    assert ended.what == f"holdfast: The server could not be started under {option} {most + 1}."
    assert f"Give at most {most}" in ended.err


def _without_privileges() -> list[str]:
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set", "-sys_resource", "--inh-caps", "-sys_resource"]


def test_a_working_directory_that_is_gone_is_said_to_be(holdfast, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()

    ended = holdfast.run(
        "probe", program=["sh", "-c", f'rmdir {gone}; exec {sys.executable} -m holdfast "$@"', "-"], cwd=gone
    )

    assert ended.exit == ENVIRONMENT
    assert ended.what == "holdfast: The working directory cannot be found."
