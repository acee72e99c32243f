"""What turns requests away by a number of places is told from what does so by a number of requests for a time."""

from __future__ import annotations

import msgspec
import pytest
from own_commands import ANSWERED, INCONCLUSIVE

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


# A page that says so, as an ordinary answer.
PAGE = PLACES.replace("abort(503)", 'return "come back later"')


def ended_on(holdfast, tmp_path, limit, *options):
    (tmp_path / "shop.py").write_text(POOL.replace("LIMIT", limit))
    port = holdfast.free_port()

    return holdfast.run("exec", "--json", "-", *options, "--", "python", "shop.py", str(port), cwd=tmp_path, port=port)


def verdict_on(holdfast, tmp_path, limit):
    ended = ended_on(holdfast, tmp_path, limit)

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


@pytest.mark.servers
def test_requests_that_get_an_ordinary_answer_without_their_view_leave_no_ceiling(holdfast, tmp_path):
    ended = ended_on(holdfast, tmp_path, PAGE, "--max-offered", "50")

    assert ended.exit == INCONCLUSIVE
    assert "requests were answered without their view" in ended.err
    assert "3 were in service, and those others got HTTP 200" in ended.err
