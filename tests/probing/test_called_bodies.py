"""`--call`: does my view block the loop? Real bodies, on real servers, by the real command line."""

from __future__ import annotations

import contextlib
import http.server
import json
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

import called_applications as applications
import msgspec
import pytest
from support.commandline import Ended, Holdfast
from support.waiting import until

from holdfast.errors import EXIT_INCONCLUSIVE

SLEEP_MS = 1000 * applications.SLEEP_S
# Of a step that does nothing but go on waiting; a busy machine may take its thread's core away in it.
HARDLY_MS = 100.0
CALLED = 6
# A timer of libuv, which uvloop has, counts whole milliseconds of a clock that is read once in each turn of its loop
# (uv_timer_start, uv_update_time), so it may be early by one.
TIMER_MS = 2.0


class Row(NamedTuple):
    """What is called, and what must be seen.

    Attributes:
        at_once: how many of CALLED bodies.
        stops: whether each body stops its loop for as long as it sleeps; None where there is no loop to stop.
        after: the server's own arguments.
    """

    server: str
    source: str
    path: str
    at_once: int
    stops: bool | None
    after: tuple[str, ...] = ()
    app: str = "called:app"


# A coroutine that awaits lets the loop run others, one that sleeps in time.sleep() does not (asyncio's documentation,
# "Running Blocking Code"). What runs on a thread of its own stops none:
# - FastAPI, Starlette: starlette/concurrency.py, run_in_threadpool; Quart: quart/utils.py, run_sync, an executor.
# - Django under ASGI: asgiref/sync.py, SyncToAsync, a thread for each request (ThreadSensitiveContext).
# On the loop's own thread run Tornado's `def get` (tornado/web.py, _execute), Sanic's `def` handlers (sanic/app.py,
# handle_request) and Litestar's with sync_to_thread=False (litestar/routes/http.py).
QUICK = (
    Row("uvicorn", applications.FASTAPI, "/awaiting", CALLED, stops=False),
    Row("uvicorn", applications.FASTAPI, "/blocking", 1, stops=True),
    Row("uvicorn", applications.FASTAPI, "/def", CALLED, stops=None),
    Row("flask", applications.FLASK, "/def", CALLED, stops=None),
)
SLOW = (
    Row("uvicorn", applications.STARLETTE, "/awaiting", CALLED, stops=False),
    Row("uvicorn", applications.STARLETTE, "/blocking", 1, stops=True),
    Row("uvicorn", applications.FASTAPI, "/blocking", 2, stops=True, after=("--workers", "2")),
    Row("hypercorn", applications.QUART, "/awaiting", CALLED, stops=False),
    Row("hypercorn", applications.QUART, "/blocking", 1, stops=True),
    Row("hypercorn", applications.QUART, "/def", CALLED, stops=None),
    Row("uvicorn", applications.LITESTAR, "/awaiting", CALLED, stops=False),
    Row("uvicorn", applications.LITESTAR, "/blocking", 1, stops=True),
    Row("uvicorn", applications.DJANGO, "/awaiting", CALLED, stops=False, app="called:asgi"),
    Row("uvicorn", applications.DJANGO, "/blocking", 1, stops=True, app="called:asgi"),
    Row("uvicorn", applications.DJANGO, "/def", CALLED, stops=None, app="called:asgi"),
    Row("waitress", applications.DJANGO, "/def", 4, stops=None, app="called:wsgi"),
    Row("aiohttp", applications.AIOHTTP, "/awaiting", CALLED, stops=False),
    Row("aiohttp", applications.AIOHTTP, "/blocking", 1, stops=True),
    Row("tornado", applications.TORNADO, "/awaiting", CALLED, stops=False),
    Row("tornado", applications.TORNADO, "/blocking", 1, stops=True),
    Row("sanic", applications.SANIC, "/awaiting", CALLED, stops=False, after=("--single-process",)),
    Row("sanic", applications.SANIC, "/blocking", 1, stops=True, after=("--single-process",)),
    Row("flask", applications.FLASK, "/def", 1, stops=None, after=("--no-threaded",)),
    Row("flask", applications.FLASK, "/def", 3, stops=None, after=("--processes", "3")),
    # One worker: of two, one may accept more than its threads can run while the other idles (gthread.py, accept).
    Row("gunicorn", applications.FLASK, "/def", 4, stops=None, after=("--threads", "4")),
    Row("gunicorn", applications.FLASK, "/def", 3, stops=False, after=("-k", "gevent", "--worker-connections", "3")),
    Row("eventlet", applications.FLASK, "/def", CALLED, stops=False),
)


def called(holdfast: Holdfast, row: Row, *options: str, env: dict[str, str | None] | None = None) -> Ended:
    # Not importorskip: eventlet, once imported, complains of every later fork of this process.
    if find_spec(row.server) is None:
        pytest.skip(f"not installed: {row.server}")
    (holdfast.directory / "called.py").write_text(row.source)
    given = ("--max-offered", "60", "--python", sys.executable, "--path", row.path, "--call", "--json", "-")
    after = ("--", *row.after) if row.after else ()
    return holdfast.run("probe", row.app, "--server", row.server, *given, *options, *after, env=env)


