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
from support.commandline import HAS_IPV6

from holdfast.probing.ports import free_port

ANSWERED, USAGE, INCONCLUSIVE, ENVIRONMENT = 0, 2, 3, 4

ELSEWHERE = free_port()
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
    assert "Install flask[async] in the server's environment." in ended.err


def test_an_async_view_of_the_persons_own_needs_it_too(holdfast, bare_environment, write):
    write("later.py", "import flask\napp = flask.Flask(__name__)\n@app.get('/')\nasync def index():\n    return ''\n")

    ended = holdfast.run("probe", "later.py", "--python", bare_environment(*FLASK_ALONE))

    assert ended.exit == ENVIRONMENT
    assert "Install flask[async] in the server's environment." in ended.err


# What its application does instead of getting ready.
FILES = {
    "leaving.py": "import os\nprint('the database is away', flush=True)\nos._exit(7)\n",
    "killed.py": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n",
    "connecting.py": "import signal\nprint('connecting', flush=True)\nwhile True: signal.pause()\n",
    "silent.py": "import signal\nwhile True: signal.pause()\n",
    "elsewhere.py": f"import signal, socket\ns = socket.create_server(('127.0.0.1', {ELSEWHERE}))\nsignal.pause()\n",
    "restless.py": (
        "import threading\n"
        "from app import app\n"
        "def work():\n"
        "    while True:\n"
        "        passing = threading.Thread(target=sum, args=([range(1000)], []))\n"
        "        passing.start()\n"
        "        passing.join()\n"
        "threading.Thread(target=work, daemon=True).start()\n"
    ),
}
UWSGI = ("--server", "uwsgi")
SOON = ("--start-timeout", "4")
NOT_READY = "within 4 s."
ENDED = "The server ended at its start."
NOT_SERVED = "The first request, GET /, got no answer: its connection was closed."
NO_DESCRIPTOR, NO_THREAD, NO_PROCESS = "rror 24", "can't start new thread", "Resource temporarily unavailable"

# Arguments, exit code, end of the first line, what else is said.
CASES = [
    (("app.py", "--view", "async"), USAGE, "is sync, not async.", ["or give --view sync."]),
    (("app.py", "--view", "async-blocking"), USAGE, "is sync, not async-blocking.", ["Omit --view"]),
    (("--", "--threadz"), ENVIRONMENT, "does not take --threadz.", ["There is no such option."]),
    (
        ("--", "--processes", "many"),
        ENVIRONMENT,
        "does not take --processes.",
        ["a whole number of at least 1, not 'many'"],
    ),
    (
        ("--", "--threaded", "--processes", "4"),
        ENVIRONMENT,
        ENDED,
        ["Cannot have a multi-thread and multi-process server."],
    ),
    ((*UWSGI, "--", "--threadz", "4"), ENVIRONMENT, ENDED, ["unrecognized option '--threadz'"]),
    ((*UWSGI, "--", "--threads"), ENVIRONMENT, ENDED, ["option '--threads' requires an argument"]),
    (("leaving.py",), ENVIRONMENT, ENDED, ["It exited with 7:", "| the database is away"]),
    (("leaving.py", *UWSGI), ENVIRONMENT, ENDED, ["It exited with 7:", "| the database is away"]),
    (("killed.py",), ENVIRONMENT, ENDED, ["It was ended by signal 9 (Killed)", "OOM killer"]),
    (("connecting.py", *SOON), ENVIRONMENT, NOT_READY, ["| connecting", "--start-timeout"]),
    (("silent.py", *SOON), ENVIRONMENT, NOT_READY, ["Its processes still run; it wrote nothing.", "--start-timeout"]),
    (
        ("elsewhere.py", *SOON),
        ENVIRONMENT,
        NOT_READY,
        [f"It listens on port {ELSEWHERE} instead", f"--port {ELSEWHERE}"],
    ),
    (("restless.py", *SOON), ENVIRONMENT, NOT_READY, ["Its processes kept working", "background work"]),
    (("--nofile", "3"), ENVIRONMENT, ENDED, [NO_DESCRIPTOR, "or raise --nofile 3"]),
    (("--nofile", "8", *UWSGI), ENVIRONMENT, ENDED, ["Too many open files", "or raise --nofile 8"]),
    (("--nproc", "1"), INCONCLUSIVE, NOT_SERVED, [NO_THREAD, "or raise --nproc 1"]),
    (("--nproc", "1", "--", "--processes", "3"), INCONCLUSIVE, NOT_SERVED, [NO_PROCESS, "or raise --nproc 1"]),
]


@pytest.fixture(scope="module")
def endings(workshop):
    for name, content in FILES.items():
        (workshop.directory / name).write_text(content)
    return workshop.run_together(["probe", *arguments] for arguments, *_ in CASES)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[" ".join(arguments) for arguments, *_ in CASES])
def test_a_server_that_cannot_be_probed_says_why_in_its_own_words(endings, number):
    ended, (_, code, what, says) = endings[number], CASES[number]

    assert ended.exit == code, ended.err
    assert ended.what.endswith(what)
    assert all(each in ended.err for each in says), ended.err
    assert not ended.out


def test_a_server_that_goes_into_the_background_is_probed_and_ended_there(holdfast, write, tmp_path):
    settings = write("background.ini", f"[uwsgi]\ndaemonize = {tmp_path / 'background.log'}\nthreads = 3\n")

    ended = holdfast.run("probe", "--server", "uwsgi", "--", "--ini", settings)

    assert ended.exit == ANSWERED, ended.err
    assert "3 requests at once" in ended.out


@pytest.mark.parametrize(
    ("address", "how"),
    [("127.0.0.1", "--port"), ("0.0.0.0", "--port"), ("::1", "--port"), ("0.0.0.0", "flask"), ("127.0.0.1", "uwsgi")],
)
def test_a_port_that_somebody_else_has_is_not_measured(holdfast, address, how):
    if ":" in address and not HAS_IPV6:
        pytest.skip("this machine has no IPv6")
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


def test_a_unix_socket_that_another_process_listens_on_is_left_to_it(holdfast, tmp_path):
    path = tmp_path / "taken"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        ended = holdfast.run("probe", "--server", "uwsgi", "--", "--http-socket", str(path))

    assert ended.exit == ENVIRONMENT
    assert ended.what == f"holdfast: The Unix socket {path} is taken."


def test_a_unix_socket_that_nobody_listens_on_any_more_is_free(holdfast, tmp_path):
    path = tmp_path / "left"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

    ended = holdfast.run("probe", "--server", "uwsgi", "--max-offered", "5", "--", "--http-socket", str(path))

    assert ended.exit == 0, ended.err


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
