"""The server is killed, stopped or goes silent while requests are held in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal

import pytest
from support.waiting import until

from holdfast.observe.kernel import KernelView

ANSWERED, INCONCLUSIVE = 0, 3

# A server that is whole is given longer than this to work off what waits in it.
WAITED_FOR_S = 5.0

MANY = ("--max-offered", "2000")
SERVERS = {
    "flask": ("--server", "flask"),
    "flask processes": ("--server", "flask", "--", "--processes", "3"),
    "uwsgi": ("--server", "uwsgi", "--", "--processes", "2"),
    "uwsgi master": ("--server", "uwsgi", "--", "--processes", "2", "--master"),
}
every_server = pytest.mark.parametrize("arguments", SERVERS.values(), ids=SERVERS)


@every_server
def test_a_server_that_is_killed_gets_no_verdict(holdfast, arguments):
    running = holdfast.start("probe", *MANY, *arguments)
    running.until_held(2)
    running.signal(signal.SIGSTOP)

    os.kill(running.server(), signal.SIGKILL)
    running.signal(signal.SIGCONT)
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    assert ended.what == "holdfast: The server ended in the middle of the probe."
    assert "It was ended by signal 9 (Killed)" in ended.err
    assert not ended.out


@every_server
def test_a_server_that_is_stopped_gets_no_verdict(holdfast, arguments):
    running = holdfast.start("probe", *MANY, *arguments)
    running.until_held(2)

    # Once the first is stopped, holdfast may end the others.
    server = running.server()
    for each in [pid for pid in running.processes() if os.getsid(pid) == server]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(each, signal.SIGSTOP)
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.err
    assert ended.what == "holdfast: The server was stopped (SIGSTOP, or a debugger) in the middle of the probe."
    assert not ended.out


@pytest.mark.parametrize(
    "arguments",
    [
        SERVERS["flask processes"],
        SERVERS["uwsgi master"],
        ("--server", "uwsgi", "--", "--http-socket", ":0", "--processes", "3", "--master"),
    ],
    ids=["flask processes", "uwsgi http master", "uwsgi http-socket master"],
)
def test_a_worker_that_is_killed_does_not_pass_for_a_limit_of_the_server(holdfast, arguments):
    running = holdfast.start("probe", "--json", "-", *MANY, *arguments)
    running.until_held(2)
    running.signal(signal.SIGSTOP)

    worker = next(each for each in running.in_service() if each != running.server())
    os.kill(worker, signal.SIGKILL)
    until(lambda: worker not in running.processes(), "the end of the worker")
    running.signal(signal.SIGCONT)
    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.out
    assert ended.what.startswith("holdfast: A process of the server died in the middle of the probe")
    assert f"(pid {worker})" in ended.what
    assert not ended.out


def _stopped_while_clients_leave(holdfast):
    """A probe that is stopped when its places are counted and their requests are held yet, and a worker with one.

    Once the places are counted, clients leave whose requests are in service; a moment later all are released. Where
    this process had no core meanwhile, the probe has got further, and another one is started.
    """
    arguments = ("--server", "uwsgi", "--", "--http-socket", ":0", "--processes", "3", "--master")

    def left(port):
        ends = kernel.server_sockets(port) if kernel.accept_queue(port).full else ()
        return any(each.state == "CLOSE_WAIT" for each in ends)

    with KernelView() as kernel:
        for _ in range(20):
            running = holdfast.start("probe", "--json", "-", "--max-offered", "200", *arguments)
            until(lambda probe=running: left(probe.port) or probe.process.poll() is not None, "a client that left")
            if running.process.poll() is None:
                running.stop()
                if len(held := running.held()) == 3:
                    return running, held[0]
                running.signal(signal.SIGCONT)
            running.ended()
    raise AssertionError("no probe could be stopped while its clients left")


def test_a_worker_that_is_killed_after_the_places_were_counted_leaves_what_was_counted(holdfast):
    running, worker = _stopped_while_clients_leave(holdfast)

    os.kill(worker, signal.SIGKILL)
    running.signal(signal.SIGCONT)
    ended = running.ended()

    assert ended.exit == ANSWERED, ended.err
    verdict = json.loads(ended.out)
    assert verdict["ceiling"]["in_service"] == 3
    assert verdict["ceiling"]["at_exact_load"] == [3, 3]  # offered before the queue was filled
    assert any(f"died in the middle of the probe (pid {worker})" in each for each in verdict["warnings"])
    assert verdict["timing"]["total_s"] < WAITED_FOR_S


def test_a_worker_that_the_server_kills_for_its_slowness_is_no_limit_of_the_server_either(holdfast):
    arguments = ["--server", "uwsgi", "--", "--http-socket", ":0", "--processes", "2", "--master", "--harakiri", "1"]
    running = holdfast.start("probe", *MANY, *arguments)
    running.until_held(2)
    running.signal(signal.SIGSTOP)
    until(lambda: "HARAKIRI" in running.log(), "a worker that is killed")
    running.signal(signal.SIGCONT)

    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.out
    assert "died in the middle of the probe" in ended.what
    assert "a worker timeout" in ended.err


LIMITED = """
import signal, flask
app = flask.Flask(__name__)
def give_up(number, frame):
    raise TimeoutError("this took too long")
