"""Real servers, started by a person's own command: what is read of its settings is in force, and so is what is varied.

Before and after one setting is varied, a probe holds as many requests as the value in force allows. Each case plants
another source that wins: a file, a variable, both, and the command line over them.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from holdfast.infer.judge import judge
from holdfast.interrupts import Interrupts
from holdfast.model.experiment import CommandTarget, Experiment, ProbeTarget
from holdfast.model.verdict import Verdict
from holdfast.probing.experiment import run
from holdfast.probing.ports import free_port
from holdfast.servers.settings_of import settings_of, with_settings

SCRIPTS = Path(sys.executable).parent
APP = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "5")])
    return [b"plain"]


async def asgi(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"plain"})
"""
FLASK = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""
INI = "[uwsgi]\nhttp-socket = 127.0.0.1:{port}\nmodule = app:app\nthreads = 4\n"
GUNICORN = "bind = '127.0.0.1:{port}'\nthreads = 2 + 1\n"


@dataclass(frozen=True, slots=True)
class Case:
    """One command.

    Attributes:
        before, after: requests in service, with the value that is read and with 2.
        origin: of the value that is read.
    """

    id: str
    command: str
    setting: str
    origin: str
    before: int
    after: int = 2
    files: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


CASES = (
    Case("a file", "gunicorn app:app", "threads", "file gunicorn.conf.py", 3, files={"gunicorn.conf.py": GUNICORN}),
    Case(
        "a variable over a file",
        "gunicorn app:app",
        "threads",
        "GUNICORN_CMD_ARGS",
        5,
        files={"gunicorn.conf.py": GUNICORN},
        env={"GUNICORN_CMD_ARGS": "--threads 5"},
    ),
    Case(
        "the command line over both",
        "gunicorn --thread 4 app:app",
        "threads",
        "command line",
        4,
        files={"gunicorn.conf.py": GUNICORN},
        env={"GUNICORN_CMD_ARGS": "--threads 5"},
    ),
    Case(
        "a file over a variable",
        "gunicorn app:app",
        "workers",
        "file gunicorn.conf.py",
        3,
        files={"gunicorn.conf.py": "bind = '127.0.0.1:{port}'\nworkers = 3\n"},
        env={"WEB_CONCURRENCY": "4"},
    ),
    Case(
        "WEB_CONCURRENCY",
        "gunicorn -b 127.0.0.1:{port} app:app",
        "workers",
        "environment WEB_CONCURRENCY",
        3,
        env={"WEB_CONCURRENCY": "3"},
    ),
    Case(
        "within a shell's command",
        "sh -c 'cd web && exec gunicorn -b 127.0.0.1:$MY_PORT app:app >log 2>&1'",
        "threads",
        "file gunicorn.conf.py",
        3,
        files={"web/gunicorn.conf.py": "threads = 3\n", "web/app.py": APP},
        env={"MY_PORT": "{port}"},
    ),
    Case(
        "within a script",
        "sh start.sh 3",
        "threads",
        "command line",
        3,
        files={"start.sh": "set -e\nif true; then\n  exec gunicorn -b 127.0.0.1:{port} --threads 3 app:app\nfi\n"},
    ),
    Case(
        "a file of uWSGI over the command line",
        "uwsgi app.ini --threads 3",
        "threads",
        "file app.ini",
        4,
        files={"app.ini": INI},
    ),
    Case(
        "the command line behind a file of uWSGI",
        "uwsgi --ini app.ini --threads 3",
        "threads",
        "command line",
        3,
        files={"app.ini": INI},
        env={"UWSGI_THREADS": "5"},
    ),
    Case(
        "a variable of uWSGI",
        "uwsgi --http-socket 127.0.0.1:{port} --module app:app",
        "threads",
        "environment UWSGI_THREADS",
        3,
        env={"UWSGI_THREADS": "3"},
    ),
    Case(
        "UVICORN_LIMIT_CONCURRENCY",
        "uvicorn --port {port} app:asgi",
        "limit_concurrency",
        "environment UVICORN_LIMIT_CONCURRENCY",
        3,
        1,
        env={"UVICORN_LIMIT_CONCURRENCY": "4"},
    ),
    Case(
        "GRANIAN_BLOCKING_THREADS",
        "granian --interface wsgi --port {port} app:app",
        "blocking_threads",
        "environment GRANIAN_BLOCKING_THREADS",
        3,
        env={"GRANIAN_BLOCKING_THREADS": "3"},
    ),
    Case(
        "a file of h2corn",
        "h2corn -c h.toml app:asgi",
        "limit_concurrency",
        "file h.toml",
        3,
        files={"h.toml": "bind = ['127.0.0.1:{port}']\nlimit_concurrency = 3\n"},
    ),
    Case(
        "waitress",
        "waitress-serve --listen=127.0.0.1:{port} --thr=3 app:app",
        "threads",
        "command line",
        3,
    ),
    Case(
        "cheroot",
        "python -m cheroot --bind 127.0.0.1:{port} --threads 3 app:app",
        "threads",
        "command line",
        3,
    ),
)


def filled(text: str, port: int) -> str:
    return text.replace("{port}", str(port))


def probed(experiment: Experiment) -> Verdict:
    return judge(run(experiment, Interrupts()))


