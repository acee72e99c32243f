"""A server whose first worker forks the second one: `PORT KIND AFTER`.

Each worker accepts without limit and has two threads. The second one comes once the first has accepted AFTER
connections (0: at the start). KIND `late`: it begins to accept 0.3 s later. `slow`: it takes 20 ms to wake up for each
connection, so that the first has it.
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

port, kind, after = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, *_parts) -> None:
        pass


class Worker(HTTPServer):
    request_queue_size = 128
    taken = 0
    first = True

    def serve(self) -> None:
        self.pool = ThreadPoolExecutor(2)
        # Another worker may have taken what this one woke up for.
        self.socket.setblocking(False)
        self.serve_forever()

    def get_request(self):
        if not self.first and kind == "slow":
            time.sleep(0.02)
        return super().get_request()

    def process_request(self, request, client_address) -> None:
        request.setblocking(True)
        self.pool.submit(self.run, request, client_address)
        self.taken += 1
        if self.first and self.taken == after:
            self.fork()

    def run(self, request, client_address) -> None:
        self.finish_request(request, client_address)
        self.shutdown_request(request)

    def fork(self) -> None:
        if os.fork() == 0:
            if kind == "late":
                time.sleep(0.3)
            self.first = False
            self.serve()


worker = Worker(("127.0.0.1", port), Handler)
if not after:
    worker.fork()
worker.serve()
