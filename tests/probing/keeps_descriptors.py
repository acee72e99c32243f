"""A server with a thread for each request, which keeps some descriptors of replied requests: `PORT AFTER KEPT`.

It takes them when it has replied AFTER times, and gives them back once it was short of them for other requests and
has replied to those: as Python's collector does, which comes when enough has happened.
"""

from __future__ import annotations

import os
import socketserver
import sys
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask

port, after, most = map(int, sys.argv[1:])
app = Flask(__name__)
# What the requests before those still do when they are let go is over by then.
OTHERS_S = 0.4


@app.get("/")
def index() -> str:
    return "done"


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 5
    replied = 0
    kept_since = 0.0
    short = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.kept = []

    def get_request(self):
        try:
            return super().get_request()
        except OSError:
            self.short = bool(self.kept) and time.monotonic() > self.kept_since + OTHERS_S
            raise

    def shutdown_request(self, request):
        super().shutdown_request(request)
        self.replied += 1
        if self.replied == after:
            self.kept = [os.dup(0) for _ in range(most)]
            self.kept_since = time.monotonic()
        while self.short and self.kept:
            os.close(self.kept.pop())


server = Server(("127.0.0.1", port), WSGIRequestHandler)
server.set_app(app)
server.serve_forever()
