"""A server that accepts a connection every 20 ms, 50 a second, with four more in its queue; then a thread answers it.

The one in `get_request` is out of the queue already: listen(2) with a backlog of 3 keeps 4.
"""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


class SlowToAccept(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 3
    next_s = 0.0

    def get_request(self) -> tuple[socket.socket, Any]:
        now_s = time.monotonic()
        time.sleep(max(0.0, self.next_s - now_s))
        self.next_s = max(now_s, self.next_s) + 0.02
        return super().get_request()


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Logs nothing."""

    def address_string(self) -> str:
        return str(self.client_address[0])


def app(_environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


if __name__ == "__main__":
    with make_server("127.0.0.1", int(sys.argv[1]), app, SlowToAccept, Quiet) as server:
        server.serve_forever()