@pytest.fixture
def own(tmp_path, monkeypatch, request):
    """The experiment of a case, in a directory of its own."""
    case, port = request.param, free_port()
    for name, text in {"app.py": APP, **case.files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(filled(text, port))
    for name, text in case.env.items():
        monkeypatch.setenv(name, filled(text, port))
    monkeypatch.setenv("PATH", f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}")
    command = tuple(shlex.split(filled(case.command, port)))
    return Experiment(CommandTarget(command), max_offered=24, cwd=str(tmp_path)), case


@pytest.mark.parametrize(
    "own",
    [pytest.param(each, marks=[pytest.mark.servers] if at else [], id=each.id) for at, each in enumerate(CASES)],
    indirect=True,
)
def test_what_is_read_is_in_force_and_so_is_what_is_varied(own, tmp_path):
    experiment, case = own
    read = next(each for each in settings_of(experiment, os.environ) if each.setting.name == case.setting)
    files = {each: each.read_bytes() for each in tmp_path.rglob("*") if each.is_file()}
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    assert read.origin == case.origin
    assert probed(experiment).ceiling.in_service == case.before
    varied = with_settings(experiment, {case.setting: 2}, scratch, os.environ)
    assert probed(varied).ceiling.in_service == case.after
    assert {each: each.read_bytes() for each in files} == files


@pytest.mark.servers
@pytest.mark.parametrize(
    ("server", "arguments", "view", "setting", "value", "expected"),
    [
        # One event loop for each worker, and a view that blocks it.
        ("sanic", (), "async-blocking", "workers", 2, 2),
        ("hypercorn", (), "async-blocking", "workers", 2, 2),
        ("uvicorn", (), "async-blocking", "workers", 2, 2),
        ("tornado", (), "async-blocking", "processes", 2, 2),
        ("django", (), "sync", "threading", 0, 1),
        ("werkzeug", ("--threaded",), "sync", "threaded", 0, 1),
    ],
)
def test_a_server_that_is_started_by_name_is_varied(server, arguments, view, setting, value, expected, tmp_path):
    target = ProbeTarget(server, arguments=arguments, python=sys.executable)
    experiment = Experiment(target, view=view, max_offered=24, cwd=str(tmp_path))

    varied = with_settings(experiment, {setting: value}, tmp_path, os.environ)

    assert probed(varied).ceiling.in_service == expected


@pytest.mark.servers
def test_a_variable_of_daphne_is_varied(tmp_path):
    # Quart runs a view that is no coroutine on the loop's default executor (quart/utils.py, run_sync()).
    target = ProbeTarget("daphne", framework="quart", python=sys.executable)
    experiment = Experiment(target, view="sync", max_offered=24, cwd=str(tmp_path))

    varied = with_settings(experiment, {"ASGI_THREADS": 3}, tmp_path, os.environ)

    assert probed(varied).ceiling.in_service == 3


@pytest.mark.servers
@pytest.mark.parametrize(
    ("server", "setting"),
    [
        ("hypercorn", "h2_max_concurrent_streams"),
        ("h2corn", "max_concurrent_streams"),
        ("granian", "http2_max_concurrent_streams"),
    ],
)
def test_the_streams_of_a_connection_are_varied(server, setting, tmp_path):
    experiment = Experiment(ProbeTarget(server, python=sys.executable), max_offered=40, http2=True, cwd=str(tmp_path))

    seen = probed(with_settings(experiment, {setting: 12}, tmp_path, os.environ)).http2

    assert seen is not None
    assert (seen.streams_advertised, seen.on_one_connection) == (12, 12)


@pytest.mark.servers
def test_a_backlog_of_twisted_is_varied_in_its_endpoint(tmp_path):
    experiment = Experiment(ProbeTarget("twisted", python=sys.executable), max_offered=24, cwd=str(tmp_path))

    varied = with_settings(experiment, {"backlog": 7}, tmp_path, os.environ)

    assert probed(varied).ceiling.accept_queue_limit == 7


@pytest.mark.servers
@pytest.mark.parametrize(
    "own",
    [
        Case("flask", "flask --app app run --port {port}", "threaded", "default", 24, 1, files={"app.py": FLASK}),
    ],
    indirect=True,
)
def test_threads_that_are_switched_off_leave_one_at_a_time(own, tmp_path):
    experiment, _ = own

    assert probed(experiment).ceiling.bounded is False
    assert probed(with_settings(experiment, {"threaded": 0}, tmp_path, os.environ)).ceiling.in_service == 1


@pytest.mark.servers
@pytest.mark.parametrize(
    "own",
    [
        Case("toml", "hypercorn -c h.toml app:asgi", "backlog", "file h.toml", 9, files={
            "h.toml": "bind = '127.0.0.1:{port}'\nbacklog = 9\n"
        }),
        Case("python", "hypercorn -c file:h.py app:asgi", "backlog", "file h.py", 9, files={
            "h.py": "bind = '127.0.0.1:{port}'\nbacklog = 9\n"
        }),
        Case("endpoint", "daphne -e tcp:{port}:interface=127.0.0.1 app:asgi", "backlog", "default", 50),
    ],
    ids=lambda case: case.id,
    indirect=True,
)  # fmt: skip
def test_a_backlog_is_read_and_varied(own, tmp_path):
    experiment, case = own

    assert probed(experiment).ceiling.accept_queue_limit == case.before
    varied = with_settings(experiment, {case.setting: 7}, tmp_path, os.environ)
    assert probed(varied).ceiling.accept_queue_limit == 7
