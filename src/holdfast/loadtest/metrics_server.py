"""A page with the metrics of a load in progress, for Prometheus.

A thread serves it, and only reads a text that is replaced from time to time, so a client that fetches often or slowly
delays nothing but that thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Any

from holdfast.errors import EnvironmentFailure

# http.server brings 30 modules, and few loads are asked for a page.
if TYPE_CHECKING:
    from socketserver import ThreadingTCPServer

_LOOPBACK = "127.0.0.1"
_PATH = "/metrics"
_SILENT_S = 5
_STOP_LOOK_S = 0.02


class MetricsPage:
    """A page on the loopback.

    Attributes:
        url: where it is.
        text: the page; nothing is served before `serve`.
    """

    def __init__(self, port: int) -> None:
        """Binds the port; 0 takes a free one.

        Raises:
            EnvironmentFailure: it is taken.
        """
        self.text = ""
        try:
            self._server = _listening(port, self)
        except OSError as error:
            raise EnvironmentFailure(
                f"Port {port} of {_LOOPBACK} cannot be listened on.",
                f"{error.strerror}.",
                "Choose another port for --prometheus, or 0 for a free one.",
            ) from error
        self.url = f"http://{_LOOPBACK}:{self._server.server_address[1]}{_PATH}"
        self._thread = Thread(target=self._server.serve_forever, args=(_STOP_LOOK_S,), daemon=True)

    def serve(self) -> None:
        """Starts to serve: only after all forks, since a fork does not copy threads."""
        self._thread.start()

    def close(self) -> None:
        """Ends the server, even if a client still waits for a reply."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


@contextmanager
def metrics_page(port: int) -> Iterator[MetricsPage]:
    """Serves a page for the duration of a block.

    Raises:
        EnvironmentFailure: the port is taken.
    """
    page = MetricsPage(port)
    try:
        yield page
    finally:
        page.close()


def _listening(port: int, page: MetricsPage) -> ThreadingTCPServer:
    """The server of a page, not yet answering."""
    from http import HTTPStatus  # noqa: PLC0415 - see above
    from http.server import BaseHTTPRequestHandler  # noqa: PLC0415
    from socketserver import ThreadingTCPServer  # noqa: PLC0415

    from holdfast.report.metrics import CONTENT_TYPE  # noqa: PLC0415

    class Server(ThreadingTCPServer):
        # Without it, a port that had a connection a moment ago stays taken for a minute (ip(7)).
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

        def handle_error(self, _request: Any, _client_address: Any) -> None:  # noqa: ANN401 - socketserver's
            """Says nothing: a client that went away before the answer is not told of."""

    class Answering(BaseHTTPRequestHandler):
        timeout = _SILENT_S

        def do_GET(self) -> None:
            self.wfile.write(self._head())

        def do_HEAD(self) -> None:
            self._head()

        def _head(self) -> bytes:
            """Sends the head, and returns the body that it announces."""
            found = self.path.partition("?")[0] == _PATH
            body = (page.text if found else f"See {_PATH}.\n").encode()
            self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", CONTENT_TYPE if found else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            return body

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Server((_LOOPBACK, port), Answering)
