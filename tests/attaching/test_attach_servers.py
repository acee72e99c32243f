"""Running servers of every kind, looked at from outside: the estimate against what their own source says.

Each row has its source; nothing in it comes from holdfast's own output.
"""

from __future__ import annotations

import http.client
import socket
import sys
from dataclasses import dataclass

import msgspec
import pytest
from running_servers import serving

from holdfast.probing.ports import free_port

ANSWERED, INCONCLUSIVE = 0, 3
LONGEST_S = 240
"""A path of 1.5 s and 200 places take half a minute, on an idle machine and on a busy one."""


@dataclass(frozen=True)
class Row:
    """One server.

    Attributes:
        places: in service at once; None where it has no bound.
        path: how long a request takes by itself, in ms.
        sees: what the request beyond gets, where it does not wait.
        told: the estimate is a number; where not, it says why, and its bounds hold.
    """

    id: str
    command: tuple[str, ...]
    places: int | None
    source: str
    path: str = "500"
    sees: str = "waits"
    told: bool = True
    unix: bool = False


HOST = "127.0.0.1:{port}"
FLASK = "from waiting_apps import flask_app; flask_app().run(port={port}, "
UVICORN = ("uvicorn", "--log-level", "error", "--port", "{port}")

ROWS = (
    Row(
        "flask-processes", (sys.executable, "-c", FLASK + "processes=5, threaded=False)"), 5,
        "werkzeug/serving.py ForkingWSGIServer: max_children = processes; socketserver.py ForkingMixIn waits there",
        path="1000",
    ),
    Row(
        "flask-serial", (sys.executable, "-c", FLASK + "threaded=False)"), 1,
        "werkzeug/serving.py make_server: BaseWSGIServer, socketserver's serve_forever handles one at a time",
    ),
    Row(
        "flask-threaded", (sys.executable, "-c", FLASK + "threaded=True)"), None,
        "socketserver.py ThreadingMixIn.process_request: a thread for each request", path="1000",
    ),
    Row(
        "uwsgi-threads", ("pyuwsgi", "--http-socket", HOST, "--module", "waiting_apps:wsgi", "--threads", "6"), 6,
        "uWSGI docs ThingsToKnow: threads of one process, each with one request",
    ),
    Row(
        "uwsgi-router", ("pyuwsgi", "--http", HOST, "--module", "waiting_apps:wsgi", "--threads", "10"), 10,
        "uWSGI docs HTTP: the router passes requests to the workers, here ten threads",
    ),
    Row(
        "gunicorn-sync", ("gunicorn", "-b", HOST, "-w", "4", "waiting_apps:wsgi"), 4,
        "gunicorn/workers/sync.py run_for_one: accept, handle, again",
    ),
    Row(
        "gunicorn-short-backlog", ("gunicorn", "-b", HOST, "-w", "4", "--backlog", "1", "waiting_apps:wsgi"), 4,
        "the same; a queue of two is no reason for another number",
    ),
    Row(
        "gunicorn-threads", ("gunicorn", "-b", HOST, "-w", "2", "--threads", "5", "waiting_apps:wsgi"), 10,
        "gunicorn/workers/gthread.py get_thread_pool: ThreadPoolExecutor(max_workers=cfg.threads) in each worker",
    ),
    Row(
        "gunicorn-200-threads", ("gunicorn", "-b", HOST, "--threads", "200", "waiting_apps:wsgi"), 200,
        "the same", path="1500",
    ),
    Row(
        "gunicorn-on-a-unix-socket", ("gunicorn", "-b", "unix:{socket}", "--threads", "3", "waiting_apps:wsgi"), 3,
        "the same", unix=True,
    ),
    Row(
        "gunicorn-gevent",
        ("gunicorn", "-b", HOST, "-k", "gevent", "--worker-connections", "12", "waiting_apps:wsgi"), 12,
        "gunicorn/workers/ggevent.py run: Pool(self.worker_connections), and the server accepts when it has room",
    ),
    Row(
        "waitress", ("waitress-serve", "--listen", HOST, "--threads", "7", "waiting_apps:wsgi"), 7,
        "waitress/task.py ThreadedTaskDispatcher.set_thread_count",
    ),
    Row(
        "cheroot", ("cheroot", "--bind", HOST, "--threads", "9", "waiting_apps:wsgi"), 9,
        "cheroot/workers/threadpool.py ThreadPool: as many worker threads",
    ),
    Row(
        "granian",
        ("granian", "--interface", "wsgi", "--blocking-threads", "6", "--port", "{port}", "waiting_apps:wsgi"), 6,
        "granian/cli.py --blocking-threads: threads that run WSGI applications in each worker",
    ),
    Row(
        "fastapi-def", (*UVICORN, "--factory", "waiting_apps:fastapi_app"), 40,
        "anyio/_backends/_asyncio.py current_default_thread_limiter: CapacityLimiter(40)",
    ),
    Row(
        "fastapi-validated", (*UVICORN, "--factory", "waiting_apps:fastapi_app"), 40,
        "the same; fastapi/routing.py serialize_response takes a thread of the same pool for what a def view returned",
        path="validated/500",
    ),
    Row(
        "async-blocking", (*UVICORN, "waiting_apps:blocking"), 1,
        "a view that blocks its loop lets nothing else run", path="300",
    ),
    Row(
        "async-blocking-hypercorn", ("hypercorn", "-b", HOST, "waiting_apps:blocking"), 1,
        "the same; replies go out by another task", path="300",
    ),
    Row(
        "async-blocking-two-workers", ("hypercorn", "-w", "2", "-b", HOST, "waiting_apps:blocking"), 2,
        "the same in each worker", path="300",
    ),
    Row(
        "uvicorn-limit", (*UVICORN, "--limit-concurrency", "9", "waiting_apps:waiting"), 8,
        "uvicorn/protocols/http/httptools_impl.py: 503 where len(self.connections) >= limit, its own counted",
        sees="503",
    ),
    Row("uvicorn", (*UVICORN, "waiting_apps:waiting"), None, "a coroutine for each request"),
    Row(
        "computing", ("gunicorn", "-b", HOST, "--threads", "6", "waiting_apps:computing"), 6,
        "six threads that compute take turns: from outside that cannot be told from one", path="200", told=False,
    ),
    Row(
        "starts-too-slowly", (sys.executable, "-c", FLASK + "processes=40, threaded=False)"), 40,
        "a fork for each takes some ms, so that of 100 ms requests there are never 40 at once", path="100", told=False,
    ),
)  # fmt: skip


class Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.host)


def answers(port, path):
    connection = Local(str(path)) if path else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/1")
        return connection.getresponse().read() != b""
    except OSError:
        return False
    finally:
        connection.close()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_estimate_is_within_a_tenth_of_the_truth_or_says_why_there_is_none(holdfast, tmp_path, row):
    port, path = free_port(), tmp_path / "s"
    command = [word.replace("{port}", str(port)).replace("{socket}", str(path)) for word in row.command]
    url = f"unix:{path}:/{row.path}" if row.unix else f"http://127.0.0.1:{port}/{row.path}"

    with serving(command, lambda: answers(port, path if row.unix else None), tmp_path / "server.log"):
        running = holdfast.start("attach", url, "--json", "-", "--max-offered", "600")
        out, err = running.process.communicate(timeout=LONGEST_S)

    assert out, err
    verdict = msgspec.json.decode(out)
    ceiling = verdict["ceiling"]
    least, most = ceiling["interval"]
    assert verdict["confidence"] == "estimated"
    assert sum(count or 0 for count in verdict["places"].values()) == verdict["offered"]
    if row.places is None:
        # A machine that is too busy to start so many together says so, and nothing about a bound.
        assert ceiling["bounded"] is not True
        assert most is None
        return
    assert least <= row.places
    assert most is None or row.places <= most
    if row.told:
        assert running.process.returncode == ANSWERED, verdict["unknown"]
        assert abs(ceiling["in_service"] - row.places) <= row.places / 10
        assert verdict["overflow"]["client_sees"] == row.sees
    elif ceiling["in_service"] is None:
        assert running.process.returncode == INCONCLUSIVE
        assert verdict["unknown"]["ceiling.in_service"]
