"""A server with a thread pool that grows: `PORT FIRST MOST EVERY_S`.

FIRST threads at first, and one more, up to MOST, each time that requests wait when EVERY_S has passed.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask

port, first, most, every_s = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
waiting: queue.Queue = queue.Queue()
app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "done"


class Server(WSGIServer):
    request_queue_size = 20

    def process_request(self, request, client_address):
        waiting.put((request, client_address))


server = Server(("127.0.0.1", port), WSGIRequestHandler)
server.set_app(app)


def work() -> None:
    while True:
        request, client_address = waiting.get()
        try:
            server.finish_request(request, client_address)
        except OSError:
            server.handle_error(request, client_address)
        server.shutdown_request(request)


def start() -> None:
    threading.Thread(target=work, daemon=True).start()


def grow() -> None:
    running = first
    for _ in range(first):
        start()
    while running < most:
        time.sleep(every_s)
        if waiting.qsize():
            start()
            running += 1


threading.Thread(target=grow, daemon=True).start()
server.serve_forever()