def verdict_of(ended: Ended) -> dict[str, object]:
    assert ended.exit == 0, ended.err
    return msgspec.json.decode(ended.out)


def names(rows: tuple[Row, ...]) -> list[str]:
    return [" ".join((row.server, row.source.split("from ")[1].split()[0], row.path, *row.after)) for row in rows]


@pytest.mark.parametrize("row", QUICK, ids=names(QUICK))
def test_a_call_tells_how_many_bodies_run_at_once_and_how_long_they_stop_the_loop(holdfast, row):
    check_call(verdict_of(called(holdfast, row, "--max-called", str(CALLED))), row)


@pytest.mark.servers
@pytest.mark.parametrize("row", SLOW, ids=names(SLOW))
def test_a_call_tells_the_same_of_other_servers_and_frameworks(holdfast, row):
    check_call(verdict_of(called(holdfast, row, "--max-called", str(CALLED))), row)


def check_call(verdict, row):
    call, alone = verdict["call"], verdict["call"]["alone"]
    assert (call["offered"], call["bodies"], call["finished"], call["raised"]) == (CALLED, CALLED, CALLED, 0)
    assert call["replies"] == {"200": CALLED}
    assert (alone["status"], alone["raised"]) == (200, False)
    assert call["at_once"] == row.at_once
    assert call["duration_ms"]["median"] >= SLEEP_MS - TIMER_MS
    assert alone["duration_ms"] >= SLEEP_MS - TIMER_MS
    if row.stops is None:
        assert call["longest_stop_ms"] is call["stop_ms"] is alone["longest_stop_ms"] is None
        assert "without an event loop" in verdict["unknown"]["call.longest_stop_ms"]
        return
    least, most = (SLEEP_MS, SLEEP_MS + HARDLY_MS) if row.stops else (0.0, HARDLY_MS)
    assert least <= call["stop_ms"]["median"] <= call["longest_stop_ms"]
    assert call["stop_ms"]["median"] < most
    assert least <= alone["longest_stop_ms"] < most
    assert call["loop"] == "shared"


@pytest.mark.servers
def test_the_forty_threads_of_fastapi_run_forty_bodies_at_once(holdfast):
    # anyio/_backends/_asyncio.py, current_default_thread_limiter: CapacityLimiter(40).
    row = Row("uvicorn", applications.FASTAPI, "/def", 40, stops=None)
    call = verdict_of(called(holdfast, row, "--max-called", "50"))["call"]

    assert (call["bodies"], call["at_once"], call["processes"]) == (50, 40, 1)


class Slow(http.server.BaseHTTPRequestHandler):
    """Answers after SLEEP_S, as an API does on which a view depends."""

    def do_GET(self) -> None:
        threading.Event().wait(applications.SLEEP_S)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"slept")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextlib.contextmanager
def slow_server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_a_blocking_request_inside_an_async_view_shows_up_with_its_figure(holdfast):
    row = Row("uvicorn", applications.FASTAPI, "/fetching", 1, stops=True)
    with slow_server() as url:
        ended = called(holdfast, row, "--max-called", "4", env={"SLOW_SERVER": url, "NO_PROXY": "*"})
    call = verdict_of(ended)["call"]

    assert (call["finished"], call["raised"], call["at_once"]) == (4, 0, 1)
    assert call["stop_ms"]["median"] >= SLEEP_MS
    assert call["stop_ms"]["median"] > 0.9 * call["duration_ms"]["median"]


def test_what_bodies_raise_is_counted_with_the_replies(holdfast):
    row = Row("uvicorn", applications.FASTAPI, "/raising", 1, stops=True)
    call = verdict_of(called(holdfast, row, "--max-called", "9"))["call"]

    # The one that was called alone was number 0, so these are 1 to 9.
    assert (call["bodies"], call["finished"], call["raised"]) == (9, 9, 6)
    assert call["replies"] == {"200": 3, "404": 3, "500": 3}


@pytest.mark.servers
@pytest.mark.parametrize(("user", "status"), [("ann", 200), ("eve", 403)])
def test_a_body_sees_the_persons_own_headers(holdfast, user, status):
    row = Row("uvicorn", applications.FASTAPI, "/only-for-ann", 1, stops=True)
    call = verdict_of(called(holdfast, row, "--max-called", "3", "-H", f"X-User: {user}"))["call"]

    assert call["replies"] == {str(status): 3}
    assert call["raised"] == (0 if status == 200 else 3)


