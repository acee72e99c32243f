"""Applications whose views are reached through a library, or by a command of the framework's own; as files."""

# As connexion has it: a route leads to an object of its own, which leads to Flask behind a bridge.
OPERATION = """
class Operation:
    def __init__(self, application):
        self.application = application

    async def __call__(self, scope, receive, send):
        await self.application(dict(scope), receive, send)
"""
ROUTED = """
import sys

sys.path.append("site-packages")

import a2wsgi
from flask import Flask
from operation import Operation
from starlette.applications import Starlette
from starlette.routing import Route

flask = Flask(__name__)


@flask.get("/")
def index():
    return "hello"


app = Starlette(routes=[Route("/", Operation(a2wsgi.WSGIMiddleware(flask)))])
"""
# As FastHTML and GraphQL libraries have it: the endpoint is theirs, and calls the person's function.
LIBRARY = """
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse


def on_a_thread(view):
    async def endpoint(request):
        return PlainTextResponse(await run_in_threadpool(view))
    return endpoint


def on_the_loop(view):
    async def endpoint(request):
        return PlainTextResponse(view())
    return endpoint


async def status(request):
    return PlainTextResponse("well")
"""
WITH_LIBRARY = """
import sys

sys.path.append("site-packages")

import library
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route


class Counting:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


def index():
    return "hello"


def routed(endpoint):
    return Starlette(routes=[Route("/", endpoint)], middleware=[Middleware(Counting)])


on_a_thread = routed(library.on_a_thread(index))
on_the_loop = routed(library.on_the_loop(index))
its_own = routed(library.status)
"""
RSGI = """
async def function(scope, protocol):
    protocol.response_empty(204, [])


class Both:
    async def __rsgi__(self, scope, protocol):
        protocol.response_empty(204, [])

    async def __call__(self, scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


both = Both()
"""
SANIC = """
from sanic import Sanic
from sanic.response import text

app = Sanic("shop")


@app.get("/")
def index(request):
    return text("hello")
"""
# Tornado's FallbackHandler answers in its prepare(), which calls the container on the loop (tornado/web.py).
FALLBACK = """
import asyncio

from flask import Flask
from tornado import web
from tornado.wsgi import WSGIContainer

app = Flask(__name__)


@app.get("/")
def index():
    return "done"


async def serve():
    fallback = {"fallback": WSGIContainer(app)}
    web.Application([(".*", web.FallbackHandler, fallback)]).listen({port}, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(serve())
"""
