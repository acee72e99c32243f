"""What runs before the view takes time of its own, which is neither a ceiling nor a place."""

from __future__ import annotations

import msgspec
import pytest
from own_commands import ANSWERED, INCONCLUSIVE, Own, run_all
from slow_ways import BEFORE_REQUEST, DEPENDENCY, FEW, MIDDLEWARE, ONLY_THE_FIRST


def probe(holdfast, directory, application, *options, server):
    (directory / "slow.py").write_text(application)
    arguments = ("probe", "slow:app", "--server", server, "--json", "-", *options)
    return holdfast.run(*arguments, cwd=directory)


@pytest.mark.parametrize("way_s", [1.1, 2.0])
def test_a_pool_behind_a_slow_way_is_counted_whole(holdfast, tmp_path, way_s):
    options = ("--max-offered", "10", "--", "--threads", "3")

    ended = probe(holdfast, tmp_path, BEFORE_REQUEST.format(way_s=way_s), *options, server="gunicorn")

    verdict = msgspec.json.decode(ended.out)
    assert ended.exit == ANSWERED
    # gunicorn's own --threads.
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (3, True)
    # A thread of Python cannot be ended, whatever its client does.
    assert verdict["abandoned"]["in_service"] == {"fin": "finishes", "rst": "finishes"}


def test_threads_that_a_slow_dependency_needs_too_are_counted_whole(holdfast, tmp_path):
    ended = probe(holdfast, tmp_path, DEPENDENCY.format(way_s=1.1), "--max-offered", "20", server="uvicorn")

    verdict = msgspec.json.decode(ended.out)
    # The application's own limit on threads, for all `def` functions together.
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (6, True)


def test_a_slow_middleware_is_not_a_ceiling(holdfast, tmp_path):
    ended = probe(holdfast, tmp_path, MIDDLEWARE.format(way_s=1.1), "--max-offered", "40", server="uvicorn")

    verdict = msgspec.json.decode(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (40, False)


def test_where_the_accept_queue_is_short_requests_share_a_slow_way(holdfast, tmp_path):
    options = ("--max-offered", "40", "--", "--backlog", "1")

    ended = probe(holdfast, tmp_path, MIDDLEWARE.format(way_s=1.1), *options, server="uvicorn")

    verdict = msgspec.json.decode(ended.out)
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (40, False)
    # One after another, they take 44 s; half as many as are in, at once, take eleven turns.
    assert verdict["timing"]["probe_s"] < 22


def test_one_place_in_each_worker_is_held_by_a_pool_of_threads(holdfast, tmp_path):
    options = ("--max-offered", "40", "--", "-w", "2", "--threads", "4")

    ended = probe(holdfast, tmp_path, LOCKED, *options, server="gunicorn")

    verdict = msgspec.json.decode(ended.out)
    # Each worker of gunicorn's kind "gthread" has an executor of four threads, whose calls wait for the lock.
    assert (verdict["ceiling"]["in_service"], verdict["model"]["kind"]) == (2, "thread-pool")


def test_exact_load_is_offered_where_only_the_first_request_was_slow(holdfast, tmp_path):
    options = ("--max-offered", "10", "--", "--preload", "-w", "3")

    ended = probe(holdfast, tmp_path, ONLY_THE_FIRST, *options, server="gunicorn")

    # A worker of gunicorn's kind "sync" accepts a connection once it has done with the last one.
    assert msgspec.json.decode(ended.out)["ceiling"]["at_exact_load"] == [3, 3]


def test_where_no_request_reaches_the_view_no_ceiling_is_claimed(holdfast, tmp_path):
    ended = probe(holdfast, tmp_path, FEW, "--max-offered", "20", server="flask")

    assert ended.exit == INCONCLUSIVE
    assert "None of the" in ended.err
    assert "rate limiter" in ended.err


LOCKED = """
import threading
from flask import Flask, g

app, lock = Flask(__name__), threading.Lock()

@app.before_request
def take():
    lock.acquire()
    g.taken = True

@app.teardown_request
def give_back(error):
    if g.pop("taken", False):
        lock.release()

@app.get("/")
def index():
    return "done"
"""

HELPER = "python -m http.server --bind 127.0.0.1 {other}"
LOADED_LATE = """
import time
from flask import Flask

app, loaded = Flask(__name__), []


@app.before_request
def load():
    if not loaded:
        time.sleep(1.7)
        loaded.append(True)


@app.get("/")
def index():
    return "done"
"""


# The second worker takes a request only while the first is busy.
LATE = """
import time
from gunicorn.workers.sync import SyncWorker


class Late(SyncWorker):
    def accept(self, listener):
        if self.age > 1:
            time.sleep(0.05)
        super().accept(listener)
"""


@pytest.mark.servers
def test_what_each_process_needs_once_is_waited_for_where_a_look_for_the_port_was_the_first_request(workshop):
    # With a second port, one request goes to each before the first one of the run.
    files = {"app.py": LOADED_LATE, "late.py": LATE}
    files["start.sh"] = (
        f"{HELPER} &\nPYTHONPATH=$PYTHONPATH:. exec gunicorn -b 127.0.0.1:{{port}} -w 2 -k late.Late app:app\n"
    )
    own = Own("loaded late", ("sh", "start.sh"), files, options=("--max-offered", "60"))

    verdict = run_all(workshop, [own])[own.id].verdict()

    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (2, True)