@pytest.mark.parametrize(("path", "stopping"), [("/never", False), ("/never-again", True)])
def test_a_body_that_never_ends_does_not_hang_the_probe_and_is_given_no_figure(holdfast, path, stopping):
    row = Row("uvicorn", applications.FASTAPI, path, 0, stops=None)
    began = time.monotonic()
    verdict = verdict_of(called(holdfast, row, "--call-timeout", "1.5"))
    call, unknown = verdict["call"], verdict["unknown"]

    assert time.monotonic() - began < 30
    assert verdict["ceiling"]["in_service"] == 60
    assert (call["bodies"], call["at_once"], call["alone"]["duration_ms"]) == (0, None, None)
    assert call["alone"]["longest_stop_ms"] is None
    assert "had not ended after 1.5 s" in unknown["call.alone.duration_ms"]
    assert ("still blocking its event loop" in unknown["call.alone.longest_stop_ms"]) == stopping
    assert any("had not ended" in warning for warning in verdict["warnings"])


def test_when_the_time_is_over_no_further_body_begins(holdfast):
    row = Row("uvicorn", applications.FASTAPI, "/blocking", 1, stops=True)
    verdict = verdict_of(called(holdfast, row, "--max-called", "40", "--call-timeout", "1"))
    call = verdict["call"]

    assert 1 <= call["bodies"] == call["finished"] <= 8  # 40 would take 8 s, and the time was one
    assert call["at_once"] == 1
    assert any("did not begin" in warning for warning in verdict["warnings"])


@pytest.mark.servers
def test_a_body_that_ends_the_server_leaves_the_ceiling_as_it_was_measured(holdfast):
    row = Row("uvicorn", applications.FASTAPI, "/exiting", 0, stops=None)
    verdict = verdict_of(called(holdfast, row, "--max-called", "3"))

    assert verdict["ceiling"]["in_service"] == 60
    assert verdict["call"]["alone"]["duration_ms"] is None
    assert any(warning.startswith("While bodies ran: ") for warning in verdict["warnings"])


@pytest.mark.servers
def test_of_a_stream_it_says_that_the_figures_end_where_the_view_returned(holdfast):
    row = Row("uvicorn", applications.FASTAPI, "/stream", 1, stops=True)
    verdict = verdict_of(called(holdfast, row, "--max-called", "2"))

    assert verdict["call"]["replies"] == {"200": 2}
    assert any("a stream" in warning for warning in verdict["warnings"])


def test_without_a_view_there_is_no_body_to_call(holdfast):
    row = Row("uvicorn", applications.FASTAPI, "/missing", 0, stops=None)
    ended = called(holdfast, row)
    verdict = msgspec.json.decode(ended.out)

    # Nor is anything said of the view that the path does not have.
    assert (ended.exit, verdict["ceiling"]["in_service"]) == (EXIT_INCONCLUSIVE, None)
    assert verdict["call"] is None
    assert "no body began" in verdict["unknown"]["call"]


@pytest.mark.servers
def test_bodies_of_a_persons_own_command_are_called_too(holdfast):
    pytest.importorskip("gunicorn")
    (holdfast.directory / "called.py").write_text(applications.FLASK)
    gunicorn = (sys.executable, "-m", "gunicorn", "--threads", "3", "-b", "127.0.0.1:0", "called:app")
    given = ("--max-offered", "60", "--path", "/def", "--call", "--max-called", str(CALLED), "--json", "-")
    running = holdfast.start("exec", *given, "--", *gunicorn)
    call = verdict_of(running.ended())["call"]
    running.nothing_is_left(within_s=5)

    assert (call["bodies"], call["at_once"], call["replies"]) == (CALLED, 3, {"200": CALLED})


def test_after_ctrl_c_no_further_body_begins(holdfast):
    (holdfast.directory / "called.py").write_text(
        "import time\nfrom flask import Flask\napp = Flask(__name__)\n"
        "@app.route('/')\ndef index():\n    open('ran', 'a').write('x')\n    time.sleep(0.2)\n    return 'ran'\n"
    )
    given = ("called.py", "--max-offered", "20", "--python", sys.executable, "--json", "-", "--call")
    running = holdfast.start("probe", *given, "--max-called", "60", "--", "--no-threaded")
    ran = holdfast.directory / "ran"
    until(lambda: ran.exists() and len(ran.read_text()) >= 4, "bodies that run")
    running.press_ctrl_c()
    ended = running.ended()
    running.nothing_is_left()

    assert ended.exit == 3
    call = msgspec.json.decode(ended.out)["call"]
    # Of what ran until then, it tells; 60 would have taken 12 s.
    assert 3 <= call["bodies"] == len(ran.read_text()) - 1 < 30


def test_without_the_option_no_body_runs(holdfast):
    (holdfast.directory / "called.py").write_text(
        "import os\nfrom flask import Flask\napp = Flask(__name__)\n"
        "@app.route('/')\ndef index():\n    open('ran', 'a').write('x')\n    return 'ran'\n"
    )
    common = ("called.py", "--max-offered", "20", "--python", sys.executable, "--json", "-")
    without = json.loads(holdfast.run("probe", *common).out)

    assert without["call"] is None
    assert without["unknown"]["call"] == "--call was not asked for"
    assert not (holdfast.directory / "ran").exists()

    holdfast.run("probe", *common, "--call", "--max-called", "5")

    # As many as was said: five together, after one alone.
    assert (holdfast.directory / "ran").read_text() == "x" * 6
