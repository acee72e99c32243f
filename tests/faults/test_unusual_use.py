"""What is rare and all the same meant: it must work, not only fail well."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from support.commandline import HAS_IPV6, PROGRAM
from support.placed import placed

from holdfast.probing.ports import free_port

ANSWERED, ENVIRONMENT = 0, 4

FEW = ("--max-offered", "5", "--json", "-")

FACTORY = """
from .parts import app
def create_app(name="", debug=None):
    return app
class site:
    wsgi = staticmethod(app.wsgi_app)
"""
PLAIN = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "2")])
    return [b"hi"]
"""
# What applications do at their import, or around their views.
HABITS = {
    "chatty": "for each in range(20000): print('starting', each, '\\x1b[31m' + 'x' * 80)",
    "noisy": "import sys\nsys.stderr.buffer.write(bytes(range(256)) * 100)",
    "closing": "import os\nos.close(0)",
    "moving": "import os\nos.chdir('/')",
    "masking": "import os\nos.umask(0o777)",
    "patient": "import signal\nfor each in (signal.SIGTERM, signal.SIGHUP): signal.signal(each, signal.SIG_IGN)",
    "threaded": "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
    "parental": "import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)",
    "running": "if True:\n    app.run()",
    "shallow": "import sys\nsys.setrecursionlimit(200)",
    "loud": "@app.before_request\ndef shout():\n    print('x' * 1_000_000)",
}
HEADERS = (
    "Host: shop.example.org",
    "X-Empty:",
    "X-Twice: 1",
    "X-Twice: 2",
    "Cookie: a=b; c=d",
    "X-Latin: \u00e4\u00f6",
)
# The view is reached only by requests that bring all of these.
DEMANDING = """
from flask import abort, request
from app import app

@app.before_request
def all_are_there():
    brought = request.headers
    wanted = {"Host": "shop.example.org", "X-Empty": "", "X-Twice": "1,2", "Cookie": "a=b; c=d"}
    if wanted != {name: brought.get(name) for name in wanted} or "X-Latin" not in brought:
        abort(403)
"""
UWSGI = ("--server", "uwsgi")

# Arguments, and how many of five requests are in service.
LISTENING = [
    ((*UWSGI, "--", "--http", "[::1]:0"), 1),
    ((*UWSGI, "--", "--http", "0.0.0.0:0"), 1),
    ((*UWSGI, "--", "--http-socket", "127.0.0.1:0"), 1),
    ((*UWSGI, "--", "--http-socket=localhost:0", "--threads=3"), 3),
    ((*UWSGI, "--", "--http", "127.0.0.1:0", "--socket", "127.0.0.1:0"), 1),
    ((*UWSGI, "--", "--processes", "2", "--master", "--lazy-apps", "--enable-threads"), 2),
    ((*UWSGI, "--", "--master", "--vacuum", "--die-on-term"), 1),
    (("--", "--host", "0.0.0.0"), 5),
    (("--", "--host", "::1"), 5),
    (("--", "--host", "localhost"), 5),
    (("--", "--port", "0"), 5),
    (("--", "threaded=True"), 5),
]
LISTENING = [case for case in LISTENING if HAS_IPV6 or "::1" not in " ".join(case[0])]
NAMED = [
    ("my app.py",),
    ("{here}/my app.py:app", *UWSGI),
    ("./pkg/web.py:create_app()", *UWSGI),
    ("pkg.web:create_app()",),
    ("pkg.web:create_app('a:b', debug=False)", *UWSGI),
    ("pkg.web:site.wsgi",),
    ("\u00fcml\u00e4ut.py", *UWSGI),
]
PATHS = ["/?a=1&b=2", "/?next=http://[::1]/%20", "/caf%C3%A9", "/a%2Fb", "/a/../b"]
ENTRIES = [("plain.py",), ("plain.py", *UWSGI)]
WITH_HEADERS = ("demanding.py", *(part for header in HEADERS for part in ("-H", header)))


def asked() -> list[tuple[str, ...]]:
    by_path = [("--path", path) for path in PATHS]
    by_habit = [(f"{name}.py",) for name in HABITS]
    return [*(arguments for arguments, _ in LISTENING), *NAMED, *by_path, *ENTRIES, WITH_HEADERS, *by_habit]


def verdict_of(ended):
    assert ended.exit == ANSWERED, ended.err
    verdict = json.loads(ended.out)
    assert placed(verdict) == verdict["offered"] == 5
    return verdict


