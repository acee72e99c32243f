"""What turns requests away by a number of places is told from what does so by a number of requests for a time."""

from __future__ import annotations

import msgspec
import pytest
from own_commands import ANSWERED
from support.commandline import free_port

# Fifty threads that each wait for their turn in a queue, so that the one that served last comes last; standard library.
POOL = """
import queue, socket, sys, threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from flask import Flask, abort, g

class Server(WSGIServer):
    def __init__(self, *args):
        super().__init__(*args)
        self.turns = queue.Queue()
        for _ in range(50):
            turn = queue.Queue()
            threading.Thread(target=self.serve, args=(turn,), daemon=True).start()

    def serve(self, turn):
        while True:
            self.turns.put(turn)
            request, address = turn.get()
            try:
                self.finish_request(request, address)
            finally:
                self.shutdown_request(request)

    def process_request(self, request, address):
        self.turns.get().put((request, address))

app = Flask(__name__)

@app.get("/")
def index():
    return "done"

LIMIT

server = Server(("127.0.0.1", int(sys.argv[1])), WSGIRequestHandler)
server.set_app(app)
server.serve_forever()
"""

PLACES = """
free = threading.Semaphore(3)

@app.before_request
def take():
    g.taken = free.acquire(blocking=False)
    if not g.taken:
        abort(503)

@app.teardown_request
def give_back(error):
    if g.pop("taken", False):
        free.release()
"""

# What a rate limiter does, with a period longer than any run.
RATE = """
left = iter(range(5))

@app.before_request
def take():
    if next(left, None) is None:
        abort(429)
"""


def verdict_on(holdfast, tmp_path, limit):
    (tmp_path / "shop.py").write_text(POOL.replace("LIMIT", limit))
    port = free_port()

    ended = holdfast.run("exec", "--json", "-", "--", "python", "shop.py", str(port), cwd=tmp_path, port=port)

    assert ended.exit == ANSWERED
    return msgspec.json.decode(ended.out)


@pytest.mark.servers
def test_a_pool_of_many_idle_threads_behind_a_few_places_is_a_pool(holdfast, tmp_path):
    verdict = verdict_on(holdfast, tmp_path, PLACES)

    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (3, True)
    assert verdict["overflow"]["client_sees"] == "503"
    assert (verdict["model"]["kind"], verdict["model"]["threads_reused"]) == ("thread-pool", True)


@pytest.mark.servers
def test_a_number_of_requests_for_a_time_is_no_ceiling(holdfast, tmp_path):
    verdict = verdict_on(holdfast, tmp_path, RATE)

    # The first request used up one of the five.
    assert (verdict["ceiling"]["in_service"], verdict["ceiling"]["bounded"]) == (4, False)
    assert any("a rate limiter" in each for each in verdict["warnings"])
    assert verdict["overflow"]["client_sees"] == "429"
    assert verdict["model"]["kind"] is None
