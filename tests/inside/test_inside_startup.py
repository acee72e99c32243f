"""A process of the user's own command notices nothing of being instrumented."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

import pytest
from test_inside_pythons import interpreter

from holdfast.observe.record_reader import (
    INSIDE_DIRECTORY,
    RecorderSettings,
    Recording,
)
from holdfast.observe.startup_reports import StartupReport, read_startup_reports

LOOK = """
import sys
print([each for each in sys.path])
print(sorted(name for name in sys.modules if name.startswith(("holdfast", "threading", "ssl", "socket", "asyncio"))))
"""
FLASK = """
import importlib, inspect
import flask
import flask.app
print(type(flask.__loader__).__name__, sorted(vars(flask.__loader__)), flask.__spec__.loader is flask.__loader__)
print(inspect.getsource(flask.Flask)[:12], flask.__loader__.get_data(flask.__file__)[:4])
again = importlib.reload(flask)
print(again is flask, importlib.util.find_spec("flask").name)
"""
SPAWN = """
import multiprocessing

def look():
    import sys
    print([each for each in sys.path])

if __name__ == "__main__":
    child = multiprocessing.get_context("spawn").Process(target=look)
    child.start()
    child.join()
    raise SystemExit(child.exitcode)
"""


# A protocol of its own whose handlers have a method named as those of http.server, and no header fields.
LINES = """
import http.server, socket, socketserver

class Line(socketserver.StreamRequestHandler):
    def parse_request(self):
        return self.rfile.readline()

    def handle(self):
        self.wfile.write(self.parse_request())

with socketserver.TCPServer(("127.0.0.1", 0), Line) as server:
    with socket.create_connection(server.server_address) as client:
        client.sendall(b"line\\n")
        server.handle_request()
        print(client.recv(9))
"""


@pytest.fixture
def ours(tmp_path):
    """The environment of a command's processes, and where they say how far we came."""
    hello = tmp_path / "hello"
    hello.touch()
    with Recording.create(tmp_path / "record", 5) as recording:

        def environment(pythonpath=""):
            return RecorderSettings(
                record=recording.path,
                token="token",
                trouble=tmp_path / "trouble",
                pythonpath=pythonpath,
                hello=hello,
            ).environment()

        yield environment, hello


def run(script, variables, directory, python=sys.executable, *options):
    (directory / "script.py").write_text(script)
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables}
    return subprocess.run(
        [python, *options, "script.py"], env=environment, cwd=directory, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("script", [LOOK, FLASK, SPAWN], ids=["paths", "imports", "spawn"])
@pytest.mark.parametrize("pythonpath", ["", "lib", "::lib"])
def test_a_script_sees_the_same_environment_as_without_holdfast(ours, tmp_path, script, pythonpath):
    environment, _ = ours
    (tmp_path / "lib").mkdir()
    before = run(script, {"PYTHONPATH": pythonpath}, tmp_path)

    now = run(script, environment(pythonpath), tmp_path, sys.executable, "-W", "error")

    # Only what is ours is there in addition.
    lines = [line for line in now.stdout.splitlines() if not line.startswith("['holdfast_inside")]
    assert now.returncode == 0, now.stderr
    assert lines == [line for line in before.stdout.splitlines() if line != "[]"]
    assert now.stderr == before.stderr


def test_nothing_is_imported_that_is_not_needed_before_a_framework_is(ours, tmp_path):
    environment, hello = ours

    seen = run(LOOK, environment(), tmp_path).stdout.splitlines()[1]

    assert all(name.startswith("holdfast_inside") for name in ast.literal_eval(seen))
    assert "holdfast_inside.recorder" not in seen
    assert [each.what for each in read_startup_reports(hello)] == ["python"]


def test_a_program_that_only_logs_does_not_pay_for_what_holds_handlers(ours, tmp_path):
    environment, _ = ours

    seen = run(f"import logging.config, socketserver\n{LOOK}", environment(), tmp_path).stdout

    assert "holdfast_inside.post_import" in seen
    assert "holdfast_inside.recorder" not in seen


def test_a_protocol_that_is_not_http_is_left_alone(ours, tmp_path):
    environment, hello = ours

    ended = run(LINES, environment(), tmp_path)

    assert (ended.stdout, ended.stderr) == (run(LINES, {}, tmp_path).stdout, "")
    assert [each.what for each in read_startup_reports(hello)] == ["python"]


def test_what_hands_sys_path_on_as_pythonpath_does_not_lose_holdfast(ours, tmp_path):
    # As pyvoy does for Envoy, which has Python in it (pyvoy/_server.py, get_envoy_environ()).
    environment, hello = ours
    hands_on = """
import asyncio, os, subprocess, sys
handed_on = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
look = [sys.executable, "-c", "import os, sys; print(sys.path[1:])"]
subprocess.run(look, env=handed_on, check=True)
subprocess.run(look, -1, None, None, None, None, None, True, False, None, handed_on, check=True)
async def start():
    await (await asyncio.create_subprocess_exec(*look, env=handed_on)).wait()
asyncio.run(start())
"""
    before = run(hands_on, {}, tmp_path)

    now = run(hands_on, environment(), tmp_path)

    assert now.returncode == 0, now.stderr
    assert now.stdout == before.stdout
    assert [each.what for each in read_startup_reports(hello)] == ["python"] * 4


def test_subprocess_looks_as_it_does_without_holdfast(ours, tmp_path):
    environment, _ = ours
    look = (
        "import inspect, subprocess\nprint(inspect.signature(subprocess.Popen), subprocess.Popen.__init__.__name__)\n"
    )

    assert run(look, environment(), tmp_path).stdout == run(look, {}, tmp_path).stdout


def test_a_popen_that_others_have_wrapped_is_left_to_them(ours, tmp_path):
    environment, hello = ours
    wrapped = tmp_path / "wrapped"
    wrapped.mkdir()
    # As what traces programs does, before holdfast's own `sitecustomize` has run.
    (wrapped / "subprocess.py").write_text(
        "class Popen:\n    def __init__(self, *args, **kwargs):\n        print('theirs')\n"
    )

    now = run("import subprocess\nsubprocess.Popen(['true'])\n", environment(str(wrapped)), tmp_path)

    assert (now.returncode, now.stdout) == (0, "theirs\n"), now.stderr
    assert [each.what for each in read_startup_reports(hello)] == ["python"]


def test_an_environment_that_was_made_without_holdfast_is_left_alone(ours, tmp_path):
    environment, hello = ours
    alone = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', ''], env={}, check=True)\n"

    assert run(alone, environment(), tmp_path).returncode == 0
    assert [each.what for each in read_startup_reports(hello)] == ["python"]


def test_the_environments_own_sitecustomize_runs_too(ours, tmp_path):
    environment, _ = ours
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "sitecustomize.py").write_text("print('mine is run', __name__)\n")

    script = "import sitecustomize\nprint(sitecustomize.__file__)\n"
    ended = run(script, environment(str(tmp_path / "own")), tmp_path)

    assert ended.stdout.splitlines() == ["mine is run sitecustomize", str(tmp_path / "own" / "sitecustomize.py")]


