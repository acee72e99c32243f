"""A server with a thread for each request, which keeps some descriptors of replied requests: `PORT AFTER KEPT`.

It takes them when it has replied AFTER times, and gives them back once it was short of them for requests that came
when it had replied to all earlier ones, and has replied to one of those: as Python's collector does, which comes when
enough has happened.
"""

from __future__ import annotations

import os
import socketserver
import sys
import threading
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask

port, after, most = map(int, sys.argv[1:])
app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "done"


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 5
    accepted = replied = 0
    others = short = False

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.lock = threading.Lock()
        self.kept = []

    def get_request(self):
        try:
            connection = super().get_request()
        except OSError:
            self.short = self.others
            raise
        self.accepted += 1
        return connection

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.lock:
            self.replied += 1
            if self.replied == after:
                self.kept = [os.dup(0) for _ in range(most)]
            self.others = self.others or (bool(self.kept) and self.replied == self.accepted)
            while self.short and self.kept:
                os.close(self.kept.pop())


server = Server(("127.0.0.1", port), WSGIRequestHandler)
server.set_app(app)
server.serve_forever()