@pytest.fixture(scope="module")
def endings(workshop):
    here = workshop.directory
    app = (here / "app.py").read_text()
    (here / "pkg").mkdir()
    for name, content in {"pkg/__init__.py": "", "pkg/parts.py": app, "pkg/web.py": FACTORY, "plain.py": PLAIN}.items():
        (here / name).write_text(content)
    for name in ("my app.py", "\u00fcml\u00e4ut.py"):
        (here / name).write_text(app)
    (here / "demanding.py").write_text(DEMANDING)
    for name, habit in HABITS.items():
        (here / f"{name}.py").write_text(f"from app import app\n{habit}\n")
    command_lines = [["probe", *FEW, *(part.format(here=here) for part in each)] for each in asked()]
    return dict(zip(asked(), workshop.run_together(command_lines), strict=True))


@pytest.mark.parametrize(("arguments", "in_service"), LISTENING, ids=[" ".join(each) for each, _ in LISTENING])
def test_a_server_listens_as_it_is_told(endings, arguments, in_service):
    assert verdict_of(endings[arguments])["places"]["in_service"] == in_service


@pytest.mark.parametrize("arguments", NAMED, ids=" ".join)
def test_an_application_is_found_however_it_is_named(endings, arguments):
    assert verdict_of(endings[arguments])["target"]["held_in"] == "flask view index()"


def test_an_application_is_found_from_another_directory(holdfast, write):
    elsewhere = write("sub/notes.txt", "").parent

    ended = holdfast.run("probe", "../app.py", *FEW, cwd=elsewhere)

    assert verdict_of(ended)["target"]["held_in"] == "flask view index()"


@pytest.mark.parametrize("path", PATHS)
def test_a_path_goes_out_as_it_is_written(endings, path):
    assert verdict_of(endings["--path", path])["target"]["path"] == path


def test_headers_of_all_kinds_reach_the_view(endings):
    verdict = verdict_of(endings[WITH_HEADERS])

    assert verdict["target"]["held_in"] == "flask view index()"
    assert verdict["places"]["in_service"] == 5


@pytest.mark.parametrize("arguments", ENTRIES, ids=" ".join)
def test_an_application_without_a_framework_is_held_at_its_entry_and_that_is_said(endings, arguments):
    verdict = verdict_of(endings[arguments])

    assert verdict["target"]["held_in"] == "wsgi entry"
    assert any("where the server hands them to the application" in each for each in verdict["warnings"])


@pytest.mark.parametrize("name", HABITS)
def test_applications_with_habits_of_their_own_are_probed(endings, name):
    assert verdict_of(endings[(f"{name}.py",)])["places"]["in_service"] == 5


def test_the_port_is_the_persons_own_whoever_is_told(holdfast):
    port = str(free_port())

    verdict = verdict_of(holdfast.run("probe", *FEW, "--", "--port", port))

    assert verdict["target"]["command"][-1] == port


def test_the_server_is_looked_for_where_a_project_keeps_its_environment(holdfast, tmp_path):
    (tmp_path / ".venv").symlink_to(Path(PROGRAM[0]).parents[1])

    verdict = verdict_of(holdfast.run("probe", *FEW))

    assert verdict["target"]["command"][0] == str(tmp_path / ".venv" / "bin" / "python")


def test_a_server_of_another_user_reads_an_application_in_a_private_directory(holdfast, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    tmp_path.chmod(0o700)

    verdict = verdict_of(holdfast.run("probe", *FEW, "app.py", "--nproc", "4"))

    assert verdict["limits"]["nproc"] == 4
    assert verdict["places"]["in_service"] == 3


def test_a_server_of_another_user_cannot_write_where_that_user_could_not(holdfast, write):
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    write("writing.py", "from app import app\nopen('cache.db', 'w').close()\n")

    ended = holdfast.run("probe", "writing.py", "--nproc", "4")

    assert ended.exit == ENVIRONMENT
    assert "PermissionError: [Errno 13] Permission denied: 'cache.db'" in ended.err
    assert "With --nproc, root starts the server as user" in ended.err


def test_a_terminal_of_no_width_gets_an_answer(holdfast):
    assert holdfast.run("probe", "--max-offered", "5", env={"COLUMNS": "1", "TERM": "dumb"}).exit == ANSWERED


def test_two_at_once_do_not_disturb_each_other(holdfast):
    ended = holdfast.run_together([["probe", *FEW, "--", "--processes", "2"]] * 2)

    assert [verdict_of(each)["places"]["in_service"] for each in ended] == [2, 2]


def test_a_server_puts_what_belongs_to_its_user_into_the_directory_of_the_run(holdfast, tmp_path):
    pytest.importorskip("gunicorn")
    home = tmp_path / "home"
    home.mkdir()

    ended = holdfast.run("probe", "--server", "gunicorn", *FEW, env={"HOME": str(home)})

    assert ended.exit == ANSWERED, ended.err
    # gunicorn/config.py, _get_default_control_socket(): ~/.gunicorn, unless there is an XDG_RUNTIME_DIR.
    assert not (home / ".gunicorn").exists()
