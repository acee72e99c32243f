"""What is rare and all the same meant: it must work, not only fail well."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from commandline import PROGRAM

ANSWERED, ENVIRONMENT = 0, 4

FEW = ("--max-offered", "5", "--json", "-")


def answered(holdfast, *arguments, **how):
    ended = holdfast.run("probe", *FEW, *arguments, **how)
    assert ended.exit == ANSWERED, ended.err
    verdict = json.loads(ended.out)
    assert sum(verdict["places"].values()) == verdict["offered"] == 5
    assert verdict["places"]["in_service"] >= 1
    return verdict


@pytest.mark.parametrize(
    ("app", "directory"),
    [
        ("my app.py", "."),
        ("{here}/my app.py:app", "/"),
        ("../my app.py", "sub"),
        ("./pkg/web.py:create_app()", "."),
        ("pkg.web:create_app()", "."),
        ("pkg.web:create_app('a:b', debug=False)", "."),
        ("pkg.web:site.wsgi", "."),
        ("ümläut.py", "."),
    ],
)
@pytest.mark.parametrize("server", ["flask", "uwsgi"])
def test_an_application_is_found_however_it_is_named(holdfast, write, tmp_path, server, app, directory):
    source = (tmp_path / "app.py").read_text()
    write("my app.py", source)
    write("ümläut.py", source)
    write("pkg/__init__.py", "")
    write("pkg/parts.py", source)
    write(
        "pkg/web.py",
        "from .parts import app\n"
        "def create_app(name='', debug=None):\n    return app\n"
        "class site:\n    wsgi = staticmethod(app.wsgi_app)\n",
    )
    write("sub/other.py", "")

    verdict = answered(holdfast, app.format(here=tmp_path), "--server", server, cwd=tmp_path / directory)

    assert verdict["target"]["held_in"] == "flask view index()"


@pytest.mark.parametrize(
    "path", ["/?a=1&b=2", "/?", "/?next=http://[::1]/%20", "/orders/7?x", "/caf%C3%A9", "/a%2Fb", "/a/../b"]
)
def test_a_path_goes_out_as_it_is_written(holdfast, path):
    assert answered(holdfast, "--path", path)["target"]["path"] == path


def test_headers_of_all_kinds_go_out(holdfast):
    headers = [
        "Host: shop.example.org",
        "X-Empty:",
        "X-Twice: 1",
        "X-Twice: 2",
        "Cookie: a=b; c=d",
        "X-Latin: \u00e4\u00f6\u00fc",
    ]

    answered(holdfast, *(part for header in headers for part in ("-H", header)))


@pytest.mark.parametrize(
    ("arguments", "in_service"),
    [
        (["--http", "[::1]:0"], 1),
        (["--http", "0.0.0.0:0"], 1),
        (["--http", ":0"], 1),
        (["--http-socket", "127.0.0.1:0"], 1),
        (["--http-socket=localhost:0", "--threads=3"], 3),
        (["--http", "127.0.0.1:0", "--socket", "127.0.0.1:0"], 1),
        (["--processes", "2", "--lazy-apps"], 2),
        (["--processes", "2", "--master", "--lazy-apps", "--enable-threads"], 2),
        (["--master", "--vacuum", "--die-on-term"], 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_uwsgi_listens_as_it_is_told(holdfast, arguments, in_service):
    verdict = answered(holdfast, "app.py", "--server", "uwsgi", "--", *arguments)

    assert verdict["places"]["in_service"] == in_service


@pytest.mark.parametrize(
    "arguments",
    [["--host", "0.0.0.0"], ["--host", "::1"], ["--host", "localhost"], ["--port", "0"], ["threaded=True"]],
    ids=" ".join,
)
def test_flask_listens_as_it_is_told(holdfast, arguments):
    assert answered(holdfast, "--", *arguments)["places"]["in_service"] == 5


def test_the_port_is_the_persons_own_whoever_is_told(holdfast):
    running = holdfast.start("probe", *FEW, "--server", "uwsgi")
    assert running.ended().exit == ANSWERED
    verdict = answered(holdfast, "--", "--port", str(running.port))

    assert verdict["target"]["command"][-1] == str(running.port)


PLAIN = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"hi"]
"""


@pytest.mark.parametrize("server", ["flask", "uwsgi"])
def test_an_application_without_a_framework_is_held_at_its_entry_and_that_is_said(holdfast, write, server):
    write("plain.py", PLAIN)

    verdict = answered(holdfast, "plain.py", "--server", server)

    assert verdict["target"]["held_in"] == "wsgi entry"
    assert any("where the server hands them to the application" in each for each in verdict["warnings"])


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("chatty", "for each in range(20000): print('starting', each, '\\x1b[31m' + 'x' * 80)\n"),
        ("noisy", "import atexit, sys\nsys.stderr.buffer.write(bytes(range(256)) * 100)\n"),
        ("closing", "import os\nos.close(0)\n"),
        ("elsewhere", "import os\nos.chdir('/')\n"),
        ("umask", "import os\nos.umask(0o777)\n"),
        (
            "patient",
            "import signal\nfor each in (signal.SIGTERM, signal.SIGHUP): signal.signal(each, signal.SIG_IGN)\n",
        ),
        ("threaded", "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n"),
        ("parental", "import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)\n"),
        ("running", "if True:\n    app.run()\n"),
        ("optimistic", "import sys\nsys.setrecursionlimit(200)\n"),
    ],
    ids=lambda value: value if value.isidentifier() else "",
)
def test_applications_with_habits_of_their_own_are_probed(holdfast, write, name, source):
    write(f"{name}.py", f"from app import app\n{source}")

    assert answered(holdfast, f"{name}.py")["places"]["in_service"] == 5


def test_views_that_print_a_lot_do_not_fill_the_memory(holdfast, write):
    write("loud.py", "from app import app\n@app.before_request\ndef shout():\n    print('x' * 1_000_000)\n")

    assert answered(holdfast, "loud.py")["places"]["in_service"] == 5


def test_the_server_is_asked_for_where_a_project_keeps_its_environment(holdfast, tmp_path):
    (tmp_path / ".venv").symlink_to(Path(PROGRAM[0]).parents[1])

    verdict = answered(holdfast)

    assert verdict["target"]["command"][0] == str(tmp_path / ".venv" / "bin" / "python")


def test_a_server_of_another_user_reads_an_application_in_a_private_directory(holdfast, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    tmp_path.chmod(0o700)

    verdict = answered(holdfast, "app.py", "--nproc", "4")

    assert verdict["limits"]["nproc"] == 4
    assert verdict["places"]["in_service"] == 3


def test_a_server_of_another_user_cannot_write_where_that_user_could_not(holdfast, write):
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    write("writing.py", "from app import app\nopen('cache.db', 'w').close()\n")

    ended = holdfast.run("probe", "writing.py", "--nproc", "4")

    assert ended.exit == ENVIRONMENT
    assert "PermissionError: [Errno 13] Permission denied: 'cache.db'" in ended.err
    assert "Under --nproc root starts the server as user" in ended.err


def test_holdfast_runs_in_a_terminal_of_no_width(holdfast):
    ended = holdfast.run("probe", "--max-offered", "5", env={"COLUMNS": "1", "TERM": "dumb"})

    assert ended.exit == ANSWERED


def test_two_at_once_do_not_disturb_each_other(holdfast):
    started = [holdfast.start("probe", *FEW, "--", "--processes", "2") for _ in range(2)]

    for each in started:
        assert json.loads(each.ended().out)["places"]["in_service"] == 2
