"""Processes that each accept from a socket of their own (SO_REUSEPORT), or from one, and whose views block."""

from __future__ import annotations

import json
import sys

import pytest

from holdfast.probing.ports import free_port

ON_LOOPS = """
import asyncio, os, sys
import tornado.httpserver, tornado.netutil, tornado.web

class Main(tornado.web.RequestHandler):
    def get(self):
        self.write("done")

async def main():
    server = tornado.httpserver.HTTPServer(tornado.web.Application([("/", Main)]))
    port = int(sys.argv[1])
    server.add_sockets(tornado.netutil.bind_sockets(port, "127.0.0.1", backlog=5, reuse_port=True))
    await asyncio.Event().wait()

for _ in range(2):
    if os.fork() == 0:
        break
asyncio.run(main())
"""
ONE_AT_A_TIME = """
import os, socket, sys
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from flask import Flask

app = Flask(__name__)

@app.get("/")
def index():
    return "done"

class Own(WSGIServer):
    request_queue_size = 5

    def server_bind(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

for _ in range(2):
    if os.fork() == 0:
        break
make_server("127.0.0.1", int(sys.argv[1]), app, server_class=Own).serve_forever()
"""


def verdict_on(holdfast, source):
    (holdfast.directory / "own.py").write_text(source)
    ended = holdfast.run("exec", "--json", "-", "--", sys.executable, "own.py", str(free_port()))
    assert ended.exit == 0, ended.err
    return json.loads(ended.out)


# inet_csk_listen_start() of Linux: each socket has a queue, of backlog + 1 connections (sk_acceptq_is_full).
# Null where the kernel, which draws lots, did not fill all of them.
FULL = (3 * (5 + 1), None)


def test_servers_that_accept_one_at_a_time_have_taken_in_nothing_else(holdfast):
    verdict = verdict_on(holdfast, ONE_AT_A_TIME)

    # socketserver.py: serve_forever() accepts one and handles it before it looks again.
    assert verdict["ceiling"]["in_service"] == 3
    assert verdict["ceiling"]["userspace_queue"] == 0
    assert verdict["ceiling"]["accept_queue"] in FULL


@pytest.mark.servers
def test_a_loop_that_each_handler_blocks_has_taken_in_by_chance_what_it_has(holdfast):
    pytest.importorskip("tornado")
    verdict = verdict_on(holdfast, ON_LOOPS)

    # tornado/netutil.py, add_accept_handler(): it accepts whatever has come to the socket, once it comes to look.
    assert verdict["ceiling"]["in_service"] == 3
    assert verdict["ceiling"]["accept_queue"] in FULL
    assert (verdict["ceiling"]["userspace_queue"], verdict["ceiling"]["userspace_queue_bounded"]) == (None, None)
    assert "chance" in verdict["unknown"]["ceiling.userspace_queue"]


@pytest.mark.servers
def test_what_one_loop_took_from_a_socket_that_several_share_is_no_bound_of_a_queue(holdfast):
    pytest.importorskip("tornado")
    bound = "sockets = tornado.netutil.bind_sockets(int(sys.argv[1]), '127.0.0.1', backlog=5)\n"
    source = ON_LOOPS.replace("for _ in range(2):", f"{bound}for _ in range(2):")
    source = source.replace(
        source[source.index("    port =") : source.index("    await")], "    server.add_sockets(sockets)\n"
    )

    ceiling = verdict_on(holdfast, source)["ceiling"]

    # The same function of Tornado: what has come is taken by the first loop to look, and mostly that is one request.
    assert (ceiling["in_service"], ceiling["accept_queue"]) == (3, 5 + 1)
    assert (ceiling["userspace_queue"], ceiling["userspace_queue_bounded"]) in {(0, True), (None, None)}
