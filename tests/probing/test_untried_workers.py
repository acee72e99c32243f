"""Workers that share one listening socket by chance: none that was not tried counts as full."""

from __future__ import annotations

import sys

import msgspec
import pytest

APPLICATION = """
from flask import Flask

app = Flask(__name__)

@app.get("/")
def index():
    return "done"
"""


@pytest.mark.parametrize("offered", ["6", "60"])
@pytest.mark.parametrize("bind", ["127.0.0.1:0", "unix:0"])
def test_four_workers_with_a_thread_each_are_four_or_said_to_be_perhaps_four(holdfast, tmp_path, offered, bind):
    (tmp_path / "app.py").write_text(APPLICATION)
    settings = ("-w", "4", "-k", "gthread", "--threads", "1", "--bind", bind)

    ended = holdfast.run(
        *("probe", "app:app", "--server", "gunicorn", "--max-offered", offered, "--json", "-", "--", *settings),
        cwd=tmp_path,
    )

    verdict = msgspec.json.decode(ended.out)
    ceiling = verdict["ceiling"]
    # gunicorn's own -w, with one thread each.
    assert verdict["model"]["processes"] == 4
    assert ceiling["in_service"] == 4 if ceiling["bounded"] else ceiling["interval"][1] == 4


@pytest.mark.parametrize("offered", ["6", "100"])
def test_a_worker_that_was_dealt_no_request_counts_as_a_process(holdfast, offered):
    """All workers wait on one socket (socket(7)), and the kernel wakes all of them: any may accept every request."""
    settings = ("--max-offered", offered, "--json", "-", "--", "--workers", "4")

    ended = holdfast.run("probe", "--server", "uvicorn", "--framework", "starlette", *settings)

    verdict = msgspec.json.decode(ended.out)
    # uvicorn's own --workers; nothing bounds the tasks of their loops.
    assert verdict["model"]["processes"] == len(verdict["model"]["spread"]) == 4
    assert sum(verdict["model"]["spread"]) == verdict["ceiling"]["in_service"] == int(offered)
    assert verdict["ceiling"]["bounded"] is False


# A worker comes once the first one has all requests in a queue of its own, so that none is left for it.
TOO_LATE = """
import os, signal, threading, time

bind, threads = "127.0.0.1:0", 2

def post_fork(server, worker):
    if worker.age == 1:
        threading.Thread(target=ask, args=(worker,), daemon=True).start()

def ask(worker):
    while getattr(worker, "nr_conns", 0) < 40:
        time.sleep(0.01)
    os.kill(os.getppid(), signal.SIGTTIN)
"""


@pytest.mark.servers
def test_a_worker_that_comes_too_late_for_the_requests_that_wait_has_not_been_tried(holdfast, tmp_path):
    (tmp_path / "app.py").write_text(APPLICATION)
    (tmp_path / "conf.py").write_text(TOO_LATE)
    settings = ("--max-offered", "40", "--watch", "5", "--json", "-")

    command = (sys.executable, "-m", "gunicorn", "-c", "conf.py", "app:app")
    ended = holdfast.run("exec", *settings, "--", *command, cwd=tmp_path)

    verdict = msgspec.json.decode(ended.out)
    # gunicorn documentation, Signal Handling: TTIN increments the number of processes by one, each with its 2 threads.
    assert verdict["model"]["processes"] == 2
    assert verdict["ceiling"]["bounded"] is False
    assert verdict["ceiling"]["interval"] == [2, 4]


# The kernel shares out connections among all sockets of a port (socket(7), SO_REUSEPORT). One is never accepted from.
DEAF = (
    APPLICATION
    + """
import os, signal, socket, sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

def listening():
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind(("127.0.0.1", int(sys.argv[1])))
    made.listen(20)
    return made

if os.fork() == 0:
    deaf = listening()
    signal.pause()
server = WSGIServer(("127.0.0.1", 0), WSGIRequestHandler)
server.socket.close()
server.socket = listening()
server.set_app(app)
server.serve_forever()
"""
)


