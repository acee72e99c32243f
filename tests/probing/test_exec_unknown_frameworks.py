"""Applications whose framework holdfast has no hook for: held in the person's own function, or no ceiling is claimed.

Each expected value is from the framework's or the bridge's source:

- BlackSheep calls a `def` handler on the loop (blacksheep/server/normalization.py, get_sync_wrapper): one at a time.
- Microdot sends a `def` handler to the loop's default executor (microdot/microdot.py, invoke_handler), which has
  `min(32, cores + 4)` threads (concurrent/futures/thread.py); from Python 3.13 on the cores are those that the process
  may use, or PYTHON_CPU_COUNT (Lib/os.py, process_cpu_count).
- a2wsgi has 10 threads (a2wsgi/wsgi.py, WSGIMiddleware.__init__); AnyIO, which Starlette's bridge uses, 40
  (anyio/_backends/_asyncio.py, current_default_thread_limiter); uvicorn's own bridge 10
  (uvicorn/middleware/wsgi.py); asgiref calls everything on one thread (asgiref/sync.py, thread_sensitive).
- Tornado's WSGIContainer calls on the loop, unless it has an executor (tornado/wsgi.py, dummy_executor).
- Falcon and Bottle call on the server's thread.
- Sanic runs a `def` handler on its loop (sanic/app.py, handle_request).
- granian's `--backpressure` is how many requests it hands to an application at once (granian/cli.py); RSGI is the
  interface that it calls by unless told otherwise.
"""

from __future__ import annotations

import os
import sys

import pytest
from giving_back import SERVED, SERVING
from library_endpoints import FALLBACK, LIBRARY, OPERATION, ROUTED, RSGI, SANIC, WITH_LIBRARY
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed

OBEYS_CPU_COUNT = sys.version_info >= (3, 13)
CORES = (os.process_cpu_count() if OBEYS_CPU_COUNT else os.cpu_count()) or 1
DEFAULT_EXECUTOR = min(32, CORES + 4)

BOTTLE = """
import bottle

app = bottle.Bottle()


@app.hook("before_request")
def before():
    pass


@app.route("/")
def index():
    return "hello"
"""
FALCON = """
import falcon


class Times:
    def process_request(self, request, response):
        pass


class Things:
    def on_get(self, request, response):
        response.text = "hello"


app = falcon.App(middleware=[Times()])
app.add_route("/", Things())
"""
FALCON_ASGI = """
import falcon.asgi


class Things:
    async def on_get(self, request, response):
        response.text = "hello"


app = falcon.asgi.App()
app.add_route("/", Things())
"""
BLACKSHEEP = """
from blacksheep import Application

app = Application()


@app.router.get("/")
def index():
    return "hello"
"""
MICRODOT = """
from microdot.asgi import Microdot

app = Microdot()


@app.before_request
async def before(request):
    pass


@app.route("/")
def index(request):
    return "hello"
"""
NEXT_TO_FLASK = BOTTLE + "\nimport flask\n\nother = flask.Flask(__name__)\n"
SLOW = """
import time
import bottle

app = bottle.Bottle()


@app.route("/")
def index():
    time.sleep(60)
"""
PLAIN = """
def application(environ, start_response):
    open("called", "w").close()
    start_response("200 OK", [("Content-Length", "5")])
    return [b"plain"]
"""
BRIDGED = (
    PLAIN
    + """
import sys
import warnings
import a2wsgi
from asgiref.wsgi import WsgiToAsgi

by_a2wsgi = a2wsgi.WSGIMiddleware(application)
by_asgiref = WsgiToAsgi(application)
if "starlette" in sys.argv[-1]:
    warnings.simplefilter("ignore")
    from starlette.middleware.wsgi import WSGIMiddleware

    by_starlette = WSGIMiddleware(application)
"""
)
BOTTLE_BRIDGED = BOTTLE + "\nimport a2wsgi\n\nbridged = a2wsgi.WSGIMiddleware(app)\n"
TORNADO = """
import asyncio
from concurrent.futures import ThreadPoolExecutor

from plain import application
from tornado.httpserver import HTTPServer
from tornado.wsgi import WSGIContainer


async def serve():
    HTTPServer(WSGIContainer(application, EXECUTOR)).listen({port}, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(serve())
"""
# Answers by itself: no function of the person's own runs.
FRAMEWORK = """
import concurrent.futures


class Pages:
    def __init__(self, pages):
        self.pages, self.one = pages, concurrent.futures.ThreadPoolExecutor(1)

    def __call__(self, environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [self.one.submit(self.pages.get, environ["PATH_INFO"]).result()]
"""
PAGES = """
from pages import Pages

app = Pages({"/": b"hello"})
"""


