"""Applications in which the way to the view takes a time of its own, by frameworks and by ways."""

BEFORE_REQUEST = """
import time
from flask import Flask

app = Flask(__name__)

@app.before_request
def authenticate():
    time.sleep({way_s})

@app.get("/")
def index():
    return "done"
"""

DEPENDENCY = """
import contextlib
import time
from anyio.to_thread import current_default_thread_limiter
from fastapi import Depends, FastAPI

@contextlib.asynccontextmanager
async def six_threads(app):
    current_default_thread_limiter().total_tokens = 6
    yield

app = FastAPI(lifespan=six_threads)

def authenticate():
    time.sleep({way_s})

@app.get("/", dependencies=[Depends(authenticate)])
def index():
    return "done"
"""

MIDDLEWARE = """
import asyncio
from fastapi import FastAPI

app = FastAPI()

@app.middleware("http")
async def authenticate(request, call_next):
    await asyncio.sleep({way_s})
    return await call_next(request)

@app.get("/")
async def index():
    return "done"
"""

FEW = """
import itertools
from flask import Flask

app = Flask(__name__)
taken = itertools.count()

@app.before_request
def limit():
    if next(taken):
        return "too many requests", 429

@app.get("/")
def index():
    return "done"
"""

ONLY_THE_FIRST = """
import multiprocessing
import time
from flask import Flask

app = Flask(__name__)
cold = multiprocessing.Semaphore()

@app.before_request
def open_once():
    if cold.acquire(block=False):
        time.sleep(1.1)

@app.get("/")
def index():
    return "done"
"""
