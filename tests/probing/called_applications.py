"""Applications whose bodies do what bodies do: wait as they should, block where they should not, raise, never end.

Each sleeps for SLEEP_S in its view, in the way that the path says.
"""

from __future__ import annotations

SLEEP_S = 0.2

FASTAPI = """
import asyncio, itertools, os, time, urllib.request
from fastapi import FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse

app = FastAPI()
numbers = itertools.count()

@app.get("/awaiting")
async def awaiting():
    await asyncio.sleep(0.2)
    return {"slept": True}

@app.get("/blocking")
async def blocking():
    time.sleep(0.2)
    return {"slept": True}

@app.get("/def")
def in_a_thread():
    time.sleep(0.2)
    return {"slept": True}

@app.get("/fetching")
async def fetching():
    with urllib.request.urlopen(os.environ["SLOW_SERVER"]) as reply:
        return reply.read().decode()

@app.get("/raising")
async def raising():
    number = next(numbers)
    if number % 3 == 1:
        raise HTTPException(404)
    if number % 3 == 2:
        raise ValueError(number)
    return number

@app.get("/only-for-ann")
async def only_for_ann(x_user: str = Header()):
    if x_user != "ann":
        raise HTTPException(403)
    return x_user

@app.get("/never")
async def never():
    await asyncio.Event().wait()

@app.get("/never-again")
async def never_again():
    while True:
        time.sleep(1)

@app.get("/exiting")
async def exiting():
    os._exit(1)

@app.get("/stream")
async def stream():
    async def parts():
        yield "a"
        await asyncio.sleep(0.01)
        yield "b"
    return StreamingResponse(parts())
"""

STARLETTE = """
import asyncio, time
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

async def awaiting(request):
    await asyncio.sleep(0.2)
    return PlainTextResponse("slept")

async def blocking(request):
    time.sleep(0.2)
    return PlainTextResponse("slept")

app = Starlette(routes=[Route("/awaiting", awaiting), Route("/blocking", blocking)])
"""

FLASK = """
import asyncio, time
from flask import Flask

app = Flask(__name__)

@app.route("/def")
def sleeping():
    time.sleep(0.2)
    return "slept"

@app.route("/blocking")
async def blocking():
    time.sleep(0.2)
    return "slept"
"""

QUART = """
import asyncio, time
from quart import Quart

app = Quart(__name__)

@app.route("/awaiting")
async def awaiting():
    await asyncio.sleep(0.2)
    return "slept"

@app.route("/blocking")
async def blocking():
    time.sleep(0.2)
    return "slept"

@app.route("/def")
def in_a_thread():
    time.sleep(0.2)
    return "slept"
"""

LITESTAR = """
import asyncio, time
from litestar import Litestar, get

@get("/awaiting")
async def awaiting() -> str:
    await asyncio.sleep(0.2)
    return "slept"

@get("/blocking", sync_to_thread=False)
def blocking() -> str:
    time.sleep(0.2)
    return "slept"

app = Litestar([awaiting, blocking])
"""

DJANGO = """
import asyncio, time
from django.conf import settings

settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="none", ALLOWED_HOSTS=["*"], DEBUG=False)

import django
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

django.setup()

async def awaiting(request):
    await asyncio.sleep(0.2)
    return HttpResponse("slept")

async def blocking(request):
    time.sleep(0.2)
    return HttpResponse("slept")

def sleeping(request):
    time.sleep(0.2)
    return HttpResponse("slept")

urlpatterns = [path("awaiting", awaiting), path("blocking", blocking), path("def", sleeping)]
asgi = get_asgi_application()
wsgi = get_wsgi_application()
"""

AIOHTTP = """
import asyncio, time
from aiohttp import web

async def awaiting(request):
    await asyncio.sleep(0.2)
    return web.Response(text="slept")

async def blocking(request):
    time.sleep(0.2)
    return web.Response(text="slept")

app = web.Application()
app.add_routes([web.get("/awaiting", awaiting), web.get("/blocking", blocking)])
"""

TORNADO = """
import asyncio, time
from tornado import web

class Awaiting(web.RequestHandler):
    async def get(self):
        await asyncio.sleep(0.2)
        self.write("slept")

class Blocking(web.RequestHandler):
    def get(self):
        time.sleep(0.2)
        self.write("slept")

app = web.Application([("/awaiting", Awaiting), ("/blocking", Blocking)])
"""

SANIC = """
import asyncio, time
from sanic import Sanic, text

app = Sanic("called")

@app.get("/awaiting")
async def awaiting(request):
    await asyncio.sleep(0.2)
    return text("slept")

@app.get("/blocking")
def blocking(request):
    time.sleep(0.2)
    return text("slept")
"""