signal.signal(signal.SIGALRM, give_up)
@app.before_request
def limit():
    signal.setitimer(signal.ITIMER_REAL, 1)
@app.get("/")
def index():
    return ""
"""


def test_a_view_that_is_broken_off_is_no_limit_of_the_server_either(holdfast, write):
    write("limited.py", LIMITED)
    running = holdfast.start("probe", "limited.py", "--", "--no-threaded")
    running.until_ramping()
    running.signal(signal.SIGSTOP)
    until(lambda: "this took too long" in running.log(), "a view that is broken off")
    running.signal(signal.SIGCONT)

    ended = running.ended()

    assert ended.exit == INCONCLUSIVE, ended.out
    assert "time limit for requests does that, here one of about 1." in ended.err
    assert "TimeoutError: this took too long" in ended.err
    assert not ended.out


SLOW = (
    "import time\nfrom flask import Flask\napp = Flask(__name__)\n"
    "@app.before_request\ndef wait():\n    time.sleep(0.3)\n"
    "@app.get('/')\ndef index():\n    return 'hello'\n"
)
# Handlers start one after another, 0.3 s each, so that not all of them are in before the first is ended. uWSGI counts
# whole seconds (core/utils.c, set_harakiri), so that a limit of 2 is one of 1 to 2 s.
TIME_LIMITS = {
    "gunicorn": ("gunicorn", "slow.py", "--timeout", "1", "--workers", "6"),
    "uwsgi": ("uwsgi", "slow.py", "--http-socket", ":0", "--master", "--harakiri", "2", "--processes", "9"),
}


@pytest.mark.parametrize("server", TIME_LIMITS)
def test_a_time_limit_for_requests_is_what_is_found_where_it_ends_them(holdfast, write, server):
    pytest.importorskip({"uwsgi": "pyuwsgi"}.get(server, server))
    write("slow.py", SLOW)
    name, app, *arguments = TIME_LIMITS[server]

    ended = holdfast.run("probe", app, "--server", name, "--", *arguments)

    assert ended.exit == INCONCLUSIVE, ended.out
    assert re.search(r"time limit for requests.* of about \d+\.\d s", ended.err)
    assert not ended.out


def test_a_worker_that_is_replaced_after_a_number_of_requests_does_not_pass_for_a_limit(holdfast):
    pytest.importorskip("gunicorn")
    arguments = ("--threads", "8", "--max-requests", "5", "--backlog", "7")

    ended = holdfast.run("probe", "--server", "gunicorn", "--", *arguments)

    # gunicorn/workers/gthread.py: beyond max_requests a worker takes nothing more, with 8 threads to run it.
    assert ended.exit == INCONCLUSIVE, ended.out
    assert "replaces its processes after a number of requests" in ended.what


ENDS_ITSELF = (
    "import os\nfrom flask import Flask\napp = Flask(__name__)\ntaken = []\n"
    "@app.before_request\ndef count():\n    taken.append(1)\n    if len(taken) == 9:\n        os._exit(1)\n"
    "@app.get('/')\ndef index():\n    return 'hello'\n"
)


def test_a_worker_that_its_application_ends_is_not_said_to_be_replaced_after_a_number_of_requests(holdfast, write):
    pytest.importorskip("gunicorn")
    write("ends.py", ENDS_ITSELF)

    ended = holdfast.run("probe", "ends.py", "--server", "gunicorn", "--", "--workers", "1")

    assert ended.exit == INCONCLUSIVE, ended.err
    assert not ended.out
    assert "with a request in it" in ended.what
    assert "the application ended it, or something in it failed" in ended.err


def test_a_worker_that_has_reached_its_number_only_later_is_probed(holdfast):
    pytest.importorskip("gunicorn")
    arguments = ("--workers", "2", "--max-requests", "5", "--backlog", "7")

    ended = holdfast.run("probe", "--json", "-", "--server", "gunicorn", "--", *arguments)

    verdict = json.loads(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["accept_queue"]) == (2, 8)
    assert verdict["model"]["spread"] == [1, 1]


# gunicorn/workers/sync.py: a request counts when it begins, and the worker ends after the last of them; one at a time.
# gunicorn/workers/gthread.py: so too, with `threads` at a time, and what was accepted is still run.
REPLACED_SOON = {
    "one at a time": (("--max-requests", "5"), 1),
    "threads": (("--threads", "4", "--max-requests", "8"), 4),
}


@pytest.mark.parametrize(("arguments", "places"), REPLACED_SOON.values(), ids=REPLACED_SOON)
def test_a_server_that_often_replaces_its_process_is_probed_where_that_is_not_what_stops_it(
    holdfast, arguments, places
):
    pytest.importorskip("gunicorn")

    ended = holdfast.run("probe", "--json", "-", "--max-offered", "60", "--server", "gunicorn", "--", *arguments)

    assert ended.exit == ANSWERED, ended.err
    verdict = json.loads(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["model"]["spread"]) == (places, [places])
    assert verdict["unknown"]["ceiling.at_exact_load"] == (
        "the server replaced a process that takes requests meanwhile"
    )


def test_exact_load_does_not_use_up_the_number_of_requests_after_which_a_worker_is_replaced(holdfast):
    pytest.importorskip("gunicorn")
    pool = ("-k", "gevent", "--workers", "2", "--worker-connections", "20", "--max-requests", "100")

    ended = holdfast.run("probe", "--json", "-", "--server", "gunicorn", "--", *pool)

    # gunicorn/workers/ggevent.py: a pool of worker_connections, which is asked before a connection is accepted.
    assert ended.exit == ANSWERED, ended.err
    assert json.loads(ended.out)["ceiling"]["in_service"] == 40


# Applications that keep replies back, and the command lines that wait for them; these wait together.
KEEPS_BACK = {
    "silent.py": (
        "import threading\nfrom app import app\n@app.before_request\ndef wait():\n    threading.Event().wait()\n"
    ),
    "stuck.py": (
        "import threading\nfrom app import app\n@app.after_request\ndef wait(response):\n    threading.Event().wait()\n"
    ),
    "tiring.py": (
        "import itertools, threading\nfrom app import app\nnumber = itertools.count(1)\n"
        "@app.after_request\ndef wait(response):\n"
        "    if next(number) > 1: threading.Event().wait()\n"
        "    return response\n"
    ),
}
WAITING = {
    "silent.py": ("--start-timeout", "4"),
    "stuck.py": ("--start-timeout", "4"),
    "tiring.py": ("--max-offered", "10"),
}


@pytest.fixture(scope="module")
def kept_back(workshop):
    for name, content in KEEPS_BACK.items():
        (workshop.directory / name).write_text(content)
    ended = workshop.run_together([("probe", name, *options) for name, options in WAITING.items()])
    return dict(zip(WAITING, ended, strict=True))


def test_what_was_seen_of_runs_without_an_answer_is_kept(workshop, kept_back):
    numbers = [line.split()[0] for line in workshop.run("runs").out.splitlines()[1:] if line.strip()]
    again = [workshop.run("show", number) for number in numbers]

    assert sorted((each.exit, each.err) for each in again) == sorted(
        (each.exit, each.err) for each in kept_back.values()
    )


def test_a_server_that_never_answers_is_not_waited_for_for_ever(kept_back):
    ended = kept_back["silent.py"]

    assert ended.exit == INCONCLUSIVE
    assert ended.what == "holdfast: The server did not answer the first request, GET /, within 4 s."
    assert "no view was entered" in ended.err


def test_a_reply_that_never_leaves_is_not_waited_for_for_ever(kept_back):
    ended = kept_back["stuck.py"]

    assert ended.exit == INCONCLUSIVE
    assert ended.what == "holdfast: The view at / returned, but no reply came within 4 s."
    assert "after_request" in ended.err


def test_a_server_that_stops_answering_once_it_is_full_gets_no_verdict(kept_back):
    ended = kept_back["tiring.py"]

    assert ended.exit == INCONCLUSIVE
    assert ended.what.startswith("holdfast: The server stopped answering")


def test_middleware_that_lets_only_some_in_is_a_limit_that_is_found(holdfast, write):
    write(
        "narrow.py",
        "import threading\nfrom app import app\nplaces = threading.Semaphore(5)\n"
        "@app.before_request\ndef wait():\n    places.acquire()\n"
        "@app.teardown_request\ndef free(error):\n    places.release()\n",
    )

    ended = holdfast.run("probe", "narrow.py", "--max-offered", "40", "--json", "-")

    assert ended.exit == ANSWERED, ended.err
    verdict = json.loads(ended.out)
    assert verdict["places"]["in_service"] == 5
    assert verdict["places"]["userspace_queue"] == 35


ENDS = """
import os, threading
from flask import Flask

app = Flask(__name__)
counting, there = threading.Lock(), 0

@app.before_request
def come():
    global there
    with counting:
        there += 1

@app.teardown_request
def leave(error):
    global there
    with counting:
        there -= 1

@app.after_request
def end(response):
    if there > 4:
        os._exit(1)
    return response

@app.get("/")
def index():
    return ""
"""


def test_a_worker_that_ends_with_requests_in_its_handlers_is_named_and_not_a_busy_machine(holdfast, write):
    pytest.importorskip("gunicorn")
    write("ends.py", ENDS)

    ended = holdfast.run("probe", "ends.py", "--server", "gunicorn", "--max-offered", "100", "--", "--threads", "8")

    assert ended.exit == INCONCLUSIVE, ended.out
    assert "A process of the server ended in the middle of the probe" in ended.what
    assert "less to do" not in ended.err
