"""What keeps requests from their view inside the application is told apart from the server's own queue."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass

import msgspec
import pytest
from giving_back import BOTTLE, DJANGO, FALCON, FALCON_ASYNC, LITESTAR, MICRODOT, PYRAMID, REST
from own_commands import ANSWERED, SCRIPTS

SEMAPHORE = """
import threading
from flask import Flask, g

app = Flask(__name__)
free = threading.Semaphore(2)

@app.before_request
def take():
    free.acquire()
    g.taken = True

@app.teardown_request
def give_back(error):
    if g.pop("taken", False):
        free.release()

@app.get("/")
def index():
    return "done"
"""

# Nothing says that the function is decorated: no functools.wraps.
DECORATED = """
import threading
from flask import Flask

app = Flask(__name__)
free = threading.Semaphore(2)

def limited(view):
    def inner(*args, **kwargs):
        with free:
            return view(*args, **kwargs)
    return inner

@app.get("/", endpoint="index")
@limited
def index():
    return "done"
"""

# Nothing here has loaded asyncio, which loads executors.
IN_EXECUTOR = """
import functools
from concurrent.futures import ThreadPoolExecutor
from flask import Flask, copy_current_request_context

app = Flask(__name__)
threads = ThreadPoolExecutor(2)

def pooled(view):
    @functools.wraps(view)
    def inner(*args, **kwargs):
        return threads.submit(copy_current_request_context(view), *args, **kwargs).result()
    return inner

@app.get("/")
@pooled
def index():
    return "done"
"""

MIDDLEWARE = """
import asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

class AtMostThree:
    def __init__(self, app):
        self.app, self.free = app, asyncio.Semaphore(3)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        async with self.free:
            await self.app(scope, receive, send)

async def index(request):
    return PlainTextResponse("done")

app = Starlette(routes=[Route("/", index)], middleware=[Middleware(AtMostThree)])
around = AtMostThree(Starlette(routes=[Route("/", index)]))
"""

# gunicorn, Server Hooks: post_worker_init is called when a worker has loaded its application. It calls its `wsgi`.
AROUND_A_WORKER = """
import threading
from flask import Flask

class AtMostThree:
    def __init__(self, app):
        self.app, self.free = app, threading.Semaphore(3)

    def __call__(self, environ, start_response):
        with self.free:
            return self.app(environ, start_response)

def post_worker_init(worker):
    worker.wsgi = around = AtMostThree(worker.wsgi)
    # It gets what it has put there; a worker whose hook fails ends.
    assert worker.wsgi is around and worker.wsgi.free

app = Flask(__name__)

@app.get("/")
def index():
    return "done"
"""

DEPENDENCY = """
import asyncio
from fastapi import Depends, FastAPI

app = FastAPI()
connections = asyncio.Semaphore(5)

async def connection():
    async with connections:
        yield

@app.get("/", dependencies=[Depends(connection)])
async def index():
    return "done"
"""

POOL = """
from typing import Annotated
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

engine = create_engine("sqlite:///shop.db")
make_session = sessionmaker(bind=engine)
app = FastAPI()

def get_db():
    db = make_session()
    try:
        yield db
    finally:
        db.close()

def user(db: Annotated[Session, Depends(get_db)]):
    db.execute(text("select 1")).scalar_one()

@app.get("/", dependencies=[Depends(user)])
def index():
    return "done"
"""

# The outer decorator's own function calls the inner one's, which calls the view.
DECORATED_TWICE = """
import functools
import threading
import bottle

app = bottle.Bottle()
free = threading.Semaphore(3)

def limited(view):
    @functools.wraps(view)
    def inner(*args, **kwargs):
        with free:
            return view(*args, **kwargs)
    return inner

def noted(view):
    @functools.wraps(view)
    def inner(*args, **kwargs):
        return view(*args, **kwargs)
    return inner

@app.get("/")
@limited
@noted
def index():
    return "done"