def gunicorn(id: str, app: str, files: dict[str, str], held_in: str) -> Own:
    return Own(
        id,
        ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", app),
        files,
        {"target.held_in": held_in, "target.view": "sync", "ceiling.in_service": 3, "ceiling.bounded": True},
    )


def uvicorn(id: str, app: str, files: dict[str, str], *more: str, **says: object) -> Own:
    fields = {name.replace("__", "."): wanted for name, wanted in says.items()}
    return Own(id, ("uvicorn", "--port", "{port}", *more, app), files, fields)


def bridged(id: str, app: str, threads: int, *more: str) -> Own:
    return uvicorn(
        id,
        app,
        {"bridged.py": BRIDGED},
        *more,
        target__held_in="wsgi entry",
        target__view="sync",
        ceiling__in_service=threads,
        ceiling__bounded=True,
        model__kind="event-loop+thread-pool",
    )


def behind_a_library(name: str, held_in: str, at_once: int, *, bounded: bool = True) -> Own:
    return uvicorn(
        f"the endpoint of a library: {name}",
        f"app:{name}",
        {"app.py": WITH_LIBRARY, "site-packages/library.py": LIBRARY},
        target__held_in=held_in,
        ceiling__in_service=at_once,
        ceiling__bounded=bounded,
    )


def granian(app: str, *more: str, held_in: str) -> Own:
    return Own(
        f"granian {app} {' '.join(more)}",
        ("granian", *more, "--backpressure", "3", "--host", "127.0.0.1", "--port", "{port}", app),
        {"app.py": RSGI},
        {"target.held_in": held_in, "ceiling.in_service": 3, "ceiling.bounded": True, "model.kind": "event-loop"},
    )