@pytest.mark.servers
def test_a_process_that_never_accepts_from_a_queue_of_its_own_is_told(holdfast, tmp_path):
    (tmp_path / "app.py").write_text(DEAF)
    port = holdfast.free_port()
    command = ("exec", "--max-offered", "60", "--json", "-", "--", sys.executable, "app.py", str(port))

    ended = holdfast.run(*command, cwd=tmp_path, port=port)

    if ended.exit:
        # By chance the first request has come to it.
        assert "It waits in an accept queue, from which no process took it" in ended.err
        return
    verdict = msgspec.json.decode(ended.out)
    # wsgiref serves one request at a time in each process.
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (1, False)
    assert verdict["ceiling"]["interval"] == [1, 2]
    assert "does not accept" in verdict["warnings"][0]


@pytest.mark.servers
def test_a_first_request_that_no_process_takes_is_said_to_wait_in_the_accept_queue(holdfast, tmp_path):
    (tmp_path / "app.py").write_text(DEAF.replace("if os.fork() == 0:", "if True:"))
    port = holdfast.free_port()
    command = ("exec", "--max-offered", "9", "--", sys.executable, "app.py", str(port))

    ended = holdfast.run(*command, cwd=tmp_path, port=port)

    assert ended.exit == 3
    assert "It waits in an accept queue, from which no process took it" in ended.err


# The second worker imports the application for as long as the probe lasts; it has the master's socket from the start.
STARTING = (
    APPLICATION
    + """
import os, select, socket, time

try:
    os.close(os.open("first", os.O_CREAT | os.O_EXCL))
except FileExistsError:
    WAIT
"""
)


@pytest.mark.servers
@pytest.mark.parametrize(
    "wait",
    [
        "time.sleep(120)",
        "pair = socket.socketpair(); pair[0].recv(1)",
        "pair = os.pipe(); select.select(pair[:1], [], [])",
    ],
)
def test_a_worker_that_still_imports_the_application_makes_the_ceiling_at_least(holdfast, tmp_path, wait):
    (tmp_path / "app.py").write_text(STARTING.replace("WAIT", wait))
    command = (sys.executable, "-m", "gunicorn", "-w", "2", "--graceful-timeout", "1", "-b", "127.0.0.1:0", "app:app")

    ended = holdfast.run("exec", "--max-offered", "20", "--json", "-", "--", *command, cwd=tmp_path)

    verdict = msgspec.json.decode(ended.out)
    # A worker of gunicorn's kind "sync" has one request at a time.
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (1, False)
    assert verdict["ceiling"]["interval"] == [1, 2]
    # One that does other work looks the same.
    assert (verdict["model"]["kind"], verdict["model"]["processes"], verdict["model"]["spread"]) == (None, None, None)
    assert "worker that still starts" in verdict["unknown"]["model.kind"]
    assert "still be starting" in verdict["warnings"][0]


HELPER = """
import multiprocessing
import time

def when_ready(server):
    multiprocessing.get_context("fork").Process(target=time.sleep, args=(120,), daemon=True).start()
"""


@pytest.mark.servers
def test_a_helper_of_the_master_that_sleeps_makes_no_pool_of_one_worker(holdfast, tmp_path):
    (tmp_path / "app.py").write_text(APPLICATION)
    (tmp_path / "conf.py").write_text(HELPER)
    command = (sys.executable, "-m", "gunicorn", "-c", "conf.py", "-w", "1", "-b", "127.0.0.1:0", "app:app")

    ended = holdfast.run("exec", "--max-offered", "20", "--json", "-", "--", *command, cwd=tmp_path)

    verdict = msgspec.json.decode(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (1, False), ended.err
    assert (verdict["model"]["kind"], verdict["model"]["processes"]) == (None, None)
    assert "or it does other work" in verdict["warnings"][0]
