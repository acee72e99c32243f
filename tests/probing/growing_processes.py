"""A prefork server that grows: `PORT FIRST MOST EVERY_S`.

FIRST workers at first, each with one request at once, and one more, up to MOST, each time that all of them are busy
when EVERY_S has passed. The master does not accept.
"""

from __future__ import annotations

import mmap
import os
import socket
import sys
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask

BACKLOG = 20
port, first, most, every_s = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
busy = mmap.mmap(-1, 1 << 16)  # a byte for each worker
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen(BACKLOG)
app = Flask(__name__)


@app.get("/")
def index() -> str:
    return "done"


class Worker(WSGIServer):
    def __init__(self, number: int) -> None:
        super().__init__(("127.0.0.1", port), WSGIRequestHandler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port, self.number = "127.0.0.1", port, number
        self.setup_environ()
        self.set_app(app)

    def process_request(self, request, client_address):
        busy[self.number] = 1
        super().process_request(request, client_address)
        busy[self.number] = 0


def start(number: int) -> None:
    if os.fork() == 0:
        Worker(number).serve_forever()


for each in range(first):
    start(each)
running = first
while True:
    time.sleep(every_s)
    if running < most and all(busy[:running]):
        start(running)
        running += 1
