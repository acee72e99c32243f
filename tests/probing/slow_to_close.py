"""A server with a thread for each request, which keeps its end of a connection after the reply: `PORT FOR_S MOST_S`.

A thread closes its end FOR_S after its reply, and once the server has tried to accept nothing for as long, or after
MOST_S: while it is short of descriptors it tries all the time, and a thread that needs the interpreter hardly gets it.
"""

from __future__ import annotations

import socketserver
import sys
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask

port, for_s, most_s = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
app = Flask(__name__)
tried = [time.monotonic()]


@app.get("/")
def index() -> str:
    return "done"


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 5

    def get_request(self):
        tried[0] = time.monotonic()
        return super().get_request()

    def shutdown_request(self, request):
        replied = time.monotonic()
        while (left_s := min(replied + most_s, max(replied, tried[0]) + for_s) - time.monotonic()) > 0:
            time.sleep(left_s)
        super().shutdown_request(request)


server = Server(("127.0.0.1", port), WSGIRequestHandler)
server.set_app(app)
server.serve_forever()
