"""What a load has come to, for Prometheus to fetch while it goes on.

It is answered by a thread, which has nothing but a text that is put there from time to time: whoever fetches, however
often or slowly, keeps nobody but that thread waiting.
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


class Exposed:
    """A page on the loopback.

    Attributes:
        url: where it is.
        text: what is answered; nothing is answered before `serve`.
    """

    def __init__(self, port: int) -> None:
        """Takes the port; 0 is a free one.

        Raises:
            EnvironmentFailure: it is not to be had.
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
        """Begins to answer: only when everything is forked, since a fork takes no threads along."""
        self._thread.start()

    def close(self) -> None:
        """Ends it, whoever is still waiting for an answer."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


@contextmanager
def exposed(port: int | None) -> Iterator[Exposed | None]:
    """A page for the time of a block; None where no port is given.

    Raises:
        EnvironmentFailure: the port is not to be had.
    """
    page = None if port is None else Exposed(port)
    try:
        yield page
    finally:
        if page is not None:
            page.close()


def _listening(port: int, page: Exposed) -> ThreadingTCPServer:
    """The server of a page, not yet answering."""
    from http import HTTPStatus  # noqa: PLC0415 - see above
    from http.server import BaseHTTPRequestHandler  # noqa: PLC0415
    from socketserver import ThreadingTCPServer  # noqa: PLC0415

    from holdfast.report.metrics import CONTENT_TYPE  # noqa: PLC0415

    class Server(ThreadingTCPServer):
        # Without it a port on which somebody was connected just now is taken for a minute (ip(7)).
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

        def handle_error(self, _request: Any, _client_address: Any) -> None:  # noqa: ANN401 - socketserver's
            """Says nothing: a client that went away before the answer is not told of."""

    class Answering(BaseHTTPRequestHandler):
        timeout = _SILENT_S

        def do_GET(self) -> None:
            found = self.path.partition("?")[0] == _PATH
            body = (page.text if found else f"See {_PATH}.\n").encode()
            self.send_response(HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
            self.send_header("Content-Type", CONTENT_TYPE if found else "text/plain; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Server((_LOOPBACK, port), Answering)
