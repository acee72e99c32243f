"""A server on a free-threaded Python: what is told of its GIL, and what is not read where there is none.

`sys._is_gil_enabled()` of the server's own process is the truth: the application prints it. An extension module that
does not declare that it does without enables it again (PEP 703, Py_mod_gil; CPython, Python/import.c).
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import flask
import pytest
from own_commands import Own, run_all, value
from support.free_threaded import free_threaded

LIBRARIES = str(Path(flask.__file__).parents[1])
# Those parts of these libraries that are in C have no wheel for it here; all of them do without.
SERVER = """
import socketserver
import sys
import threading
import wsgiref.simple_server

sys.path.append({libraries!r})

import flask

app = flask.Flask(__name__)
turns = threading.Semaphore(2)

@app.before_request
def turn():
    turns.acquire()

@app.teardown_request
def back(error):
    turns.release()

@app.get("/")
def index():
    return "done"

class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True

IMPORTS
server = Server(("127.0.0.1", 0), wsgiref.simple_server.WSGIRequestHandler)
server.set_app(app)
print("GIL", sys._is_gil_enabled(), flush=True)
server.serve_forever()
"""
DOES_NOT_DECLARE = """
#include <Python.h>
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "undeclared", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_undeclared(void) { return PyModule_Create(&definition); }
"""
NO_GIL = "the server's Python runs without the GIL, where what a thread is doing cannot safely be read while it runs on"


def server(imports: str = "") -> dict[str, str]:
    return {"server.py": SERVER.replace("{libraries!r}", repr(LIBRARIES)).replace("IMPORTS", imports)}


def built(python: str, directory: Path) -> Path:
    """An extension module for this interpreter that does not declare that it does without the GIL."""
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here")
    says = "import sysconfig; print(sysconfig.get_path('include')); print(sysconfig.get_config_var('EXT_SUFFIX'))"
    include, suffix = subprocess.run(
        [python, "-c", says], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    if not Path(include, "Python.h").exists():
        pytest.skip(f"{python} came without its headers")
    source = directory / "undeclared.c"
    source.write_text(DOES_NOT_DECLARE)
    module = directory / f"undeclared{suffix}"
    subprocess.run(["cc", "-shared", "-fPIC", "-I", include, "-o", str(module), str(source)], check=True)
    return module


def test_a_verdict_tells_of_the_gil_of_the_servers_own_process(holdfast, tmp_path):
    python = free_threaded()
    built(python, tmp_path)
    loads = f"sys.path.append({str(tmp_path)!r})\nimport undeclared"
    two = {"ceiling.in_service": 2, "ceiling.bounded": True, "places.before_view": 48, "model.threads_per_process": 2}
    without = Own("without", (python, "server.py"), server(), {**two, "target.gil": False, "waiting": None})
    asked = Own("asked", (python, "-X", "gil=1", "server.py"), server(), {**two, "target.gil": True})
    enabled = Own("enabled", (python, "server.py"), server(loads), {**two, "target.gil": True})

    done = run_all(holdfast, (without, asked, enabled))

    verdicts = {name: each.verdict() for name, each in done.items()}
    for own in (without, asked, enabled):
        assert {name: value(verdicts[own.id], name) for name in own.says} == own.says
    assert verdicts["without"]["unknown"]["waiting"] == NO_GIL
    assert not any("GIL" in each for each in verdicts["without"]["warnings"])
    for each in (verdicts["asked"], verdicts["enabled"]):
        (point,) = each["waiting"]
        assert (point["requests"], point["waits_in"]) == (48, "threading.Semaphore.acquire")
    assert "-X gil=1 or PYTHON_GIL=1 asks for that" in verdicts["asked"]["warnings"][0]
    assert "loading undeclared has enabled it" in verdicts["enabled"]["warnings"][0]


def test_without_the_gil_a_request_that_waits_for_a_time_is_watched_until_it_is_turned_away(holdfast):
    taken = "flask.g.taken = turns.acquire(timeout=0.7)\n    if not flask.g.taken:\n        return 'busy', 503"
    waits = SERVER.replace("turns.acquire()", taken).replace("turns.release()", "flask.g.taken and turns.release()")
    application = waits.partition("class Server")[0].replace("{libraries!r}", repr(LIBRARIES))
    listens = ("--listen=127.0.0.1:{port}", "--threads=6", "app:app")
    own = Own(
        "a time",
        (free_threaded(), "-m", "waitress", *listens),
        {"app.py": application},
        options=("--max-offered", "12"),
        env={"PYTHONPATH": LIBRARIES},
    )

    verdict = run_all(holdfast, (own,))[own.id].verdict()

    # The semaphore lets two in, and its timeout ends the wait of all others, which six threads hand to the application.
    assert (verdict["ceiling"]["in_service"], verdict["overflow"]["client_sees"]) == (2, "503")