@pytest.mark.parametrize("error", ["1 / 0", "import no_such_module", "raise SystemExit(3)"])
def test_errors_of_a_persons_own_sitecustomize_are_reported_as_without_holdfast(ours, tmp_path, error):
    environment, _ = ours
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text(error + "\n")
    before = run("print('runs')\n", {"PYTHONPATH": str(own)}, tmp_path)

    now = run("print('runs')\n", environment(str(own)), tmp_path)

    assert (now.returncode, now.stdout) == (before.returncode, before.stdout)
    assert now.stderr.splitlines()[-1:] == before.stderr.splitlines()[-1:]


def test_a_hook_that_cannot_be_installed_is_told_to_holdfast_alone(ours, tmp_path):
    environment, hello = ours
    variables = {**environment(), "HOLDFAST_RECORD": str(tmp_path / "gone")}

    ended = run("import flask\nprint(flask.Flask(__name__).name)\n", variables, tmp_path)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "script\n", "")
    (failed,) = {
        each.detail
        for each in read_startup_reports(hello)
        if each.what == "failed" and each.detail.startswith("flask:")
    }
    assert failed.startswith("flask: FileNotFoundError")


def test_a_framework_is_prepared_when_it_has_been_imported(ours, tmp_path):
    environment, hello = ours

    ended = run("import flask\n", environment(), tmp_path)

    assert ended.returncode == 0, ended.stderr
    said = read_startup_reports(hello)
    assert {StartupReport(said[0].pid, "ready", "flask")} <= set(said)
    assert not [each for each in said if each.what == "failed"]


def test_lines_of_another_form_are_no_words_of_a_process(tmp_path):
    hello = tmp_path / "hello"
    hello.write_bytes(b"12\tpython\t3.8.1\nnonsense\n\xff\xfe\t\t\nx\tready\ty\n13\tlies\tz\n14\tready\t\n")

    assert read_startup_reports(hello) == (StartupReport(12, "python", "3.8.1"), StartupReport(14, "ready", ""))


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.7", "3.8", "3.10", "3.12", "3.13", "3.14", "3.15"])
def test_a_command_may_run_any_python(ours, tmp_path, version):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    environment, hello = ours

    ended = run("import sys\nsys.stdout.write('runs ' + str(sys.path))\n", environment(), tmp_path, python)

    assert (ended.returncode, ended.stdout[:5], ended.stderr) == (0, "runs ", "")
    assert INSIDE_DIRECTORY not in ended.stdout
    assert bool(read_startup_reports(hello)) == (tuple(map(int, version.split("."))) >= (3, 8))
