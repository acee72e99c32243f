"""A server whose handlers wait 0.2 s, six at once: what `holdfast attach` is for."""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PLACES = threading.BoundedSemaphore(6)


class Waiting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        with PLACES:
            time.sleep(0.2)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    request_queue_size = 128


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Waiting) as server:
        sys.stdout.write(f"{server.server_port}\n")
        sys.stdout.flush()
        server.serve_forever()