COMMANDS = (
    behind_a_library("on_a_thread", "starlette view index()", 40),
    behind_a_library("on_the_loop", "starlette view index()", 1),
    behind_a_library("its_own", "starlette async view status()", 50, bounded=False),
    granian("app:function", held_in="rsgi entry"),
    granian("app:both", held_in="rsgi entry"),
    granian("app:both", "--interface", "asgi", held_in="asgi entry"),
    Own(
        "Sanics own command",
        ("sanic", "app:app", "--host", "127.0.0.1", "--port", "{port}", "--single-process"),
        {"app.py": SANIC},
        {"target.held_in": "sanic view index()", "ceiling.in_service": 1, "ceiling.bounded": True},
    ),
    gunicorn("Bottle", "app:app", {"app.py": BOTTLE}, "wsgi view index()"),
    gunicorn("Falcon", "app:app", {"app.py": FALCON}, "wsgi view Things.on_get()"),
    uvicorn(
        "Falcon on ASGI",
        "app:app",
        {"app.py": FALCON_ASGI},
        target__held_in="asgi async view Things.on_get()",
        ceiling__in_service=50,
        ceiling__bounded=False,
        model__kind="event-loop",
    ),
    uvicorn(
        "BlackSheep",
        "app:app",
        {"app.py": BLACKSHEEP},
        target__held_in="asgi view index()",
        target__view="sync",
        ceiling__in_service=1,
        ceiling__bounded=True,
        model__kind="event-loop",
    ),
    uvicorn(
        "Microdot",
        "app:app",
        {"app.py": MICRODOT},
        target__held_in="asgi view index()",
        ceiling__in_service=DEFAULT_EXECUTOR,
        ceiling__bounded=True,
        model__kind="event-loop+thread-pool",
    ),
    Own(
        "Microdot where a number of cores is set",
        ("uvicorn", "--port", "{port}", "app:app"),
        {"app.py": MICRODOT},
        {"ceiling.in_service": 9 if OBEYS_CPU_COUNT else DEFAULT_EXECUTOR, "ceiling.bounded": True},
        env={"PYTHON_CPU_COUNT": "5"},
    ),
    bridged("a2wsgi", "bridged:by_a2wsgi", 10),
    bridged("asgiref", "bridged:by_asgiref", 1),
    bridged("Starlettes bridge", "bridged:by_starlette", 40),
    bridged("uvicorns bridge", "bridged:application", 10, "--interface", "wsgi"),
    uvicorn(
        "Bottle behind a2wsgi",
        "app:bridged",
        {"app.py": BOTTLE_BRIDGED},
        target__held_in="wsgi view index()",
        ceiling__in_service=10,
        ceiling__bounded=True,
    ),
    Own(
        "Tornados container",
        ("python", "serve.py"),
        {"plain.py": PLAIN, "serve.py": TORNADO.replace("EXECUTOR", "None")},
        {"target.held_in": "wsgi entry", "ceiling.in_service": 1, "ceiling.bounded": True, "model.kind": "event-loop"},
    ),
    Own(
        "Tornados container with threads",
        ("python", "serve.py"),
        {"plain.py": PLAIN, "serve.py": TORNADO.replace("EXECUTOR", "ThreadPoolExecutor(3)")},
        {"target.held_in": "wsgi entry", "ceiling.in_service": 3, "model.kind": "event-loop+thread-pool"},
    ),
    Own(
        "Flask behind a handler of Tornado that hands requests on",
        ("python", "serve.py"),
        {"serve.py": FALLBACK},
        {"target.held_in": "flask view index()", "ceiling.in_service": 1, "ceiling.bounded": True},
    ),
    gunicorn("Bottle next to a Flask that is not served", "app:app", {"app.py": NEXT_TO_FLASK}, "wsgi view index()"),
    uvicorn(
        "Flask behind a route and a bridge",
        "app:app",
        {"app.py": ROUTED, "site-packages/operation.py": OPERATION},
        target__held_in="flask view index()",
        ceiling__in_service=10,
        ceiling__bounded=True,
        model__kind="event-loop+thread-pool",
    ),
    Own(
        "a view that is slower than a first request may be",
        ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", "app:app"),
        {"app.py": SLOW},
        options=("--start-timeout", "3"),
        exit=INCONCLUSIVE,
    ),
    Own(
        "a framework that ends the request that its thread began last",
        ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", "--pythonpath", "site-packages", "app:app"),
        {"app.py": SERVED, "site-packages/serving.py": SERVING},
        {"target.held_in": "wsgi view index()", "ceiling.in_service": 2, "ceiling.bounded": True},
    ),
    Own(
        "a framework that answers by itself",
        ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", "--pythonpath", "site-packages", "app:app"),
        {"app.py": PAGES, "site-packages/pages.py": FRAMEWORK},
        {
            "target.held_in": "wsgi entry",
            "target.view": None,
            "ceiling.in_service": None,
            "ceiling.bounded": None,
            "model.kind": None,
            "places.in_service": 3,
        },
        exit=INCONCLUSIVE,
    ),
)


@pytest.fixture(scope="module")
def done(workshop):
    return run_all(workshop, COMMANDS)


@pytest.mark.servers
@pytest.mark.parametrize("own", COMMANDS, ids=lambda own: own.id)
def test_a_request_is_held_in_the_persons_own_function(done, own):
    result = done[own.id]

    assert result.ended.exit == own.exit, result.ended.err
    if not own.says:
        return
    verdict = result.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    assert placed(verdict) == verdict["offered"]


@pytest.mark.servers
def test_the_body_of_a_plain_callable_is_not_run(done):
    for each in ("a2wsgi", "asgiref", "Starlettes bridge", "Tornados container"):
        assert not (done[each].directory / "called").exists()


@pytest.mark.servers
def test_where_no_function_is_found_the_reason_says_what_was_measured_and_what_would_tell(done):
    verdict = done["a framework that answers by itself"].verdict()

    assert "held at the wsgi entry" in verdict["unknown"]["ceiling.in_service"]
    assert any("holdfast attach" in each for each in verdict["warnings"])
    assert not any("There is no view" in each for each in verdict["warnings"])


@pytest.mark.servers
def test_a_view_that_does_not_end_is_told_with_the_reason_for_running_it(done):
    said = done["a view that is slower than a first request may be"].ended.err

    assert "The application did not answer the first request" in said
    assert "holdfast has no hook for its framework" in said
