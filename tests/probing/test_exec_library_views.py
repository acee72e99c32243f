"""The person's function behind a library's: consumers of Channels, and Django views that a library answers with.

- Channels: a `SyncConsumer`'s handlers run as `database_sync_to_async` has it, on asgiref's one thread
  (channels/consumer.py, SyncConsumer.dispatch; asgiref/sync.py, thread_sensitive); an `AsyncConsumer`'s run on the
  loop. Both wait for the client to leave after their reply, and raise for a message that they have no handler for
  (channels/consumer.py, AsyncConsumer.dispatch).
- A class of a GraphQL library has a `dispatch` and no `get` (graphene_django/views.py, strawberry/django/views.py). A
  `def` resolver that an async one calls runs on the loop, so one at a time.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from own_commands import INCONCLUSIVE, Own, run_all, value
from support.placed import placed

_SETTINGS = """
import sys

sys.path.append("site-packages")

import django
from django.conf import settings

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF="site_", SECRET_KEY="x", INSTALLED_APPS=["channels"])
django.setup()
"""
CONSUMERS = (
    _SETTINGS
    + """
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.generic.http import AsyncHttpConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
BODY = {"type": "http.response.body", "body": b"done"}


class Sync(SyncConsumer):
    def http_request(self, message):
        self.send(START)
        self.send(BODY)


class Async(AsyncConsumer):
    async def http_request(self, message):
        await self.send(START)
        await self.send(BODY)


class Whole(AsyncHttpConsumer):
    async def handle(self, body):
        await self.send_response(200, b"done")


routes = [path("sync", Sync.as_asgi()), path("async", Async.as_asgi()), path("whole", Whole.as_asgi())]
app = ProtocolTypeRouter({"http": URLRouter(routes)})
"""
)
LIBRARY = """
from django.http import HttpResponse
from django.views import View


class Graph(View):
    resolver = None

    def dispatch(self, request):
        return HttpResponse(self.resolver[0]())


# As django-ninja has it (ninja/operation.py, PathView.get_view): behind the library's own authentication.
def guarded(function, login):
    def wrapper(request):
        if not login(request):
            return HttpResponse(status=401)
        return HttpResponse(function(request))

    return wrapper


class AsyncGraph(View):
    resolver = None
    view_is_async = True

    async def dispatch(self, request):
        return HttpResponse(self.resolver[0]())
"""
SITE = (
    _SETTINGS.replace('["channels"]', "[]")
    + """
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.urls import path
from django.views import View
from graphs import AsyncGraph, Graph, guarded


def hello():
    return "hello"


def login(request):
    return request.headers.get("Authorization")


def account(request):
    return "hello"


class OnlyPost(View):
    def post(self, request):
        raise AssertionError


urlpatterns = [
    path("sync", Graph.as_view(resolver=(hello,))),
    path("async", AsyncGraph.as_view(resolver=(hello,))),
    path("post", OnlyPost.as_view()),
    path("account", guarded(account, login)),
]
wsgi, asgi = get_wsgi_application(), get_asgi_application()
"""
)


def consumer(name: str, held_in: str, at_once: int, *, bounded: bool) -> Own:
    says = {"target.held_in": held_in, "ceiling.in_service": at_once, "ceiling.bounded": bounded}
    command = ("uvicorn", "--port", "{port}", "site_:app")
    return Own(f"consumer {name}", command, {"site_.py": CONSUMERS}, says, options=("--path", f"/{name}"))


def view(path: str, held_in: str, at_once: int, *command: str, options: tuple[str, ...] = ()) -> Own:
    files = {"site_.py": SITE, "site-packages/graphs.py": LIBRARY}
    says = {"target.held_in": held_in, "ceiling.in_service": at_once, "ceiling.bounded": True}
    return Own(f"view {path}", command, files, says, options=("--path", path, *options))


# starlette/staticfiles.py: an application of its own, whose coroutine `get_response` answers.
FILES = """
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles


class Always(StaticFiles):
    async def get_response(self, path, scope):
        return await super().get_response("index.html", scope)


page = StaticFiles(directory="pages", html=True)
mounted = Starlette(routes=[Mount("/", app=page)])
own = Starlette(routes=[Mount("/", app=Always(directory="pages"))])
"""


def files(name: str, held_in: str) -> Own:
    says = {"target.held_in": held_in, "ceiling.in_service": 50, "ceiling.bounded": False, "model.kind": "event-loop"}
    command = ("uvicorn", "--port", "{port}", f"files_:{name}")
    return Own(f"files {name}", command, {"files_.py": FILES, "pages/index.html": "<p>page"}, says)


# As aiohttp_wsgi has it (aiohttp_wsgi/wsgi.py, WSGIHandler.handle_request): an executor runs the WSGI application.
BRIDGE = """
import asyncio

