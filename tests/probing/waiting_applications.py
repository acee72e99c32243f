"""Applications in which requests wait: before their view or in it, for a lock, a semaphore, a pool or a thread."""

from __future__ import annotations

FASTAPI = """
import asyncio
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager

import anyio.to_thread
from asgiref.sync import sync_to_async
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text

engine = create_engine("sqlite:///shop.db", pool_size=5, max_overflow=0)
limited = asyncio.Semaphore(5)
inside = asyncio.Semaphore(3)
lock = asyncio.Lock()
processes = ProcessPoolExecutor(2)
made_ready = ThreadPoolExecutor(3, initializer=lambda: time.sleep(0.5))

@asynccontextmanager
async def lifespan(app):
    anyio.to_thread.current_default_thread_limiter().total_tokens = 30
    yield

app = FastAPI(lifespan=lifespan)

async def max_concurrency():
    async with limited:
        yield

def connection():
    with engine.connect() as connected:
        connected.execute(text("select 1"))
        yield

@app.get("/dependency", dependencies=[Depends(max_concurrency)])
async def with_dependency():
    return "done"

@app.get("/pool", dependencies=[Depends(connection)])
async def with_pool():
    return "done"

@app.get("/def")
def in_a_thread():
    return "done"

@app.get("/semaphore")
async def with_semaphore():
    async with inside:
        await asyncio.sleep(0.2)
    return "done"

@app.get("/timeout")
async def in_time():
    await asyncio.wait_for(lock.acquire(), 60)
    await asyncio.sleep(0.05)
    lock.release()
    return "done"

begun = []

@app.get("/late")
async def late():
    await asyncio.sleep(0)  # as AnyIO does before it asks for a thread
    begun.append(1)
    if len(begun) == 2:  # the first of those that run together
        time.sleep(0.3)  # as a busy machine needs to start threads
    async with inside:
        await asyncio.sleep(0.3)
    return "done"


@app.get("/executor")
async def in_the_executor():
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, 0.2)
    return "done"

@app.get("/processes")
async def in_processes():
    await asyncio.get_running_loop().run_in_executor(processes, time.sleep, 0.2)
    return "done"

@app.get("/ready")
async def on_threads_made_ready():
    await asyncio.get_running_loop().run_in_executor(made_ready, time.sleep, 0.3)
    return "done"

@app.get("/sensitive")
async def in_the_one_thread():
    await sync_to_async(time.sleep)(0.05)
    return "done"

@app.get("/sleep")
async def sleeping():
    await asyncio.sleep(0.2)
    return "done"
"""

HTTPX = """
import asyncio
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok"

async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    await asyncio.sleep(0.3)
    writer.write(ANSWER)
    writer.close()

@asynccontextmanager
async def lifespan(app):
    other = await asyncio.start_server(answer, "127.0.0.1", 0)
    app.state.url = "http://127.0.0.1:{}/".format(other.sockets[0].getsockname()[1])
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=3)) as app.state.client:
        yield

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def from_elsewhere():
    return (await app.state.client.get(app.state.url)).text
"""

AIOHTTP = """
import asyncio
from contextlib import asynccontextmanager

import aiohttp
from fastapi import FastAPI

ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok"

async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    await asyncio.sleep(0.3)
    writer.write(ANSWER)
    writer.close()

@asynccontextmanager
async def lifespan(app):
    other = await asyncio.start_server(answer, "127.0.0.1", 0)
    app.state.url = "http://127.0.0.1:{}/".format(other.sockets[0].getsockname()[1])
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=3)) as app.state.client:
        yield

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def from_elsewhere():
    async with app.state.client.get(app.state.url) as reply:
        return await reply.text()
"""

FLASK = """
import threading
import time
from concurrent.futures import ProcessPoolExecutor

from flask import Flask
from sqlalchemy import create_engine, text

app = Flask(__name__)
engine = create_engine("sqlite:///shop.db", pool_size=5, max_overflow=0)
free = threading.BoundedSemaphore(3)
lock = threading.Lock()
processes = ProcessPoolExecutor(2)

@app.get("/processes")
def in_processes():
    processes.submit(time.sleep, 0.2).result()
    return "done"

@app.get("/semaphore")
def with_semaphore():
    with free:
        time.sleep(0.2)
    return "done"

@app.get("/lock")
def with_lock():
    with lock:
        time.sleep(0.05)
    return "done"

@app.get("/pool")
def with_pool():
    with engine.connect() as connected:
        connected.execute(text("select 1"))
        time.sleep(0.2)
    return "done"
"""

QUEUE = """
import queue
import time

from flask import Flask

app = Flask(__name__)
places = queue.SimpleQueue()
for each in range(4):
    places.put(each)


@app.get("/")
def with_queue():
    place = places.get()
    try:
        time.sleep(0.3)
        return "done"
    finally:
        places.put(place)
"""
MIDDLEWARE = """
import asyncio
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route

limited = asyncio.Semaphore(3)

class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)

class Limiting(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        async with limited:
            return await call_next(request)

async def index(request):
    return PlainTextResponse("done")

app = Starlette(
    routes=[Route("/", index)], middleware=[Middleware(Passing), Middleware(Limiting), Middleware(Passing)]
)
"""

DJANGO = """
import threading

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(SECRET_KEY="x", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[__name__ + ".limiting"])
django.setup()
limited = threading.Semaphore(2)

def limiting(get_response):
    def middleware(request):
        with limited:
            return get_response(request)
    return middleware

def index(request):
    return HttpResponse("done")

urlpatterns = [path("", index)]
app = get_asgi_application()
"""

TORNADO = """
import time
from concurrent.futures import ThreadPoolExecutor

import tornado.web
from tornado.concurrent import run_on_executor

class Main(tornado.web.RequestHandler):
    executor = ThreadPoolExecutor(3)

    @run_on_executor
    def work(self):
        time.sleep(0.2)

    async def get(self):
        await self.work()
        self.write("done")

app = tornado.web.Application([("/", Main)])
"""

# What stands for it is made when it is first asked for anything, as with Django's settings and users, which are there
# wherever Django was imported (Sentry does). With greenlet imported too, all objects are looked through for greenlets.
PROXIES = """
import threading

import greenlet
from flask import Flask

app = Flask(__name__)
lock = threading.Lock()


class Later:
    @property
    def __class__(self):
        raise RuntimeError("asked for too early")


later = Later()


def one_by_one(view):
    def waiting(*args, **named):
        with lock:
            return view(*args, **named)

    return waiting


@app.get("/")
@one_by_one
def index():
    return "in"
"""