"""

# Only the outer one is a global of the file in the end.
TWICE_AROUND = """
import asyncio
import falcon.asgi

class Page:
    async def on_get(self, request, response):
        response.text = "done"

class AtMostThree:
    def __init__(self, app):
        self.app, self.free = app, asyncio.Semaphore(3)

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        async with self.free:
            await self.app(scope, receive, send)

class Noting:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)

app = falcon.asgi.App()
app.add_route("/", Page())
app = AtMostThree(app)
app = Noting(app)
"""

# The workers are begun by the first request, and so in its context.
WORKERS = """
import asyncio
from aiohttp import web

queue, workers = asyncio.Queue(), []

async def work():
    while True:
        request, handler, answer = await queue.get()
        try:
            answer.set_result(await handler(request))
        except Exception as error:
            answer.set_exception(error)

@web.middleware
async def two_at_once(request, handler):
    while len(workers) < 2:
        workers.append(asyncio.create_task(work()))
    answer = asyncio.get_running_loop().create_future()
    queue.put_nowait((request, handler, answer))
    return await answer

async def index(request):
    return web.Response(text="done")

def make(arguments):
    app = web.Application(middlewares=[two_at_once])
    app.add_routes([web.get("/", index)])
    return app
"""


@dataclass(frozen=True)
class Bound:
    """What bounds an application before its view.

    Attributes:
        running: how many it lets to the view.
        waiting: how many of the others have been handed to the application.
    """

    id: str
    application: str
    command: tuple[str, ...]
    running: int
    waiting: int
    needs: str = ""


OFFERED = 40
UVICORN = ("uvicorn", "--port", "{port}")
BOUNDS = (
    # Eight threads call the application (gunicorn's --threads); two of them get the semaphore.
    Bound("flask", SEMAPHORE, ("gunicorn", "--threads", "8", "-b", "127.0.0.1:{port}", "shop:app"), 2, 8 - 2),
    Bound("decorated", DECORATED, ("gunicorn", "--threads", "8", "-b", "127.0.0.1:{port}", "shop:app"), 2, 8 - 2),
    Bound(
        "in a worker's hook",
        AROUND_A_WORKER,
        ("gunicorn", "--threads", "8", "-b", "127.0.0.1:{port}", "-c", "shop.py", "shop:app"),
        3,
        8 - 3,
    ),
    Bound("executor", IN_EXECUTOR, ("gunicorn", "--threads", "8", "-b", "127.0.0.1:{port}", "shop:app"), 2, 8 - 2),
    # uvicorn calls the application for each request as soon as it has read it.
    Bound("starlette", MIDDLEWARE, (*UVICORN, "shop:app"), 3, OFFERED - 3),
    Bound("around", MIDDLEWARE, (*UVICORN, "shop:around"), 3, OFFERED - 3),
    Bound("fastapi", DEPENDENCY, (*UVICORN, "shop:app"), 5, OFFERED - 5),
    # SQLAlchemy's QueuePool: pool_size 5 and max_overflow 10.
    Bound("sqlalchemy", POOL, (*UVICORN, "shop:app"), 15, OFFERED - 15, needs="sqlalchemy"),
    Bound("aiohttp", WORKERS, ("python", "-m", "aiohttp.web", "-P", "{port}", "shop:make"), 2, OFFERED - 2),
    # Of these, each request that was let go has to give its place back.
    Bound("falcon", FALCON, ("gunicorn", "--threads", "8", "-b", "127.0.0.1:{port}", "shop:app"), 3, 8 - 3, "falcon"),
    Bound("falcon async", FALCON_ASYNC, (*UVICORN, "shop:app"), 20, OFFERED - 20, "falcon"),
    Bound(
        "pyramid", PYRAMID, ("gunicorn", "--threads", "8", "-b", "127.0.0.1:{port}", "shop:app"), 3, 8 - 3, "pyramid"
    ),
    Bound("bottle", BOTTLE, ("waitress-serve", "--listen=127.0.0.1:{port}", "--threads=7", "shop:app"), 3, 4, "bottle"),
    Bound("django", DJANGO, ("waitress-serve", "--listen=127.0.0.1:{port}", "--threads=7", "shop:app"), 3, 4, "django"),
    Bound(
        "rest", REST, ("waitress-serve", "--listen=127.0.0.1:{port}", "--threads=7", "shop:app"), 3, 4, "rest_framework"
    ),
    Bound(
        *("decorated twice", DECORATED_TWICE),
        ("gunicorn", "--threads", "8", "-b", "127.0.0.1:{port}", "shop:app"),
        *(3, 8 - 3, "bottle"),
    ),
    Bound("twice around", TWICE_AROUND, (*UVICORN, "shop:app"), 3, OFFERED - 3, "falcon"),
    Bound("microdot", MICRODOT, (*UVICORN, "shop:app"), 4, OFFERED - 4, "microdot"),
    Bound("litestar", LITESTAR, (*UVICORN, "shop:app"), 4, OFFERED - 4, "litestar"),
)


@pytest.mark.parametrize(
    "bound",
    [each if each.id == "flask" else pytest.param(each, marks=pytest.mark.servers) for each in BOUNDS],
    ids=lambda bound: bound.id,
)
def test_a_bound_before_the_view_is_told_with_how_many_wait_there(holdfast, tmp_path, bound):
    if bound.needs and importlib.util.find_spec(bound.needs) is None:
        pytest.skip(f"not installed: {bound.needs}")
    (tmp_path / "shop.py").write_text(bound.application)
    port = holdfast.free_port()
    command = [each.replace("{port}", str(port)) for each in bound.command]

    ended = holdfast.run(
        *("exec", "--json", "-", "--max-offered", str(OFFERED), "--", str(SCRIPTS / command[0]), *command[1:]),
        cwd=tmp_path,
        port=port,
    )

    verdict = msgspec.json.decode(ended.out)
    places = verdict["places"]
    assert ended.exit == ANSWERED
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (bound.running, True)
    assert (places["userspace_queue"], places["before_view"]) == (OFFERED - bound.running, bound.waiting)


@pytest.mark.servers
@pytest.mark.parametrize("application", ["shop:app", "shop:around"])
def test_the_same_holds_where_holdfast_starts_the_server(holdfast, tmp_path, application):
    (tmp_path / "shop.py").write_text(MIDDLEWARE)

    ended = holdfast.run(
        *("probe", application, "--server", "uvicorn", "--json", "-", "--max-offered", str(OFFERED)), cwd=tmp_path
    )

    places = msgspec.json.decode(ended.out)["places"]
    assert (places["in_service"], places["before_view"]) == (3, OFFERED - 3)


@pytest.mark.servers
@pytest.mark.parametrize("attribute", ["worker.wsgi", 'vars(worker)["wsgi"]'])
def test_so_it_does_where_a_hook_of_the_server_puts_something_around_the_application(holdfast, tmp_path, attribute):
    (tmp_path / "shop.py").write_text(AROUND_A_WORKER.replace("worker.wsgi = around", f"{attribute} = around"))

    ended = holdfast.run(
        *("probe", "shop:app", "--server", "gunicorn", "--json", "-", "--max-offered", str(OFFERED)),
        *("--", "--threads", "8", "-c", "shop.py"),
        cwd=tmp_path,
    )

    places = msgspec.json.decode(ended.out)["places"]
    assert (places["in_service"], places["before_view"]) == (3, 8 - 3)


@pytest.mark.servers
def test_what_waits_for_a_thread_of_the_server_does_not_wait_before_the_view(holdfast, tmp_path):
    ended = holdfast.run(
        *("probe", "--server", "gunicorn", "--json", "-", "--max-offered", str(OFFERED), "--", "--threads", "4"),
        cwd=tmp_path,
    )

    places = msgspec.json.decode(ended.out)["places"]
    assert (places["userspace_queue"], places["before_view"]) == (OFFERED - 4, 0)