from aiohttp import web


class Handler:
    def __init__(self, application, executor):
        self.application = application
        self.executor = executor

    async def handle_request(self, request):
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": request.path, "QUERY_STRING": "", "wsgi.url_scheme": "http"}
        environ.update(SERVER_NAME="localhost", SERVER_PORT="80")
        for name, value in request.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = value
        body = await asyncio.get_running_loop().run_in_executor(self.executor, self.run, environ)
        return web.Response(body=body)

    def run(self, environ):
        return b"".join(self.application(environ, lambda *of_reply: None))
"""
BRIDGED = """
import sys

sys.path.append("site-packages")

from concurrent.futures import ThreadPoolExecutor

from aiohttp import web
from bridge import Handler
from flask import Flask

shop = Flask(__name__)


@shop.get("/")
def index():
    return "done"


app = web.Application()
app.router.add_route("*", "/{path:.*}", Handler(shop, ThreadPoolExecutor(3)).handle_request)
web.run_app(app, host="127.0.0.1", port={port})
"""
THREE = {"target.held_in": "flask view index()", "ceiling.in_service": 3, "model.kind": "event-loop+thread-pool"}
GUNICORN = ("gunicorn", "--threads", "3", "--bind", "127.0.0.1:{port}", "site_:wsgi")
COMMANDS = (
    consumer("sync", "asgi view Sync.http_request()", 1, bounded=True),
    consumer("async", "asgi async view Async.http_request()", 50, bounded=False),
    consumer("whole", "asgi async view Whole.handle()", 50, bounded=False),
    Own("bridge", ("python", "b.py"), {"b.py": BRIDGED, "site-packages/bridge.py": BRIDGE}, THREE),
    files("mounted", "starlette async view StaticFiles.get_response()"),
    files("page", "starlette async view StaticFiles.get_response()"),
    files("own", "starlette async view Always.get_response()"),
    view("/sync", "django view Graph.dispatch()", 3, *GUNICORN),
    view("/async", "django view hello()", 1, "uvicorn", "--port", "{port}", "site_:asgi"),
    view("/account", "django view account()", 3, *GUNICORN, options=("-H", "Authorization: mine")),
    view("/post", "django entry (no view for GET at /post)", 3, *GUNICORN),
)


@pytest.mark.servers
def test_a_function_that_a_library_calls_for_a_request_is_where_it_is_held(workshop):
    for name, done in run_all(workshop, COMMANDS).items():
        says = next(each for each in COMMANDS if each.id == name).says
        verdict = done.verdict()
        assert {name: value(verdict, name) for name in says} == dict(says)
        assert placed(verdict) == verdict["offered"]


# Three threads answer what they find in a list at times, and what waits for that looks as often.
POLLING = """
import threading
import time

work = []


def worker():
    while True:
        time.sleep(0.001)
        if work:
            work.pop().append("page")


def pause():
    time.sleep(0.001)


def view():
    done = []
    work.append(done)
    while not done:
        pause()
    return done[0]


for _ in range(3):
    threading.Thread(target=worker, daemon=True).start()
"""
ROUTES = """
import sys

sys.path.append("site-packages")

import bottle
import polling

site = bottle.Bottle()
site.route("/", callback=polling.view)
"""


@pytest.mark.servers
def test_what_a_library_has_its_threads_answer_and_waits_for_by_sleeping_has_no_number(workshop):
    files = {"routes.py": ROUTES, "site-packages/polling.py": POLLING}
    command = ("gunicorn", "--threads", "20", "--bind", "127.0.0.1:{port}", "routes:site")
    own = Own("polling", command, files, exit=INCONCLUSIVE)

    done = run_all(workshop, [own])[own.id]

    assert done.ended.exit == INCONCLUSIVE
    assert done.verdict()["ceiling"]["in_service"] is None


@pytest.mark.servers
def test_where_a_library_asks_for_a_login_that_is_told_and_nothing_is_held(workshop):
    own = replace(view("/account", "", 0, *GUNICORN), id="without a login")

    (done,) = run_all(workshop, [own]).values()

    assert done.ended.exit == INCONCLUSIVE
    assert "was answered with 401 before any view was entered" in done.ended.err
