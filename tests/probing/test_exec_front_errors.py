"""A front that answers a request with an error although the server runs it, and has room for more."""

from __future__ import annotations

import pytest
from own_commands import ANSWERED, INCONCLUSIVE, Own, run_all, value
from support.placed import placed

APP = """
from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "hello"
"""
# Once, when three requests are under way, the client of the third gets 502. It has been handed on, and runs.
FRONT = """
import socket
import threading

under_way, turned_away, lock = 0, False, threading.Lock()


def serve(client):
    global under_way, turned_away
    with lock:
        under_way += 1
        turns_away = under_way == 3 and not turned_away
        turned_away = turned_away or turns_away
    with client, socket.create_connection(("127.0.0.1", {other})) as server:
        server.sendall(client.recv(65536))
        if turns_away:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
            client.shutdown(socket.SHUT_RDWR)
        try:
            while data := server.recv(4096):
                if not turns_away:
                    client.sendall(data)
        except OSError:
            pass
    with lock:
        under_way -= 1


with socket.create_server(("127.0.0.1", {port}), backlog=64) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
OWN = Own(
    "turned away once",
    ("sh", "start.sh"),
    {
        "app.py": APP,
        "front.py": FRONT,
        "start.sh": "#!/bin/sh\ngunicorn -b 127.0.0.1:{other} --threads 4 app:app &\nexec python front.py\n",
    },
    {
        # gunicorn/workers/gthread.py: a pool of four threads, and each runs one, whether its client is there or not.
        "ceiling.in_service": 4,
        "ceiling.bounded": True,
        "model.threads_per_process": 4,
        "places.in_service": 3,
        "places.rejected": 1,
        # Those that came later wait in gunicorn, so it is no queue that was full.
        "ceiling.userspace_queue": None,
        "ceiling.userspace_queue_bounded": False,
        "overflow.first": "userspace_queue",
        "overflow.then": [],
        "overflow.client_sees": None,
    },
)

# What has no answer in time is sent once more, and then answered with 504: as nginx does (proxy_next_upstream).
RETRIES = """
import socket
import threading


def serve(client):
    with client:
        request = client.recv(65536)
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", {other})) as server:
                server.sendall(request)
                server.settimeout(0.7)
                try:
                    while data := server.recv(4096):
                        client.sendall(data)
                    return
                except TimeoutError:
                    pass
                except OSError:
                    return
        client.sendall(b"HTTP/1.1 504 Gateway Timeout\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")


with socket.create_server(("127.0.0.1", {port}), backlog=64) as listener:
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"""
SENT_AGAIN = Own(
    "sent again",
    OWN.command,
    {**OWN.files, "front.py": RETRIES},
    options=("--watch", "3", "--max-offered", "8"),
    exit=INCONCLUSIVE,
)


@pytest.fixture(scope="module")
def both(workshop):
    return run_all(workshop, (OWN, SENT_AGAIN))


@pytest.fixture
def done(both):
    return both[OWN.id]


def test_a_handler_that_runs_on_when_a_front_has_answered_for_it_takes_a_place(done):
    assert done.ended.exit == ANSWERED, done.ended.err
    verdict = done.verdict()

    assert {name: value(verdict, name) for name in OWN.says} == dict(OWN.says)
    assert placed(verdict) == verdict["offered"]
    assert any("were turned away after their handlers had begun" in each for each in verdict["warnings"])


def test_what_is_turned_away_while_others_are_let_in_shows_no_full_queue(done):
    reasons = done.verdict()["unknown"]

    assert "which no single full queue does" in reasons["ceiling.userspace_queue"]
    assert reasons["overflow.client_sees"] == reasons["ceiling.userspace_queue"]


def test_requests_that_a_front_sends_again_are_not_said_to_have_reached_no_view(both):
    ended = both[SENT_AGAIN.id].ended

    assert ended.exit == INCONCLUSIVE, ended.err
    # Where one of them has not run again, it shows the time limit.
    assert "were handed to the application more than once" in ended.what or "time limit" in ended.what
