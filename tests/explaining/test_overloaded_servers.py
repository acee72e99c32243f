"""What becomes of clients, queues and handlers under twice a server's throughput, as the servers' sources say."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from overloaded import least_backlog_s, overloaded

from holdfast.errors import InconclusiveError
from holdfast.explaining.overload import OverloadOptions
from holdfast.infer.overload import judge_overload


class Row(NamedTuple):
    """A server that serves all that came, in order.

    Attributes:
        places: its ceiling, as the conformance table has it.
        queue: where clients wait: "kernel", "between" its own processes, or "inside".
        source: says so.
    """

    server: str
    places: int
    arguments: tuple[str, ...]
    queue: str
    source: str
    framework: str | None = None
    view: str | None = None


SERVES_ALL = (
    Row(
        "gunicorn",
        2,
        ("-w", "2"),
        "kernel",
        "gunicorn/workers/sync.py, run_for_one(): accept() and handle(), one after another",
    ),
    Row(
        "gunicorn",
        4,
        ("-k", "gthread", "--threads", "4"),
        "inside",
        "gunicorn/workers/gthread.py: accept() submits each connection to the pool, whose queue is unbounded",
    ),
    Row(
        "waitress",
        4,
        ("--threads", "4"),
        "inside",
        "waitress/channel.py: with channel_request_lookahead 0, readable() is false while a request is queued, so the "
        "client's FIN is not read and service() finds it connected",
    ),
    Row(
        "uvicorn",
        40,
        (),
        "inside",
        "starlette/routing.py, request_response(): run_in_threadpool(), with AnyIO's 40 tokens; "
        "uvicorn/protocols/http/httptools_impl.py, connection_lost() only notes that the client has left",
        "starlette",
        "sync",
    ),
    Row(
        "uwsgi",
        2,
        ("--processes", "2"),
        "between",
        "plugins/http/http.c: the router connects to the workers' socket for each request",
    ),
)


@pytest.mark.parametrize("row", SERVES_ALL, ids=lambda row: f"{row.server}-{row.queue}")
def test_who_came_is_served_though_it_has_left(row):
    service_s = 0.2 if row.places == 40 else 0.1
    target = {"framework": row.framework, "view": row.view}
    record = overloaded(row.server, row.places, *row.arguments, service_s=service_s, **target)
    (raw,), (level,) = record.levels, judge_overload(record).levels

    assert level.why_not == ""
    vain = level.in_vain
    assert level.clients.timed_out == vain.left > vain.begun > 0
    assert vain.dropped == 0
    assert vain.share > 0
    assert level.most_in_service == row.places
    assert level.recovery.idle_s >= least_backlog_s(record, raw)
    queue = {"kernel": level.deepest_queue, "between": level.deepest_inner_queue}.get(row.queue)
    if queue is None:
        assert max(level.deepest_queue, level.deepest_inner_queue) < level.most_waiting / 2
    else:
        # The kernel's queue is read now and then, and the clients are counted at every instant.
        assert queue > level.most_waiting / 2


def test_a_server_that_looks_ahead_drops_the_requests_of_those_that_have_left():
    # waitress/channel.py: with channel_request_lookahead 1, readable() is true while one request is queued, so
    # handle_read() reads the FIN and notes that the client has left; service() does not run such a request.
    record = overloaded("waitress", 4, "--threads", "4", "--channel-request-lookahead", "1")
    overload = judge_overload(record)
    (level,) = overload.levels

    assert level.why_not == ""
    # A FIN may come in the instant in which a thread takes the request.
    assert level.in_vain.dropped > level.in_vain.begun
    assert any("drops the requests of clients that have left" in each for each in overload.sentences)


def test_a_server_without_a_ceiling_has_no_queue_at_a_rate_that_the_machine_can_do():
    # werkzeug/serving.py, ThreadedWSGIServer: a thread for each connection.
    options = OverloadOptions(level_s=0.6, factors=(0.5, 2.0), instead=8)
    overload = judge_overload(overloaded("flask", None, options=options))

    assert overload.ceiling is None
    assert overload.throughput_per_s == 80
    assert "found no ceiling" in overload.sentences[0]
    for level in overload.levels:
        assert level.why_not or level.in_vain.left == 0
        assert level.why_not or level.clients.in_time + level.clients.late == level.clients.came


FAILS = """
from flask import Flask
app = Flask(__name__)

@app.get("/")
def index():
    raise RuntimeError("broken")
"""


def test_a_view_that_fails_alone_cannot_be_overloaded(tmp_path):
    (tmp_path / "shop.py").write_text(FAILS)

    with pytest.raises(InconclusiveError) as failure:
        overloaded("gunicorn", 1, app="shop:app", cwd=tmp_path, service_s=None, path="/")

    assert "answered with 500" in failure.value.what
    assert "--service-time" in failure.value.remedy


DIES = """
import itertools, os, time
from flask import Flask
app = Flask(__name__)
served = itertools.count()

@app.get("/")
def index():
    if next(served) > 8:
        os.kill(os.getpid(), 9)
    time.sleep(0.05)
    return "slept"
"""


def test_a_server_that_dies_under_load_ends_the_level_and_those_after_it(tmp_path):
    (tmp_path / "shop.py").write_text(DIES)
    options = OverloadOptions(level_s=0.6, factors=(1.0, 2.0))
    record = overloaded("waitress", 4, app="shop:app", cwd=tmp_path, service_s=None, options=options)
    first, second = judge_overload(record).levels

    assert "in the middle of the probe" in record.levels[0].cut_short
    assert first.why_not or "cut short" in first.doubts[0]
    assert "the level before was not finished" in second.why_not
    # What had come by then is kept.
    assert record.levels[0].attempts
