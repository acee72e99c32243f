"""Applications in which a limit in front of the view grows by itself while requests wait for it, and some that do not.

Each begins with FIRST places, and has MOST in the end.
"""

from __future__ import annotations

FIRST, MOST = 2, 6

_FASTAPI = f"""
import asyncio, contextlib
import anyio.to_thread
from fastapi import Depends, FastAPI

FIRST, MOST = {FIRST}, {MOST}
places, more = FIRST, None


class Limited:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        async with free:
            await self.app(scope, receive, send)


def add():
    global places
    if free.locked() and places < MOST:
        places += 1
        free.release()


free = asyncio.Semaphore(FIRST)
"""

TASK = (
    _FASTAPI
    + """
async def grow():
    while True:
        await asyncio.sleep(0.7)
        add()


@contextlib.asynccontextmanager
async def lifespan(app):
    task = asyncio.create_task(grow())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)
app.add_middleware(Limited)


@app.get("/")
async def index():
    return "done"
"""
)
SLOW_TASK = TASK.replace("0.7", "2.5")

LATER = (
    _FASTAPI
    + """
def again():
    add()
    asyncio.get_running_loop().call_later(0.7, again)


@contextlib.asynccontextmanager
async def lifespan(app):
    again()
    yield


app = FastAPI(lifespan=lifespan)
app.add_middleware(Limited)


@app.get("/")
async def index():
    return "done"
"""
)

TOKENS = (
    _FASTAPI
    + """
async def grow(limiter):
    while limiter.total_tokens < MOST:
        await asyncio.sleep(0.7)
        if not limiter.available_tokens:
            limiter.total_tokens += 1


@contextlib.asynccontextmanager
async def lifespan(app):
    limiter = anyio.to_thread.current_default_thread_limiter()
    limiter.total_tokens = FIRST
    task = asyncio.create_task(grow(limiter))
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.get("/")
def index():
    return "done"
"""
)

# A library's limiter, as `LIMITER` uses it, that lets one more in by a timer of its own.
LIMITER_LIBRARY = f"""
import asyncio


class Limiter:
    def __init__(self):
        self.free, self.places, self.timer = asyncio.Semaphore({FIRST}), {FIRST}, None

    def let_in(self):
        self.places, self.timer = self.places + 1, None
        self.free.release()

    async def acquire(self):
        if self.free.locked() and self.timer is None and self.places < {MOST}:
            self.timer = asyncio.get_running_loop().call_later(0.7, self.let_in)
        await self.free.acquire()
        if self.free.locked() and self.timer is None and self.places < {MOST}:
            self.timer = asyncio.get_running_loop().call_later(0.7, self.let_in)
"""
LIMITER = """
import sys
from fastapi import Depends, FastAPI

sys.path.insert(0, "site-packages")
from limiter import Limiter

app, limiter = FastAPI(), Limiter()


async def place():
    await limiter.acquire()
    yield
    limiter.free.release()


@app.get("/")
async def index(_=Depends(place)):
    return "done"
"""

PATIENT = (
    _FASTAPI
    + """
async def place():
    while True:
        try:
            await asyncio.wait_for(free.acquire(), 0.7)
            break
        except asyncio.TimeoutError:
            add()
    yield
    free.release()


app = FastAPI()


@app.get("/")
async def index(_=Depends(place)):
    return "done"
"""
)

FIXED = (
    _FASTAPI
    + """
async def place():
    async with free:
        yield


app = FastAPI()


@app.get("/")
async def index(_=Depends(place)):
    return "done"
"""
)

WITH_SOMETHING_ELSE = (
    FIXED.replace("app = FastAPI()", "app = FastAPI(lifespan=lifespan)")
    .replace(
        "async def place", "async def sweep():\n    while True:\n        await asyncio.sleep(60)\n\n\nasync def place"
    )
    .replace(
        "\napp = ",
        """
@contextlib.asynccontextmanager
async def lifespan(app):
    task = asyncio.create_task(sweep())
    yield
    task.cancel()


app = """,
    )
)

# Another task has to wake it up.
WITH_A_CONSUMER = WITH_SOMETHING_ELSE.replace("asyncio.sleep(60)", "asyncio.Queue().get()")
WITH_A_TIMER = WITH_SOMETHING_ELSE.replace(
    "await asyncio.sleep(60)", "async with asyncio.timeout(60):\n            await asyncio.Event().wait()"
)

_WSGI = f"""
import threading, time
from flask import Flask

FIRST, MOST = {FIRST}, {MOST}
app = Flask(__name__)
free, places = threading.Semaphore(FIRST), FIRST


def grow():
    global places
    while places < MOST:
        time.sleep(0.7)
        places += 1
        free.release()


def again():
    global places
    if places < MOST:
        places += 1
        free.release()
        threading.Timer(0.7, again).start()


@app.get("/")
def index():
    return "done"


def limited(inner):
    begun = False

    def call(environ, start_response):
        nonlocal begun
        if not begun:
            begun = True
            BEGIN
        with free:
            return inner(environ, start_response)

    return call


app.wsgi_app = limited(app.wsgi_app)
"""

THREAD = _WSGI.replace("BEGIN", "threading.Thread(target=grow, daemon=True).start()")
TIMER = _WSGI.replace("BEGIN", "threading.Timer(0.7, again).start()")
TIMERS = _WSGI.replace(
    "BEGIN", "[threading.Timer(0.7 * (1 + each), free.release).start() for each in range(MOST - FIRST)]"
)
"""None of these calls a function of the application."""

TASKS = """
import asyncio

class Tasks:
    def __init__(self):
        self.limited, self.views = asyncio.Semaphore(1), {}

    def route(self, path):
        def register(view):
            self.views[path] = view
            return view
        return register

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        async with self.limited:
            body = await asyncio.create_task(self.views[scope["path"]]())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
"""
"""A framework that runs each view in a task of its own, one at a time."""

IN_A_TASK = """
from tasks import Tasks

app = Tasks()

@app.route("/")
async def index():
    return b"done"
"""
