"""Two processes accept from one socket, the second one the first connection and every so many: `PORT EVERY`.

Each holds two requests at once and turns all others away with 503. So the second one still has room for long while the
first turns requests away, as one that a busy machine lets run too late for each connection.
"""

from __future__ import annotations

import mmap
import os
import socketserver
import sys
import threading
import time
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from flask import Flask

port, every = int(sys.argv[1]), int(sys.argv[2])
app = Flask(__name__)
PLACES = 2
AWAY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
accepted = mmap.mmap(-1, 4)


@app.get("/")
def index() -> str:
    return "done"


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 5
    seldom = False
    lock = threading.Lock()
    held = 0

    def get_request(self):
        number = int.from_bytes(accepted[:4], "big")
        if self.seldom != (number % every == 0):
            time.sleep(0.001)
            raise BlockingIOError
        connection = super().get_request()
        accepted[:4] = (number + 1).to_bytes(4, "big")
        return connection

    def process_request(self, request, client_address):
        with self.lock:
            full = self.held >= PLACES
            self.held += not full
        if full:
            request.recv(65536)
            request.sendall(AWAY)
            self.shutdown_request(request)
        else:
            super().process_request(request, client_address)

    def process_request_thread(self, request, client_address):
        super().process_request_thread(request, client_address)
        with self.lock:
            self.held -= 1


server = Server(("127.0.0.1", port), WSGIRequestHandler)
server.set_app(app)
server.socket.setblocking(False)
server.seldom = os.fork() == 0
server.serve_forever()
