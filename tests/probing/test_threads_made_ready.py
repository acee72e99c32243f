"""A pool whose threads run an initializer before they take requests: its size is not that at the first plateau."""

from __future__ import annotations

import pytest
from own_commands import Own, run_all, value

# The thread that takes the first requests is ready before the server is, so nothing in these shows what others need.
APPLICATION = """
import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from flask import Flask

app = Flask(__name__)
begun = []


@app.get("/")
def index():
    return "hello"


def load_a_model():
    begun.append(1)
    if len(begun) > 1:
        time.sleep(SECONDS)

"""
SERVER = """
from tornado.httpserver import HTTPServer
from tornado.wsgi import WSGIContainer


async def main():
    pool = ThreadPoolExecutor(3, initializer=load_a_model)
    pool.submit(int).result()
    HTTPServer(WSGIContainer(app, executor=pool)).listen({port}, "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
"""
SERVER = APPLICATION.replace("SECONDS", "3.5") + SERVER
OWN = Own(
    "initializer",
    ("python", "serve.py"),
    {"serve.py": SERVER},
    {"ceiling.in_service": 3, "ceiling.bounded": True, "model.kind": "event-loop+thread-pool"},
    options=("--max-offered", "20"),
)
# gunicorn, gthread.py: `get_thread_pool` makes the pool whose threads call the application.
WORKER = """
from gunicorn.workers.gthread import ThreadWorker


class Worker(ThreadWorker):
    def get_thread_pool(self):
        return ThreadPoolExecutor(4, initializer=load_a_model)
"""
WORKER = APPLICATION.replace("SECONDS", "2") + WORKER
WITHOUT_A_LOOP = Own(
    "initializer without a loop",
    ("gunicorn", "-k", "serve.Worker", "--threads", "4", "-b", "127.0.0.1:{port}", "serve:app"),
    {"serve.py": WORKER},
    {"ceiling.in_service": 4, "ceiling.bounded": True, "model.kind": "thread-pool", "libraries": None},
    options=("--max-offered", "20"),
)


@pytest.fixture(scope="module")
def results(workshop):
    return run_all(workshop, [OWN, WITHOUT_A_LOOP])


@pytest.mark.parametrize("own", [OWN, WITHOUT_A_LOOP], ids=lambda own: own.id)
def test_threads_that_are_made_ready_while_requests_wait_are_waited_for(results, own):
    done = results[own.id]

    assert done.ended.exit == own.exit, done.ended.err
    verdict = done.verdict()
    assert {name: value(verdict, name) for name in own.says} == dict(own.says)
    (told,) = [each for each in verdict["warnings"] if "wakes up by itself" in each]
    assert "load_a_model in serve.py" in told
