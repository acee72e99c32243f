"""Servers that start each handler slowly and whose handlers need several descriptors each, under a limit of these."""

from __future__ import annotations

from own_commands import ANSWERED, Own, run_all

# What asyncio does for an async view of Flask, only slowly: an event loop takes an epoll instance and a pair of
# sockets, and one that could not be made keeps what it had got until the garbage is collected.
SERVER = """
import gc
import select
import socket
import sys
import time

from flask import Flask, g

gc.disable()
app = Flask(__name__)


@app.before_request
def make_a_loop():
    time.sleep(0.045)
    kept = []
    kept.append(kept)
    kept.append(select.epoll())
    kept.append(socket.socketpair())
    g.loop = kept


@app.teardown_request
def close_it(_error):
    loop = g.pop("loop", None)
    if loop is not None:
        loop.clear()


@app.get("/")
def index():
    return "hello"


app.run(port=int(sys.argv[1]))
"""


def test_the_last_places_are_found_one_by_one_so_that_none_is_lost_to_requests_that_start_together(workshop):
    own = Own(
        "loops",
        ("python", "serve.py", "{port}"),
        {"serve.py": SERVER},
        options=("--nofile", "256", "--max-offered", "300"),
    )

    done = run_all(workshop, (own,))[own.id]

    assert done.ended.exit == ANSWERED, done.ended.err
    verdict = done.verdict()
    # Four descriptors for each, its connection included, of all but the standard streams and the listening socket.
    assert verdict["ceiling"]["in_service"] == (256 - 4) // 4
    assert verdict["places"]["rejected"] == 0
    assert verdict["overflow"]["first"] == "accept_queue"
